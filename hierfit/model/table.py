"""A CSV file -> Table: the used columns, typed, without the rows that lack a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


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
    """

    path: Path
    sha256: str
    n_read: int
    dropped: Mapping[str, int]
    numbers: Mapping[str, NDArray[np.float64]]
    labels: Mapping[str, NDArray[np.int32]]
    levels: Mapping[str, tuple[str, ...]]
    lines: NDArray[np.int64]

    @property
    def n_rows(self) -> int:
        """Rows kept."""
        return len(self.lines)
