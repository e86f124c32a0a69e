"""The files of one chain -> its draws; also how far a chain that still runs has come.

Layout of a Stan CSV: comments with the configuration, the header, draws, comments with step size and inverse metric
after warmup, draws, comments with the times. An interrupted chain lacks the end and, under CmdStan, may end within a
line."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_ITERATION = re.compile(rb"Iteration:\s+(\d+) / (\d+)")
_SECONDS = re.compile(r"([\d.e+-]+) seconds \((Warm-up|Sampling)\)")


@dataclass(frozen=True)
class ChainOutput:
    """What one chain returned.

    Attributes:
        names: columns of the CSV, such as lp__ and b.1.
        draws: finished draws after warmup [draws, columns].
        inv_metric: after adaptation [n] or [n, n]; empty for unit_e.
        warmup_seconds: as Stan reports them; 0 when the chain did not come so far.
        sampling_seconds: the same.
    """

    names: tuple[str, ...]
    draws: Array
    inv_metric: Array
    warmup_seconds: float
    sampling_seconds: float


@dataclass
class ChainFiles:
    """The console and CSV of one chain, read while they grow.

    Attributes:
        console: file of the messages.
        csv: file of the draws.
        iterations: iterations that are finished, warmup included.
        divergences: divergent draws that have been flushed.
    """

    console: Path
    csv: Path
    iterations: int = 0
    divergences: int = 0
    _console_read: int = field(default=0, repr=False)
    _csv_read: int = field(default=0, repr=False)
    _divergent_column: int = field(default=-1, repr=False)

    def update(self) -> None:
        """Read what has come since the last time."""
        text, self._console_read = _new_lines(self.console, self._console_read)
        for begun, _ in _ITERATION.findall(text)[-1:]:
            self.iterations = int(begun) - 1
        text, self._csv_read = _new_lines(self.csv, self._csv_read)
        for line in text.splitlines():
            if line.startswith(b"lp__"):
                header = line.split(b",")
                self._divergent_column = header.index(b"divergent__") if b"divergent__" in header else -1
            elif self._divergent_column >= 0 and line and not line.startswith(b"#"):
                self.divergences += line.split(b",", self._divergent_column + 1)[self._divergent_column] == b"1"


def read_chain(files: ChainFiles) -> ChainOutput:
    """Return what a chain wrote; a row that is not whole, as an interrupt can leave, is left out."""
    comments: list[str] = []
    rows: list[bytes] = []
    names: tuple[str, ...] = ()
    for line in files.csv.read_bytes().splitlines(keepends=True):
        if not line.endswith(b"\n"):
            break
        if line.startswith(b"#"):
            comments.append(line.decode(errors="replace").lstrip("# ").rstrip())
        elif not names:
            names = tuple(line.decode().strip().split(","))
        elif line.count(b",") == len(names) - 1:
            rows.append(line)
    seconds = dict((phase, float(value)) for value, phase in _SECONDS.findall("\n".join(comments)))
    draws = _numbers(rows, len(names))
    return ChainOutput(names, draws, _inv_metric(comments), seconds.get("Warm-up", 0.0), seconds.get("Sampling", 0.0))


def _numbers(rows: list[bytes], n_columns: int) -> Array:
    """Draws [rows, columns]; pandas reads wide draws ten times faster than numpy.loadtxt."""
    if not rows:
        return np.empty((0, n_columns))
    import pandas as pd

    table = pd.read_csv(io.BytesIO(b"".join(rows)), header=None, dtype=np.float64, na_values=["nan", "-nan"])
    return np.ascontiguousarray(table.to_numpy())


def _inv_metric(comments: list[str]) -> Array:
    """The numbers below the comment "Diagonal elements ..." or "Elements ..."."""
    rows, reading, dense = [], False, False
    for line in comments:
        if line.startswith(("Diagonal elements of inverse", "Elements of inverse")):
            reading, dense = True, line.startswith("Elements")
        elif reading and line and not line.startswith("Elapsed"):
            rows.append([float(cell) for cell in line.split(",")])
        else:
            reading = False
    metric = np.array(rows, dtype=np.float64)
    return metric if dense or not rows else metric[0]


def _new_lines(file: Path, start: int) -> tuple[bytes, int]:
    """The whole lines after `start`, and where they end."""
    try:
        with file.open("rb") as stream:
            stream.seek(start)
            text = stream.read()
    except FileNotFoundError:
        return b"", start
    end = text.rfind(b"\n") + 1
    return text[:end], start + end
