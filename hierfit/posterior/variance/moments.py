"""Values of rows under draws, block by block -> their weighted means and variances over the rows.

Letters: S draws, R rows of a block. Blocks are merged by the update of Chan, Golub and LeVeque (1983, The American
Statistician 37(3)), so that nothing is lost however far the values are from 0. Infinite values that are not negative,
as variances may be, have an infinite mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Moments:
    """Weighted moments over rows.

    Attributes:
        weight: sum of the weights.
        mean: [S].
        squares: weighted sum of the squares of deviations from it [S].
    """

    weight: float
    mean: Array
    squares: Array

    def and_also(self, other: Moments) -> Moments:
        """Return those of both."""
        weight = self.weight + other.weight
        if weight == 0:
            return self
        with np.errstate(invalid="ignore"):
            apart = other.mean - self.mean
        mean = self.mean + apart * (other.weight / weight)
        mean = np.where(np.isfinite(apart), mean, self.mean + other.mean)
        squares = self.squares + other.squares + apart**2 * (self.weight * other.weight / weight)
        return Moments(weight, mean, squares)

    @property
    def variance(self) -> Array:
        """With n - 1, or 0 of one row [S]."""
        return self.squares / max(self.weight - 1, 1.0)


def moments_of(values: Array, weights: Array) -> Moments:
    """Return the moments of values [S, R] over rows that count so often [R]."""
    weight = float(weights.sum())
    if weight == 0:
        return Moments(0.0, np.zeros(len(values)), np.zeros(len(values)))
    first = np.where(np.isfinite(values[:, :1]), values[:, :1], 0.0)
    mean = first[:, 0] + (values - first) @ weights / weight
    with np.errstate(invalid="ignore"):
        return Moments(weight, mean, (values - mean[:, None]) ** 2 @ weights)
