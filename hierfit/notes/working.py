"""The outcome on the scale of the predictors, roughly, and what a straight line leaves of it: for a look, not a fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hierfit.model.design import Design
from hierfit.model.families import FAMILIES, Support

Array = NDArray[np.float64]


def working_outcome(design: Design) -> Array:
    """Return the outcome [N], on the scale of the link where that can be had row by row."""
    support, y = FAMILIES[design.family].support, design.y
    if support is Support.POSITIVE:
        return np.asarray(np.log(y))
    if support is Support.COUNT:
        return np.asarray(np.log(y + 0.5))
    if support is Support.UNIT:
        return np.asarray(np.log(y / (1 - y)))
    if support is Support.SUCCESSES and design.trials is not None:
        return np.asarray(np.log((y + 0.5) / (design.trials - y + 0.5)))
    return y


def predictors(design: Design) -> Array:
    """Return the columns over their sds, centred and after a column of ones where there is an intercept [N, K + 1]."""
    if not design.has_level:
        return np.asarray(design.X / design.x_scale)
    return np.column_stack([np.ones(design.n_rows), (design.X - design.X.mean(axis=0)) / design.x_scale])


def left_over(design: Design) -> Array:
    """Return what least squares leave of the outcome [N]."""
    y, columns = working_outcome(design), predictors(design)
    y = y - (design.offset if design.offset is not None else 0.0)
    y = y - y.mean()
    return np.asarray(y - columns @ np.linalg.lstsq(columns.T @ columns, columns.T @ y, rcond=None)[0])
