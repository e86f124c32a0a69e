"""Log likelihoods of rows against scipy's distributions, row by row and draw by draw, and however rows are cut."""

import dataclasses

import numpy as np
import pytest
from scipy import special, stats

from hierfit.model.families import FAMILIES
from hierfit.posterior.log_likelihood import LogLikelihood

from .family_draws import THRESHOLDS, family_case

ROWS, PICKS = np.array([0, 17, 101]), np.array([0, 3, 999])
WEIGHTS = 0.5 + np.arange(240) % 4


def values_of(case, pick):
    """Every parameter of one draw, by name."""
    flat = case.draws.values.reshape(-1, len(case.draws.parameters))[pick]
    return dict(zip((parameter.name for parameter in case.draws.parameters), flat, strict=True))


def predictor_of(case, row, pick):
    values, design = values_of(case, pick), case.design
    found = values.get("Intercept", 0.0) + (0.0 if design.offset is None else design.offset[row])
    found += sum(values[name] * design.X[row, k] for k, name in enumerate(design.coefficients))
    for group in design.groups:
        u = case.draws.effects[group.factor].reshape(-1, group.n_levels, len(group.terms))
        found += u[pick, group.codes[row]] @ group.Z[row]
    return found


def beta_shapes(p, phi):
    return p * phi, (1 - p) * phi


def zero_inflated(log_pmf, y, zi):
    return np.log(zi * (y == 0) + (1 - zi) * np.exp(log_pmf))


def negbinomial(y, mean, shape):
    return stats.nbinom.logpmf(y, shape, shape / (shape + mean))


def hurdle(log_pmf, log_zero, y, hu):
    return np.log(hu) if y == 0 else np.log1p(-hu) + log_pmf - np.log1p(-np.exp(log_zero))


def ordered(y, eta, cuts):
    ends = np.concatenate([[0.0], special.expit(cuts - eta), [1.0]])
    return np.log(np.diff(ends)[int(y)])


# family -> log density of an outcome, from predictor, named parameters and trials
BY_HAND = {
    "gaussian": lambda y, eta, v, n: stats.norm.logpdf(y, eta, v["sigma"]),
    "bernoulli": lambda y, eta, v, n: stats.bernoulli.logpmf(y, special.expit(eta)),
    "poisson": lambda y, eta, v, n: stats.poisson.logpmf(y, np.exp(eta)),
    "binomial": lambda y, eta, v, n: stats.binom.logpmf(y, n, special.expit(eta)),
    "negbinomial": lambda y, eta, v, n: negbinomial(y, np.exp(eta), v["shape"]),
    "student": lambda y, eta, v, n: stats.t.logpdf(y, v["nu"], eta, v["sigma"]),
    "gamma": lambda y, eta, v, n: stats.gamma.logpdf(y, v["shape"], scale=np.exp(eta) / v["shape"]),
    "lognormal": lambda y, eta, v, n: stats.lognorm.logpdf(y, v["sigma"], scale=np.exp(eta)),
    "beta": lambda y, eta, v, n: stats.beta.logpdf(y, *beta_shapes(special.expit(eta), v["phi"])),
    "zero_inflated_poisson": lambda y, eta, v, n: zero_inflated(stats.poisson.logpmf(y, np.exp(eta)), y, v["zi"]),
    "zero_inflated_negbinomial": lambda y, eta, v, n: zero_inflated(
        negbinomial(y, np.exp(eta), v["shape"]), y, v["zi"]
    ),
    "beta_binomial": lambda y, eta, v, n: stats.betabinom.logpmf(y, n, *beta_shapes(special.expit(eta), v["phi"])),
    "hurdle_poisson": lambda y, eta, v, n: hurdle(
        stats.poisson.logpmf(y, np.exp(eta)), stats.poisson.logpmf(0, np.exp(eta)), y, v["hu"]
    ),
    "hurdle_negbinomial": lambda y, eta, v, n: hurdle(
        negbinomial(y, np.exp(eta), v["shape"]), negbinomial(0, np.exp(eta), v["shape"]), y, v["hu"]
    ),
    "cumulative": lambda y, eta, v, n: ordered(
        y, eta, [value for name, value in v.items() if name.startswith("threshold[")]
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_that_of_scipy_times_the_weight(family):
    case = family_case(family, levels=(20, 6))
    design = dataclasses.replace(case.design, weights=WEIGHTS)
    found = LogLikelihood(case.draws, design).of(ROWS)
    assert found.shape == (1_000, 3)
    for r, row in enumerate(ROWS):
        trials = None if design.trials is None else design.trials[row]
        for pick in PICKS:
            by_hand = BY_HAND[family](design.y[row], predictor_of(case, row, pick), values_of(case, pick), trials)
            assert found[pick, r] == pytest.approx(WEIGHTS[row] * by_hand, rel=1e-10, abs=1e-10)


def test_thresholds_stand_in_order():
    assert list(THRESHOLDS) == sorted(THRESHOLDS)  # as `ordered` above takes them


def test_a_row_has_its_own_sigma_and_its_own_precision():
    case = family_case("gaussian", sigma=True)
    ses = case.design.X[:, 0]
    found = LogLikelihood(case.draws, case.design).of(ROWS)
    precise = family_case("gaussian")
    precision = 0.5 + np.arange(240) % 3
    weighed = LogLikelihood(precise.draws, dataclasses.replace(precise.design, precision=precision)).of(ROWS)
    for r, row in enumerate(ROWS):
        for pick in PICKS:
            values = values_of(case, pick)
            sigma = np.exp(values["sigma_Intercept"] + values["sigma_ses"] * ses[row])
            by_hand = stats.norm.logpdf(case.design.y[row], predictor_of(case, row, pick), sigma)
            assert found[pick, r] == pytest.approx(by_hand, rel=1e-10)
            sigma = values_of(precise, pick)["sigma"] / np.sqrt(precision[row])
            by_hand = stats.norm.logpdf(precise.design.y[row], predictor_of(precise, row, pick), sigma)
            assert weighed[pick, r] == pytest.approx(by_hand, rel=1e-10)


@pytest.mark.parametrize("numbers", [1, 1_000, 7_000, 239_000, 10**9])
def test_blocks_do_not_matter(numbers):
    case = family_case("cumulative", levels=(20, 6))
    likelihood = LogLikelihood(case.draws, case.design)
    blocks = list(map(likelihood.of, likelihood.blocks(numbers)))
    assert max(block.size for block in blocks) <= max(numbers, 1_000)
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), likelihood.of(np.arange(240)))


def test_a_huge_offset_loses_nothing(synthetic):
    """As in the tests of predictions: the intercept at the mean carries it."""
    from hierfit.model.spec import Kind, Parameter

    case = synthetic(5, 1, slopes=0)
    at_mean = case.draws.of("Intercept") + case.draws.of("ses") * case.design.X.mean()
    values = np.concatenate([case.draws.values, at_mean[:, :, None]], axis=2)
    parameters = (*case.draws.parameters, Parameter("Intercept_at_mean", Kind.COEFFICIENT, None, "Intercept"))
    draws = dataclasses.replace(case.draws, parameters=parameters, values=values)
    design = dataclasses.replace(case.design, X=case.design.X + 1e12, centered=True)
    rows = np.arange(60)
    np.testing.assert_allclose(
        LogLikelihood(draws, design).of(rows), LogLikelihood(case.draws, case.design).of(rows), atol=1e-2
    )
