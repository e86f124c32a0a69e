"""Notes of a small table, given as columns, and a formula."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hierfit.model.formula_text import parse_formula
from hierfit.model.request import FitRequest
from hierfit.model.roles import NO_ROLES, Roles
from hierfit.notes.note import Note
from hierfit.workflow import prepare


def write_columns(path: Path, columns: Mapping[str, Sequence[Any]]) -> Path:
    """Write columns of equal length as a CSV file; None is an empty cell."""
    rows = zip(*columns.values(), strict=True)
    lines = [",".join(columns), *(",".join("" if cell is None else str(cell) for cell in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def notes_of(
    folder: Path, formula: str, columns: Mapping[str, Sequence[Any]], *, roles: Roles = NO_ROLES, **request: Any
) -> list[Note]:
    """Return all notes on a model of these columns, found as `hierfit fit` finds them."""
    path = write_columns(folder / "data.csv", columns)
    return list(prepare(FitRequest(path, parse_formula(formula), roles=roles, **request)).notes)


def only(notes: Sequence[Note]) -> Note:
    """Return the note that is the only one."""
    assert len(notes) == 1, [note.text for note in notes]
    return notes[0]


def normal(rng: np.random.Generator, rows: int) -> list[float]:
    return np.round(rng.normal(size=rows), 3).tolist()
