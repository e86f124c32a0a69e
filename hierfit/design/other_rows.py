"""Design x file or DataFrame -> Table: the columns that a fitted model needs of other rows, typed as in the fit.

These are what its terms are made from, the labels of its groups, and the columns of offset, exposure, trials and
precision weights; not the outcome, nor how often rows count.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hierfit.data import csvfile
from hierfit.data.csvfile import CsvFile
from hierfit.data.frames import columns_of, read_frame
from hierfit.data.table import Table, Wanted, read_table, table_of
from hierfit.design.design import Design
from hierfit.model.derived import derived_from

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Needed:
    """The columns that a model needs.

    Attributes:
        numbers: those of numbers.
        labels: those of words and labels.
        row_columns: further ones of numbers, which may be functions of a column, `log(minutes)`.
    """

    numbers: tuple[str, ...]
    labels: tuple[str, ...]
    row_columns: tuple[str, ...]

    def numbers_in(self, header: Sequence[str]) -> tuple[str, ...]:
        """Return the columns of numbers that a file with this header has to have."""
        found = []
        for name in self.row_columns:
            derived = None if name in header else derived_from(name)
            found.append(name if derived is None else derived.column)
        return tuple(dict.fromkeys((*self.numbers, *found)))


def needed_columns(design: Design) -> Needed:
    """Return the columns that a design needs of other rows."""
    numbers: dict[str, None] = {}
    labels = dict.fromkeys(column for group in design.groups for column in group.columns)
    for atom in (atom for term in design.all_terms for atom in term.atoms):
        for column in atom.columns:
            (labels if column in atom.words else numbers)[column] = None
    return Needed(tuple(numbers), tuple(labels), replace(design.roles, weights=None).columns)


def read_rows(design: Design, path: Path, missing: Collection[str]) -> tuple[CsvFile, Table]:
    """Read what a design needs of the rows of a file, of those that lack nothing; `missing` spells what is missing.

    Raises:
        DataError: the file, its header, a row or a cell cannot be used, or a column is not there.
    """
    needed = needed_columns(design)

    def read(file: CsvFile) -> tuple[CsvFile, Table]:
        numbers = needed.numbers_in(file.header)
        if not numbers and not needed.labels:
            return file, table_of(path, {}, {}, csvfile.find_row_lines(file))
        table = read_table(path, numbers, needed.labels, missing=missing)
        return replace(file, encoding=table.dialect.encoding), table

    return csvfile.in_its_encoding(path, read)


def read_frame_rows(design: Design, frame: pd.DataFrame, missing: Collection[str]) -> Table:
    """Take what a design needs of the rows of a DataFrame, of those that lack nothing; errors as `read_rows`."""
    needed = needed_columns(design)
    return read_frame(frame, Wanted(needed.numbers_in(columns_of(frame)), needed.labels, missing=missing))
