"""Means and sds that lose nothing to a large offset: numbers are counted from the first of them before they are added.

numpy adds columns of a table row by row, and a sum of four thousand numbers near 1e12 is off by hundreds; the mean is
then off by more than its Monte Carlo error, and an sd around such a mean is too large. What is left after the shift is
of the size of the spread, and exact where numbers are within a factor of two of each other (Sterbenz 1974).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Axes = int | tuple[int, ...] | None


def mean(values: Array, axis: Axes = None) -> Array:
    """Return the mean along the axes, all of them where none is given; NaN of nothing."""
    first = _first(values, axis)
    return np.asarray(np.mean(values - first, axis=axis, dtype=np.float64) + _without(first, axis))


def sd(values: Array, axis: Axes = None, ddof: int = 1) -> Array:
    """Return the sd along the axes, with n - `ddof`."""
    return np.asarray(np.std(values - _first(values, axis), axis=axis, dtype=np.float64, ddof=ddof))


def column_means(X: Array) -> Array:
    """Return the means of the columns of a table [N, K] -> [K], without a copy of more than one of them."""
    return np.array([mean(column) for column in X.T])


def column_sds(X: Array) -> Array:
    """Return the sds of the columns of a table, with n - 1 [N, K] -> [K]."""
    return np.array([sd(column) for column in X.T])


def standardized(values: Array) -> tuple[Array, float]:
    """Return values less their mean and over their sd, with n, and that sd."""
    shifted = values - _first(values, None)
    scale = float(shifted.std())
    return np.asarray((shifted - shifted.mean()) / scale), scale


def level_means(values: Array, codes: NDArray[np.integer], n_levels: int, weights: Array | None = None) -> Array:
    """Return the mean of each level's values [N] -> [J], by weights [N] where there are any; 0 of no rows."""
    first = values[0] if len(values) else 0.0
    weight = np.bincount(codes, weights=weights, minlength=n_levels)
    own = values - first if weights is None else weights * (values - first)
    sums = np.bincount(codes, weights=own, minlength=n_levels)
    some = weight > 0
    return np.asarray(np.where(some, first + sums / np.where(some, weight, 1.0), 0.0))


def _first(values: Array, axis: Axes) -> Array:
    """Return the first values along the axes, which are kept with a length of 1."""
    axes = _axes(values, axis)
    return np.asarray(values[tuple(slice(0, 1) if at in axes else slice(None) for at in range(values.ndim))])


def _without(first: Array, axis: Axes) -> Array:
    """Return the same without the axes; NaN where there is no first value."""
    axes = _axes(first, axis)
    if any(first.shape[at] == 0 for at in axes):
        return np.asarray(np.nan)
    return np.squeeze(first, axis=axes)


def _axes(values: Array, axis: Axes) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(values.ndim))
    return tuple(at % values.ndim for at in ((axis,) if isinstance(axis, int) else axis))
