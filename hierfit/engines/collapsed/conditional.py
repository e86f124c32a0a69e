"""Draws of the collapsed engine -> draws of coefficients and group effects, from their exact conditional distribution.

Given sds, correlations and sigma, and what is known of the rows (`reduction`), with A_j = S_j T T' S_j' +
sigma^2 I, the products of [X, y] in the metric of the outcome's inverse covariance are

    gram = within / sigma^2 + sum over levels of q_j' A_j^-1 q_j + prior products,

whose Cholesky factor, y last, is [[L, 0], [l', .]]. The coefficients are normal(L'^-1 l, (L L')^-1). Given them too,
the effects of level j are u_j = T v_j with

    v_j ~ normal(B_j^-1 G_j' r_j, sigma^2 B_j^-1),   G_j = S_j T,   B_j = sigma^2 I + G_j' G_j,   r_j = q_j [-b, 1].

Letters: s draws, M varying coefficients, D classes of levels with the same S, J levels, K coefficients. The small
matrices of all draws and levels are factored at once, entry by entry, every entry an array over draws and classes or
levels. What follows from S alone is worked out for classes, of which there may be one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.collapsed.reduction import Classes, Collapsed, gather

Array = NDArray[np.float64]
_BLOCK_NUMBERS = 200_000


@dataclass(frozen=True)
class Sampled:
    """What the sampler drew, in its own units.

    Attributes:
        b: coefficients [s, K]; those that were integrated out are not looked at.
        T: Cholesky factors of the effects' covariance [s, M, M].
        sigma: residual sds [s].
    """

    b: Array
    T: Array
    sigma: Array

    def __getitem__(self, block: slice) -> Sampled:
        return Sampled(self.b[block], self.T[block], self.sigma[block])


def draw_rest(sampled: Sampled, rows: Collapsed, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return for each draw one of all coefficients [s, K] and of the effects [s, J, M], in the sampler's units."""
    classes = gather(rows.levels)
    b = draw_coefficients(sampled, rows, classes, rng)
    effects = draw_effects(Sampled(b, sampled.T, sampled.sigma), rows, classes, rng)
    return rows.at_origin(b), effects


def draw_coefficients(sampled: Sampled, rows: Collapsed, classes: Classes, rng: np.random.Generator) -> Array:
    """Return coefficients of which the integrated ones are drawn [s, K], counted as `rows` counts them."""
    n_draws, n_integrated = len(sampled.b), len(rows.integrated)
    b = sampled.b.copy()
    if n_integrated == 0:
        return b
    gram = weighted_products(sampled, rows, classes)
    taken = np.zeros((n_draws, gram.shape[1], n_integrated + 1))
    taken[:, rows.integrated, np.arange(n_integrated)] = 1
    taken[:, rows.kept, -1] = -b[:, rows.kept]
    taken[:, -1, -1] = 1
    gram = np.swapaxes(taken, 1, 2) @ gram @ taken
    L = np.linalg.cholesky(gram[:, :-1, :-1])
    left = np.linalg.solve(L, gram[:, :-1, -1:]) + rng.standard_normal((n_draws, n_integrated, 1))
    b[:, rows.integrated] = np.linalg.solve(np.swapaxes(L, 1, 2), left)[..., 0]
    return b


def weighted_products(sampled: Sampled, rows: Collapsed, classes: Classes) -> Array:
    """Return the products of [X, y] in the metric of the outcome's inverse covariance, plus the prior's [s, R, R]."""
    n_terms, _, n_columns = classes.q.shape
    pairs = [(a, b) for a in range(n_terms) for b in range(a + 1)]
    sums = np.array([_class_sums(classes, a, b) for a, b in pairs])  # [pairs, D, R * R]
    gram = np.empty((len(sampled.b), n_columns, n_columns))

    def fill(block: slice) -> None:
        inverse = _inverses(_covariances(sampled[block], classes.S))
        weighted = _total([inverse[a][b] @ sums[i] for i, (a, b) in enumerate(pairs)])
        gram[block] = weighted.reshape(-1, n_columns, n_columns)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(fill, _blocks(len(gram), len(classes.count) * len(pairs))))
    return np.asarray(gram + rows.within / np.square(sampled.sigma)[:, None, None] + rows.prior)


def draw_effects(sampled: Sampled, rows: Collapsed, classes: Classes, rng: np.random.Generator) -> Array:
    """Return one draw of the effects for each draw of the rest, `b` counted as `rows` counts it [s, J, M].

    Blocks of draws side by side, as many as there are cores, each with random numbers of its own: numpy leaves the
    others free to run while it works on an array.
    """
    n_terms, n_levels, _ = rows.levels.q.shape
    effects = np.empty((len(sampled.b), n_levels, n_terms))
    blocks = list(_blocks(len(effects), n_levels * n_terms))

    def fill(block: slice, own: np.random.Generator) -> None:
        _draw_block(sampled[block], rows, classes, own, effects[block])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(fill, blocks, rng.spawn(len(blocks))))
    return effects


