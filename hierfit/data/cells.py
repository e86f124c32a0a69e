"""The cells of the used columns -> numbers or text.

In: a `CsvFile` and the positions of its used columns. Out: a pandas frame whose columns are numbers where every cell
is a plain finite one and text otherwise, and the exact reading of a column of text: as codes into its different
cells, or as numbers, with an error that names line and value where that fails.

What means missing is a set of spellings (`missing_cells`), which a cell has as a whole: `None` and `null` are words
like others. A number is written with a decimal point, optionally with a sign and an exponent; spaces around it do not
count. In files separated by semicolons or tabs it may be a decimal comma, where no number used has a point
(`find_decimal`). A column that holds only true and false (True, TRUE, true) reads as 1 and 0.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hierfit.data import csvfile
from hierfit.data.csvfile import CsvFile
from hierfit.data.source import on_disk, open_bytes, place
from hierfit.errors import DataError
from hierfit.visible import shell_word

if TYPE_CHECKING:
    import pandas as pd

# What means missing unless --na says otherwise: what R, pandas and spreadsheets write, and no word of a language.
MISSING = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?", re.ASCII)
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_BOOLEANS = {"True": 1.0, "TRUE": 1.0, "true": 1.0, "False": 0.0, "FALSE": 0.0, "false": 0.0}


@dataclass(frozen=True)
class Text:
    """A column as text.

    Attributes:
        codes: position of each row's cell in `cells` [rows], -1 where it is missing.
        cells: the different cells, exactly as written, in order of first appearance.
        missing: spelling -> how many cells it makes missing, empty ones not counted.
    """

    codes: NDArray[np.int64]
    cells: tuple[str, ...]
    missing: Mapping[str, int] = field(default_factory=dict)


def missing_cells(na: Sequence[str]) -> tuple[str, ...]:
    """Return what means missing, the empty cell first: `na` beside MISSING, or alone where it has the empty text."""
    return tuple(dict.fromkeys(("", *na) if "" in na else (*MISSING, *na)))


def parse_columns(
    file: CsvFile, positions: Mapping[str, int], numeric: Sequence[str], missing: Collection[str] = MISSING
) -> pd.DataFrame:
    """Parse the used columns; the numeric ones become numbers if every cell of theirs is a finite one, others text."""
    names = {position: name for name, position in positions.items()}
    try:
        types = {positions[name]: "float64" for name in numeric}
        frame = read_columns(file, positions.values(), types, missing=missing)
        plain = not any(np.isinf(frame[positions[name]].to_numpy()).any() for name in numeric)
    except UnicodeDecodeError:
        raise
    except ValueError:
        plain = False
    frame = frame if plain else read_columns(file, positions.values(), {})
    frame.columns = [names[int(position)] for position in frame.columns]
    return frame


def read_columns(
    file: CsvFile,
    positions: Iterable[int],
    number_types: Mapping[int, str],
    rows: int | None = None,
    missing: Collection[str] = MISSING,
) -> pd.DataFrame:
    """Parse the columns at some positions; those without a number type as text, only empty cells missing."""
    import pandas as pd

    used = sorted(set(positions))
    types = {position: number_types.get(position, object) for position in used}
    # In text pandas would take 1 for missing where 001 is; there `as_text` looks at the cells.
    empty = {position: list(missing) if position in number_types else [""] for position in used}
    try:
        # Without a choice of columns pandas reads in parallel, but then it refuses fields beyond the header that are
        # empty; with a choice it ignores such fields, and the survey of the layout finds those that are not.
        if len(used) == len(file.header):
            with contextlib.suppress(pd.errors.ParserError):
                return _read_csv(file, dtype=types, na_values=empty, nrows=rows)
        return _read_csv(file, dtype=types, na_values=empty, nrows=rows, usecols=used)
    except IndexError:  # what pandas makes of a file without rows where not all columns are used
        raise csvfile.no_rows(file) from None
    except pd.errors.ParserError as error:
        if "EOF inside string" in str(error):
            raise csvfile.unclosed_quote(file) from None
        raise DataError(f"{file.path} cannot be read as CSV: {error}.") from None


def _read_csv(file: CsvFile, **options: Any) -> pd.DataFrame:
    import pandas as pd

    # From 3.1 on pandas always rounds correctly; before, only on demand.
    if tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1):
        options["float_precision"] = "round_trip"
    source: Any = open_bytes(file.path) if file.compressed else contextlib.nullcontext(on_disk(file.path))
    with warnings.catch_warnings(), source as stream:
        warnings.simplefilter("ignore", pd.errors.ParserWarning)
        frame: pd.DataFrame = pd.read_csv(
            stream,
            sep=file.delimiter,
            names=list(range(len(file.header))),
            header=0,
            index_col=False,
            keep_default_na=False,
            encoding=file.encoding,
            engine="c",
            **options,
        )
    return frame


def as_text(column: pd.Series[Any], missing: Collection[str] = MISSING) -> Text:
    """Return a column of cells as text, without those that mean missing."""
    import pandas as pd

    codes, cells = pd.factorize(column.to_numpy(dtype=object))
    spelled = [position for position, cell in enumerate(cells) if cell in missing]
    if not spelled:
        return Text(codes, tuple(cells))
    counts = np.bincount(codes[codes >= 0], minlength=len(cells))
    kept = np.ones(len(cells) + 1, dtype=np.bool_)  # the last for code -1
    kept[[*spelled, -1]] = False
    new = np.where(kept, np.cumsum(kept) - 1, -1)
    return Text(
        new[codes],
        tuple(cell for cell, stays in zip(cells, kept[:-1], strict=True) if stays),
        {cells[position]: int(counts[position]) for position in spelled},
    )


def find_decimal(file: CsvFile, columns: Iterable[Text]) -> str:
    """Return the decimal mark of columns that are to hold numbers: a comma where some have one, and none a point."""
    if file.delimiter == ",":
        return "."
    cells = [cell.strip() for text in columns for cell in text.cells]
    points = any("." in cell and NUMBER.fullmatch(cell) for cell in cells)
    return "," if not points and any(COMMA.fullmatch(cell) for cell in cells) else "."


def with_points(text: Text, decimal: str) -> Text:
    """Return a column with decimal points in the place of its decimal commas; other cells stay as they are."""
    if decimal == ".":
        return text
    return replace(
        text, cells=tuple(cell.replace(",", ".") if COMMA.fullmatch(cell.strip()) else cell for cell in text.cells)
    )


def numbers_in(cells: Sequence[str], missing: Collection[str] = MISSING) -> list[float | None]:
    """Return the number in each cell: nan where missing, infinite where too large, None where it is text."""
    if cells and all(cell in _BOOLEANS for cell in cells):
        return [_BOOLEANS[cell] for cell in cells]
    numbers = [_to_number(cell.strip(), missing) for cell in cells]
    codes = {float(spelling) for spelling in missing if NUMBER.fullmatch(spelling)}
    return [np.nan if number in codes else number for number in numbers] if codes else numbers


def _to_number(cell: str, missing: Collection[str]) -> float | None:
    if cell in missing:
        return np.nan
    return float(cell) if NUMBER.fullmatch(cell) or _INFINITE.fullmatch(cell) else None


def holds_text(text: Text, missing: Collection[str] = MISSING) -> bool:
    """Return whether any cell is neither missing nor a number."""
    return any(number is None for number in numbers_in(text.cells, missing))


def holds_no_number(text: Text, missing: Collection[str] = MISSING) -> bool:
    """Return whether a column is made of words: no cell but missing ones reads as a number, and there are some."""
    numbers = numbers_in(text.cells, missing)
    return None in numbers and all(number is None or np.isnan(number) for number in numbers)


def as_numbers(
    file: CsvFile, name: str, text: Text, lines: NDArray[np.int64], missing: Collection[str] = MISSING
) -> NDArray[np.float64]:
    """Return the numbers in a column of text [rows], nan where missing.

    Raises:
        DataError: a cell holds something else, or an infinite number.
    """
    numbers = numbers_in(text.cells, missing)
    for wanted, refused in (
        ("numbers", [number is None for number in numbers]),
        ("finite numbers", [number is not None and np.isinf(number) for number in numbers]),
    ):
        at = np.array([*refused, False])[text.codes]
        if at.any():
            first, count = int(at.argmax()), int(at.sum())
            cell = text.cells[text.codes[first]]
            such = "as do all rows" if count == len(at) > 1 else f"{count:,} such cell{'s' if count > 1 else ''}"
            where = f"{place(file.path, lines[first])} holds {cell[:60]!r} ({such})"
            raise DataError(
                f"column '{name}' of {file.path} must hold {wanted}, but {where}.",
                hint=_number_hint(file, cell.strip(), mostly=2 * count > len(at)),
            )
    return np.array([*numbers, np.nan], dtype=np.float64)[text.codes]


def _number_hint(file: CsvFile, cell: str, *, mostly: bool) -> str:
    missing = f"if that means missing: --na {shell_word(cell)}; for categories, C(COLUMN) in --formula"
    if re.fullmatch(r"[+-]?\d*,\d+", cell):
        point, joined = cell.replace(",", "."), cell.replace(",", "")
        if file.delimiter != ",":
            return f"decimal commas are read where no number has a point: write {point} for {cell}"
        return f"if it is a decimal comma, write {point} with a point; if it marks thousands, write {joined}"
    if re.fullmatch(r"[+-]?\d[\d.,' ]*", cell):
        return "write numbers with a decimal point and without thousands separators"
    if NUMBER.fullmatch(cell):
        return "numbers beyond 1.8e308 cannot be held: divide the column by a constant"
    if mostly and not _INFINITE.fullmatch(cell):
        return "labels can be a group (--group), a predictor, or with two levels an outcome (--family bernoulli)"
    return "write the number alone, without units or signs" if re.search(r"\d", cell) else missing
