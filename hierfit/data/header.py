"""The header of a CSV file: its delimiter and the names of its columns; and what any record is judged by.

Names are exactly as written, quotes removed. A header that is longer than any is refused before it is read to its end.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from hierfit.data.limits import LONGEST_HEADER, LONGEST_LINE, LONGEST_NAME, MOST_COLUMNS, too_long
from hierfit.data.source import open_text
from hierfit.errors import DataError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
_SHOWN = 40


def read_header(path: Path, encoding: str) -> tuple[str, tuple[str, ...]]:
    """Return the delimiter of a file and the names of its columns.

    Raises:
        DataError: there is no header, or none that a table has.
    """
    with open_text(path, encoding) as text:
        first = next((line for line in _beginning(path, text) if line.strip()), "")
    if not first:
        raise DataError(
            f"{path} has no header: the file holds only blank lines.", hint="the first line must name the columns"
        )
    refuse_lone_return(path, 1, first)
    delimiter = _delimiter(first)
    csv.field_size_limit(LONGEST_LINE)
    with open_text(path, encoding) as text:
        records = csv.reader(_beginning(path, text), delimiter=delimiter)
        names = next((row for row in records if not is_blank(row)), [])
    _refuse_names(path, names)
    return delimiter, tuple(names)


def _beginning(path: Path, text: IO[str]) -> Iterator[str]:
    """Yield the first lines of a file.

    Raises:
        DataError: they are longer than any header, or its lines.
    """
    left = LONGEST_HEADER
    while line := text.readline(left):
        yield line
        left -= len(line)
        if left <= 0:
            raise too_long(path, f"no header in its first {LONGEST_HEADER // 1_000_000} million characters")


def _refuse_names(path: Path, names: list[str]) -> None:
    if len(names) > MOST_COLUMNS:
        raise DataError(
            f"{path} has {len(names):,} columns; hierfit reads {MOST_COLUMNS:,} at most.",
            hint="take the columns that the model needs into a file of their own",
        )
    longest = max(names, key=len, default="")
    if len(longest) > LONGEST_NAME:
        raise DataError(
            f"the name of column {names.index(longest) + 1} of {path} is {len(longest):,} characters long, of which "
            f"{LONGEST_NAME:,} are read: {longest[:_SHOWN]!r}...",
            hint="the first line must name the columns; check that its quotes are closed",
        )


def is_blank(row: list[str]) -> bool:
    """Return whether a record is a line without anything."""
    return not row or (len(row) == 1 and row[0].isspace())


def refuse_lone_return(path: Path, line: int, text: str) -> None:
    """Refuse a line that ends in CR.

    Raises:
        DataError: pandas would lose an empty first cell after such a line end when blank lines are about.
    """
    if text.endswith("\r"):
        raise DataError(
            f"line {line} of {path} ends in a carriage return alone, as on old Macs.",
            hint=f"save it with LF or CRLF line ends, or: tr '\\r' '\\n' < {path} > {path.stem}-lf.csv",
        )


def _delimiter(header: str) -> str:
    """Return the delimiter that the header line holds most of, outside quotes; a comma where it holds none."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(DELIMITERS, key=bare.count)
