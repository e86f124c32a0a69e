"""Design -> the columns as the sampler sees them.

The outcome less y_mean over y_scale (as it is where its family allows nothing else), the offset over y_scale, the
columns of X and the varying ones less a center (`design.origin`) over their sds, X with a column of ones first: so that
the sampler's parameters are near 1 in size whatever the units. Letters as in `design.design`; K counts the intercept
here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group

Array = NDArray[np.float64]


def scaled_outcome(design: Design) -> Array:
    """Return the outcome [N]: centred and over its sd where that leaves it in its family, or as it is."""
    return (design.linear_outcome - design.y_mean) / design.y_scale


def row_precision(design: Design) -> Array | None:
    """Return the precision of each row relative to the mean [N], which goes with `Design.sigma_scale`; None: all alike.

    As weights of a gaussian log density these give the posterior of variances sigma^2 / precision: their sum is N, or
    for how many rows those count that are not left out.
    """
    if design.precision is None:
        return None
    relative = design.precision / design.mean_precision
    return relative if design.weights is None else relative * design.weights


def row_root(design: Design) -> Array | None:
    """Return what rows of [Z, X, y] are multiplied by so that all say as much [N]; None: they do.

    Rows that count w times say what a row of w times the precision does of the mean; see `counted_rows` for sigma.
    """
    weights = design.weights if design.precision is None else row_precision(design)
    return None if weights is None else np.sqrt(weights)


def counted_rows(design: Design) -> float:
    """Return for how many rows those of the design count: N, or the sum of their weights."""
    return float(design.n_rows if design.weights is None else design.weights.sum())


def scaled_offset(design: Design) -> Array:
    """Return what is added to the linear predictor, in units of y_scale [N], zeros where nothing is."""
    return np.zeros(design.n_rows) if design.offset is None else design.offset / design.y_scale


def scaled_columns(design: Design, center: Array) -> Array:
    """Return the columns of X less `center` [K - 1], the intercept's first where there is one [N, K]."""
    X = (design.X - center) / design.x_scale
    return np.column_stack([np.ones(design.n_rows), X]) if design.intercept else X


def coefficient_scale(design: Design) -> Array:
    """Return one unit of each of the sampler's coefficients in the units of the CSV [K], the intercept first."""
    return design.y_scale / np.concatenate([np.ones(int(design.intercept)), design.x_scale])


def effect_scale(design: Design, group: Group) -> Array:
    """Return one unit of the sampler's effects of a factor in the units of the CSV [M], and so of their sds."""
    outcome = [design.y_scale if parameter is None else 1.0 for parameter in group.named.of_parameters]
    return np.asarray(outcome / group.units)


def scaled_varying(group: Group, center: Array) -> Array:
    """Return the varying columns of one factor less `center` [M] over their units [N, M]."""
    return (group.Z - center) / group.units
