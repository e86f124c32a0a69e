"""Notes about rows that carry a coefficient: on data that trip them, and on data that are near."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierfit.notes.note import Note, NoteKind
from tests.notes.cases import notes_of, only

ROWS = 80


def columns(seed: int = 9) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    group = np.arange(ROWS) % 8
    x = rng.normal(10, 2, ROWS)
    return {"x": x, "y": 3 + x / 2 + rng.normal(0, 3, 8)[group] + rng.normal(size=ROWS), "g": [f"g{k}" for k in group]}


def noted(folder: Path, formula: str, data: dict[str, Any], **request: Any) -> list[Note]:
    notes = notes_of(folder, formula, {name: list(values) for name, values in data.items()}, **request)
    return [note for note in notes if note.kind is NoteKind.CARRYING_ROW]


def without(data: dict[str, Any], row: int) -> dict[str, Any]:
    return {name: [value for place, value in enumerate(values) if place != row] for name, values in data.items()}


def test_a_slip_in_the_outcome(tmp_path: Path) -> None:
    data = columns()
    row = int(np.argmax(data["x"]))
    data["y"][row] *= 10
    note = only(noted(tmp_path, "y ~ x + (1 | g)", data))
    assert note.text.startswith(f"Line {row + 2} carries x: without that row it would change by about")
    assert f"y is {data['y'][row]:.6g} there, and between " in note.text
    assert (note.option, note.columns) == ("--family student", ("x", "y"))
    assert noted(tmp_path, "y ~ x + (1 | g)", without(data, row)) == []
    assert noted(tmp_path, "y ~ x + (1 | g)", data, family="student") == []


def test_a_slip_in_a_predictor(tmp_path: Path) -> None:
    data = columns()
    data["x"][17] *= 100
    note = only(noted(tmp_path, "y ~ x + (1 | g)", data))
    assert note.text.startswith("Line 19 carries x") and note.option is None
    assert f"x is {data['x'][17]:.6g} there, and between " in note.text
    data["x"][18] *= 90
    assert noted(tmp_path, "y ~ x + (1 | g)", data) == []  # two such rows are no single one


def test_the_change_is_that_of_least_squares_without_the_row(tmp_path: Path) -> None:
    data = columns()
    row = int(np.argmax(data["x"]))
    data["y"][row] += 40
    said = only(noted(tmp_path, "y ~ x", data)).text.split("by about ")[1].split()[0]
    kept = np.arange(ROWS) != row
    X = np.column_stack([np.ones(ROWS), data["x"]])
    fits = [np.linalg.lstsq(X[rows], data["y"][rows], rcond=None)[0] for rows in (np.ones(ROWS, bool), kept)]
    left = data["y"][kept] - X[kept] @ fits[1]
    error = np.sqrt(left @ left / (ROWS - 3) * np.linalg.inv(X.T @ X)[1, 1])  # the row's place, not its outcome
    assert float(said) == pytest.approx(abs(fits[0][1] - fits[1][1]) / error, rel=0.05)  # two digits are said


def test_a_slip_in_the_middle_carries_the_intercept_and_sigma(tmp_path: Path) -> None:
    data = columns()
    middle = int(np.argmin(np.abs(data["x"] - data["x"].mean())))
    data["y"][middle] += 60
    for formula in ("y ~ x", "y ~ x + (1 | g)", "y ~ 1 + (1 | g)"):
        note = only(noted(tmp_path, formula, data))
        assert note.text.startswith(f"Line {middle + 2} carries Intercept: without that row it would change by about ")
        assert " of its standard errors, and sigma be " in note.text and note.columns == ("y",)


def test_an_outlier_that_carries_nothing(tmp_path: Path) -> None:
    data = columns()
    middle = int(np.argmin(np.abs(data["x"] - data["x"].mean())))
    data["y"][middle] += 6
    assert noted(tmp_path, "y ~ x + (1 | g)", data) == []


@pytest.mark.parametrize("family", ["poisson", "gamma", "lognormal"])
def test_other_outcomes(tmp_path: Path, family: str) -> None:
    rng = np.random.default_rng(10)
    data = columns()
    mean = np.exp((data["x"] - 10) / 4 + 1)
    data["y"] = rng.poisson(mean) if family == "poisson" else mean * rng.gamma(6, 1 / 6, ROWS)
    assert noted(tmp_path, "y ~ x + (1 | g)", data, family=family) == []
    row = int(np.argmin(data["x"]))
    data["y"][row] = 4000
    assert only(noted(tmp_path, "y ~ x + (1 | g)", data, family=family)).text.startswith(f"Line {row + 2} carries x")


def test_a_predictor_of_an_outcome_of_two_values(tmp_path: Path) -> None:
    data = columns()
    data["y"] = (data["y"] > np.median(data["y"])).astype(int)
    assert noted(tmp_path, "y ~ x + (1 | g)", data, family="bernoulli") == []


def test_of_many_rows_those_at_the_ends_are_looked_at(tmp_path: Path) -> None:
    rng = np.random.default_rng(11)
    x = rng.normal(size=21_000)
    data = {"x": x.round(3), "y": (x + rng.normal(size=21_000)).round(3), "g": np.arange(21_000) % 50}
    assert noted(tmp_path, "y ~ x + (1 | g)", data) == []
    data["x"][345] = 5000.0
    assert only(noted(tmp_path, "y ~ x + (1 | g)", data)).text.startswith("Line 347 carries x")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("formula", ["y ~ 0", "y ~ 0 + (x | g)", "y ~ 1 + (1 | g)", "y ~ x + (1 | g)", "y ~ g"])
def test_nothing_is_left_of_the_outcome_or_of_the_columns(tmp_path: Path, formula: str) -> None:
    """There is no column at all, or groups explain all of the outcome, or of the predictor."""
    labels = [f"g{i % 5}" for i in range(40)]
    exact = {"y": [float(i % 5) for i in range(40)], "x": [float(i % 5 * 3 % 4) for i in range(40)], "g": labels}
    assert all(note.kind is not NoteKind.CARRYING_ROW for note in noted(tmp_path, formula, exact))
