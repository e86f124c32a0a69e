"""Counts of n trials of one probability -> how likely so many are.

By scipy.special alone: scipy.stats, to which tests hold it, takes half a second to import.
Letters: K counts, or probabilities, of any shape.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hierfit.model.links import special

Array = NDArray[np.float64]
_SAME, _SLIGHT = 1 + 1e-7, 1e-12  # densities, and probabilities, that differ by rounding


def at_most(count: Array | float, n: int, share: Array | float) -> Array:
    """Return the probability of so many or fewer [K]."""
    count = np.floor(np.asarray(count, dtype=np.float64))
    return np.where(count < 0, 0.0, special().bdtr(np.clip(count, 0, n), n, share))


def more_than(count: Array | float, n: int, share: Array | float) -> Array:
    """Return the probability of more than so many, to every digit also where it is next to 0 [K]."""
    count = np.floor(np.asarray(count, dtype=np.float64))
    return np.where(count < 0, 1.0, special().bdtrc(np.clip(count, 0, n), n, share))


def least_with(probability: float, n: int, share: Array | float, *, above: bool = False) -> Array:
    """Return the smallest count that so much lies at or below [K], or of which no more than that lies `above`."""
    low, high = np.full(np.shape(share), -1.0), np.full(np.shape(share), float(n))
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        left = probability - (more_than(middle, n, share) if above else at_most(middle, n, share))
        reached = left >= -_SLIGHT * probability if above else left <= _SLIGHT * probability
        high, low = np.where(reached, middle, high), np.where(reached, low, middle)
    return np.asarray(high)


def as_unlikely(count: int, n: int, share: float) -> float:
    """Return the probability of counts that are no more likely than this one: the exact two-sided p value."""
    functions, counts = special(), np.arange(n + 1.0)
    chosen = functions.gammaln(n + 1) - functions.gammaln(counts + 1) - functions.gammaln(n - counts + 1)
    density = np.exp(chosen + functions.xlogy(counts, share) + functions.xlog1py(n - counts, -share))
    return float(min(1.0, density[density <= density[count] * _SAME].sum()))
