"""The exact conditional of coefficients and group effects, against dense least squares on the rows."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.origin import z_center
from hierfit.design.prior_choice import build_spec
from hierfit.design.scaling import scaled_columns, scaled_outcome, scaled_varying
from hierfit.engines.collapsed.conditional import Sampled, Target, draw_coefficients, draw_effects, weighted_products
from hierfit.engines.collapsed.reduction import Collapsed, collapse, gather
from hierfit.model.formula import formula_from_flags
from hierfit.model.spec import ModelSpec
from tests.model.cases import design

Array = NDArray[np.float64]
N_DRAWS = 20_000
PRIORS = ("Intercept ~ normal(21, 2)", "a ~ normal(1, 0.5)", "b ~ flat()")


def draw_rest(sampled: Sampled, rows: Collapsed, rng: np.random.Generator) -> tuple[Array, Array]:
    """Coefficients at the design's origin, and effects, in the sampler's units."""
    b = draw_coefficients(sampled, rows, gather(rows.levels), rng)
    target = Target(np.eye(sampled.T.shape[1]), lambda some: False)
    return rows.at_origin(b), draw_effects(replace(sampled, b=b), rows, rng, target)


def dense_posterior(made: Design, spec: ModelSpec, T: Array, sigma: float, b: Array) -> tuple[Array, Array]:
    """Mean and covariance of the free coefficients and all effects, level by level, in the sampler's units."""
    group, X = made.groups[0], scaled_columns(made, made.x_mean)
    Z = scaled_varying(group, z_center(spec, group))
    units = made.y_scale / np.concatenate([[1.0], made.x_scale])
    free = [i for i, name in enumerate(spec.coefficient_names) if spec.priors[name].distribution in ("normal", "flat")]
    y = scaled_outcome(made) - X @ np.where(np.isin(np.arange(len(b)), free), 0, b)
    # v ~ normal(0, I): stacked equations X b + Z T v = y with noise sigma, and the priors with noise of their own.
    blocks = [Z * (group.codes == level)[:, None] @ T for level in range(group.n_levels)]
    effects = np.column_stack(blocks)
    rows, right = [np.column_stack([X[:, free], effects]) / sigma], [y / sigma]
    rows.append(np.column_stack([np.zeros((effects.shape[1], len(free))), np.eye(effects.shape[1])]))
    right.append(np.zeros(effects.shape[1]))
    for place, i in enumerate(free):
        prior = spec.priors[spec.coefficient_names[i]]
        if prior.distribution == "normal":
            location, sd = (prior.arguments[0] - (i == 0) * made.intercept_origin) / units[i], prior.arguments[1]
            rows.append(np.eye(len(free) + effects.shape[1])[place] * units[i] / sd)
            right.append(np.array([location * units[i] / sd]))
    Q, R = np.linalg.qr(np.vstack(rows))
    back = np.eye(len(free) + effects.shape[1])
    for level in range(group.n_levels):
        at = slice(len(free) + level * len(T), len(free) + (level + 1) * len(T))
        back[at, at] = T
    half = back @ np.linalg.inv(R)
    return half @ (Q.T @ np.concatenate(right)), half @ half.T


