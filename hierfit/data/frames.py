"""A pandas DataFrame -> Table: its used columns, by the rules that a CSV with the same content is read by.

Numbers are taken as they are. Everything else, and every column of labels, is read as the text that `to_csv` would
write: 1 and 1.0 are two labels, True and False are words that read as 1 and 0, a date is 2026-11-20. Missing is what
pandas takes for missing, the empty text, and the spellings of a CSV (NA, nan, ...). The index does not matter. Rows are
counted from 0, as `iloc` counts them. Numbers of 32 bits keep their value, not their text: 0.1 is 0.10000000149 there.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hierfit.data.cells import NUMBER, Text, as_text
from hierfit.data.columns import find_columns
from hierfit.data.csvfile import CsvFile
from hierfit.data.source import FRAME
from hierfit.data.table import Cells, Table, Wanted, typed
from hierfit.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def columns_of(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the names of the columns, as text.

    Raises:
        DataError: names of several levels.
    """
    if frame.columns.nlevels > 1:
        raise DataError(
            f"the columns of {FRAME} have names of {frame.columns.nlevels} levels.",
            hint="give each column one name: frame.columns = ['_'.join(map(str, name)) for name in frame.columns]",
        )
    return tuple(map(str, frame.columns))


def read_frame(frame: pd.DataFrame, wanted: Wanted) -> Table:
    """Return the used columns of the rows that lack nothing.

    Raises:
        DataError: there are no rows, no such column, or a cell cannot be used; names column, row and value.
    """
    file = CsvFile(FRAME, ",", columns_of(frame))
    places = find_columns(file, wanted.columns, lambda file: ("columns", _described(frame)))
    if not len(frame):
        raise DataError(f"{FRAME} has no rows.", hint="check what was selected")
    numbers, text = {}, {}
    for name, place in places.items():
        column = frame.iloc[:, place]
        values = _numbers(column, wanted.missing) if name in wanted.numbers_first else None
        if values is None:
            text[name] = _text(column, wanted.missing)
        else:
            numbers[name] = values
    return typed(Cells(file, numbers, text, np.arange(len(frame)), _digest(numbers, text)), wanted)


def category_levels(frame: pd.DataFrame, names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the levels of those of the columns that are categorical, in their order, as far as they occur."""
    import pandas as pd

    found = {}
    for name, (_, column) in zip(columns_of(frame), frame.items(), strict=True):
        if name in names and isinstance(column.dtype, pd.CategoricalDtype):
            used = column.cat.remove_unused_categories().cat.categories
            found[name] = tuple(text or "" for text in _written(used.to_series()))
    return found


def _described(frame: pd.DataFrame) -> list[str]:
    return [f"{name} ({kind})" for name, kind in zip(columns_of(frame), frame.dtypes, strict=True)]


def _numbers(column: pd.Series[Any], missing: Collection[str]) -> NDArray[np.float64] | None:
    """Return a column of finite numbers, NaN where one is missing; None where it holds something else."""
    from pandas.api import types

    if not types.is_numeric_dtype(column.dtype) or types.is_complex_dtype(column):
        return None
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        return None
    codes = [float(spelling) for spelling in missing if NUMBER.fullmatch(spelling)]
    return np.where(np.isin(values, codes), np.nan, values) if codes else values


def _text(column: pd.Series[Any], missing: Collection[str]) -> Text:
    """Return a column as text: what its different values are written as."""
    import pandas as pd

    if column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) != "string":
        return as_text(pd.Series(_cells(column), dtype=object), missing)  # 1, 1.0 and True are the same to a dictionary
    codes, different = pd.factorize(column)
    written = np.array([*_written(pd.Series(different)), None], dtype=object)
    return as_text(pd.Series(written[codes], dtype=object), missing)


def _cells(column: pd.Series[Any]) -> list[str | None]:
    """Return what is written of each value; None where it is missing."""
    lacking = column.isna().tolist()
    return [None if gone else str(value) or None for value, gone in zip(column.tolist(), lacking, strict=True)]


def _written(values: pd.Series[Any]) -> list[str | None]:
    """Return the texts of different values as `to_csv` writes them; None for what is empty."""
    if values.dtype == object:
        return _cells(values)
    buffer = io.StringIO(
        values.to_csv(index=False, header=False, quoting=csv.QUOTE_ALL, lineterminator="\n"), newline=""
    )
    return [row[0] or None for row in csv.reader(buffer)]


def _digest(numbers: Mapping[str, NDArray[np.float64]], text: Mapping[str, Text]) -> str:
    """Return a SHA-256 of what was read, as hex digits."""
    digest = hashlib.sha256()
    for name, values in numbers.items():
        digest.update(repr(name).encode("utf-8", "surrogatepass"))
        digest.update(values.tobytes())
    for name, own in text.items():
        digest.update(repr((name, own.cells)).encode("utf-8", "surrogatepass"))
        digest.update(own.codes.tobytes())
    return digest.hexdigest()
