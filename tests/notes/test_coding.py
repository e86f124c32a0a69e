"""Notes about columns that say the same twice, and labels that begin again: on data that trip them, or are near."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierfit.model.roles import Roles
from hierfit.notes.note import NoteKind
from tests.notes.cases import notes_of, only


def columns(**changes: Any) -> dict[str, list[Any]]:
    rng = np.random.default_rng(6)
    rows = 120
    made = {
        "y": rng.normal(size=rows),
        "x": rng.normal(size=rows),
        "year": 2001 + np.arange(rows) % 12,
        "n": rng.integers(5, 9, rows),
        "site": [f"s{row % 10}" for row in range(rows)],
        "code": [f"{100 + row % 10}" for row in range(rows)],
        "region": [f"r{row % 5}" for row in range(rows)],
    }
    return {name: list(values) for name, values in {**made, **changes}.items()}


def test_a_column_as_predictor_and_factor(tmp_path: Path) -> None:
    note = only(notes_of(tmp_path, "y ~ x + year + (1 | year)", columns()))
    assert note.kind is NoteKind.COLUMN_TWICE and note.columns == ("year",)
    assert note.text.startswith(
        "year is used as a predictor and a grouping factor: its coefficient is a trend along year"
    )
    assert note.option == "--formula 'y ~ 1 + x + (1 | year)'"
    assert notes_of(tmp_path, "y ~ x + year + (1 | site)", columns()) == []
    assert notes_of(tmp_path, "y ~ x + (x | year)", columns()) == []
    assert notes_of(tmp_path, "y ~ x + year + (1 | site:year)", columns()) == []


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        (Roles(offset="x"), "x is used as a predictor and the offset: the offset fixes a coefficient of 1"),
        (Roles(weights="n"), "n is used as a predictor and the weight: one of the two may be a slip."),
    ],
)
def test_a_column_in_another_role(tmp_path: Path, roles: Roles, said: str) -> None:
    note = only(notes_of(tmp_path, "y ~ x + n + (1 | site)", columns(), roles=roles))
    assert note.text.startswith(said)


def test_factors_that_make_the_same_groups(tmp_path: Path) -> None:
    note = only(notes_of(tmp_path, "y ~ x + (1 | site) + (1 | code)", columns()))
    assert note.kind is NoteKind.SAME_LEVELS and note.columns == ("site", "code")
    assert note.text.startswith("site and code make the same 10 groups: the rows show only the sum of the two effects")
    assert note.option == "--formula 'y ~ 1 + x + (1 | site)'"
    assert notes_of(tmp_path, "y ~ x + (1 | site) + (1 | region)", columns()) == []
    changed = columns()
    changed["code"][0] = "109"
    assert notes_of(tmp_path, "y ~ x + (1 | site) + (1 | code)", changed) == []


def test_a_factor_that_a_predictor_says(tmp_path: Path) -> None:
    note = only(notes_of(tmp_path, "y ~ x + site + (1 | region)", columns()))
    assert note.kind is NoteKind.SAME_LEVELS and note.columns == ("site", "region")
    assert note.text.startswith("All rows of one site have the same region, and site is a predictor: nothing is left")
    assert note.option == "--formula 'y ~ 1 + x + site'"
    assert only(notes_of(tmp_path, "y ~ x + site + (1 | site)", columns())).columns == ("site",)
    assert notes_of(tmp_path, "y ~ x + region + (1 | site)", columns()) == []


def classes(
    *, nested: bool, rows: int = 8, labels: str = "123", between: float = 1.0, uneven: bool = False
) -> dict[str, Any]:
    """Return pupils of classes of 15 schools: the effects of each class its own, or the same of every first class."""
    rng = np.random.default_rng(7)
    school, number = (part.ravel() for part in np.mgrid[:15, : len(labels)])
    if uneven:
        kept = number < 1 + (school % len(labels))
        school, number = school[kept], number[kept]
    effect = rng.normal(0, between, len(school)) if nested else rng.normal(0, between, len(labels))[number]
    y = np.repeat(rng.normal(size=15)[school] + effect, rows) + rng.normal(size=rows * len(school))
    return {
        "y": y.tolist(),
        "x": rng.normal(size=len(y)).tolist(),
        "school": [f"s{code}" for code in np.repeat(school, rows)],
        "class": [labels[code] for code in np.repeat(number, rows)],
    }


@pytest.mark.parametrize("labels", ["123456", "abcdef"])
def test_labels_that_begin_again(tmp_path: Path, labels: str) -> None:
    note = only(notes_of(tmp_path, "y ~ x + (1 | school) + (1 | class)", classes(nested=True, labels=labels)))
    assert note.kind is NoteKind.REUSED_LABELS and note.columns == ("school", "class")
    first = labels[0]
    assert note.text.startswith(
        f"The labels of class begin again with {first} in every school, and rows of one label are"
    )
    assert note.text.endswith("and (1 | class) takes them for one. If so, write school/class.")
    assert note.option == "--formula 'y ~ 1 + x + (1 | school) + (1 | school:class)'"
    uneven = classes(nested=True, labels=labels, between=0.1, uneven=True)
    assert only(notes_of(tmp_path, "y ~ x + (1 | school) + (1 | class)", uneven)).kind is NoteKind.REUSED_LABELS


def test_factors_that_are_crossed(tmp_path: Path) -> None:
    formula = "y ~ x + (1 | school) + (1 | class)"
    assert notes_of(tmp_path, formula, classes(nested=False, labels="123456")) == []
    assert notes_of(tmp_path, formula, classes(nested=True, rows=1, labels="123456")) == []  # every item once
    assert notes_of(tmp_path, formula, classes(nested=True, labels="14689")) == []
    assert notes_of(tmp_path, "y ~ x + (1 | school/class)", classes(nested=True, labels="123456")) == []
