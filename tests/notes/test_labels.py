"""Notes about labels: on data that trip them, and on data that are near."""

from pathlib import Path

import numpy as np
import pytest

from hierfit.model.roles import Roles
from hierfit.notes.note import NoteKind
from tests.notes.cases import normal, notes_of, only

ROWS = 60


def columns(labels: list[str], rows: int = ROWS) -> dict[str, list[object]]:
    rng = np.random.default_rng(1)
    return {"y": normal(rng, rows), "x": normal(rng, rows), "g": [labels[row % len(labels)] for row in range(rows)]}


PLAIN = ["Ash", "Birch", "Cedar", "Elm", "Fir", "Oak"]


@pytest.mark.parametrize(
    ("odd", "differ"),
    [
        ("ash", "case: 'Ash' (9 rows), 'ash' (8 rows); the last on lines 8, 15, 22 and 5 more."),
        ("Ash ", "blanks: 'Ash' (9 rows), 'Ash ' (8 rows)"),
        (" ASH", "blanks or case: 'Ash' (9 rows), ' ASH' (8 rows)"),
        ("\uff21sh", "Unicode form: 'Ash' (9 rows), '\\uff21sh' (8 rows)"),
        ("A\u00adsh", "Unicode form: 'Ash' (9 rows), 'A\\xadsh' (8 rows)"),
    ],
)
def test_labels_that_look_the_same(tmp_path: Path, odd: str, differ: str) -> None:
    note = only(notes_of(tmp_path, "y ~ x + (1 | g)", columns([*PLAIN, odd])))
    assert note.kind is NoteKind.LOOK_ALIKES and note.columns == ("g",)
    assert note.text.startswith(f"g has labels that differ only in {differ}")
    assert note.text.endswith("Each is a level of its own; if they mean the same, write them alike in the file.")


def test_composed_and_decomposed_letters(tmp_path: Path) -> None:
    note = only(notes_of(tmp_path, "y ~ g", columns([*PLAIN, "Café", "Cafe\u0301"])))
    assert "Unicode form: 'Caf\\xe9' (7 rows), 'Cafe\\u0301' (7 rows)" in note.text


def test_several_sets_and_numbers(tmp_path: Path) -> None:
    note = only(notes_of(tmp_path, "y ~ x + (1 | g)", columns(["1", "01", "2", "2.0", "2.5", "3", "30", "17a"])))
    assert "the way a number is written: '1' (8 rows), '01' (8 rows); the last on " in note.text
    assert "; 1 more such set. " in note.text


@pytest.mark.parametrize(
    "labels",
    [
        PLAIN,
        ["1.1", "1.10", "1.2", "1.20", "2.5"],  # sections
        ["a1", "a01", "b-1", "b1", "c 1"],
        ["AA", "Aa", "aa", "aA"],  # made one, they would leave nothing to compare
        ["é", "e", "è", "f", "g"],
    ],
)
def test_labels_that_are_near(tmp_path: Path, labels: list[str]) -> None:
    assert notes_of(tmp_path, "y ~ g", columns(labels)) == []


def test_a_level_that_lost_all_rows(tmp_path: Path) -> None:
    data = columns(PLAIN)
    data["x"] = [None if label == "Elm" else x for x, label in zip(data["x"], data["g"], strict=True)]
    note = only(notes_of(tmp_path, "y ~ x + g", data))
    assert note.kind is NoteKind.LOST_LEVELS and note.columns == ("g",)
    assert note.text == (
        "All 10 rows with g = Elm lack a value in another column (x), so the model knows nothing of it."
    )
    data["x"] = [None if label in ("Elm", "Oak") else x for x, label in zip(data["x"], data["g"], strict=True)]
    data["g"][0] = None
    note = notes_of(tmp_path, "y ~ x + (1 | g)", data)[0]
    assert note.text.startswith(
        "2 of the 6 levels of g have no row left (Elm, Oak): all lack a value in another column"
    )


def test_levels_with_a_row_left_are_not_lost(tmp_path: Path) -> None:
    data = columns(PLAIN)
    data["x"] = [None if row < 48 else x for row, x in enumerate(data["x"])]
    assert notes_of(tmp_path, "y ~ 1 + (1 | g) + x", data) == []


@pytest.mark.parametrize(
    "dates",
    [
        ["2024-01-31", "2024-02-01", "2024-02-02", "2024-10-12"],
        ["31.01.2024", "01.02.2024", "13.02.2024", "2.10.2024"],
        ["1/31/24", "2/13/24", "10/12/24", "2/1/24"],
        ["31 Jan 2024", "1 Feb 2024", "2 February 2024", "12-Oct-24"],
        ["Jan 31, 2024", "Feb 1, 2024", "Sept 2, 2024", "October 12th, 2024"],
        ["2024-01", "2024-02", "2024-03", "2023-10"],
        ["2024-01-31 10:20", "2024-01-31T10:20:30Z", "2024-02-01 00:00:00.5", "2024-02-02"],
    ],
)
def test_dates_among_words(tmp_path: Path, dates: list[str]) -> None:
    note = only(notes_of(tmp_path, "y ~ x + g", columns([f'"{date}"' for date in dates])))
    assert note.kind is NoteKind.DATES and note.columns == ("g",)
    assert "taken as words: each of the 4 is a category" in note.text


@pytest.mark.parametrize(
    "labels",
    [
        ["2024-01-31", "2024-02-01", "unknown", "2024-02-02"],
        ["1-2", "3-5", "6-9", "10-12"],
        ["2020-2021", "2021-2022", "2022-2023"],
        ["Jan", "Feb", "Mar", "Apr"],
        ["1.2.3", "1.10.4", "2.0.1"],
        ["2024-13-01", "2024-14-01", "2024-01-01"],
    ],
)
def test_words_that_are_no_dates(tmp_path: Path, labels: list[str]) -> None:
    assert notes_of(tmp_path, "y ~ x + g", columns(labels)) == []


def test_dates_that_group_or_have_a_stated_order_are_as_they_should_be(tmp_path: Path) -> None:
    days = [f"2024-01-{day:02d}" for day in range(1, 9)]
    assert notes_of(tmp_path, "y ~ x + (1 | g)", columns(days)) == []
    assert notes_of(tmp_path, "y ~ x + g", columns(days), roles=Roles(levels={"g": tuple(days)})) == []