def _blocks(n_draws: int, size: int) -> Iterator[slice]:
    """Yield slices of the draws that keep the working arrays small."""
    step = max(1, _BLOCK_NUMBERS // size)
    for start in range(0, n_draws, step):
        yield slice(start, start + step)


def _class_sums(classes: Classes, a: int, b: int) -> Array:
    """Return the products of two rows of q_j, made symmetric, summed over the levels of a class [D, R * R]."""
    first, second = classes.q[a], classes.q[b]
    product = first[:, :, None] * second[:, None, :]
    product = product if a == b else product + np.swapaxes(product, 1, 2)
    sums = np.zeros((len(classes.count), product[0].size))
    np.add.at(sums, classes.members, product.reshape(len(product), -1))
    return sums


def _covariances(sampled: Sampled, S: Array) -> list[list[Array]]:
    """Return the entries on and below the diagonal of A = S T T' S' + sigma^2 I, each [s, D]."""
    n_terms = len(S)
    V = sampled.T @ np.swapaxes(sampled.T, 1, 2)
    entries = []
    for a in range(n_terms):
        row = []
        for b in range(a + 1):
            products = S[a][:, None] * S[b][None]  # [M, M, D]
            entry = V.reshape(len(V), -1) @ products.reshape(n_terms**2, -1)
            row.append(entry + np.square(sampled.sigma)[:, None] if a == b else entry)
        entries.append(row)
    return entries


def _inverses(A: list[list[Array]]) -> list[list[Array]]:
    """Return the entries on and below the diagonal of the inverses, from A = L D L'."""
    size = len(A)
    L: list[list[Array]] = [[] for _ in A]
    w: list[Array] = []
    for a in range(size):
        pivot = A[a][a]
        scaled: list[Array] = []
        for b in range(a):
            entry = A[a][b]
            for c in range(b):
                entry = entry - scaled[c] * L[b][c]
            scaled.append(entry)
            L[a].append(entry * w[b])
            pivot = pivot - L[a][b] * entry
        w.append(1 / pivot)
    for a in range(size):  # L -> its inverse
        for b in range(a):
            L[a][b] = -_total([L[a][b], *(L[a][c] * L[c][b] for c in range(b + 1, a))])
    weighted = [[L[c][b] * w[c] for b in range(c)] + [w[c]] for c in range(size)]
    return [
        [_total([weighted[a][b], *(L[c][a] * weighted[c][b] for c in range(a + 1, size))]) for b in range(a + 1)]
        for a in range(size)
    ]


def _total(parts: Sequence[Array]) -> Array:
    """Return the sum of arrays, of one itself."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _draw_block(sampled: Sampled, rows: Collapsed, classes: Classes, rng: np.random.Generator, effects: Array) -> None:
    """Fill `effects` [s, J, M] with draws."""
    q, sigma, terms = rows.levels.q, sampled.sigma[:, None], range(len(classes.S))
    G, C, inverse = _factors(sampled, rows, classes)
    r = [q[m, :, -1] - sampled.b @ q[m, :, :-1].T for m in terms]
    v: list[Array] = []
    for a in terms:  # C^-1 G' r, from the first term down
        v.append(_dot([G[c][a] for c in terms], r))
        for c in range(a):
            v[a] -= C[a][c] * v[c]
        v[a] *= inverse[a]
    for a in reversed(terms):  # C' v = C^-1 G' r + sigma e, from the last term up
        v[a] += sigma * rng.standard_normal(v[a].shape, dtype=np.float32)  # twice as fast, and noise all the same
        for c in range(a + 1, len(C)):
            v[a] -= C[c][a] * v[c]
        v[a] *= inverse[a]
    for a in terms:
        effects[:, :, a] = _dot([sampled.T[:, a, b, None] for b in range(a + 1)], v)


def _factors(
    sampled: Sampled, rows: Collapsed, classes: Classes
) -> tuple[list[list[Array]], list[list[Array]], list[Array]]:
    """Return G = S T, the Cholesky factors C of G'G + sigma^2 I and 1 over their diagonals, entry by entry.

    Each is [s, J], or [s, 1] where it is the same for all levels; worked out for classes where these are few.
    """
    few = 2 * len(classes.count) <= rows.levels.S.shape[2]
    S, terms = (classes.S if few else rows.levels.S), range(len(classes.S))
    # S is upper and T lower triangular
    G = [
        [_dot([sampled.T[:, c, b, None] for c in terms[max(a, b) :]], list(S[a, max(a, b) :])) for b in terms]
        for a in terms
    ]
    C: list[list[Array]] = []
    inverse: list[Array] = []
    for a in terms:
        row: list[Array] = []
        for b in range(a + 1):
            entry = _dot([G[c][a] for c in terms], [G[c][b] for c in terms])
            if a == b:
                entry += np.square(sampled.sigma)[:, None]
            for c in range(b):
                entry -= row[c] * (row[c] if a == b else C[b][c])
            row.append(np.sqrt(entry) if a == b else entry * inverse[b])
        C.append(row)
        inverse.append(1 / row[a])
    if few and len(classes.count) > 1:
        at = classes.of_level
        return (
            [[x[:, at] for x in row] for row in G],
            [[x[:, at] for x in row] for row in C],
            [x[:, at] for x in inverse],
        )
    return G, C, inverse


def _dot(first: Sequence[Array], second: Sequence[Array]) -> Array:
    """Return the sum of products of arrays."""
    total = first[0] * second[0]
    for one, other in zip(first[1:], second[1:], strict=False):
        total += one * other
    return total
