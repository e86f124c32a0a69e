"""Draws of the collapsed engine -> draws of coefficients and group effects, from their exact conditional distribution.

Given sds, correlations and sigma, and what is known of the rows (`reduction`), with A_j = S_j T T' S_j' +
sigma^2 I, the products of [X, y] in the metric of the outcome's inverse covariance are

    gram = within / sigma^2 + sum over levels of q_j' A_j^-1 q_j + prior products,

whose Cholesky factor, y last, is [[L, 0], [l', .]]. The coefficients are normal(L'^-1 l, (L L')^-1). Given them too,
the effects of level j are u_j = T v_j with

    v_j ~ normal(B_j^-1 T' S_j' q_j [-b, 1], sigma^2 B_j^-1),   B_j = sigma^2 I + T' S_j' S_j T.

Letters: s draws, M varying coefficients, H = M (M + 1) / 2 entries on and below a diagonal, D classes of levels with
the same S, J levels, K coefficients, R = K + 1. The small matrices of many draws and levels are factored at once, entry
by entry, every entry an array over draws and classes or levels. What follows from S alone is worked out for classes, of
which there may be one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.collapsed.reduction import Classes, Collapsed, Indices, classify
from hierfit.posterior.rounding import FEW_DRAWS, MANY_NUMBERS

Array = NDArray[np.float64]
_BLOCK_NUMBERS = 200_000
_LEVELS, _NUMBERS = 2_048, 16_384  # that are worked on together: a dozen such arrays fit into a core's cache


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
        """Return some of the draws."""
        return Sampled(self.b[block], self.T[block], self.sigma[block])


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
        inverse, _ = inverses(_covariances(sampled[block], classes.S))
        weighted = _total([inverse[a][b] @ sums[i] for i, (a, b) in enumerate(pairs)])
        gram[block] = weighted.reshape(-1, n_columns, n_columns)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(fill, _blocks(len(gram), len(classes.count) * len(pairs))))
    return np.asarray(gram + rows.within / np.square(sampled.sigma)[:, None, None] + rows.prior)


@dataclass(frozen=True)
class Target:
    """What effects are to be given as.

    Attributes:
        way: from the sampler's effects of a level to those wanted [M, M].
        rough: whether single precision will do, judged from some draws of them [s, J, M].
    """

    way: Array
    rough: Callable[[Array], bool]


def draw_effects(sampled: Sampled, rows: Collapsed, rng: np.random.Generator, target: Target) -> Array:
    """Return one draw of the effects for each draw of the rest, `b` counted as `rows` counts it [s, J, M].

    Where there are many they are in single precision, if that will do. Blocks of draws side by side, as many as there
    are cores, each with random numbers of its own: numpy leaves the others free to run while it works on an array.
    """
    n_terms, n_levels, _ = rows.levels.q.shape
    levels, n_draws = _what_levels_say(rows), len(sampled.b)
    step = max(1, _NUMBERS // min(n_levels, _LEVELS))

    def draw(chosen: Sampled, own: np.random.Generator, dtype: type[np.floating[Any]]) -> Array:
        effects = np.empty((len(chosen.b), n_levels, n_terms), dtype=dtype)
        blocks = [slice(start, start + step) for start in range(0, len(effects), step)]

        def fill(block: slice, noise: np.random.Generator) -> None:
            _draw_block(chosen[block], levels, noise, target.way, effects[block])

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(fill, blocks, own.spawn(len(blocks))))
        return effects

    of_all, of_some = rng.spawn(2)
    if n_draws * n_levels * n_terms > MANY_NUMBERS:
        some = sampled[:: max(1, n_draws // FEW_DRAWS)]
        if target.rough(draw(some, of_some, np.float64)):
            return draw(sampled, of_all, np.float32)
    return draw(sampled, of_all, np.float64)


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


def inverses(A: list[list[Array]]) -> tuple[list[list[Array]], list[Array]]:
    """Return the entries on and below the diagonal of the inverses, from A = L D L', and D, whose product is det A."""
    size = len(A)
    L: list[list[Array]] = [[] for _ in A]
    w: list[Array] = []
    pivots: list[Array] = []
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
        pivots.append(pivot)
        w.append(1 / pivot)
    for a in range(size):  # L -> its inverse
        for b in range(a):
            L[a][b] = -_total([L[a][b], *(L[a][c] * L[c][b] for c in range(b + 1, a))])
    weighted = [[L[c][b] * w[c] for b in range(c)] + [w[c]] for c in range(size)]
    inverse = [
        [_total([weighted[a][b], *(L[c][a] * weighted[c][b] for c in range(a + 1, size))]) for b in range(a + 1)]
        for a in range(size)
    ]
    return inverse, pivots


