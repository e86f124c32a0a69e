"""Notes on categories of an ordered outcome that no row has."""

from pathlib import Path

import numpy as np
import pytest

from hierfit.model.roles import Roles
from hierfit.notes.note import NoteKind
from tests.notes.cases import normal, notes_of, only


def columns(answers: list[object]) -> dict[str, list[object]]:
    rows = 20 * len(answers)
    rng = np.random.default_rng(1)
    return {
        "y": rng.permutation(answers * 20).tolist(),
        "x": normal(rng, rows),
        "g": [f"g{row % 8}" for row in range(rows)],
    }


def test_a_stated_category_without_rows(tmp_path: Path) -> None:
    roles = Roles(levels={"y": ("never", "rarely", "often", "always")})
    note = only(
        notes_of(tmp_path, "y ~ x + (1 | g)", columns(["always", "never", "often"]), roles=roles, family="cumulative")
    )
    assert note.kind is NoteKind.UNUSED_CATEGORIES and note.columns == ("y",) and note.option is None
    assert note.text.startswith("No row has y = rarely: kept as part of the scale")


@pytest.mark.parametrize(
    ("answers", "option"), [([1, 2, 5], "--levels y=1,2,3,4,5"), ([2, 3, 4], None), ([1, 40, 90], None)]
)
def test_a_number_between_the_lowest_and_the_highest(tmp_path: Path, answers: list[object], option: str | None) -> None:
    notes = notes_of(tmp_path, "y ~ x + (1 | g)", columns(answers), family="cumulative")
    assert [note.option for note in notes] == ([] if option is None else [option])
