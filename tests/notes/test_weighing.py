"""Notes about offsets and weights."""

from pathlib import Path

import numpy as np
import pytest

from hierfit.model.roles import Roles
from hierfit.notes.note import NoteKind
from tests.notes.cases import normal, notes_of, only


def columns() -> dict[str, list[object]]:
    rng = np.random.default_rng(1)
    minutes = rng.integers(5, 200, 60)
    return {
        "n": [*rng.poisson(0.1 * minutes).tolist()],
        "y": [*normal(rng, 60)],
        "x": [*normal(rng, 60)],
        "g": [f"g{row % 8}" for row in range(60)],
        "minutes": [*minutes.tolist()],
        "log_min": [*np.log(minutes).round(4).tolist()],
        "w": [*rng.gamma(2, 2, 60).round(3).tolist()],
        "copies": [*rng.integers(1, 4, 60).tolist()],
    }


def test_an_offset_that_spans_more_than_e_to_the_5(tmp_path: Path) -> None:
    note = only(notes_of(tmp_path, "n ~ x + (1 | g)", columns(), roles=Roles(offset="minutes"), family="poisson"))
    assert note.kind is NoteKind.OFFSET and note.columns == ("minutes",) and note.option == "--exposure minutes"
    assert "multiplies the expected n by up to e^1" in note.text


@pytest.mark.parametrize("roles", [Roles(offset="log_min"), Roles(exposure="minutes")])
def test_logs_of_an_exposure_and_an_exposure_are_no_news(tmp_path: Path, roles: Roles) -> None:
    assert notes_of(tmp_path, "n ~ x + (1 | g)", columns(), roles=roles, family="poisson") == []
    if roles.offset:
        assert notes_of(tmp_path, "y ~ x + (1 | g)", columns(), roles=Roles(offset="minutes")) == []


def test_weights_that_are_no_counts(tmp_path: Path) -> None:
    note = only(notes_of(tmp_path, "y ~ x + (1 | g)", columns(), roles=Roles(weights="w")))
    assert note.kind is NoteKind.WEIGHTS and note.option == "--precision-weights w"
    assert (
        only(notes_of(tmp_path, "n ~ x + (1 | g)", columns(), roles=Roles(weights="w"), family="poisson")).option
        is None
    )
    for roles in (Roles(weights="copies"), Roles(precision="w")):
        assert notes_of(tmp_path, "y ~ x + (1 | g)", columns(), roles=roles) == []