def _total(parts: Sequence[Array]) -> Array:
    """Return the sum of arrays, of one itself."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


@dataclass(frozen=True)
class _Levels:
    """What effects follow from, level by level.

    Attributes:
        W: entries on and below the diagonal of S'S, of every class where these are few, else of every level [H, .].
        h: S'q [M R, J].
        of_level: class of each level [J]; None where W is of levels.
    """

    W: Array
    h: Array
    of_level: Indices | None


def _what_levels_say(rows: Collapsed) -> _Levels:
    S, q = rows.levels.S, rows.levels.q
    first, classes = classify(S)
    few = 2 * len(first) <= S.shape[2]
    own = S[:, :, first] if few else S
    W = np.array([np.sum(own[:, a] * own[:, b], axis=0) for a, b in zip(*np.tril_indices(len(S)), strict=True)])
    h = np.array([np.sum(S[:, m, :, np.newaxis] * q, axis=0).T for m in range(len(S))])  # [M, R, J]
    return _Levels(W, h.reshape(-1, S.shape[2]), classes if few else None)


def _draw_block(sampled: Sampled, levels: _Levels, rng: np.random.Generator, way: Array, effects: Array) -> None:
    """Fill `effects` [s, J, M] with draws."""
    n_levels, n_terms = effects.shape[1:]
    T, sigma, terms = sampled.T, sampled.sigma[:, np.newaxis], range(n_terms)
    left = np.column_stack([-sampled.b, np.ones(len(T))])
    towards = [(T[:, :, a, np.newaxis] * left[:, np.newaxis]).reshape(len(T), -1) for a in terms]
    to_effects = way @ T
    of_classes = _factors(sampled, levels.W if levels.of_level is not None else levels.W[:, :0])
    for start in range(0, n_levels, _LEVELS):
        at = slice(start, start + _LEVELS)
        if levels.of_level is None:
            C, inverse = _factors(sampled, levels.W[:, at])
        else:
            C, inverse = _of_levels(of_classes, levels.of_level[at])
        v = [own @ levels.h[:, at] for own in towards]
        noise = _standard_normal((n_terms, *v[0].shape), rng)
        for a in terms:  # C^-1 T' S' q [-b, 1], from the first term down
            for c in range(a):
                v[a] -= C[a][c] * v[c]
            v[a] *= inverse[a]
        for a in reversed(terms):  # C' v = that + sigma e, from the last term up
            v[a] += sigma * noise[a]
            for c in range(a + 1, n_terms):
                v[a] -= C[c][a] * v[c]
            v[a] *= inverse[a]
        for a in terms:
            effects[:, at, a] = _dot([to_effects[:, a, b, np.newaxis] for b in terms], v)


def _standard_normal(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return standard normal numbers in single precision: noise all the same (Box & Muller 1958).

    Logarithm, sine and cosine are worked out for many numbers at once, which takes half the time of numpy's own.
    """
    size = int(np.prod(shape))
    one, other = rng.random((2, (size + 1) // 2), dtype=np.float32)
    radius = np.sqrt(np.float32(-2) * np.log(np.float32(1) - one))
    other *= np.float32(2 * np.pi)
    return np.concatenate([radius * np.cos(other), radius * np.sin(other)])[:size].reshape(shape)


def _factors(sampled: Sampled, W: Array) -> tuple[list[list[Array]], list[Array]]:
    """Return the Cholesky factors C of T'WT + sigma^2 I and 1 over their diagonals, entry by entry, each [s, .]."""
    T, variance, terms = sampled.T, np.square(sampled.sigma)[:, np.newaxis], range(sampled.T.shape[1])
    C: list[list[Array]] = []
    inverse: list[Array] = []
    for a in terms:
        row: list[Array] = []
        for b in range(a + 1):
            pairs = [
                T[:, c, a] * T[:, d, b] + (T[:, d, a] * T[:, c, b] if c != d else 0.0)
                for c in terms
                for d in range(c + 1)
            ]
            entry = np.column_stack(pairs) @ W
            if a == b:
                entry += variance
            for c in range(b):
                entry -= row[c] * (row[c] if a == b else C[b][c])
            row.append(np.sqrt(entry) if a == b else entry * inverse[b])
        C.append(row)
        inverse.append(1 / row[a])
    return C, inverse


def _of_levels(
    factors: tuple[list[list[Array]], list[Array]], classes: Indices
) -> tuple[list[list[Array]], list[Array]]:
    """Return what is of classes for levels: one column for all where there is one class."""
    C, inverse = factors
    if inverse[0].shape[1] == 1:
        return factors
    return [[entry[:, classes] for entry in row] for row in C], [each[:, classes] for each in inverse]


def _dot(first: Sequence[Array], second: Sequence[Array]) -> Array:
    """Return the sum of products of arrays."""
    total = first[0] * second[0]
    for one, other in zip(first[1:], second[1:], strict=False):
        total += one * other
    return total
