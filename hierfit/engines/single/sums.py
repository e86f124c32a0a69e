"""Collapsed rows -> LevelSums: what all levels say together at points of the sds, correlations and sigma.

At a point, with A_j = S_j T T' S_j' + sigma^2 I (`collapsed.conditional`), the marginal density of the outcome takes

    the sum over levels of log det A_j,   and   gram = sum over levels of q_j' A_j^-1 q_j.

Entries of A_j are linear in those of T T' and sigma^2, and gram is linear in those of A_j^-1: with levels and points as
the two sides of a matrix, both are matrix products, and what lies between is a few passes over arrays that the cache of
a core holds. Letters: s points, M varying coefficients, H = M (M + 1) / 2 entries on and below the diagonal, row by
row, D classes of levels, R columns of [X, y], P = R (R + 1) / 2 pairs of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.collapsed.conditional import inverses
from hierfit.engines.collapsed.reduction import Classes

Array = NDArray[np.float64]

_NUMBERS = 16_000  # of an array that is worked on: a dozen of them fit into a core's cache
_POINTS = 32  # that are worked on together, at most


@dataclass(frozen=True)
class LevelSums:
    """What the density needs of all levels, class by class.

    Attributes:
        count: levels of each class [D].
        design: what each entry of A, less that of sigma^2 I, is in terms of those of T T' [H, H, D].
        products: products of two rows of q_j, made symmetric, summed over the levels of a class [H, D, P].
    """

    count: Array
    design: Array
    products: Array

    def at(self, T: Array, sigma: Array, pool: ThreadPoolExecutor) -> tuple[Array, Array]:
        """Return the sums of log det A [s], and gram [s, R, R], at points: T [s, M, M] and sigma [s]."""
        n_points, n_terms = T.shape[:2]
        V = (T @ np.swapaxes(T, 1, 2))[:, *np.tril_indices(n_terms)]
        variance = np.square(sigma)[:, np.newaxis]
        width = max(1, _NUMBERS // min(_POINTS, n_points))

        def some(classes: slice) -> Array:
            with np.errstate(all="ignore"):  # far out a sum is no number, which its density says
                return np.concatenate([self._part(V[at], variance[at], classes) for at in _slices(n_points, _POINTS)])

        found = sum(pool.map(some, _slices(len(self.count), width)), np.zeros((n_points, 1 + self.products.shape[2])))
        return found[:, 0], symmetric(found[:, 1:])

    def _part(self, V: Array, variance: Array, classes: slice) -> Array:
        """Return log det A and the entries of gram, summed over some classes [s, 1 + P]."""
        n_terms = _size(len(self.design))
        A: list[list[Array]] = []
        for a in range(n_terms):
            A.append([V @ self.design[_entry(a, b)][:, classes] for b in range(a + 1)])
            A[a][a] += variance
        inverse, pivots = inverses(A)
        determinant = pivots[0]
        for pivot in pivots[1:]:
            determinant = determinant * pivot
        gram = sum(inverse[a][b] @ self.products[_entry(a, b)][classes] for a in range(n_terms) for b in range(a + 1))
        return np.column_stack([np.log(determinant) @ self.count[classes], gram])


def level_sums(classes: Classes) -> LevelSums:
    """Return the sums of levels that are gathered in classes."""
    n_terms, _, n_columns = classes.q.shape
    pairs = [(a, b) for a in range(n_terms) for b in range(a + 1)]
    design = np.empty((len(pairs), len(pairs), len(classes.count)))
    first, second = np.tril_indices(n_columns)
    products = np.empty((len(pairs), len(classes.count), len(first)))
    for at, (a, b) in enumerate(pairs):
        for into, (c, d) in enumerate(pairs):
            design[at, into] = classes.S[a, c] * classes.S[b, d]
            if c != d:
                design[at, into] += classes.S[a, d] * classes.S[b, c]
        for pair, (one, other) in enumerate(zip(first, second, strict=True)):
            product = classes.q[a][:, one] * classes.q[b][:, other]
            if a != b:
                product += classes.q[a][:, other] * classes.q[b][:, one]
            products[at, :, pair] = np.bincount(classes.members, product, len(classes.count))
    return LevelSums(classes.count, design, products)


def symmetric(entries: Array) -> Array:
    """Return symmetric matrices [s, R, R] from their entries on and below the diagonal, row by row [s, P]."""
    size = _size(entries.shape[1])
    rows, columns = np.tril_indices(size)
    whole = np.empty((len(entries), size, size))
    whole[:, rows, columns] = whole[:, columns, rows] = entries
    return whole


def _entry(row: int, column: int) -> int:
    """Return the position of an entry on or below the diagonal."""
    return row * (row + 1) // 2 + column


def _size(entries: int) -> int:
    """Return of how many rows a matrix is that has so many entries on and below its diagonal."""
    return int(np.sqrt(2 * entries))


def _slices(length: int, step: int) -> Iterator[slice]:
    for start in range(0, length, step):
        yield slice(start, start + step)
