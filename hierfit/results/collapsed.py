"""Draws of the collapsed engine -> draws of the group effects, from their exact conditional distribution.

Given coefficients b, the sds and correlations and sigma, the effects u_j = T v_j of level j, v_j ~ normal(0, I), are
normal:

    v_j | y ~ normal(A_j^-1 T' Z_j' r_j, sigma^2 A_j^-1),   A_j = sigma^2 I + T' Z_j' Z_j T,   r_j = y_j - X_j b.

With A_j = C C', q = C^-1 T' Z_j' r_j and e ~ normal(0, I) a draw is v_j = C'^-1 (q + sigma e). The small matrices of
all draws and levels are factored at once, entry by entry: letters S draws, J levels, M varying coefficients; every
entry is [S, J].
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hierfit.model.scaling import LevelProducts

Array = NDArray[np.float64]
_BLOCK_NUMBERS = 2_000_000


def draw_effects(b: Array, T: Array, sigma: Array, products: LevelProducts, rng: np.random.Generator) -> Array:
    """Return one draw of the effects for each draw of the rest, all in the sampler's units [S, J, M].

    b [S, K], T [S, M, M] the Cholesky factor of the effects' covariance, sigma [S].
    """
    n_draws, (n_terms, n_levels) = len(b), products.Zy.shape
    effects = np.empty((n_draws, n_levels, n_terms))
    for block in _blocks(n_draws, n_levels * n_terms**2):
        noise = rng.standard_normal((n_terms, len(b[block]), n_levels))
        effects[block] = _draw_block(b[block], T[block], sigma[block], products, noise)
    return effects


def _blocks(n_draws: int, size: int) -> Iterator[slice]:
    """Yield slices of the draws that keep the working arrays small."""
    step = max(1, _BLOCK_NUMBERS // size)
    for start in range(0, n_draws, step):
        yield slice(start, start + step)


def _draw_block(b: Array, T: Array, sigma: Array, products: LevelProducts, noise: Array) -> Array:
    n_terms = T.shape[1]
    C, q = _factor(T, sigma, products, products.Zy[:, None] - np.einsum("mjk,sk->msj", products.ZX, b))
    v = np.empty_like(noise)
    for a in reversed(range(n_terms)):  # C' v = q + sigma e, from the last term up
        v[a] = q[a] + sigma[:, None] * noise[a]
        for c in range(a + 1, n_terms):
            v[a] -= C[c][a] * v[c]
        v[a] /= C[a][a]
    effects: Array = np.einsum("sab,bsj->sja", T, v)
    return effects


def _factor(T: Array, sigma: Array, products: LevelProducts, Zr: Array) -> tuple[list[list[Array]], list[Array]]:
    """Return the Cholesky factors C, entry by entry, and q = C^-1 T' Z'r of all draws and levels."""
    TZZT = np.einsum("sca,cdj,sdb->absj", T, products.ZZ, T, optimize=True)
    q = list(np.einsum("sca,csj->asj", T, Zr))
    C: list[list[Array]] = []
    for a in range(len(q)):
        row: list[Array] = []
        for b in range(a + 1):
            entry = TZZT[a, b] + (sigma[:, None] ** 2 if a == b else 0.0)
            for c in range(b):
                entry = entry - row[c] * (row[c] if a == b else C[b][c])
            row.append(np.sqrt(entry) if a == b else entry / C[b][b])
        C.append(row)
        q[a] = (q[a] - sum(row[c] * q[c] for c in range(a))) / row[a]
    return C, q
