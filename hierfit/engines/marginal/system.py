"""The marginal density of the sds, correlations and sigma of several factors, and a draw of all that it leaves out.

With T_f the Cholesky factor of the covariance of an effect of factor f over sigma, and effects u_f = sigma T_f v_f,

    A_j = I + T'Z_j'Z_j T,   R_j = T L_j'^-1 with L_j L_j' = A_j,   G = W'W - sum over levels of C_j' R_j R_j' C_j

where T is of the factor that is eliminated (`products`), and the system of the rest, [v of the others, b],

    S = D'(G / sigma^2) D + [I for v; the priors' products for b],   D = diag(sigma T_f, ..., I),

has y as its last row. Its Cholesky factor [[L, 0], [l', s]] gives

    log density = -N log sigma - sum of log diag L_j - sum of log diag L - s^2 / 2,

and a draw: [v, b] = L'^-1 (l + noise), then u_j = R_j (R_j' C_j [-u, -b, 1] + sigma noise) of the eliminated factor.
In terms of v nothing is singular where an sd is 0 (Bates et al. 2015, section 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.marginal.factor import factor_in_place
from hierfit.engines.marginal.products import Products
from hierfit.engines.sizes import all_but

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Solved:
    """The system at one value of what is sampled.

    Attributes:
        log_density: marginal log density of the outcome, up to a constant; -inf where the numbers do not suffice.
        digits: about how many decimal digits the sum of squares has.
        L: Cholesky factor, y last; above the diagonal may be anything [n, n].
        root: R [J, M, M].
    """

    log_density: float
    digits: float
    L: Array
    root: Array


def solve(products: Products, T: Sequence[Array], sigma: float) -> Solved:
    """Return the system where T [F][M, M] are the factors of the effects' covariances, in the sampler's units."""
    try:
        return _solve(products, T, sigma)
    except np.linalg.LinAlgError:
        nothing = np.empty((0, 0))
        return Solved(-np.inf, 0.0, nothing, nothing)


def _solve(products: Products, T: Sequence[Array], sigma: float) -> Solved:
    ratio = T[products.first] / sigma
    eliminated = np.linalg.cholesky(np.eye(len(ratio)) + ratio.T @ products.own @ ratio)
    root = np.swapaxes(np.linalg.solve(eliminated, np.broadcast_to(ratio.T, eliminated.shape)), 1, 2)
    others = all_but(T, products.first)
    S = products.cross.less_sandwich(root, _scale(products, others, sigma))
    if not products.is_simple:
        S = _turned(S, products, others)
    n_coefficients = len(products.prior)
    S[np.diag_indices(len(S) - n_coefficients)] += 1
    S[-n_coefficients:, -n_coefficients:] += products.prior
    total = S[-1, -1]
    L = factor_in_place(S)
    diagonal = np.diagonal(L)
    half_logs = np.log(np.diagonal(eliminated, axis1=1, axis2=2)).sum() + np.log(diagonal[:-1]).sum()
    density = -products.n_rows * np.log(sigma) - half_logs - diagonal[-1] ** 2 / 2
    return Solved(float(density), float(16 + np.log10(diagonal[-1] ** 2 / total)), L, root)


def _scale(products: Products, others: Sequence[Array], sigma: float) -> Array:
    """Return the diagonal of D / sigma where all factors but the first have one varying column; else 1 / sigma [n]."""
    ones = np.full(len(products.prior), 1.0)
    sds = others if products.is_simple else [np.eye(1)] * len(others)
    parts = [np.full(J * M, T[0, 0]) for (J, M), T in zip(products.sizes, sds, strict=True)]
    return np.concatenate([*parts, ones]) / sigma


def _turned(S: Array, products: Products, others: Sequence[Array]) -> Array:
    """Return D' S D, of which only the part below the diagonal is read."""
    S += np.tril(S, -1).T - np.triu(S, 1)
    for _ in range(2):
        start = 0
        for (J, M), T in zip(products.sizes, others, strict=True):
            block = S[:, start : start + J * M]
            block[:] = (block.reshape(len(S), J, M) @ T).reshape(block.shape)
            start += J * M
        S = np.ascontiguousarray(S.T)
    return S


def draw_rest(
    products: Products, solved: Solved, T: Sequence[Array], sigma: float, rng: np.random.Generator
) -> tuple[list[Array], Array]:
    """Return a draw of the effects of every factor [J, M] and of the integrated coefficients [I]."""
    from scipy.linalg.lapack import dtrtrs

    right = solved.L[-1] + rng.standard_normal(len(solved.L))
    right[-1] = 0.0  # which makes the place of y 0, and all others what they are without it
    x, _ = dtrtrs(solved.L.T, right, lower=0)
    effects, start = [], 0
    for (J, M), factor in zip(products.sizes, all_but(T, products.first), strict=True):
        block = x[start : start + J * M].reshape(J, M) @ factor.T
        x[start : start + J * M] = block.ravel()
        effects.append(block)
        start += J * M
    left = -x
    left[-1] = 1.0
    towards = np.einsum("jab,ja->jb", solved.root, products.cross.of(left))
    noise = sigma * rng.standard_normal(towards.shape)
    effects.insert(products.first, np.einsum("jab,jb->ja", solved.root, towards + noise))
    return effects, x[start:-1]
