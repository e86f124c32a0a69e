"""Draws -> density curves that put no mass outside the support.

Gaussian kernel with Silverman's bandwidth on a fine histogram, reflected at finite bounds (Silverman 1986, sections
3.4.1 and 2.10), so that an sd near 0 has its density at 0 and none below.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments

Array = NDArray[np.float64]
POINTS = 256
TRIM = 0.0005


def density(values: Array, lower: float = -np.inf, upper: float = np.inf) -> tuple[Array, Array]:
    """Return a grid [POINTS] within the bounds and the density there [POINTS], integrating to 1."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return np.linspace(0.0, 1.0, POINTS), np.zeros(POINTS)
    low, high = np.quantile(finite, (TRIM, 1 - TRIM))
    bandwidth = silverman(finite)
    start, stop = max(lower, low - 3 * bandwidth), min(upper, high + 3 * bandwidth)
    edges = np.linspace(start, stop, POINTS + 1)
    bandwidth = max(bandwidth, edges[1] - edges[0])
    grid = (edges[:-1] + edges[1:]) / 2
    counts, _ = np.histogram(finite, edges)
    images = [grid]
    if np.isfinite(lower):
        images.append(2 * lower - grid)
    if np.isfinite(upper):
        images.append(2 * upper - grid)
    heights = sum(np.exp(-0.5 * ((grid[:, None] - image) / bandwidth) ** 2) @ counts for image in images)
    step = edges[1] - edges[0]
    return grid, np.asarray(heights / (np.sum(heights) * step))


def silverman(values: Array) -> float:
    """Return Silverman's bandwidth, a tiny positive number for values without spread."""
    lower, upper = np.quantile(values, (0.25, 0.75))
    sd = float(moments.sd(values))
    spread = min(sd, (upper - lower) / 1.34) or sd
    return float(0.9 * spread * len(values) ** -0.2) or float(np.spacing(np.abs(values).max()) * 1e3) or 1e-300
