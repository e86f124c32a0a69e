"""Design -> reference grid: a row for each combination of levels, columns of numbers at their means.

What emmeans (Lenth) averages over unless told otherwise: levels count equally, however many rows have them, and a
column of numbers that takes no more than two values counts as levels too. Offsets are at their mean. Rows of the grid
are in no group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.data.table import Table
from hierfit.design import moments
from hierfit.design.axes import factors
from hierfit.design.design import Design
from hierfit.design.rows import GroupRows, Rows
from hierfit.design.terms import columns_on
from hierfit.errors import UsageError

Array = NDArray[np.float64]
MOST_ROWS = 100_000
_KEPT = 2  # numbers that a column takes, where these are levels: cov.keep of emmeans


@dataclass(frozen=True, eq=False)
class Grid:
    """Rows that stand for no row of the data.

    Attributes:
        rows: in the columns of the design [G].
        inputs: the columns that terms read [G].
        levels: the columns whose values are combined.
        means: the others, and the numbers that they are held at.
    """

    rows: Rows
    inputs: Table
    levels: tuple[str, ...]
    means: dict[str, float]

    @property
    def n_rows(self) -> int:
        """G, the number of combinations."""
        return len(self.rows.lines)

    @property
    def without_groups(self) -> Grid:
        """The same for a design without groups."""
        return replace(self, rows=replace(self.rows, groups=()))


@dataclass(frozen=True, eq=False)
class _Axis:
    """A column whose values are combined: what they are, what they are called, and which each row of the fit has."""

    column: str
    values: Sequence[str] | Array
    labels: tuple[str, ...]
    codes: NDArray[np.int64]


def reference_grid(design: Design) -> Grid:
    """Return the grid of a design.

    Raises:
        UsageError: a combination that a term multiplies out has no row, or there are too many.
        DataError, FormulaError: a term has no value there.
    """
    assert design.inputs is not None
    axes = _axes(design, design.inputs)
    sizes = [len(axis.values) for axis in axes]
    if np.prod(sizes, dtype=np.float64) > MOST_ROWS:
        raise UsageError(
            f"--weights equal: the levels of {', '.join(axis.column for axis in axes)} have "
            f"{np.prod(sizes, dtype=np.float64):,.0f} combinations; hierfit takes {MOST_ROWS:,} at most.",
            hint="--weights proportional averages over the rows of the data",
        )
    _refuse_empty_cells(design, axes)
    levels = {axis.column for axis in axes}
    means = {name: _mean(x, design.weights) for name, x in design.inputs.numbers.items() if name not in levels}
    inputs = _table(design.inputs, axes, np.indices(sizes).reshape(len(sizes), int(np.prod(sizes))), means)
    return Grid(_rows(design, inputs), inputs, tuple(axis.column for axis in axes), means)


def _axes(design: Design, inputs: Table) -> list[_Axis]:
    found = [_Axis(own.column, own.values, own.labels, own.codes) for own in factors(design.all_terms, inputs)]
    known = {axis.column for axis in found}
    for name, x in inputs.numbers.items():
        values = np.unique(x) if name not in known else x
        if name not in known and len(values) <= _KEPT:
            codes = np.searchsorted(values, x)
            found.append(_Axis(name, values, tuple(f"{value:.10g}" for value in values), codes))
    return found


def _refuse_empty_cells(design: Design, axes: Sequence[_Axis]) -> None:
    """Refuse a product of levels whose coefficient no row informs: what is expected there is not known."""
    for term in (*design.terms, *(term for own in design.distributional for term in own.terms)):
        crossed = [axis for axis in axes if axis.column in term.columns_read]
        sizes = tuple(len(axis.values) for axis in crossed)
        if len(crossed) < 2:
            continue
        rows = np.bincount(np.ravel_multi_index([axis.codes for axis in crossed], sizes), minlength=int(np.prod(sizes)))
        if not rows.all():
            places = np.unravel_index(int(np.argmin(rows)), sizes)
            cell = " and ".join(
                f"{axis.column} = {axis.labels[place]}" for axis, place in zip(crossed, places, strict=True)
            )
            raise UsageError(
                f"--weights equal: no row has {cell}, and the model has the interaction {term.text}, so that nothing "
                "is known of that cell.",
                hint="--weights proportional averages over the rows of the data",
            )


def _mean(values: Array, weights: Array | None) -> float:
    return float(moments.mean(values)) if weights is None else float(np.average(values, weights=weights))


def _table(inputs: Table, axes: Sequence[_Axis], cells: NDArray[np.int64], means: dict[str, float]) -> Table:
    """Return the columns at combinations of levels [A, G]."""
    n_rows = cells.shape[1]
    numbers = {name: np.full(n_rows, mean) for name, mean in means.items()}
    labels, levels = {}, {}
    for axis, codes in zip(axes, cells, strict=True):
        if axis.column in inputs.numbers:
            numbers[axis.column] = np.asarray(axis.values, dtype=np.float64)[codes]
        else:
            labels[axis.column], levels[axis.column] = codes.astype(np.int32), tuple(map(str, axis.values))
    return replace(inputs, numbers=numbers, labels=labels, levels=levels, lines=np.arange(n_rows))


def _rows(design: Design, inputs: Table) -> Rows:
    def at_mean(values: Array | None) -> Array | None:
        return None if values is None else np.full(inputs.n_rows, _mean(values, design.weights))

    nowhere = np.zeros(inputs.n_rows, dtype=np.int32)
    return Rows(
        source=design.source,
        lines=inputs.lines,
        X=columns_on(design.terms, inputs),
        groups=tuple(GroupRows(group.labels, nowhere, group.columns_on(inputs)) for group in design.groups),
        offset=at_mean(design.offset),
        distributional={own.parameter: own.on(inputs) for own in design.distributional},
        precision=at_mean(design.precision),
    )
