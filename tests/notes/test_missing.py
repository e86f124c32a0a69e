"""Notes on labels that elsewhere mean that a value is missing."""

from pathlib import Path

import numpy as np

from hierfit.model.roles import Roles
from hierfit.notes.note import NoteKind
from tests.notes.cases import normal, notes_of, only


def columns() -> dict[str, list[object]]:
    rng = np.random.default_rng(1)
    schooling = ["None", "Primary", "Secondary"] * 20
    return {"y": normal(rng, 60), "schooling": [*schooling], "village": [f"v{row % 7}" for row in range(60)]}


def test_none_is_a_level_and_said_to_be_one(tmp_path: Path) -> None:
    note = only(notes_of(tmp_path, "y ~ schooling + (1 | village)", columns()))
    assert note.kind is NoteKind.MISSING_WORDS and note.columns == ("schooling",)
    assert note.text.startswith("schooling is 'None' in 20 rows (lines 2, 5, 8 and 17 more), a level like others;")
    assert note.option == "--na None"


def test_a_level_that_was_named_and_one_that_was_said_to_be_missing_are_no_news(tmp_path: Path) -> None:
    formula = "y ~ schooling + (1 | village)"
    for roles in (
        Roles(references={"schooling": "None"}),
        Roles(levels={"schooling": ("None", "Primary", "Secondary")}),
    ):
        assert notes_of(tmp_path, formula, columns(), roles=roles) == []
    assert notes_of(tmp_path, formula, columns(), na=("None",)) == []
    assert notes_of(tmp_path, formula, columns(), na=("",)) == []
