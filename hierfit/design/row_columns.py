"""Table x Roles -> what further columns say of every row: offset, weights, precision; checked against the family."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.data.table import Table
from hierfit.errors import DataError, UsageError
from hierfit.model.families import FAMILIES, Family
from hierfit.model.roles import Roles

Array = NDArray[np.float64]
_EXPOSED = ("log", "cloglog")  # links under which the log of an exposure multiplies a rate


@dataclass(frozen=True)
class RowColumns:
    """What is said of every row.

    Attributes:
        offset: what is added to the linear predictor [N], or None.
        weights: how often each row counts [N], or None.
        precision: what the variance of each row is divided by [N], or None.
    """

    offset: Array | None = None
    weights: Array | None = None
    precision: Array | None = None


def read_row_columns(table: Table, family: Family, link: str, roles: Roles, *, sigma_varies: bool) -> RowColumns:
    """Return offset, weights and precision of the rows.

    Raises:
        DataError: a value that cannot be had there, with its line.
        UsageError: the family, its link or another option rules such a column out.
    """
    offset = None if roles.offset is None else table.numbers[roles.offset]
    if roles.exposure is not None:
        exposure = _log_exposure(table, roles.exposure, link)
        offset = exposure if offset is None else offset + exposure
    precision = None if roles.precision is None else _precision(table, family, roles, sigma_varies=sigma_varies)
    return RowColumns(offset, None if roles.weights is None else _weights(table, roles.weights), precision)


def _log_exposure(table: Table, column: str, link: str) -> Array:
    if link not in _EXPOSED:
        raise UsageError(
            f"--exposure {column}: under the {link} link the log of an exposure does not multiply the outcome.",
            hint="exposures belong to counts: --family poisson or negbinomial; --offset adds any column as it is",
        )
    values = table.numbers[column]
    _refuse(table, column, values, values <= 0, "exposure", "exposures are greater than 0: leave out rows without any")
    return np.log(values)


def _weights(table: Table, column: str) -> Array:
    """Return weights that are not below 0, and leave some row."""
    values = table.numbers[column]
    hint = "weights say how often a row counts: numbers from 0 on, not all 0"
    _refuse(table, column, values, values < 0, "weight", hint)
    if not values.any():
        raise DataError(
            f"column '{column}' of {table.path} holds the weight 0 on {table.place(0)}, as do all rows.", hint=hint
        )
    return values


def _precision(table: Table, family: Family, roles: Roles, *, sigma_varies: bool) -> Array:
    """Return precision weights, greater than 0, of a family whose sigma they divide."""
    option = f"--precision-weights {roles.precision}"
    if not family.takes_precision:
        taking = ", ".join(other.name for other in FAMILIES.values() if other.takes_precision)
        raise UsageError(
            f"{option}: the variance of {family.name} is not a sigma^2 that could be divided by a weight.",
            hint=f"families that take them: {taking}; how often a row counts is said with --weights",
        )
    if roles.weights is not None:
        raise UsageError(
            f"{option}: rows are weighted by --weights {roles.weights} already.",
            hint="--weights counts rows, --precision-weights divides their variance: leave one of them out",
        )
    if sigma_varies:
        raise UsageError(
            f"{option}: sigma has predictors, which say already how the variance of rows differs.",
            hint="leave out --sigma, or put the log of the known sd into a column and name it there",
        )
    assert roles.precision is not None
    values = table.numbers[roles.precision]
    hint = "precision weights are greater than 0, such as 1 / se^2: leave out rows that say nothing"
    _refuse(table, roles.precision, values, values <= 0, "precision weight", hint)
    return values


def _refuse(table: Table, column: str, values: Array, bad: NDArray[np.bool_], what: str, hint: str) -> None:
    if bad.any():
        row = int(bad.argmax())
        more = "" if bad.sum() == 1 else f" ({int(bad.sum()):,} such rows)"
        raise DataError(
            f"column '{column}' of {table.path} holds the {what} {values[row]:g} on {table.place(row)}{more}.",
            hint=hint,
        )
