"""Links and families in numpy: densities against scipy's, simulated outcomes against the moments of theory."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats

from hierfit.model.families import FAMILIES, LINKS, Expects, Family, Support
from hierfit.model.links import log_probabilities
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
    "hurdle_poisson": lambda mean, aux, n: Hurdle(stats.poisson(mean), aux["hu"]),
    "hurdle_negbinomial": lambda mean, aux, n: Hurdle(REFERENCES["negbinomial"](mean, aux, n), aux["hu"]),
    "cumulative": lambda mean, aux, n: Categories(mean),
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


class Hurdle:
    """0 with probability hu, otherwise a count that is not 0."""

    def __init__(self, counts: Any, hu: Array) -> None:
        self.counts, self.hu = counts, hu

    def logpmf(self, y: Array) -> Array:
        some = (1 - self.hu) * self.counts.pmf(y) / self.counts.sf(0)
        return np.asarray(np.log(np.where(y == 0, self.hu, some)))

    def mean(self) -> Array:
        return np.asarray((1 - self.hu) * self.counts.mean() / self.counts.sf(0))

    def var(self) -> Array:
        second = (1 - self.hu) * (self.counts.var() + self.counts.mean() ** 2) / self.counts.sf(0)
        return np.asarray(second - self.mean() ** 2)


class Categories:
    """0, 1, ..., of which `at_most` [Q, ...] are the distribution function, without its last value."""

    def __init__(self, at_most: Array) -> None:
        below = np.concatenate([np.zeros((1, *at_most.shape[1:])), at_most])
        self.shares = np.concatenate([at_most, np.ones((1, *at_most.shape[1:]))]) - below
        self.codes = np.arange(len(self.shares)).reshape(-1, *[1] * (at_most.ndim - 1))

    def logpmf(self, y: Array) -> Array:
        return np.asarray(np.log(np.sum(self.shares * (self.codes == y), axis=0)))

    def mean(self) -> Array:
        return np.asarray(np.sum(self.shares * self.codes, axis=0))

    def var(self) -> Array:
        return np.asarray(np.sum(self.shares * self.codes**2, axis=0) - self.mean() ** 2)


def mean_at(case: FamilyCase, eta: Array = ETA) -> Array:
    return record(case).mean(eta, case.link, case.values)


def record(case: FamilyCase) -> Family:
    return FAMILIES[case.family]


def reference(case: FamilyCase, eta: Array = ETA) -> Any:
    return REFERENCES[case.family](mean_at(case, eta), case.values, TRIALS)


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


def test_probabilities_and_their_logarithms_are_scipys_from_end_to_end() -> None:
    eta = np.concatenate([np.linspace(-650, 650, 401), np.linspace(-9, 9, 401)])
    np.testing.assert_allclose(LINKS["logit"].inverse(eta), special.expit(eta), rtol=1e-14)
    log_p, log_rest = log_probabilities("logit", eta)
    np.testing.assert_allclose(log_p, special.log_expit(eta), rtol=1e-14)
    np.testing.assert_allclose(log_rest, special.log_expit(-eta), rtol=1e-14)
    for p in (LINKS["logit"].inverse(np.array([-1e9, 1e9])), LINKS["logit"].inverse(np.array(800.0))):
        assert np.all((p > 0) & (p < 1))
    np.testing.assert_array_equal(log_probabilities("logit", np.array([-np.inf, np.inf])), [[-np.inf, 0], [0, -np.inf]])


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_log_density_is_scipys(case: FamilyCase) -> None:
    family, rng = record(case), np.random.default_rng(2)
    mean = mean_at(case)
    for _ in range(20):
        y = family.replicate(rng, mean, case.values, TRIALS)
        found = family.log_density(y, mean, case.values, TRIALS)
        frozen = reference(case)
        expected = frozen.logpmf(y) if family.is_discrete else frozen.logpdf(y)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_draws_are_a_leading_axis(case: FamilyCase) -> None:
    family, rng = record(case), np.random.default_rng(3)
    # [3, 1], of thresholds [Q, 3, 1]
    auxiliaries = {name: values[..., None] * np.array([[1.0], [0.9], [1.1]]) for name, values in case.values.items()}
    mean = family.mean(ETA + np.array([[0.0], [0.3], [-0.2]]), case.link, auxiliaries)
    y = family.replicate(rng, mean, auxiliaries, TRIALS)
    assert y.shape == (3, 4) and y.dtype == np.float64
    together = family.log_density(y[0], mean, auxiliaries, TRIALS)
    assert together.shape == family.expected(mean, auxiliaries, TRIALS).shape == (3, 4)
    for draw in range(3):
        own = {name: values[..., draw, :] for name, values in auxiliaries.items()}
        np.testing.assert_allclose(together[draw], family.log_density(y[0], mean[..., draw, :], own, TRIALS))


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_what_is_expected_depends_on_the_mean_as_the_record_says(case: FamilyCase) -> None:
    family, low, high = record(case), mean_at(case), mean_at(case, ETA + 0.4)
    at_low, at_high, between, both = (
        family.expected(mean, case.values, TRIALS) for mean in (low, high, (low + high) / 2, low + high)
    )
    found = {
        Expects.MULTIPLE: np.allclose((at_low + at_high) / 2, between, rtol=1e-12),
        Expects.EXPONENTIAL: np.allclose(both * family.expected(0 * low, case.values, TRIALS), at_low * at_high),
    }
    assert [kind for kind, holds in found.items() if holds] == [family.expects] * (family.expects in found)


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_simulated_outcomes_have_the_moments_of_theory(case: FamilyCase) -> None:
    family, rng, draws = record(case), np.random.default_rng(4), 40_000
    mean = family.mean(np.tile(ETA, (draws, 1)), case.link, _of_draws(case))
    y = family.replicate(rng, mean, case.values, TRIALS)
    frozen = reference(case)
    np.testing.assert_allclose(family.expected(mean_at(case), case.values, TRIALS), frozen.mean(), rtol=1e-9)
    # Five standard errors, that of the variance from the sample's own fourth moment.
    deviation = y - frozen.mean()
    assert np.all(np.abs(deviation.mean(axis=0)) < 5 * np.sqrt(frozen.var() / draws))
    error = np.std(deviation**2, axis=0) / np.sqrt(draws)
    assert np.all(np.abs(np.mean(deviation**2, axis=0) - frozen.var()) < 5 * error)


def _of_draws(case: FamilyCase) -> dict[str, Array]:
    """Return the auxiliaries as those of draws: [1, 1], thresholds [Q, 1, 1]."""
    return {name: values[..., None] for name, values in case.values.items()}


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_probabilities_of_whole_numbers_add_up_to_one(case: FamilyCase) -> None:
    family = record(case)
    if not family.is_discrete:
        return
    top = {Support.BINARY: 1, Support.CATEGORIES: 3, Support.SUCCESSES: 30}.get(family.support, 500)
    values = np.arange(top + 1.0)[:, None] * np.ones(len(ETA))
    logs = [family.log_density(y, mean_at(case), case.values, TRIALS) for y in values]
    possible = values <= TRIALS if family.has_trials else np.ones_like(values, dtype=bool)
    np.testing.assert_allclose(np.sum(np.where(possible, np.exp(logs), 0), axis=0), 1, rtol=1e-9)


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
        mean = mean_at(case, np.full(4, eta))
        assert np.isfinite(family.log_density(y, mean, case.values, trials)).all()
        assert np.isfinite(family.log_density_at(y, np.full(4, eta), case.link, case.values, trials)).all()
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
    if record(case).has_thresholds:  # no intercept
        assert design.intercept_origin == 0
        return
    y = np.log(design.y) if case.family == "lognormal" else design.y
    mean = y.mean() if design.trials is None else y.sum() / design.trials.sum()
    assert design.offset is not None
    at_offset = LINKS[case.link].forward(np.asarray(mean))
    assert design.intercept_location == pytest.approx(at_offset - design.offset.mean())
    origin = mean if record(case).linear is not None else design.intercept_location
    assert design.intercept_origin == pytest.approx(origin, rel=1e-14)  # averages of doubles in another order
    assert replace(design, intercept=False).intercept_origin == 0


def test_the_intercepts_prior_is_finite_where_every_trial_succeeds() -> None:
    design = family_design(next(case for case in FAMILY_CASES if case.family == "binomial"))
    assert design.trials is not None
    total = design.trials.sum()
    assert replace(design, y=design.trials).intercept_location == pytest.approx(np.log((total - 0.5) / 0.5))


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_the_density_at_the_predictor_is_that_at_the_mean(case: FamilyCase) -> None:
    family, design = FAMILIES[case.family], family_design(case)
    trials = np.ones(40) if design.trials is None else design.trials
    eta = case.intercept + np.random.default_rng(1).normal(size=(3, 40))
    values = {name: value[..., None] for name, value in case.values.items()}
    at_mean = family.log_density(design.y, family.mean(eta, case.link, values), values, trials)
    found = family.log_density_at(design.y, eta, case.link, values, trials)
    np.testing.assert_allclose(found, at_mean, rtol=1e-9, atol=1e-11)


FAR = np.array([12.0, 17.0, 21.0, 26.0, 33.0])


@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.parametrize("name", ["bernoulli", "binomial", "beta", "beta_binomial"])
def test_no_digits_are_lost_where_a_probability_is_next_to_one(name: str, link: str) -> None:
    """Failures are successes with the other sign of the predictor, whose probabilities are next to 0."""
    family = FAMILIES[name]
    if link not in family.links:
        return
    far = FAR if link == "logit" else FAR / 6
    n = np.full(5, 8.0 if family.has_trials else 1.0)
    y = np.full(5, 0.25) if name == "beta" else np.array([0, 1, n[0], 1, 0]).clip(0, n[0])
    aux = {"phi": np.array([3.0])}
    found = family.log_density_at(y, far, link, aux, n)
    mirrored = family.log_density(n - y, family.mean(-far, link, aux), aux, n)
    np.testing.assert_allclose(found, mirrored, rtol=1e-10)


def test_no_digits_are_lost_next_to_one_with_a_link_that_has_sides() -> None:
    eta = np.array([1.0, 3.0, 5.0])  # log(1 - p) = -exp(eta)
    found = FAMILIES["bernoulli"].log_density_at(np.zeros(3), eta, "cloglog", {}, np.ones(3))
    np.testing.assert_allclose(found, -np.exp(eta), rtol=1e-14)


@pytest.mark.parametrize("eta", [0.0, 15.0, -15.0, 30.0, -30.0, 60.0, -60.0])
def test_no_digits_are_lost_between_thresholds_far_away(eta: float) -> None:
    """F(a) - F(b) = exp(b) (exp(a - b) - 1) / ((1 + exp a) (1 + exp b)), F the logistic distribution function."""
    cuts = np.array([-0.5, 0.25, 2.0])
    values = {"threshold": cuts[:, None]}
    found = FAMILIES["cumulative"].log_density_at(np.arange(4.0), np.full(4, eta), "logit", values, np.ones(4))
    b, a = cuts[:-1] - eta, cuts[1:] - eta
    middle = b + np.log(np.expm1(a - b)) - np.logaddexp(0, a) - np.logaddexp(0, b)
    ends = [-np.logaddexp(0, eta - cuts[0]), -np.logaddexp(0, cuts[-1] - eta)]
    np.testing.assert_allclose(found, [ends[0], *middle, ends[1]], rtol=1e-10)
