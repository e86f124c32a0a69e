"""A finished run x rows -> what it predicts of them, block by block: those of its data, of a file, or of a DataFrame.

Of a file the columns that the model needs are held, eight bytes for a number and four for a label; everything else
is read again as it is written, block by block, so that its size does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.data.cells import missing_cells, numbers_in
from hierfit.data.csvfile import CsvFile, rows_of
from hierfit.data.table import Table
from hierfit.design.design import Design
from hierfit.design.other_rows import read_frame_rows, read_rows
from hierfit.design.rows import NewLevels, Rows
from hierfit.posterior.predict.blocks import UNIT, Predicting
from hierfit.posterior.predict.new_levels import new_effects
from hierfit.posterior.predict.quantities import Asked, Quantity
from hierfit.runs.finished import Opened, open_fit

if TYPE_CHECKING:
    import pandas as pd

FIRST, BLOCK = 4 * UNIT, 64 * UNIT  # rows: few at first, so that something is there at once
OUTCOME_ITSELF = Asked()
Array = NDArray[np.float64]
Cell = str | float | None


class Groups(StrEnum):
    """What of the groups goes into predictions."""

    OWN = "own"  # their effects
    NONE = "none"  # nothing: all effects 0


@dataclass(frozen=True)
class PredictionRequest:
    """What is to be predicted.

    Attributes:
        asked: the quantity.
        new_levels: what a level gets that no row of the fit had.
        groups: what of the groups goes in.
        ci: probability of intervals; that of the fit where it is None.
        seed: what outcomes and effects of new levels follow from.
    """

    asked: Asked = OUTCOME_ITSELF
    new_levels: NewLevels = NewLevels.ERROR
    groups: Groups = Groups.OWN
    ci: float | None = None
    seed: int = 1


@dataclass(frozen=True)
class Block:
    """Some rows: the cells of the input, and what is predicted, None where a cell that is needed is missing.

    Attributes:
        cells: row by row, as long as the input's header.
        predicted: row by row, as long as the predicted columns.
    """

    cells: list[Sequence[Cell]]
    predicted: list[Sequence[Cell]]


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a run says of rows.

    Attributes:
        run: the run.
        predicting: the question.
        header: names of the columns of the input.
        names: names of the predicted columns.
        renamed: names that the input has already -> what they are called here.
        numeric: columns of the input that hold numbers, as far as the model knows.
        n_rows: rows of the input.
        missing: column -> rows that lack it, where there are such.
        n_complete: rows that lack nothing, of which something is predicted.
        table: what the model needs of these; None for the rows of the fit.
        file: where they are from; None for the rows of the fit, and for those of a DataFrame, whose columns are not
            passed on.
        new_levels: what becomes of levels that the fit had not.
        new: factor -> how many such levels there are, and in how many rows, where there are such.
    """

    run: Opened
    predicting: Predicting
    header: tuple[str, ...]
    names: tuple[str, ...]
    renamed: Mapping[str, str]
    numeric: frozenset[str]
    n_rows: int
    missing: Mapping[str, int]
    n_complete: int
    table: Table | None
    file: CsvFile | None
    new_levels: NewLevels
    new: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def ci(self) -> float:
        """The probability of intervals."""
        return self.predicting.ci

    @property
    def drawn(self) -> bool:
        """Whether levels that the fit had not get effects of their own."""
        return self.new_levels is NewLevels.DRAW

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """What is predicted."""
        return self.predicting.quantities

    def blocks(self, limit: int | None = None) -> Iterator[Block]:
        """Yield the rows in their order, at most `limit` of them, with what is predicted of each."""
        count = self.n_rows if limit is None else min(limit, self.n_rows)
        done = 0
        for block in self._blocks(count):
            left = count - done
            yield block if len(block.cells) <= left else Block(block.cells[:left], block.predicted[:left])
            done += len(block.cells)
            if done >= count:
                return

    def _blocks(self, count: int) -> Iterator[Block]:
        inputs = self._inputs()
        ahead = next(inputs, None)
        for start, stop in _spans(min(_whole_units(count), self.n_complete)):
            rows = self.rows(slice(start, stop))
            predicted = list(zip(*self.predicting.columns(rows, start), strict=True))
            cells: list[Sequence[Cell]] = []
            found: list[Sequence[Cell]] = []
            for line, own in zip(rows.lines.tolist(), predicted, strict=True):
                while ahead is not None and ahead[0] != line:
                    cells.append(ahead[1])
                    found.append(self._nothing)
                    ahead = next(inputs, None)
                assert ahead is not None
                cells.append(ahead[1])
                found.append(own)
                ahead = next(inputs, None)
            yield Block(cells, found)
        while ahead is not None:
            cells = [ahead[1]]
            for _, own_cells in inputs:
                cells.append(own_cells)
                if len(cells) == BLOCK:
                    break
            yield Block(cells, [self._nothing] * len(cells))
            ahead = next(inputs, None)

    def number(self, cell: Cell) -> float | None:
        """Return what a cell of a column of numbers holds, None where it is missing."""
        if not isinstance(cell, str):
            return cell
        decimal = "." if self.table is None else self.table.dialect.decimal
        (found,) = numbers_in([cell.replace(decimal, ".")])
        return None if found is None or np.isnan(found) else found

    def frame(self) -> pd.DataFrame:
        """Return all rows with their predictions; columns that the model takes as numbers are numbers."""
        import pandas as pd

        blocks = list(self.blocks())
        cells = pd.DataFrame([row for block in blocks for row in block.cells], columns=list(self.header), dtype=object)
        found = pd.DataFrame([row for block in blocks for row in block.predicted], columns=list(self.names))
        for name in set(self.header) & self.numeric:
            cells[name] = np.array([self.number(cell) for cell in cells[name]], dtype=np.float64)
        return pd.concat([cells, found], axis=1)

    def draws(self) -> Iterator[tuple[NDArray[np.int64], list[Array]]]:
        """Yield lines of rows that lack nothing, and the values of the quantities under all draws [S, R]."""
        for start in range(0, self.n_complete, BLOCK):
            block = self.rows(slice(start, start + BLOCK))
            for at in range(0, len(block.lines), UNIT):
                rows = block.at(slice(at, at + UNIT))
                yield rows.lines, self.predicting.values(rows, (start + at) // UNIT)

    @property
    def _nothing(self) -> tuple[None, ...]:
        return (None,) * len(self.names)

    def rows(self, chosen: slice) -> Rows:
        """Return some of the rows that lack nothing, in the columns of the design."""
        design = self.predicting.design
        if self.table is None:
            return design.at(chosen)
        return design.on(self.table.at(chosen), new_levels=self.new_levels)

    def _inputs(self) -> Iterator[tuple[int, Sequence[Cell]]]:
        """Yield line and cells of every row of the input."""
        if self.file is not None:
            yield from rows_of(self.file)
            return
        if self.table is not None:
            yield from ((row, ()) for row in range(self.n_rows))
            return
        for start in range(0, self.n_rows, BLOCK):
            chosen = slice(start, start + BLOCK)
            columns = data_columns(self.run.design, chosen).values()
            yield from zip(self.run.design.lines[chosen].tolist(), zip(*columns, strict=True), strict=True)


def _spans(count: int) -> Iterator[tuple[int, int]]:
    """Yield where blocks of rows begin and end."""
    start, stop = 0, min(FIRST, count)
    while start < count:
        yield start, stop
        start, stop = stop, min(stop + BLOCK, count)


def _whole_units(count: int) -> int:
    return -(-count // UNIT) * UNIT


def open_prediction(run: Path, new: Path | pd.DataFrame | None, request: PredictionRequest) -> Prediction:
    """Read a run and the rows to predict; whatever is wrong with the rows is found now, before anything is predicted.

    Raises:
        RunFolderError: there is no such run.
        UsageError: the model has not what is asked for.
        DataError, FormulaError: the file cannot be used, lacks a column, or a level or value cannot be had there.
    """
    opened = open_fit(run)
    design = opened.design if request.groups is Groups.OWN else replace(opened.design, groups=())
    drawn = request.new_levels is NewLevels.DRAW
    predicting = Predicting(
        opened.draws,
        design,
        request.asked,
        request.ci or opened.record.request.ci,
        request.seed,
        new_effects(opened.draws, design, request.seed) if drawn else None,
    )
    names = predicting.names  # refuses what is not there
    if new is None:
        header = tuple(data_columns(opened.design, slice(0, 0)))
        numeric = frozenset(_numeric_columns(opened.design))
        renamed = _renamed(names, header)
        own = tuple(renamed.get(name, name) for name in names)
        n_rows = opened.design.n_rows
        return Prediction(
            opened, predicting, header, own, renamed, numeric, n_rows, {}, n_rows, None, None, request.new_levels
        )
    missing = missing_cells(opened.record.request.na)
    file: CsvFile | None = None
    if isinstance(new, Path):
        file, table = read_rows(design, new, missing)
    else:
        table = read_frame_rows(design, new, missing)
    new_levels = _check(design, table, request.new_levels)
    header = () if file is None else file.header
    renamed = _renamed(names, header)
    own = tuple(renamed.get(name, name) for name in names)
    return Prediction(
        opened,
        predicting,
        header,
        own,
        renamed,
        frozenset(set(table.numbers) - set(table.labels)),
        table.n_read,
        table.dropped,
        table.n_rows,
        table,
        file,
        request.new_levels,
        new_levels,
    )


def _check(design: Design, table: Table, new_levels: NewLevels) -> dict[str, tuple[int, int]]:
    """Evaluate all rows once, so that errors come before anything is predicted; count levels that the fit had not."""
    labels: dict[str, set[str]] = {group.factor: set() for group in design.groups}
    counts = dict.fromkeys(labels, 0)
    for start in range(0, table.n_rows, BLOCK):
        rows = design.on(table.at(slice(start, start + BLOCK)), new_levels=new_levels)
        for group, own in zip(design.groups, rows.groups, strict=True):
            labels[group.factor] |= set(own.labels[group.n_levels :])
            counts[group.factor] += int(np.sum(own.codes >= group.n_levels))
    return {factor: (len(labels[factor]), count) for factor, count in counts.items() if count}


def _renamed(names: Sequence[str], header: Sequence[str]) -> dict[str, str]:
    """Return other names for those that the input has already: `expected_2`, ..."""
    taken, found = {*header, *names}, {}
    for name in names:
        if name in header:
            other = next(f"{name}_{number}" for number in range(2, len(taken) + 3) if f"{name}_{number}" not in taken)
            found[name] = other
            taken.add(other)
    return found


def data_columns(design: Design, rows: slice) -> dict[str, list[Cell]]:
    """Return the columns of some rows of the fit, as far as they are stored with it: outcome, inputs, labels, roles."""
    found: dict[str, list[Cell]] = {}
    y = design.y[rows].tolist()
    found[design.response] = [design.categories[int(code)] for code in y] if design.categories else y
    if design.inputs is not None:
        for name, values in design.inputs.numbers.items():
            found.setdefault(name, values[rows].tolist())
        for name, codes in design.inputs.labels.items():
            levels = design.inputs.levels[name]
            found.setdefault(name, [levels[code] for code in codes[rows].tolist()])
    for group in design.groups:
        found.setdefault(group.factor, [group.labels[code] for code in group.codes[rows].tolist()])
    for name, column in _row_columns(design).items():
        found.setdefault(name, column[rows].tolist())
    return found


def _row_columns(design: Design) -> dict[str, Array]:
    roles = design.roles
    pairs = (
        (roles.trials, design.trials),
        (roles.offset, None if roles.exposure is not None else design.offset),
        (roles.exposure, None if roles.offset is not None or design.offset is None else _exposure(design.offset)),
        (roles.precision, design.precision),
        (roles.weights, design.weights),
    )
    return {name: column for name, column in pairs if name is not None and column is not None}


def _exposure(offset: Array) -> Array:
    """Return exposures from their logarithms, to 14 digits: those that were written, not 4.999999999999999."""
    return np.array([float(f"{value:.14g}") for value in np.exp(offset).tolist()])


def _numeric_columns(design: Design) -> Iterator[str]:
    if not design.categories:
        yield design.response
    if design.inputs is not None:
        yield from design.inputs.numbers
    yield from _row_columns(design)
