"""Posteriors computed another way: given its variances a gaussian model is closed-form, and those are summed.

For y ~ normal(W theta, V(phi)) with theta ~ normal(0, S), S = diag(prior_sd^2): y is normal(0, W S W' + V(phi)), and
theta given phi and y is normal. The posterior means and sds are weighted sums over a grid of phi, fine enough that
halving it changes no digit that a test looks at.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Posterior mean and sd of one parameter."""

    mean: float
    sd: float


def integrate(
    y: Array,
    W: Array,
    prior_sd: Array,
    variances: Callable[[Array], Array],
    log_prior: Callable[[Array], float],
    grids: Sequence[Array],
) -> list[Moments]:
    """Return the moments of theta, then of phi.

    `grids` holds evenly spaced values of each phi, `variances(phi)` the diagonal of V, `log_prior` that of phi.
    """
    phi = np.stack(np.meshgrid(*grids, indexing="ij"), axis=-1).reshape(-1, len(grids))
    log_weight, mean, variance = np.empty(len(phi)), np.empty((len(phi), W.shape[1])), np.empty((len(phi), W.shape[1]))
    prior = (W * prior_sd**2) @ W.T
    for i, point in enumerate(phi):
        L = np.linalg.cholesky(prior + np.diag(variances(point)))
        a = np.linalg.solve(L, y)
        G = np.linalg.solve(L, W * prior_sd**2)
        log_weight[i] = -np.log(np.diag(L)).sum() - 0.5 * a @ a + log_prior(point)
        mean[i], variance[i] = G.T @ a, prior_sd**2 - np.sum(G**2, axis=0)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    values, spread = np.column_stack([mean, phi]), np.column_stack([variance, np.zeros_like(phi)])
    overall = weight @ values
    sd = np.sqrt(weight @ (spread + (values - overall) ** 2))
    return [Moments(float(m), float(s)) for m, s in zip(overall, sd, strict=True)]


T1_Y = np.array([80, 85, 75, 90, 95, 70, 88, 92, 78, 85.0])
T1_X = np.array([10, 12, 8, 9, 9, 7, 11, 11, 9, 10.0])
T1_SCHOOL = np.array([1, 2, 1, 2, 2, 1, 2, 1, 2, 1])


def tutorial_one(points: int = 2000) -> dict[str, Moments]:
    """The school regression: alpha, beta ~ normal(0, 10), eta ~ normal(0, 1), sigma ~ half cauchy(0, 5)."""
    W = np.column_stack([np.ones(10), T1_X, T1_SCHOOL == 1, T1_SCHOOL == 2])
    moments = integrate(
        T1_Y,
        W,
        np.array([10, 10, 1, 1.0]),
        lambda phi: np.full(10, phi[0] ** 2),
        lambda phi: -np.log1p((phi[0] / 5) ** 2),
        [(np.arange(points) + 0.5) * 150 / points],  # ten rows leave sigma no room beyond 150
    )
    return dict(zip(["Intercept", "hours", "school[1]", "school[2]", "sigma"], moments, strict=True))


def tutorial_two(x: Array, y: Array, points: int = 50) -> dict[str, Moments]:
    """One slope per row: a, mu_b ~ normal(0, 10000), sigma_b ~ uniform(0, 100), eps ~ uniform(0, 10).

    With the slopes integrated out, y_i ~ normal(a + mu_b x_i, (sigma_b x_i)^2 + eps^2). The grid covers where there is
    posterior mass: sigma_b in 0.6 to 1.6, eps in 0 to 1.5.
    """
    steps = (np.arange(points) + 0.5) / points
    moments = integrate(
        y,
        np.column_stack([np.ones(len(x)), x]),
        np.array([1e4, 1e4]),
        lambda phi: (phi[0] * x) ** 2 + phi[1] ** 2,
        lambda phi: 0.0,
        [0.6 + steps, 1.5 * steps],
    )
    return dict(zip(["Intercept", "x", "sd(row: x)", "sigma"], moments, strict=True))
