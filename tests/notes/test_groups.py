"""Notes about grouping factors: on data that trip them, and on data that are near."""

from pathlib import Path

import numpy as np
import pytest

from hierfit.notes.note import NoteKind
from tests.notes.cases import normal, notes_of, only


def columns(levels: int, rows: int = 60) -> dict[str, list[object]]:
    rng = np.random.default_rng(1)
    school = [f"s{row % levels}" for row in range(rows)]
    return {"y": normal(rng, rows), "x": normal(rng, rows), "school": school}


def test_few_levels(tmp_path: Path) -> None:
    note = only(notes_of(tmp_path, "y ~ x + (1 | school)", columns(3)))
    assert note.kind is NoteKind.FEW_LEVELS and note.columns == ("school",)
    assert note.text.startswith("3 schools say little about how much such levels differ: sd(school) is mostly what the")
    assert note.option == '--formula "y ~ 1 + x + school"'
    assert notes_of(tmp_path, "y ~ 1 + x + school", columns(3)) == []
    assert notes_of(tmp_path, "y ~ x + (1 | school)", columns(5)) == []


@pytest.mark.parametrize("prior", ["sd(school) ~ normal(0, 1)", "sd ~ normal(0, 1)", "sd(school) ~ constant(1)"])
def test_a_prior_of_the_users_own_is_no_news_to_him(tmp_path: Path, prior: str) -> None:
    assert notes_of(tmp_path, "y ~ x + (1 | school)", columns(3), priors=(prior,)) == []
