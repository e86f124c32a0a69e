"""Notes about predictors of numbers: on data that trip them, and on data that are near."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierfit.notes.note import Note, NoteKind
from tests.notes.cases import notes_of, only

ROWS = 100


def columns(**changes: Any) -> dict[str, list[Any]]:
    rng = np.random.default_rng(8)
    made = {name: rng.integers(0, 40, ROWS) for name in "abc"}
    made |= {"u": rng.normal(size=ROWS), "f": np.array(["p", "q", "r"])[rng.integers(0, 3, ROWS)]}
    made["y"] = made["a"] + made["b"] + rng.normal(0, 3, ROWS)
    made["g"] = np.array([f"g{row % 10}" for row in range(ROWS)])
    return {name: list(values) for name, values in {**made, **changes}.items()}


def noted(folder: Path, formula: str, data: dict[str, Any], kind: NoteKind, **request: Any) -> list[Note]:
    return [note for note in notes_of(folder, formula, data, **request) if note.kind is kind]


def test_an_outcome_that_is_a_sum(tmp_path: Path) -> None:
    data = columns()
    a, b, c = (np.array(data[name]) for name in "abc")
    for y in (a + b - 2 * c, np.round((a + b - 2 * c) / 3, 2), 1e6 + a + b - 2.0 * c):
        note = only(noted(tmp_path, "y ~ a + b + c + u + (1 | g)", {**data, "y": y}, NoteKind.SUM_OF_PREDICTORS))
        assert note.columns == ("y", "a", "b", "c") and " in all 100 rows, but for a constant and rounding" in note.text
    assert only(noted(tmp_path, "y ~ a", {**data, "y": 2.5 * a}, NoteKind.SUM_OF_PREDICTORS)).text.startswith(
        "y is 2.5 a"
    )
    text = only(noted(tmp_path, "y ~ a + c", {**data, "y": a - 2 * c}, NoteKind.SUM_OF_PREDICTORS)).text
    assert text.startswith("y is 1 a - 2 c in all 100 rows")


@pytest.mark.parametrize("noise", [0.05, 1.0])
def test_an_outcome_that_is_nearly_a_sum(tmp_path: Path, noise: float) -> None:
    data = columns()
    y = np.array(data["a"]) + np.array(data["b"]) + np.random.default_rng(1).normal(0, noise, ROWS)
    assert noted(tmp_path, "y ~ a + b + c", {**data, "y": y}, NoteKind.SUM_OF_PREDICTORS) == []
    y[3] += 5
    assert noted(tmp_path, "y ~ a + b + c", {**data, "y": y.round()}, NoteKind.SUM_OF_PREDICTORS) == []


def test_columns_that_go_together(tmp_path: Path) -> None:
    data = columns()
    data["d"] = (np.array(data["a"]) + np.random.default_rng(2).normal(0, 1, ROWS)).tolist()
    note = only(noted(tmp_path, "y ~ a + b + d + f", data, NoteKind.NEAR_COLLINEAR))
    assert note.text.startswith("a and d go together nearly exactly (r = 0.99") and note.columns == ("a", "d")
    assert note.option == "--formula 'y ~ 1 + a + b + f'"
    data["s"] = (np.array(data["a"]) + np.array(data["b"]) + np.random.default_rng(2).normal(0, 1, ROWS)).tolist()
    three = only(noted(tmp_path, "y ~ a + b + s", data, NoteKind.NEAR_COLLINEAR))
    assert three.text.startswith("a, b and s go together nearly exactly: the standard errors")
    assert three.option == "--formula 'y ~ 1 + a + b'"


def test_columns_that_are_related(tmp_path: Path) -> None:
    data = columns()
    data["d"] = (np.array(data["a"]) + np.random.default_rng(2).normal(0, 4, ROWS)).tolist()
    assert noted(tmp_path, "y ~ a + b + d + f", data, NoteKind.NEAR_COLLINEAR) == []
    data["f"] = ["p"] + ["q", "r", "s"] * 33  # the level that others are compared with is rare
    assert noted(tmp_path, "y ~ a + f", data, NoteKind.NEAR_COLLINEAR) == []
    assert noted(tmp_path, "y ~ poly(a, 3) + f", data, NoteKind.NEAR_COLLINEAR) == []
    assert noted(tmp_path, "y ~ a * b + a * f", columns(), NoteKind.NEAR_COLLINEAR) == []


def test_products_with_a_column_far_from_zero(tmp_path: Path) -> None:
    data = columns()
    data["year"] = [2000 + row % 17 for row in range(ROWS)]
    note = only(noted(tmp_path, "y ~ year * u", data, NoteKind.NEAR_COLLINEAR))
    assert note.text.startswith("u and year:u go together nearly exactly (r = 0.99999")
    assert note.option == "--formula 'y ~ 1 + center(year) + u + center(year):u'"
    assert noted(tmp_path, "y ~ center(year) * u", data, NoteKind.NEAR_COLLINEAR) == []
