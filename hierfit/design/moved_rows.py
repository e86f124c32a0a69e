"""Design x "what if" -> rows of the fit where some of the user's columns hold other values, all else as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.data.table import Table
from hierfit.design.design import Design
from hierfit.design.reference_grid import Grid
from hierfit.design.rows import RowChoice, Rows
from hierfit.design.terms import columns_on

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Held:
    """A column that holds one value in every row: a number, or a level of words."""

    value: float | str


@dataclass(frozen=True)
class Added:
    """A column of numbers to which something is added, as far as that stays between two ends."""

    amount: float
    lowest: float = -np.inf
    highest: float = np.inf

    def to(self, values: Array) -> Array:
        """Return the numbers changed."""
        return np.clip(values + self.amount, self.lowest, self.highest)


Change = Held | Added


def rows_moved(design: Design, chosen: RowChoice, changes: Mapping[str, Change], grid: Grid | None = None) -> Rows:
    """Return rows of the fit, or of a grid, with columns changed: what depends on these anew, all else as it is.

    Raises:
        DataError, FormulaError: a term has no value there.
    """
    rows = design.at(chosen) if grid is None else grid.rows.at(chosen)
    if not changes:
        return rows
    inputs = design.inputs if grid is None else grid.inputs
    assert inputs is not None
    table = _changed(inputs.at(chosen), changes)
    return replace(
        rows,
        X=columns_on(design.terms, table),
        groups=tuple(
            replace(own, Z=group.columns_on(table)) for group, own in zip(design.groups, rows.groups, strict=True)
        ),
        distributional={own.parameter: own.on(table) for own in design.distributional},
    )


def _changed(table: Table, changes: Mapping[str, Change]) -> Table:
    numbers, labels, levels = dict(table.numbers), dict(table.labels), dict(table.levels)
    for name, change in changes.items():
        if isinstance(change, Added):
            numbers[name] = change.to(table.numbers[name])
        elif name in numbers:
            numbers[name] = np.full(table.n_rows, change.value, dtype=np.float64)
        else:
            levels[name] = (str(change.value),)
            labels[name] = np.zeros(table.n_rows, dtype=np.int32)
    return replace(table, numbers=numbers, labels=labels, levels=levels)
