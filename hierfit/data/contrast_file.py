"""CSV with the contrasts of a column -> LevelContrasts: the levels in its first column, a contrast in each further one.

    dose,active,high_vs_mid
    low,-0.6667,0
    mid,0.3333,-0.5
    high,0.3333,0.5

Refused with a DataError that says file, line and value: a cell that is no number, a level twice, contrasts that are not
one fewer than the levels, or that say no more than a constant and the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hierfit.data.csvfile import CsvFile, in_its_encoding, rows_of
from hierfit.errors import DataError
from hierfit.model.contrasts import ContrastKind, LevelContrasts

_NOTHING_LEFT = 1e-7  # of a column beside the others, as a share of it


def read_contrasts(path: Path) -> LevelContrasts:
    """Read the contrasts of a column.

    Raises:
        DataError: the file cannot be read, or holds no contrasts of C levels that with a constant have rank C.
    """
    return in_its_encoding(path, _read)


def _read(file: CsvFile) -> LevelContrasts:
    names = file.header[1:]
    lines: dict[str, int] = {}
    matrix = []
    for line, (level, *cells) in rows_of(file):
        if not level:
            raise DataError(f"{file.path}, line {line}: the first cell, which names the level, is empty.")
        if level in lines:
            raise DataError(
                f"{file.path}, line {line}: the level '{level}' stands on line {lines[level]} too.",
                hint="give each level one line",
            )
        lines[level] = line
        matrix.append(tuple(_number(file, line, name, cell) for name, cell in zip(names, cells, strict=True)))
    if len(lines) < 2 or len(names) != len(lines) - 1:
        raise DataError(
            f"{file.path} has {len(names)} column{'s' if len(names) != 1 else ''} of contrasts and {len(lines)} "
            f"level{'s' if len(lines) != 1 else ''}; there must be one contrast fewer than levels.",
            hint="the first column names the levels, and each further one is a contrast",
        )
    _check_rank(file, names, matrix)
    return LevelContrasts(
        ContrastKind.CUSTOM, str(file.path), tuple(lines), tuple(lines.values()), tuple(names), tuple(matrix)
    )


def _number(file: CsvFile, line: int, name: str, cell: str) -> float:
    """Read 0.5, -1 or 1/3."""
    top, slash, bottom = cell.partition("/")
    try:
        number = float(top) / float(bottom) if slash else float(top)
    except (ValueError, ZeroDivisionError):
        number = math.nan
    if not math.isfinite(number):
        raise DataError(
            f"{file.path}, line {line}, column '{name}': '{cell}' is no number.", hint="write such as 0.5, -1 or 1/3"
        )
    return number


def _check_rank(file: CsvFile, names: Sequence[str], matrix: Sequence[Sequence[float]]) -> None:
    """Refuse contrasts that repeat a constant or one another."""
    values = np.array(matrix)
    known = [np.full(len(values), len(values) ** -0.5)]
    for name, column in zip(names, values.T, strict=True):
        left = column
        for _ in range(2):  # once more for what rounding left
            for direction in known:
                left = left - direction * (direction @ left)
        if np.linalg.norm(left) <= _NOTHING_LEFT * np.linalg.norm(column):
            raise DataError(
                f"{file.path}, column '{name}': that contrast is a sum of multiples of a constant and the contrasts "
                "before it.",
                hint="with a constant, the contrasts must tell all levels apart: of C levels, C - 1 independent ones",
            )
        known.append(left / np.linalg.norm(left))
