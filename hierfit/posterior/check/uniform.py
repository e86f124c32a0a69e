"""Places between 0 and 1 -> whether they are uniform: a band around their distribution function, and its p value.

Letters: N places, K points of the grid. The number of places below a point z is binomial(N, z). The band has bounds at
the same tail probability gamma at every point, and gamma is such that all N uniform places stay within it with the
wanted probability: Säilynoja, Bürkner, Vehtari 2022, Statistics and Computing 32(32). gamma is found by simulation.
Places of rows that were left out one by one repel each other slightly, so that the band holds at least as often.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hierfit.model.links import special
from hierfit.posterior.check.binomial import least_with

Array = NDArray[np.float64]
MOST_POINTS, SIMULATIONS, SEED = 100, 2_000, 20_221_101


@dataclass(frozen=True, eq=False)
class Uniformity:
    """How uniform places are.

    Attributes:
        p: how often uniform places would stray as far.
        grid: points [K].
        below: share of the places at or below each [K].
        lower, upper: band that uniform places keep to with probability 0.95 [K].
        away: largest distance of the share below from the point.
    """

    p: float
    grid: Array
    below: Array
    lower: Array
    upper: Array

    @property
    def away(self) -> float:
        """Largest distance of the share below from the point, with its sign."""
        distance = self.below - self.grid
        return float(distance[np.argmax(np.abs(distance))])


def uniformity(places: Array) -> Uniformity:
    """Say how uniform places [N] are."""
    n = len(places)
    grid = _grid(n)
    counts = np.searchsorted(np.sort(places), grid, side="right")
    least = _least_tails(n)
    p = (1 + np.sum(least <= _tails(counts, n).min() * (1 + 1e-9))) / (1 + len(least))
    lower, upper = _band(n, float(np.quantile(least, 0.05)))
    return Uniformity(float(p), grid, counts / n, lower, upper)


def _grid(n: int) -> Array:
    count = min(MOST_POINTS, max(2, n))
    return np.arange(1, count) / count


def _tails(counts: NDArray[np.integer], n: int) -> Array:
    """Return twice the smaller tail probability of each count, 1 at most."""
    grid = _grid(n)
    below = special().bdtr(counts, n, grid)
    above = np.where(counts > 0, special().bdtrc(np.maximum(counts, 1) - 1, n, grid), 1.0)
    return np.asarray(np.minimum(2 * np.minimum(below, above), 1.0))


@lru_cache
def _least_tails(n: int) -> Array:
    """Return the smallest tail probability over the grid of uniform places, simulated."""
    rng, cells = np.random.default_rng([SEED, n]), len(_grid(n)) + 1
    counts = np.cumsum(rng.multinomial(n, np.full(cells, 1 / cells), SIMULATIONS), axis=1)[:, :-1]
    return np.asarray(_tails(counts, n).min(axis=1))


def _band(n: int, gamma: float) -> tuple[Array, Array]:
    """Return the smallest and the largest share below each point whose tails are not smaller than gamma."""
    grid = _grid(n)
    lower, upper = least_with(gamma / 2, n, grid), least_with(gamma / 2, n, grid, above=True)
    return np.asarray(lower / n), np.asarray(upper / n)
