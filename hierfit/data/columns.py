"""Names of columns x the header of a file -> where they stand; for a name that is not there, what there is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hierfit.data.cells import NUMBER
from hierfit.data.csvfile import CsvFile
from hierfit.data.describe import DESCRIBED_ROWS, describe
from hierfit.data.source import FRAME
from hierfit.errors import DataError, did_you_mean
from hierfit.visible import shell_word

_SHOWN = 20
Describe = Callable[[CsvFile], tuple[str, Sequence[str]]]


def _described(file: CsvFile) -> tuple[str, list[str]]:
    """Return how to introduce the columns, and what each is."""
    columns = describe(file)
    judged = f" (first {DESCRIBED_ROWS:,} rows)" if columns[0].n_rows == DESCRIBED_ROWS else ""
    return f"columns{judged}", list(map(str, columns))


def find_columns(file: CsvFile, names: Sequence[str], described: Describe = _described) -> dict[str, int]:
    """Return the position of each used column in the header; `described` says what columns there are.

    Raises:
        DataError: there is no such column, or more than one.
    """
    for name in names:
        fields = [str(field) for field, column in enumerate(file.header, start=1) if column == name]
        if not fields:
            raise _no_such_column(file, name, described)
        if len(fields) > 1:
            raise DataError(
                f"column '{name}' stands {len(fields)} times in the header of {file.path}: fields {', '.join(fields)}.",
                hint="give each column a name of its own",
            )
    return {name: file.header.index(name) for name in names}


def _no_such_column(file: CsvFile, name: str, described: Describe) -> DataError:
    spaced = next((column for column in file.header if column.strip() == name), None)
    same = next((column for column in file.header if column.casefold() == name.casefold()), None)
    if spaced is not None:
        near = f" There is {spaced!r}, with spaces around it: name it so, or take them out of the header."
    else:
        near = f" Did you mean '{same}'?" if same else did_you_mean(name, file.header)
    called = re.fullmatch(r"\s*(\w+)\((.+)\)\s*", name)
    if called and called[2].strip() in file.header:
        inner = called[2].strip()
        return DataError(
            f"no column '{name}' in {file.path}: what is calculated from '{inner}' has to be a column of its own.",
            hint=f"--exposure {shell_word(inner)} adds its logarithm"
            if called[1] == "log"
            else f"put {name} into the file",
        )
    return DataError(f"no column '{name}' in {file.path}.{near}", hint=_columns_hint(file, *described(file)))


def _columns_hint(file: CsvFile, intro: str, columns: Sequence[str]) -> str:
    hint = f"{intro}: {', '.join(columns[:_SHOWN])}"
    if len(columns) > _SHOWN:
        hint += f" and {len(columns) - _SHOWN} more"
    if file.path == FRAME:
        return hint
    if any(NUMBER.fullmatch(column.strip()) for column in file.header):
        hint += "; does the first line of the file name the columns?"
    if len(columns) == 1:
        hint += "; only one: the delimiter must be a comma, a semicolon or a tab"
    return hint
