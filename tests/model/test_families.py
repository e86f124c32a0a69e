"""Links and families in numpy: densities against scipy's, simulated outcomes against the moments of theory."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from hierfit.model.families import FAMILIES, LINKS, Family, Support
from tests.family_cases import FAMILY_CASES, FamilyCase, family_design

Array = NDArray[np.float64]
TRIALS = np.array([1.0, 7.0, 30.0, 4.0])
ETA = np.array([-1.2, 0.1, 0.6, 1.1])

# What scipy calls the distribution with that mean (of one trial; of log y for lognormal), auxiliaries and trials.
REFERENCES: dict[str, Callable[[Array, Mapping[str, Array], Array], Any]] = {
    "gaussian": lambda mean, aux, n: stats.norm(mean, aux["sigma"]),
    "bernoulli": lambda mean, aux, n: stats.bernoulli(mean),
    "poisson": lambda mean, aux, n: stats.poisson(mean),
    "binomial": lambda mean, aux, n: stats.binom(n, mean),
    "negbinomial": lambda mean, aux, n: stats.nbinom(aux["shape"], aux["shape"] / (aux["shape"] + mean)),
    "student": lambda mean, aux, n: stats.t(aux["nu"], mean, aux["sigma"]),
    "gamma": lambda mean, aux, n: stats.gamma(aux["shape"], scale=mean / aux["shape"]),
    "lognormal": lambda mean, aux, n: stats.lognorm(aux["sigma"], scale=np.exp(mean)),
    "beta": lambda mean, aux, n: stats.beta(mean * aux["phi"], (1 - mean) * aux["phi"]),
    "beta_binomial": lambda mean, aux, n: stats.betabinom(n, mean * aux["phi"], (1 - mean) * aux["phi"]),
    "zero_inflated_poisson": lambda mean, aux, n: ZeroInflated(stats.poisson(mean), aux["zi"]),
    "zero_inflated_negbinomial": lambda mean, aux, n: ZeroInflated(REFERENCES["negbinomial"](mean, aux, n), aux["zi"]),
}


class ZeroInflated:
    """A distribution of counts, with 0 instead with probability zi."""

    def __init__(self, counts: Any, zi: Array) -> None:
        self.counts, self.zi = counts, zi

    def logpmf(self, y: Array) -> Array:
        return np.asarray(np.log(self.zi * (y == 0) + (1 - self.zi) * self.counts.pmf(y)))

    def mean(self) -> Array:
        return np.asarray((1 - self.zi) * self.counts.mean())

    def var(self) -> Array:
        second = (1 - self.zi) * (self.counts.var() + self.counts.mean() ** 2)
        return np.asarray(second - self.mean() ** 2)


def record(case: FamilyCase) -> Family:
    return FAMILIES[case.family]


def reference(case: FamilyCase, eta: Array = ETA) -> Any:
    return REFERENCES[case.family](LINKS[case.link].inverse(eta), case.values, TRIALS)


def test_every_family_and_link_is_tried() -> None:
    assert {(case.family, case.link) for case in FAMILY_CASES} == {
        (family.name, link) for family in FAMILIES.values() for link in family.links
    }
    for case in FAMILY_CASES:
        assert list(case.auxiliaries or {}) == [auxiliary.name for auxiliary in record(case).auxiliaries]


@pytest.mark.parametrize("name", LINKS)
def test_links_and_their_inverses(name: str) -> None:
    link, eta = LINKS[name], np.linspace(-3, 3, 13)
    np.testing.assert_allclose(link.forward(link.inverse(eta)), eta, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("logit", 1 / (1 + np.exp(-ETA))),
        ("probit", stats.norm.cdf(ETA)),
        ("cloglog", 1 - np.exp(-np.exp(ETA))),
        ("log", np.exp(ETA)),
    ],
)
def test_inverse_links_are_what_their_names_say(name: str, values: Array) -> None:
    np.testing.assert_allclose(LINKS[name].inverse(ETA), values, rtol=1e-12)


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_log_density_is_scipys(case: FamilyCase) -> None:
    family, rng = record(case), np.random.default_rng(2)
    mean = LINKS[case.link].inverse(ETA)
    for _ in range(20):
        y = family.replicate(rng, mean, case.values, TRIALS)
        found = family.log_density(y, mean, case.values, TRIALS)
        frozen = reference(case)
        expected = frozen.logpmf(y) if family.is_discrete else frozen.logpdf(y)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_draws_are_a_leading_axis(case: FamilyCase) -> None:
    family, rng = record(case), np.random.default_rng(3)
    mean = LINKS[case.link].inverse(ETA + np.array([[0.0], [0.3], [-0.2]]))
    auxiliaries = {name: values * np.array([[1.0], [0.9], [1.1]]) for name, values in case.values.items()}
    y = family.replicate(rng, mean, auxiliaries, TRIALS)
    assert y.shape == (3, 4) and y.dtype == np.float64
    together = family.log_density(y[0], mean, auxiliaries, TRIALS)
    assert together.shape == family.expected(mean, auxiliaries, TRIALS).shape == (3, 4)
    for draw in range(3):
        own = {name: values[draw] for name, values in auxiliaries.items()}
        np.testing.assert_allclose(together[draw], family.log_density(y[0], mean[draw], own, TRIALS))


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_simulated_outcomes_have_the_moments_of_theory(case: FamilyCase) -> None:
    family, rng, draws = record(case), np.random.default_rng(4), 40_000
    mean = LINKS[case.link].inverse(np.tile(ETA, (draws, 1)))
    y = family.replicate(rng, mean, case.values, TRIALS)
    frozen = reference(case)
    np.testing.assert_allclose(family.expected(mean[0], case.values, TRIALS), frozen.mean(), rtol=1e-9)
    # Five standard errors, that of the variance from the sample's own fourth moment.
    deviation = y - frozen.mean()
    assert np.all(np.abs(deviation.mean(axis=0)) < 5 * np.sqrt(frozen.var() / draws))
    error = np.std(deviation**2, axis=0) / np.sqrt(draws)
    assert np.all(np.abs(np.mean(deviation**2, axis=0) - frozen.var()) < 5 * error)


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_simulated_outcomes_are_in_the_support(case: FamilyCase) -> None:
    y, support = family_design(case).y, record(case).support
    assert np.isfinite(y).all()
    if record(case).is_discrete:
        np.testing.assert_array_equal(y, np.rint(y))
    if support is not Support.REAL:
        assert y.min() >= 0
    if support in (Support.POSITIVE, Support.UNIT):
        assert y.min() > 0
    if support in (Support.UNIT, Support.BINARY):
        assert y.max() <= 1


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
@pytest.mark.filterwarnings("error")
def test_extreme_predictors_are_survived(case: FamilyCase) -> None:
    family, rng = record(case), np.random.default_rng(5)
    y = family_design(case).y[:4]
    trials = np.maximum(TRIALS, y)
    for eta in (-1e4, -800.0, -40.0, 40.0, 800.0, 1e4):
        mean = LINKS[case.link].inverse(np.full(4, eta))
        assert np.isfinite(family.log_density(y, mean, case.values, trials)).all()
        assert np.isfinite(family.replicate(rng, mean, case.values, trials)).all() or case.family == "lognormal"


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_default_priors_are_proper_within_the_range_of_the_parameter(case: FamilyCase) -> None:
    for auxiliary in record(case).auxiliaries:
        prior = auxiliary.prior(3.0)
        lower, upper = prior.bounds(within=auxiliary.within)
        assert lower >= 0 and np.isfinite(prior.density(np.array(min(upper, 2.0) / 2 + lower), within=auxiliary.within))
        assert prior.source


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_the_intercept_counts_from_where_the_outcome_is(case: FamilyCase) -> None:
    design = family_design(case, further=True)
    y = np.log(design.y) if case.family == "lognormal" else design.y
    mean = y.mean() if design.trials is None else y.sum() / design.trials.sum()
    assert design.offset is not None
    at_offset = LINKS[case.link].forward(np.asarray(mean))
    assert design.intercept_location == pytest.approx(at_offset - design.offset.mean())
    assert design.intercept_origin == (mean if record(case).linear is not None else design.intercept_location)
    assert replace(design, intercept=False).intercept_origin == 0


def test_the_intercepts_prior_is_finite_where_every_trial_succeeds() -> None:
    design = family_design(next(case for case in FAMILY_CASES if case.family == "binomial"))
    assert design.trials is not None
    total = design.trials.sum()
    assert replace(design, y=design.trials).intercept_location == pytest.approx(np.log((total - 0.5) / 0.5))
