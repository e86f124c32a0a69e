"""Simulated data and their truth -> data.csv and truth.json, and data.png."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hierfit.disk.folder import HOME, claimed
from hierfit.disk.rows import write_rows
from hierfit.disk.writing import create, write_text
from hierfit.errors import RunFolderError
from hierfit.simulate.outcome import Column
from hierfit.simulate.predictors import Array
from hierfit.simulate.truth import TrueModel
from hierfit.visible import visible_json

DATA_FILE, TRUTH_FILE, PICTURE_FILE = "data.csv", "truth.json", "data.png"
LARGEST_EXACT = 2.0**53  # whole numbers beyond are not all doubles


@dataclass(frozen=True)
class Simulated:
    """Simulated data with their truth.

    Attributes:
        columns: column name -> values [N], NaN where missing, in the order of the CSV: outcome, trials, predictors,
            groups.
        truth: what they come from.
    """

    columns: Mapping[str, Column]
    truth: TrueModel

    @property
    def n_rows(self) -> int:
        """N, the number of rows."""
        return len(next(iter(self.columns.values())))


def write_simulation(
    simulated: Simulated,
    folder: str | Path,
    overwrite: bool = False,
    draw: Callable[[Path, Mapping[str, Any], Path], None] | None = None,
) -> None:
    """Write data.csv (every digit) and truth.json into a folder, both of them or neither.

    `draw` is given the path of the data, what truth.json holds, and where a picture of them goes.

    Raises:
        RunFolderError: the folder holds something already, or another process writes to it.
        DiskError: it cannot be written to.
    """
    folder = Path(folder)
    with claimed(folder) as place:
        _refuse_full(folder, overwrite)
        with place.replacing((DATA_FILE, TRUTH_FILE, PICTURE_FILE), TRUTH_FILE) as new:
            _write_csv(simulated.columns, new / DATA_FILE)
            digest = hashlib.sha256((new / DATA_FILE).read_bytes()).hexdigest()
            # With the hash no other data are ever compared with the truth.
            truth = {**simulated.truth.content, "data_sha256": digest}
            write_text(new / TRUTH_FILE, visible_json(json.dumps(truth, indent=2, ensure_ascii=False)) + "\n")
            if draw is not None:
                draw(new / DATA_FILE, truth, new / PICTURE_FILE)


def _write_csv(columns: Mapping[str, Column], path: Path) -> None:
    values = [_cells(column) if isinstance(column, np.ndarray) else column for column in columns.values()]
    with io.TextIOWrapper(create(path), encoding="utf-8", newline="") as stream:
        write_rows(stream, [list(columns)])
        write_rows(stream, zip(*values, strict=True))


def _cells(column: Array) -> list[float | int | str]:
    """Return what to write: nothing where missing, and a column of whole numbers without decimal points.

    The csv module writes floats by repr, which reads back as the same double.
    """
    known = column[~np.isnan(column)]
    whole = bool(np.all((known == np.round(known)) & (np.abs(known) < LARGEST_EXACT)))
    return ["" if value != value else int(value) if whole else value for value in column.tolist()]


def _refuse_full(folder: Path, overwrite: bool) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise RunFolderError(f"{folder} is a file, not a folder.", hint="name another folder with --out")
    ours = {DATA_FILE, TRUTH_FILE, PICTURE_FILE}
    present = sorted(entry.name for entry in folder.iterdir() if entry.name != HOME)
    foreign = [name for name in present if name not in ours]
    shown = ", ".join((foreign or present)[:5]) + (", ..." if len(foreign or present) > 5 else "")
    if foreign:
        raise RunFolderError(
            f"{folder} holds files that hierfit simulate did not write: {shown}.", hint="name another folder with --out"
        )
    if present and not overwrite:
        raise RunFolderError(
            f"{folder} is not empty: {shown}.",
            hint="name another folder with --out, or add --overwrite to replace them",
        )
    if present and not _is_simulated(folder):
        raise RunFolderError(
            f"{folder} holds a {present[0]} that hierfit simulate did not write, or that was changed since.",
            hint="name another folder with --out",
        )


def _is_simulated(folder: Path) -> bool:
    """Whether data.csv is the file that truth.json beside it was written for."""
    try:
        truth = json.loads((folder / TRUTH_FILE).read_text(encoding="utf-8"))
        written = hashlib.sha256((folder / DATA_FILE).read_bytes()).hexdigest()
    except (OSError, ValueError):
        return False
    return isinstance(truth, dict) and truth.get("data_sha256") == written