@pytest.mark.parametrize("sigma", [0.5, 1e-4], ids=["noisy", "nearly exact"])
@pytest.mark.parametrize("centered", [True, False], ids=["centred", "raw"])
@pytest.mark.parametrize("slopes", [(), ("a",), ("a", "b")], ids=len)
@pytest.mark.parametrize("priors", [(), PRIORS, ("b ~ laplace(0, 2)",), ("Intercept ~ cauchy(20, 9)",)], ids=len)
def test_moments_are_those_of_the_rows(
    priors: tuple[str, ...], slopes: tuple[str, ...], centered: bool, sigma: float
) -> None:
    formula = formula_from_flags("y", ["a", "b"], "g", slopes)
    made = design(formula, rows=21, levels=4, centered=centered)
    spec = build_spec(formula, made, priors)
    n_terms, b = 1 + len(slopes), np.array([0.1, -0.4, 0.2])
    T = np.tril(np.random.default_rng(2).normal(size=(n_terms, n_terms))) + np.eye(n_terms)
    sampled = Sampled(np.tile(b, (N_DRAWS, 1)), np.tile(T, (N_DRAWS, 1, 1)), np.full(N_DRAWS, sigma))
    rows = collapse(spec, made)
    coefficients, effects = draw_rest(sampled, rows, np.random.default_rng(5))
    np.testing.assert_array_equal(coefficients[:, rows.kept], sampled.b[:, rows.kept])
    draws = np.column_stack([coefficients[:, rows.integrated], effects.reshape(N_DRAWS, -1)])
    mean, covariance = dense_posterior(made, spec, T, sigma, b)
    sd = np.sqrt(np.diag(covariance))
    # Five Monte Carlo standard errors of a mean and of a covariance; 1e-9 for what rounding leaves of an sd near 0.
    assert (np.abs(draws.mean(axis=0) - mean) < 5 * sd / np.sqrt(N_DRAWS) + 1e-9).all()
    allowed = 5 * np.sqrt(2 / N_DRAWS) * np.outer(sd, sd) + 1e-9
    assert (np.abs(np.cov(draws, rowvar=False) - covariance) < allowed).all()


def test_without_rows_all_follows_its_prior() -> None:
    formula = formula_from_flags("y", ["a", "b"], "g", ["a"])
    made = design(formula, rows=21, levels=4)
    rows = collapse(build_spec(formula, made, ("Intercept ~ normal(21, 2)",)), made).without_rows()
    T = np.array([[2.0, 0], [1.0, 0.5]])
    sampled = Sampled(np.zeros((N_DRAWS, 3)), np.tile(T, (N_DRAWS, 1, 1)), np.ones(N_DRAWS))
    b, effects = draw_rest(sampled, rows, np.random.default_rng(1))
    expected = T @ T.T
    sd = np.sqrt(np.diag(expected))
    allowed = 5 * np.sqrt(2 / N_DRAWS) * np.outer(sd, sd)
    assert (np.abs(np.cov(effects[:, 0], rowvar=False) - expected) < allowed).all()
    intercept = made.intercept_origin + b[:, 0] * made.y_scale
    assert abs(intercept.mean() - 21) < 5 * 2 / np.sqrt(N_DRAWS)
    assert abs(intercept.std() / 2 - 1) < 5 / np.sqrt(2 * N_DRAWS)


def test_blocks_of_draws_change_nothing_but_the_noise() -> None:
    """Many levels are worked on in blocks of draws; with sigma tiny and T large the effects are the levels' means."""
    formula = formula_from_flags("y", ["a", "b"], "g")
    made = design(formula, rows=40, levels=8)
    rows = collapse(build_spec(formula, made), made)
    sampled = Sampled(np.zeros((300_000, 3)), np.full((300_000, 1, 1), 3.0), np.full(300_000, 1e-9))
    b, effects = draw_rest(sampled, rows, np.random.default_rng(1))
    codes, X = made.groups[0].codes, scaled_columns(made, made.x_mean)
    mean = np.array([np.append(scaled_outcome(made)[codes == j].mean(), X[codes == j].mean(axis=0)) for j in range(8)])
    np.testing.assert_allclose(effects[:, :, 0], mean[:, 0] - b @ mean[:, 1:].T, atol=1e-7)


def test_gathering_levels_changes_no_sum() -> None:
    formula = formula_from_flags("y", ["a", "b"], "g")
    made = design(formula, rows=301, levels=60)  # 59 levels of five rows and one of six
    rows = collapse(build_spec(formula, made), made)
    classes = gather(rows.levels)
    assert classes.q.shape[1] < 60
    alone = type(classes)(rows.levels.S, np.ones(60), np.arange(60), np.arange(60), rows.levels.q)
    sampled = Sampled(np.zeros((2, 3)), np.array([[[0.5]], [[2.0]]]), np.array([0.3, 1.0]))
    one, other = (weighted_products(sampled, rows, given) for given in (classes, alone))
    np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
