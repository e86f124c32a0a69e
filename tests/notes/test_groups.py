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
    assert note.option == "--formula 'y ~ 1 + x + school'"
    assert notes_of(tmp_path, "y ~ 1 + x + school", columns(3)) == []
    assert notes_of(tmp_path, "y ~ x + (1 | school)", columns(5)) == []


@pytest.mark.parametrize("prior", ["sd(school) ~ normal(0, 1)", "sd ~ normal(0, 1)", "sd(school) ~ constant(1)"])
def test_a_prior_of_the_users_own_is_no_news_to_him(tmp_path: Path, prior: str) -> None:
    assert notes_of(tmp_path, "y ~ x + (1 | school)", columns(3), priors=(prior,)) == []


def grouped(rows_each: int = 6, levels: int = 20, **changes: object) -> dict[str, list[object]]:
    rng = np.random.default_rng(4)
    rows = rows_each * levels
    school = np.repeat(np.arange(levels), rows_each)
    size = rng.integers(10, 90, levels)[school]
    made = {"y": rng.normal(size=levels)[school] + rng.normal(size=rows), "x": rng.normal(size=rows), "size": size}
    made |= {"school": [f"s{code}" for code in school], "kind": np.array(["a", "b"])[school % 2], **changes}
    return {name: list(values) for name, values in made.items()}


def test_slopes_along_what_does_not_vary_within(tmp_path: Path) -> None:
    note = only(notes_of(tmp_path, "y ~ x + size + (1 + x + size | school)", grouped()))
    assert note.kind is NoteKind.CONSTANT_SLOPES and note.columns == ("size", "school")
    assert note.text.startswith("size is the same in all rows of each school, so that rows of one level show no slope")
    assert note.option == "--formula 'y ~ 1 + x + size + (1 + x | school)'"
    words = only(notes_of(tmp_path, "y ~ kind + (kind | school)", grouped()))
    assert words.text.startswith("kind[b] is the same in all rows of each school")
    assert words.option == "--formula 'y ~ 1 + kind + (1 | school)'"


def test_slopes_that_vary_within_few_or_within_enough(tmp_path: Path) -> None:
    data = grouped()
    for level, count in ((3, 1), (8, 2), (11, 3), (13, 4)):
        data["size"][6 * level] += 1
        note = only(notes_of(tmp_path, "y ~ size + (size | school)", data))
        few = "varies within 1 of 20 schools only" if count == 1 else f"varies within {count} of 20 schools only"
        assert note.text.startswith(f"size {few}")
    data["size"][6 * 17] += 1
    assert notes_of(tmp_path, "y ~ size + (size | school)", data) == []


def test_a_slope_without_an_intercept_is_another_thing(tmp_path: Path) -> None:
    assert notes_of(tmp_path, "y ~ size + (0 + size | school)", grouped()) == []
    assert notes_of(tmp_path, "y ~ size + (size | school)", grouped(), priors=("sd ~ normal(0, 1)",)) == []


def plots(rows_each: int = 2) -> dict[str, list[object]]:
    season = ["dry", "wet", "late"][:rows_each] * 20
    return grouped(rows_each, season=season)


def test_as_many_effects_as_rows(tmp_path: Path) -> None:
    note = only(notes_of(tmp_path, "y ~ season + (season | school)", plots()))
    assert note.kind is NoteKind.EFFECTS_AS_ROWS and note.columns == ("school",)
    assert note.text == (
        "40 effects of school for 40 rows: sigma, sd(school) and sd(school: season[wet]) cannot be told apart; how "
        "they share the variation is their priors' choice."
    )
    assert note.option == "--formula 'y ~ 1 + season + (1 | school)'"
    rows = only(notes_of(tmp_path, "y ~ x + (1 | row)", {**plots(), "row": list(range(40))}))
    assert rows.text.startswith("40 effects of row for 40 rows: sigma and sd(row) cannot be told apart")
    assert rows.option == "--formula 'y ~ 1 + x'"


def test_fewer_effects_than_rows_or_effects_that_rows_identify(tmp_path: Path) -> None:
    assert notes_of(tmp_path, "y ~ season + (season | school)", plots(3)) != []  # 3 effects of 3 rows
    assert notes_of(tmp_path, "y ~ x + season + (x | school)", plots(3)) == []
    assert notes_of(tmp_path, "y ~ season + (1 | school)", plots()) == []
    assert notes_of(tmp_path, "y ~ x + (0 + x | row)", {**plots(), "row": list(range(40))}) == []
    hardly = only(notes_of(tmp_path, "y ~ x + (x | school)", plots()))
    assert "sigma, sd(school) and sd(school: x) can hardly be told apart, and their priors count for" in hardly.text


def test_effects_of_rows_in_other_families(tmp_path: Path) -> None:
    data = {**plots(), "row": list(range(40)), "count": [row % 7 for row in range(40)], "yes": [0, 1, 1, 0] * 10}
    assert notes_of(tmp_path, "count ~ x + (1 | row)", data, family="poisson") == []  # overdispersion
    assert (
        "shape and sd(row) cannot" in only(notes_of(tmp_path, "count ~ x + (1 | row)", data, family="negbinomial")).text
    )
    assert "scatter of single rows" in only(notes_of(tmp_path, "yes ~ x + (1 | row)", data, family="bernoulli")).text
    assert notes_of(tmp_path, "y ~ x + (1 | row)", data, priors=("sigma ~ normal(0, 0.1)",)) == []


def test_correlated_slopes_of_calendar_years_need_no_note(tmp_path: Path) -> None:
    data = columns(12)
    data["year"] = [2001 + row // 12 for row in range(60)]
    assert notes_of(tmp_path, "y ~ year + (year | school)", data) == []


def test_uncorrelated_slopes_far_from_zero(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    data = grouped(year=rng.integers(2000, 2020, 120).tolist(), age=rng.integers(0, 40, 120).tolist())
    note = only(notes_of(tmp_path, "y ~ year + (year || school)", data))
    assert note.kind is NoteKind.FAR_FROM_ZERO and note.columns == ("year", "school")
    assert "|| says that intercepts and slopes are unrelated at year = 0, and year is 2010 on average, 3" in note.text
    assert note.option == "--formula 'y ~ 1 + year + (1 + center(year) || school)'"
    for formula in (
        "y ~ age + (age | school)",
        "y ~ year + (0 + year || school)",
        "y ~ year + (center(year) || school)",
        "y ~ age + (age || school)",
        "y ~ kind + (1 | school)",
    ):
        assert notes_of(tmp_path, formula, data) == []
