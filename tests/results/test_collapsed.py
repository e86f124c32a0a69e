"""The exact conditional of the group effects, against least squares on the rows."""

import numpy as np
import pytest

from hierfit.model.formula import formula_from_flags
from hierfit.model.scaling import level_products, scaled_columns, scaled_outcome, scaled_varying
from hierfit.results.collapsed import draw_effects
from tests.model.cases import design

N_DRAWS = 50_000


@pytest.mark.parametrize("sigma", [0.5, 1e-4], ids=["noisy", "nearly exact"])
@pytest.mark.parametrize("slopes", [(), ("a",), ("a", "b")], ids=len)
def test_moments_are_those_of_the_rows(slopes: tuple[str, ...], sigma: float) -> None:
    made = design(formula_from_flags("y", ["a", "b"], "g", slopes), rows=21, levels=4)
    group, n_terms = made.groups[0], 1 + len(slopes)
    y, X, Z = scaled_outcome(made), scaled_columns(made), scaled_varying(made.groups[0])
    b = np.array([0.1, -0.4, 0.2])
    T = np.tril(np.random.default_rng(2).normal(size=(n_terms, n_terms))) + np.eye(n_terms)
    draws = draw_effects(
        np.tile(b, (N_DRAWS, 1)),
        np.tile(T, (N_DRAWS, 1, 1)),
        np.full(N_DRAWS, sigma),
        level_products(group, y, X),
        np.random.default_rng(5),
    )
    for level in range(group.n_levels):
        rows = group.codes == level
        # v ~ normal(0, I) is least squares of stacked equations: Z T v = r with noise sigma, v = 0 with noise 1.
        Q, R = np.linalg.qr(np.vstack([Z[rows] @ T / sigma, np.eye(n_terms)]))
        right = np.concatenate([(y[rows] - X[rows] @ b) / sigma, np.zeros(n_terms)])
        mean = T @ np.linalg.solve(R, Q.T @ right)
        half = T @ np.linalg.inv(R)
        covariance = half @ half.T
        sd = np.sqrt(np.diag(covariance))
        # Five Monte Carlo standard errors of a mean and of a covariance; 1e-9 for what rounding leaves of an sd near 0.
        error = 5 * sd / np.sqrt(N_DRAWS) + 1e-9
        assert (np.abs(draws[:, level].mean(axis=0) - mean) < error).all()
        spread = np.atleast_2d(np.cov(draws[:, level], rowvar=False))
        allowed = 5 * np.sqrt(2 / N_DRAWS) * np.outer(sd, sd) + 1e-9
        assert (np.abs(spread - covariance) < allowed).all()


def test_without_rows_the_effects_follow_their_prior() -> None:
    made = design(rows=21, levels=4)
    products = level_products(made.groups[0], scaled_outcome(made), scaled_columns(made)).without_rows()
    T = np.array([[2.0, 0], [1.0, 0.5]])
    draws = draw_effects(
        np.zeros((N_DRAWS, 3)), np.tile(T, (N_DRAWS, 1, 1)), np.ones(N_DRAWS), products, np.random.default_rng(1)
    )
    expected = T @ T.T
    sd = np.sqrt(np.diag(expected))
    assert (np.abs(np.cov(draws[:, 0], rowvar=False) - expected) < 5 * np.sqrt(2 / N_DRAWS) * np.outer(sd, sd)).all()


def test_blocks_of_draws_change_nothing_but_the_noise() -> None:
    """Many levels are worked on in blocks of draws; with sigma and T tiny the effects are their conditional means."""
    made = design(formula_from_flags("y", ["a", "b"], "g"), rows=40, levels=8)
    products = level_products(made.groups[0], scaled_outcome(made), scaled_columns(made))
    b = np.random.default_rng(3).normal(size=(300_000, 3))
    T, sigma = np.full((300_000, 1, 1), 3.0), np.full(300_000, 1e-9)
    draws = draw_effects(b, T, sigma, products, np.random.default_rng(1))
    residual = products.Zy[0] - np.einsum("jk,sk->sj", products.ZX[0], b)
    np.testing.assert_allclose(draws[:, :, 0], residual / products.ZZ[0, 0], atol=1e-7)
