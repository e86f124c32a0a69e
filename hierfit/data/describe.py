"""A CSV file -> what each of its columns seems to hold, for whoever has named one that is not there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hierfit.data import csvfile
from hierfit.data.cells import Text, as_text, find_decimal, numbers_in, read_columns, with_points
from hierfit.data.csvfile import CsvFile

DESCRIBED_ROWS = 10_000


@dataclass(frozen=True)
class ColumnDescription:
    """What one column seems to hold, judged from the first rows.

    Attributes:
        name: the column's name, exactly as written.
        kind: number, true/false, text, or empty where every cell is missing.
        n_levels: number of different cells, missing ones not counted.
        n_missing: number of missing cells.
        n_rows: number of rows looked at.
    """

    name: str
    kind: Literal["number", "true/false", "text", "empty"]
    n_levels: int
    n_missing: int
    n_rows: int

    def __str__(self) -> str:
        name = self.name if self.name == self.name.strip() else repr(self.name)
        levels = f", {self.n_levels:,} level{'s' if self.n_levels > 1 else ''}" if self.kind == "text" else ""
        missing = f", {self.n_missing:,} missing" if self.n_missing and self.kind != "empty" else ""
        return f"{name} ({self.kind}{levels}{missing})"


def describe_columns(path: str | Path) -> tuple[ColumnDescription, ...]:
    """Describe every column of a CSV file, in the order of the file, from its first 10,000 rows.

    Raises:
        DataError: the file cannot be read as CSV.
    """
    return csvfile.in_its_encoding(Path(path), describe)


def describe(file: CsvFile) -> tuple[ColumnDescription, ...]:
    """Describe every column of an open file."""
    with csvfile.reading_errors(file.path):
        csvfile.survey_layout(file)
        frame = read_columns(file, range(len(file.header)), {}, rows=DESCRIBED_ROWS)
    columns = [as_text(frame[position]) for position in range(len(file.header))]
    decimal = find_decimal(file, columns)
    return tuple(_describe(name, with_points(text, decimal)) for name, text in zip(file.header, columns, strict=True))


def _describe(name: str, text: Text) -> ColumnDescription:
    kind: Literal["number", "true/false", "text", "empty"] = "number"
    if not text.cells:
        kind = "empty"
    elif any(number is None for number in numbers_in(text.cells)):
        kind = "text"
    elif text.cells[0].lower() in ("true", "false"):
        kind = "true/false"
    return ColumnDescription(name, kind, len(text.cells), int((text.codes < 0).sum()), len(text.codes))
