"""Draws of a number -> its mean, sd and equal-tailed interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.plain import Measured

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """What the posterior says of a number; infinite or NaN where that is so of the number."""

    mean: Measured
    sd: Measured
    lower: Measured
    upper: Measured


def estimate(values: Array, bounds: tuple[float, float]) -> Estimate:
    """Return the summary of draws [S]; `bounds` are the two probabilities of the interval."""
    if np.all(values == values[0]):
        same = float(values[0])
        return Estimate(same, 0.0, same, same)
    with np.errstate(invalid="ignore"):  # a variance may be infinite
        lower, upper = np.quantile(values, bounds).tolist()
        return Estimate(float(values.mean()), float(values.std(ddof=1)), lower, upper)
