"""A CSV file -> Table: the used columns, typed, without the rows that lack a value.

In: a path and the names of the columns to read as numbers and as group labels. Out: a frozen `Table`.

Numbers are float64, every digit of the file respected. Labels are text, exactly as written: '001' is not '1'
and ' a' is not 'a'. A cell is missing when it is empty or has one of the spellings for that, `cells.MISSING` unless
others are given (in a number column, spaces around it are ignored, and -99.0 is -99); a row that lacks a used value
is dropped and counted. Rows with fewer fields than the header lack the last ones. What the numbers mean for a model (a
constant outcome, a single group) is judged in `design.design`.

The usual file is read by pandas in one pass, and a second pass over its bytes confirms that every row is one
plain line. Only a file that fails, or whose rows are not that plain, is looked at again, cell by cell or record by
record, to name the exact place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hierfit.data import csvfile
from hierfit.data.cells import (
    MISSING,
    Text,
    as_numbers,
    as_text,
    find_decimal,
    holds_no_number,
    holds_text,
    parse_columns,
    with_points,
)
from hierfit.data.columns import find_columns
from hierfit.data.csvfile import CsvFile, Layout
from hierfit.data.encoding import NAMES, UTF_8
from hierfit.data.header import DELIMITERS
from hierfit.data.limits import LONGEST_LABEL
from hierfit.data.source import place, place_word
from hierfit.errors import DataError


@dataclass(frozen=True)
class Dialect:
    """How a file is written.

    Attributes:
        delimiter: comma, semicolon or tab.
        decimal: decimal mark, a point or a comma.
        encoding: of its text, as Python calls it.
    """

    delimiter: str = ","
    decimal: str = "."
    encoding: str = UTF_8

    @property
    def unusual(self) -> tuple[str, ...]:
        """What is not that of most files: "semicolons", "decimal commas", "Latin-1 (Windows-1252)"."""
        parts = [f"{DELIMITERS[self.delimiter]}s"] if self.delimiter != "," else []
        parts += ["decimal commas"] if self.decimal == "," else []
        return (*parts, NAMES[self.encoding]) if self.encoding in NAMES else tuple(parts)


@dataclass(frozen=True)
class Table:
    """The used columns of one CSV file, complete rows only, in the order of the file.

    Attributes:
        path: the file as the user named it.
        sha256: hex digest of the file's bytes.
        n_read: rows of the file, the header not counted, blank lines not counted.
        dropped: for each used column with missing values, how many rows lack it (a row may lack several).
        numbers: column name -> values [N], float64.
        labels: column name -> codes [N], int32, into `levels` of the same name.
        levels: column name -> the labels, exactly as written in the file, in order of first appearance.
        lines: line of the file on which each kept row begins [N]; the header is line 1.
        orders: column name -> its levels in the order that the user stated, where one was stated.
        lost: column name -> label -> how many rows had it, of labels that no kept row has, where there are such.
        spelled: column of labels -> what means missing in it, but the empty cell -> in how many rows, where there are.
        dialect: how the file is written.
    """

    path: Path
    sha256: str
    n_read: int
    dropped: Mapping[str, int]
    numbers: Mapping[str, NDArray[np.float64]]
    labels: Mapping[str, NDArray[np.int32]]
    levels: Mapping[str, tuple[str, ...]]
    lines: NDArray[np.int64]
    orders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lost: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    spelled: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    dialect: Dialect = field(default_factory=lambda: Dialect())

    @property
    def n_rows(self) -> int:
        """Rows kept."""
        return len(self.lines)

    @property
    def place_word(self) -> str:
        """What `lines` counts: lines of a file, rows of a DataFrame."""
        return place_word(self.path)

    def place(self, row: int) -> str:
        """Return where a row stands, "line 17", for messages."""
        return place(self.path, int(self.lines[row]))

    def only(self, names: Collection[str]) -> Table:
        """Return the same rows with these columns alone, as far as there are such."""
        numbers = {name: values for name, values in self.numbers.items() if name in names}
        labels = {name: codes for name, codes in self.labels.items() if name in names}
        return replace(self, numbers=numbers, labels=labels, levels={name: self.levels[name] for name in labels})

    def at(self, rows: slice | NDArray[np.int64]) -> Table:
        """Return some of the rows, with the levels that these have alone."""
        labels, levels = {}, {}
        for name, codes in self.labels.items():
            found, first, own = np.unique(codes[rows], return_index=True, return_inverse=True)
            order = np.argsort(first)
            levels[name] = tuple(self.levels[name][code] for code in found[order].tolist())
            labels[name] = np.argsort(order)[own].astype(np.int32)
        numbers = {name: values[rows] for name, values in self.numbers.items()}
        return replace(self, numbers=numbers, labels=labels, levels=levels, lines=self.lines[rows])


def table_of(
    path: Path,
    numbers: Mapping[str, NDArray[np.float64]],
    words: Mapping[str, tuple[tuple[str, ...], NDArray[np.int32]]],
    lines: NDArray[np.int64],
    orders: Mapping[str, tuple[str, ...]] | None = None,
) -> Table:
    """Return a table of columns that are at hand: numbers, and levels and codes of words."""
    levels = {name: own for name, (own, _) in words.items()}
    labels = {name: codes for name, (_, codes) in words.items()}
    return Table(path, "", len(lines), {}, numbers, labels, levels, lines, orders or {})


@dataclass(frozen=True)
class Wanted:
    """The used columns, and what each is to be.

    Attributes:
        numeric: numbers.
        labels: labels; a column may be both.
        either: labels where no cell is a number, and numbers otherwise.
        mixed: those of `either` in which a stray word makes labels of it.
        missing: how a missing value may be spelled.
    """

    numeric: tuple[str, ...]
    labels: tuple[str, ...] = ()
    either: tuple[str, ...] = ()
    mixed: Collection[str] = ()
    missing: Collection[str] = MISSING

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.numeric, *self.labels, *self.either)

    @property
    def numbers_first(self) -> tuple[str, ...]:
        """Those that are read as numbers, if they can be."""
        return tuple(name for name in (*self.numeric, *self.either) if name not in self.labels)


@dataclass(frozen=True)
class Cells:
    """The used columns as read, all rows: numbers where every cell is a finite one or missing, text otherwise.

    Attributes:
        file: what they are from.
        numbers: column name -> values [rows], NaN where missing.
        text: column name -> its cells.
        lines: where each row stands [rows].
        sha256: hex digest of what they are from.
    """

    file: CsvFile
    numbers: Mapping[str, NDArray[np.float64]]
    text: Mapping[str, Text]
    lines: NDArray[np.int64]
    sha256: str


def read_table(
    path: str | Path,
    numeric: Sequence[str],
    labels: Sequence[str],
    either: Sequence[str] = (),
    mixed: Collection[str] = (),
    missing: Collection[str] = MISSING,
) -> Table:
    """Read the used columns of a CSV file; a column named as numeric and as label is read as both.

    A column of `either` becomes labels where no cell of it is a number, and must hold numbers otherwise: a stray word
    in a column of numbers is a mistake, not a category, unless `mixed` names the column. `missing` is how a missing
    value may be spelled.

    Raises:
        DataError: the file, its header, a row or a cell cannot be used; names file, column, line and value.
    """
    return read_wanted(path, Wanted(tuple(numeric), tuple(labels), tuple(either), mixed, missing))


def read_wanted(path: str | Path, wanted: Wanted) -> Table:
    """Read the used columns of a CSV file; errors as `read_table`."""
    return csvfile.in_its_encoding(Path(path), lambda file: typed(_read(file, wanted), wanted))


def _read(file: CsvFile, wanted: Wanted) -> Cells:
    positions = find_columns(file, wanted.columns)
    with csvfile.reading_errors(file.path), ThreadPoolExecutor(1) as pool:
        digest = pool.submit(csvfile.digest_file, file.path)
        layout = csvfile.survey_layout(file)  # before anything holds more of the file than a piece
        frame = parse_columns(file, positions, wanted.numbers_first, wanted.missing)
        lines = _row_lines(file, layout, len(frame))
        sha256 = digest.result()
    text = {name: as_text(frame[name], wanted.missing) for name in positions if frame[name].dtype == object}
    numbers = {name: frame[name].to_numpy() for name in positions if name not in text}
    return Cells(file, numbers, text, lines, sha256)


def typed(cells: Cells, wanted: Wanted) -> Table:
    """Return the columns as what they are to be, of the rows that lack nothing.

    Raises:
        DataError: a cell cannot be used, or no row is left.
    """
    file, text, lines, missing = cells.file, cells.text, cells.lines, wanted.missing
    may_be_numbers = (*wanted.numeric, *wanted.either)
    decimal = find_decimal(file, [text[name] for name in may_be_numbers if name in text])
    pointed = {name: with_points(text[name], decimal) for name in may_be_numbers if name in text}
    words = [
        name
        for name in wanted.either
        if name in text
        and (holds_no_number(pointed[name], missing) or (name in wanted.mixed and holds_text(pointed[name], missing)))
    ]
    numeric = tuple(dict.fromkeys((*wanted.numeric, *(name for name in wanted.either if name not in words))))
    labels = tuple(dict.fromkeys((*wanted.labels, *words)))
    for name in labels:
        _refuse_long_labels(file, name, text[name], lines)
    numbers = {
        name: as_numbers(file, name, pointed[name], lines, missing) if name in text else cells.numbers[name]
        for name in numeric
    }
    empty = {name: np.isnan(values) for name, values in numbers.items()}
    empty |= {name: (text[name].codes < 0) | empty.get(name, False) for name in labels}
    dropped = {name: int(lacking.sum()) for name, lacking in empty.items() if lacking.any()}
    complete = _complete_rows(file, len(lines), dropped, empty)
    kept = {name: _kept_levels(text[name], complete) for name in labels}
    lost = {name: _lost_levels(text[name], complete) for name in labels}
    return Table(
        path=file.path,
        sha256=cells.sha256,
        n_read=len(lines),
        dropped=dropped,
        numbers={name: values[complete] for name, values in numbers.items()},
        labels={name: codes for name, (codes, _) in kept.items()},
        levels={name: levels for name, (_, levels) in kept.items()},
        lines=lines[complete],
        lost={name: levels for name, levels in lost.items() if levels},
        dialect=Dialect(file.delimiter, decimal, file.encoding),
        spelled={name: text[name].missing for name in labels if text[name].missing},
    )


def _row_lines(file: CsvFile, layout: Layout, n_rows: int) -> NDArray[np.int64]:
    """Return the line on which each row begins [rows]."""
    if n_rows == 0:
        raise csvfile.no_rows(file)
    if layout.regular and layout.n_records == n_rows + 1:
        return np.arange(2, n_rows + 2)
    lines = csvfile.find_row_lines(file)
    if len(lines) != n_rows:
        raise DataError(
            f"{file.path} has {n_rows:,} or {len(lines):,} rows, depending on how its quotes and line ends are taken.",
            hint="open it in a spreadsheet or in R and save it as CSV again",
        )
    return lines


def _complete_rows(
    file: CsvFile, n_read: int, dropped: Mapping[str, int], missing: Mapping[str, NDArray[np.bool_]]
) -> NDArray[np.bool_] | slice:
    """Return the rows that lack nothing: a mask [rows], or a slice of all where nothing is missing."""
    if not dropped:
        return slice(None)
    complete: NDArray[np.bool_] = ~np.any([missing[name] for name in dropped], axis=0)
    if not complete.any():
        counts = ", ".join(f"{name} ({count:,} missing)" for name, count in dropped.items())
        raise DataError(
            f"no row of {file.path} has a value in every used column: of {n_read:,} rows, {counts}.",
            hint=f"leave out {max(dropped, key=dropped.__getitem__)!r}, or fill it in",
        )
    return complete


def _refuse_long_labels(file: CsvFile, name: str, text: Text, lines: NDArray[np.int64]) -> None:
    longest = max(map(len, text.cells), default=0)
    if longest > LONGEST_LABEL:
        code = next(code for code, cell in enumerate(text.cells) if len(cell) > LONGEST_LABEL)
        raise DataError(
            f"column '{name}' of {file.path} holds a text of {len(text.cells[code]):,} characters on "
            f"{place(file.path, lines[int((text.codes == code).argmax())])}; a label has {LONGEST_LABEL:,} at most.",
            hint="check that the quotes before it are closed, or use another column",
        )


def _kept_levels(text: Text, complete: NDArray[np.bool_] | slice) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Return codes [N] and labels of the levels that occur in the kept rows."""
    import pandas as pd

    if isinstance(complete, slice):
        return text.codes.astype(np.int32), text.cells
    codes, kept = pd.factorize(text.codes[complete])
    return codes.astype(np.int32), tuple(text.cells[code] for code in kept)


def _lost_levels(text: Text, complete: NDArray[np.bool_] | slice) -> dict[str, int]:
    """Return how many rows each level has that occurs in none of the kept rows."""
    if isinstance(complete, slice):
        return {}
    size = len(text.cells)
    rows = np.bincount(text.codes[text.codes >= 0], minlength=size)
    left = np.bincount(text.codes[complete], minlength=size)
    return {text.cells[code]: int(rows[code]) for code in np.flatnonzero(left == 0)}
