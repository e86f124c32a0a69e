"""Notes about cells without rows."""

from pathlib import Path

import numpy as np

from hierfit.notes.note import NoteKind
from tests.notes.cases import normal, notes_of, only


def columns(*, missing: bool, rows: int = 180) -> dict[str, list[object]]:
    rng = np.random.default_rng(1)
    dose = [("low", "mid", "high")[row % 3] for row in range(rows)]
    drug = ["A" if missing and dose[row] == "mid" else "AB"[row // 3 % 2] for row in range(rows)]
    school = [f"s{row // 7 % 9}" for row in range(rows)]
    return {"y": normal(rng, rows), "dose": dose, "drug": drug, "school": school}


def test_the_columns_that_are_left_out_are_named(tmp_path: Path) -> None:
    for formula, left_out in (
        ("y ~ dose * drug + (1 | school)", "dose[mid]:drug[B] is left out"),
        ("y ~ 0 + dose:drug + (1 | school)", "dose[mid]:drug[B] is left out"),
        ("y ~ drug + dose + (dose:drug | school)", "dose[mid]:drug[B]"),
    ):
        note = only(notes_of(tmp_path, formula, columns(missing=True)))
        assert note.kind is NoteKind.EMPTY_CELLS and set(note.columns) == {"dose", "drug"}
        assert left_out in note.text
        assert notes_of(tmp_path, formula, columns(missing=False)) == []


def test_a_factor_within_another(tmp_path: Path) -> None:
    data = columns(missing=False)
    data["event"] = [f"{dose}{row % 2}" for row, dose in enumerate(data["dose"])]
    note = only(notes_of(tmp_path, "y ~ dose/event + (1 | school)", data))
    assert note.text.startswith("Some combinations of dose and event have no row, so ")
