"""Rows -> lines of CSV that every reader takes apart again as they were, whatever the cells hold."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import TextIO

_END = "\r\n"


class _Lines:
    """A stream of lines that end in LF; the csv module quotes CR and LF in cells only where its own end has them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> int:
        return self._stream.write(line.removesuffix(_END) + "\n")


def write_rows(stream: TextIO, rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV: lines end in LF, cells are quoted where they need it."""
    csv.writer(_Lines(stream), lineterminator=_END).writerows(rows)
