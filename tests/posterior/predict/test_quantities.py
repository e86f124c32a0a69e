"""What is predicted of rows of every family: expected values in closed form, and outcomes whose means they are."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special, stats

from hierfit.errors import UsageError
from hierfit.model.families import FAMILIES
from hierfit.posterior.predict.draws_of import every_draw
from hierfit.posterior.predict.quantities import Asked, Quantity, Scale, parameters_of, quantities, values

from ..family_draws import CATEGORIES, family_case

ROWS = np.array([0, 3, 9, 14])


def _hurdle(eta, a, n, zero):
    return (1 - a["hu"]) * np.exp(eta) / (1 - zero)


# linear predictor, further parameters, trials -> mean of the outcome
EXPECTED = {
    "gaussian": lambda eta, a, n: eta,
    "student": lambda eta, a, n: eta,
    "bernoulli": lambda eta, a, n: special.expit(eta),
    "binomial": lambda eta, a, n: n * special.expit(eta),
    "beta_binomial": lambda eta, a, n: n * special.expit(eta),
    "poisson": lambda eta, a, n: np.exp(eta),
    "negbinomial": lambda eta, a, n: np.exp(eta),
    "gamma": lambda eta, a, n: np.exp(eta),
    "beta": lambda eta, a, n: special.expit(eta),
    "lognormal": lambda eta, a, n: stats.lognorm.mean(a["sigma"], scale=np.exp(eta)),
    "zero_inflated_poisson": lambda eta, a, n: (1 - a["zi"]) * np.exp(eta),
    "zero_inflated_negbinomial": lambda eta, a, n: (1 - a["zi"]) * np.exp(eta),
    "hurdle_poisson": lambda eta, a, n: _hurdle(eta, a, n, stats.poisson.pmf(0, np.exp(eta))),
    "hurdle_negbinomial": lambda eta, a, n: _hurdle(
        eta, a, n, stats.nbinom.pmf(0, a["shape"], a["shape"] / (a["shape"] + np.exp(eta)))
    ),
}


def written_out(case, rows=ROWS):
    """Return linear predictors and constant parameters of rows, [S, R] and [S, 1], from sums over draws by name."""
    design, draws = case.design, case.draws
    eta = np.zeros((draws.n_chains * draws.n_draws, len(rows)))
    names = [parameter.name for parameter in draws.parameters]
    if "Intercept" in names:
        eta += draws.of("Intercept").reshape(-1, 1)
    for name, column in zip(design.coefficients, design.X.T, strict=True):
        eta += draws.of(name).reshape(-1, 1) * column[rows]
    for group in design.groups:
        u = draws.effects[group.factor].reshape(len(eta), group.n_levels, -1)[:, group.codes[rows]]
        eta += np.einsum("srm,rm->sr", u, group.Z[rows])
    eta += 0 if design.offset is None else design.offset[rows]
    family = FAMILIES[design.family]
    return eta, {aux.name: draws.of(aux.name).reshape(-1, 1) for aux in family.auxiliaries if aux.name in names}


def found(case, asked=None, rows=ROWS, seed=1):
    asked = asked or Asked()
    rng = np.random.default_rng(seed)
    own = values(case.draws, case.design, case.design.at(rows), every_draw(case.draws), asked, rng)
    return dict(zip([quantity.name for quantity in quantities(case.design, asked)], own, strict=True))


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "cumulative"])
def test_every_family_has_its_expected_outcome_and_outcomes_around_it(family: str) -> None:
    case = family_case(family, levels=(4,), rows=5, n_draws=2_000)
    eta, auxiliaries = written_out(case)
    trials = np.ones(len(ROWS)) if case.design.trials is None else case.design.trials[ROWS]
    own = found(case)
    assert list(own) == ["expected", "outcome"]
    wanted = EXPECTED[family](eta, auxiliaries, trials)
    np.testing.assert_allclose(own["expected"], wanted, rtol=1e-9)
    residual = own["outcome"] - wanted
    # 8,000 draws, each with an outcome of its own: five standard errors
    assert np.all(np.abs(residual.mean(axis=0)) < 5 * residual.std(axis=0) / np.sqrt(len(residual)))
    if FAMILIES[family].is_discrete:
        assert np.all(own["outcome"] == np.round(own["outcome"])) and np.all(own["outcome"] >= 0)
    if FAMILIES[family].has_trials:
        assert np.all(own["outcome"] <= trials) and own["outcome"].max() > 1
    assert np.abs(np.corrcoef(residual.T) - np.eye(len(ROWS))).max() < 5 / np.sqrt(len(residual))


def test_ordered_categories_have_a_probability_each() -> None:
    case = family_case("cumulative", levels=(4,), rows=5, n_draws=2_000)
    eta, _ = written_out(case)
    own = found(case)
    assert list(own) == [*(f"probability[{category}]" for category in CATEGORIES), "outcome"]
    at_most = [
        special.expit(case.draws.of(f"threshold[{pair}]").reshape(-1, 1) - eta) for pair in case.design.thresholds
    ]
    below = np.array([np.zeros_like(eta), *at_most, np.ones_like(eta)])
    shares = np.array([own[f"probability[{category}]"] for category in CATEGORIES])
    np.testing.assert_allclose(shares, np.diff(below, axis=0), rtol=1e-9, atol=1e-12)
    for code, share in enumerate(shares):
        error = np.sqrt(share.mean(axis=0) / len(eta))
        assert np.all(np.abs((own["outcome"] == code).mean(axis=0) - share.mean(axis=0)) < 5 * error)
    outcome = quantities(case.design, Asked())[-1]
    assert outcome.categories == CATEGORIES and outcome.whole


@pytest.mark.parametrize("family", FAMILIES)
def test_links_and_parameters_by_name(family: str) -> None:
    case = family_case(family, levels=(4,), rows=5)
    eta, auxiliaries = written_out(case)
    np.testing.assert_allclose(found(case, Asked(Scale.LINK))["link"], eta, rtol=1e-9)
    known = parameters_of(case.design)
    assert ("mu" in known) == (family != "cumulative") and set(known) - {"mu"} == set(auxiliaries)
    for name, one in auxiliaries.items():
        own = found(case, Asked(parameter=name))
        np.testing.assert_allclose(own[name], np.broadcast_to(one, eta.shape))
        link = FAMILIES[family].auxiliary(name).link
        forward = {"log": np.log, "logit": special.logit, "logm1": lambda value: np.log(value - 1)}[link]
        on_link = found(case, Asked(Scale.LINK, name))
        np.testing.assert_allclose(on_link[f"{link}_{name}"], np.broadcast_to(forward(one), eta.shape))
    if "mu" in known:
        np.testing.assert_allclose(found(case, Asked(Scale.LINK, "mu"))["link"], eta, rtol=1e-9)
        inverse = {"identity": lambda x: x, "log": np.exp, "logit": special.expit}[case.design.link]
        np.testing.assert_allclose(found(case, Asked(parameter="mu"))["mu"], inverse(eta), rtol=1e-9)


def test_sigma_is_that_of_the_row() -> None:
    case = family_case("gaussian", sigma=True)
    b = [case.draws.of(f"sigma_{term}").reshape(-1, 1) for term in ("Intercept", "ses")]
    wanted = b[0] + b[1] * case.design.X[ROWS, 0]
    np.testing.assert_allclose(found(case, Asked(parameter="sigma"))["sigma"], np.exp(wanted))
    np.testing.assert_allclose(found(case, Asked(Scale.LINK, "sigma"))["log_sigma"], wanted)
    case = family_case("gaussian", levels=(4,), rows=5, n_draws=2_000)
    design = replace(case.design, precision=np.linspace(1, 20, case.design.n_rows))
    own = found(replace(case, design=design), Asked(parameter="sigma"))["sigma"]
    np.testing.assert_allclose(own, case.draws.of("sigma").reshape(-1, 1) / np.sqrt(design.precision[ROWS]))
    plain = found(replace(case, design=design))
    residual = (plain["outcome"] - plain["expected"]) / own
    np.testing.assert_allclose(residual.std(axis=0), 1, rtol=5 / np.sqrt(2 * len(residual)))


def test_how_often_rows_count_does_not_matter() -> None:
    case = family_case("poisson")
    weighted = replace(case, design=replace(case.design, weights=np.arange(case.design.n_rows) % 5.0))
    for name, own in found(weighted).items():
        np.testing.assert_array_equal(own, found(case)[name])


def test_a_parameter_that_the_family_has_not_is_refused_with_those_that_it_has() -> None:
    case = family_case("negbinomial")
    with pytest.raises(UsageError, match="--parameter sigma: the family negbinomial has no such") as caught:
        quantities(case.design, Asked(parameter="sigma"))
    assert caught.value.hint == "parameters: mu, shape"
    with pytest.raises(UsageError) as caught:
        quantities(family_case("cumulative").design, Asked(parameter="mu"))
    assert caught.value.hint == "leave --parameter out"


def test_outcomes_of_two_values_are_one_of_them() -> None:
    outcome = quantities(family_case("bernoulli").design, Asked())[1]
    assert outcome == Quantity("outcome", mean=False, whole=True)
