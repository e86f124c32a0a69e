"""The outcome on the scale of the predictors, roughly, and what a straight line leaves of it: for a look, not a fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.model.families import FAMILIES, Support

Array = NDArray[np.float64]
EVERY_ROW = slice(None)


def working_outcome(design: Design) -> Array:
    """Return the outcome [N], on the scale of the link where that can be had row by row."""
    support, y = FAMILIES[design.family].support, design.y
    if support is Support.POSITIVE:
        return np.asarray(np.log(y))
    if support is Support.COUNT:
        return np.asarray(np.log(y + 0.5))
    if support is Support.SUCCESSES and design.trials is not None:
        return np.asarray(np.log((y + 0.5) / (design.trials - y + 0.5)))
    return y


def predictors(design: Design, rows: slice = EVERY_ROW) -> Array:
    """Return the columns over their sds, centred and after a column of ones where there is an intercept [N, K + 1]."""
    columns = design.X[rows]
    sds = columns.std(axis=0)
    scaled = (columns - (columns.mean(axis=0) if design.has_level else 0.0)) / np.where(sds > 0, sds, 1.0)
    return np.column_stack([np.ones(len(scaled)), scaled]) if design.has_level else np.asarray(scaled)


def evenly(design: Design, most: int) -> slice:
    """Return a choice of at most so many rows, from all of the file."""
    return slice(None, None, -(-design.n_rows // most))


def left_over(design: Design) -> Array:
    """Return what least squares leave of the outcome [N]."""
    y, columns = working_outcome(design), predictors(design)
    y = y - (design.offset if design.offset is not None else 0.0)
    y = y - y.mean()
    return np.asarray(y - columns @ np.linalg.lstsq(columns.T @ columns, columns.T @ y, rcond=None)[0])
