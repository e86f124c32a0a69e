"""Split Student t distributions: a t whose width differs towards either end of every axis (Geweke 1989, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma, log, pi

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SplitT:
    """A split Student t distribution.

    Attributes:
        mode: [d].
        axes: columns are the axes [d, d].
        widths: lengths towards either end of each axis, in lengths of the axis [2, d].
        degrees: degrees of freedom.
    """

    mode: Array
    axes: Array
    widths: Array
    degrees: float

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Return n points [n, d]."""
        below, above = self.widths
        d = len(self.mode)
        right = rng.random((n, d)) * (below + above) < above
        radius = np.abs(rng.standard_normal((n, d))) / np.sqrt(rng.chisquare(self.degrees, (n, 1)) / self.degrees)
        return np.asarray(self.mode + np.where(right, above, -below) * radius @ self.axes.T)

    def log_density(self, points: Array) -> Array:
        """Return the log density [s] of points [s, d]."""
        along = np.linalg.solve(self.axes, (points - self.mode).T).T
        below, above = self.widths
        squares = np.square(along / np.where(along > 0, above, below)).sum(axis=1)
        return np.asarray(self._constant - (self.degrees + len(self.mode)) / 2 * np.log1p(squares / self.degrees))

    @property
    def _constant(self) -> float:
        """The log density at the mode: a side of an axis is taken as often as it is wide, so that both meet there."""
        d, nu = len(self.mode), self.degrees
        t = lgamma((nu + d) / 2) - lgamma(nu / 2) - d / 2 * log(nu * pi)
        return float(t + np.log(2 / self.widths.sum(axis=0)).sum() - np.linalg.slogdet(self.axes)[1])
