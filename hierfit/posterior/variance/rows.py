"""Design x "what if" -> the rows that are averaged over, each kind of row once, and how often it counts.

Rows without different predictors, such as those of a model of intercepts alone, are one row. Where there are more kinds
than wanted, so many rows are drawn at random, without replacement and always the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.moved_rows import Change, rows_moved
from hierfit.design.rows import RowChoice, Rows

Array = NDArray[np.float64]

_LOOKED_AT = 20_000  # rows among which equal ones are looked for
_SEED = 20_170_213


@dataclass(frozen=True, eq=False)
class Weighted:
    """Rows, and how often each counts.

    Attributes:
        rows: [R].
        weights: [R].
        sampled: out of how many rows they were drawn at random; None where all are there.
    """

    rows: Rows
    weights: Array
    sampled: int | None = None


def row_weights(design: Design, chosen: RowChoice = slice(None)) -> Array:
    """Return how often rows of the fit count [N]."""
    if design.weights is not None:
        return np.asarray(design.weights[chosen], dtype=np.float64)
    return np.ones(len(design.lines[chosen]))


def sample(n_rows: int, most: int) -> NDArray[np.int64]:
    """Return the indices of all rows, or of so many of them at random, in order."""
    if n_rows <= most:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(_SEED).choice(n_rows, most, replace=False))


def kinds_of_rows(design: Design, point: Mapping[str, Change], most: int) -> Weighted:
    """Return the rows of the fit with columns changed, equal ones once, at most so many.

    Raises:
        DataError, FormulaError: a term has no value there.
    """
    looked_at = sample(design.n_rows, _LOOKED_AT)
    rows, weights = rows_moved(design, looked_at, point), row_weights(design, looked_at)
    first, counts = _distinct(rows, weights)
    if len(first) <= most:
        found = Weighted(rows.at(first), counts)
    else:
        chosen = sample(len(looked_at), most)
        rows, weights = rows.at(chosen), weights[chosen]
        first, counts = _distinct(rows, weights)
        found = Weighted(rows.at(first), counts, design.n_rows)
    if found.sampled is None and len(looked_at) < design.n_rows and len(first) > 1:
        return Weighted(found.rows, found.weights, design.n_rows)
    return found


def _distinct(rows: Rows, weights: Array) -> tuple[NDArray[np.int64], Array]:
    """Return the first row of each kind, and the sum of the weights of the kind."""
    beside = [column[:, None] for column in (rows.offset, rows.precision) if column is not None]
    columns = [rows.X, *(own.Z for own in rows.groups), *rows.distributional.values(), *beside]
    table = np.concatenate([np.zeros((len(weights), 1)), *columns], axis=1)
    _, first, kind = np.unique(table, axis=0, return_index=True, return_inverse=True)
    return first.astype(np.int64), np.bincount(kind.ravel(), weights=weights).astype(np.float64)
