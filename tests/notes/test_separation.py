"""Notes about separation: on data that trip them, and on data that are near."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierfit.model.contrasts import ContrastKind, LevelContrasts
from hierfit.model.roles import Roles
from hierfit.notes.note import Note, NoteKind
from tests.notes.cases import notes_of, only

ROWS = 240


def columns(**changes: Any) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    made = {
        "x": np.round(rng.normal(size=ROWS), 3),
        "z": np.round(rng.normal(5, 2, size=ROWS), 3),
        "f": np.array(["low", "mid", "top"])[rng.integers(0, 3, ROWS)],
        "h": np.array(["a", "b"])[rng.integers(0, 2, ROWS)],
        "g": np.arange(ROWS) % 12,
        "n": np.full(ROWS, 6),
        "rare": (np.arange(ROWS) == 7).astype(int),
        "y": rng.integers(0, 2, ROWS),
    }
    made["s"] = rng.binomial(6, 0.4, ROWS)
    made["c"] = rng.poisson(2, ROWS)
    made["o"] = rng.integers(1, 5, ROWS)
    return {**made, **changes}


def noted(folder: Path, formula: str, data: dict[str, Any], family: str = "bernoulli", **request: Any) -> list[Note]:
    notes = notes_of(folder, formula, {name: list(values) for name, values in data.items()}, family=family, **request)
    return [note for note in notes if note.kind is NoteKind.SEPARATION]


def test_a_level_with_one_outcome(tmp_path: Path) -> None:
    data = columns()
    data["y"][data["f"] == "top"] = 1
    note = only(noted(tmp_path, "y ~ x + f + (1 | g)", data))
    count = (data["f"] == "top").sum()
    assert note.text == (
        f"All {count} rows with f = top have y = 1 (separation): nothing in the data bounds the coefficient of f[top] "
        "above, so its mean and upper end are the prior's."
    )
    assert (note.option, note.columns) == ("--prior 'f[top] ~ normal(0, 2.5)'", ("f",))
    assert noted(tmp_path, "y ~ x + f + (1 | g)", data, priors=("f[top] ~ normal(0, 2.5)",)) == []
    assert noted(tmp_path, "y ~ x + f + (1 | g)", data, prior_only=True) == []
    assert noted(tmp_path, "y ~ x + (1 | f)", data) == []  # a level of a factor has a prior of its own
    data["y"][np.flatnonzero(data["f"] == "top")[0]] = 0
    assert noted(tmp_path, "y ~ x + f + (1 | g)", data) == []


def test_the_level_that_others_are_compared_with(tmp_path: Path) -> None:
    data = columns()
    data["y"][data["f"] == "low"] = 0
    note = only(noted(tmp_path, "y ~ f + (1 | g)", data))
    assert "the others are compared with low, so nothing in the data bounds Intercept and their coeff" in note.text
    assert note.option == "--reference f=mid"
    after = only(noted(tmp_path, "y ~ f + (1 | g)", data, roles=Roles(references={"f": "mid"})))
    assert "the coefficient of f[low] below, so its mean and lower end are" in after.text


@pytest.mark.parametrize("kind", ["sum", "helmert", "poly", "sdif"])
def test_levels_with_contrasts_are_compared_with_none_and_said_once(tmp_path: Path, kind: str) -> None:
    roles = Roles(contrasts={"f": LevelContrasts(ContrastKind(kind))})
    data = columns()
    data["y"][data["f"] == "low"] = 0
    note = only(noted(tmp_path, "y ~ f + (1 | g)", data, roles=roles))
    assert note.text.endswith(
        "nothing in the data bounds the coefficients of f, so means and outer ends are the priors'."
    )
    assert note.option is None and note.columns == ("f",)
    data["y"] = (data["f"] == "top").astype(int)
    assert only(noted(tmp_path, "y ~ x + f + (1 | g)", data, roles=roles)).text.startswith("All rows have one outcome")


def test_several_levels_are_one_note(tmp_path: Path) -> None:
    data = columns()
    data["y"][data["f"] == "mid"] = 0
    data["y"][data["f"] == "top"] = 1
    note = only(noted(tmp_path, "y ~ f", data))
    assert note.text.startswith("All rows have one outcome where f = mid (")
    assert note.option == "--prior 'f[mid] ~ normal(0, 2.5)' --prior 'f[top] ~ normal(0, 2.5)'"


@pytest.mark.parametrize("cell", [("top", "b"), ("low", "a")])
def test_a_cell_of_an_interaction(tmp_path: Path, cell: tuple[str, str]) -> None:
    data = columns()
    data["y"][(data["f"] == cell[0]) & (data["h"] == cell[1])] = 1
    note = only(noted(tmp_path, "y ~ f * h", data))
    assert f"rows with f = {cell[0]} and h = {cell[1]} have y = 1 (separation)" in note.text
    assert note.columns == ("f", "h")
    assert noted(tmp_path, "y ~ f + h", data) == []


@pytest.mark.parametrize(
    ("family", "response", "value", "said"),
    [
        ("binomial", "s", 0, "have s = 0 (separation)"),
        ("binomial", "s", 6, "have all trials s (separation)"),
        ("poisson", "c", 0, "have c = 0 (separation)"),
        ("negbinomial", "c", 0, "have c = 0 (separation)"),
        ("cumulative", "o", 4, "have o = 4 (separation)"),
        ("cumulative", "o", 1, "have o = 1 (separation)"),
    ],
)
def test_other_outcomes_at_an_end(tmp_path: Path, family: str, response: str, value: int, said: str) -> None:
    data = columns()
    data[response][data["f"] == "top"] = value
    roles = Roles(trials="n") if family == "binomial" else Roles()
    note = only(noted(tmp_path, f"{response} ~ x + f", data, family, roles=roles))
    assert said in note.text and note.option == "--prior 'f[top] ~ normal(0, 2.5)'"


@pytest.mark.parametrize(("family", "response", "value"), [("poisson", "c", 3), ("cumulative", "o", 2)])
def test_outcomes_between_the_ends_bound_the_coefficient(
    tmp_path: Path, family: str, response: str, value: int
) -> None:
    data = columns()
    data[response][data["f"] == "top"] = value
    assert noted(tmp_path, f"{response} ~ x + f", data, family) == []


def test_a_rare_indicator(tmp_path: Path) -> None:
    data = columns()
    data["y"][7] = 0
    note = only(noted(tmp_path, "y ~ x + rare", data))
    assert note.text.startswith(
        "The only row with rare = 1 has y = 0 (separation): nothing in the data bounds the coef"
    )
    assert note.text.endswith("of rare below, so its mean and lower end are the prior's.")
    assert note.option == "--prior 'rare ~ normal(0, 2.5)'"
    scaled = only(noted(tmp_path, "y ~ x + rare", data, standardize=True))
    assert scaled.option == f"--prior 'rare ~ normal(0, {2.5 * data['rare'].std(ddof=1):.2g})'"


def test_the_other_value_of_an_indicator(tmp_path: Path) -> None:
    data = columns()
    data["y"][data["h"] == "a"] = 1
    data["d"] = (data["h"] == "b").astype(int)
    note = only(noted(tmp_path, "y ~ x + d", data))
    assert "rows with d = 0 have y = 1 (separation): nothing in the data bounds the coefficient of d below" in note.text


def test_a_number_that_parts_the_outcomes(tmp_path: Path) -> None:
    data = columns()
    data["y"] = (data["z"] < 4.2).astype(int)
    note = only(noted(tmp_path, "y ~ x + z", data))
    assert note.text.startswith("y = 1 wherever z is below 4.19") and note.columns == ("z",)
    assert note.option == f"--prior 'z ~ normal(0, {1.25 / data['z'].std(ddof=1):.2g})'"
    data["o"] = np.digitize(data["z"], [3, 5, 7])
    assert only(noted(tmp_path, "o ~ z", data, "cumulative")).text.startswith("z puts all rows in the order of o (sep")


def test_numbers_that_part_the_outcomes_together(tmp_path: Path) -> None:
    data = columns()
    data["y"] = (data["z"] + 2 * data["x"] > 5).astype(int)
    note = only(noted(tmp_path, "y ~ x + z + f", data))
    assert note.text.startswith("Together x, z") and "tell y = 1 from the rest without error in all rows" in note.text
    flipped = np.argsort(np.abs(data["z"] + 2 * data["x"] - 5))[[5, 9]]
    data["y"][flipped] = 1 - data["y"][flipped]
    assert noted(tmp_path, "y ~ x + z + f", data) == []


def test_a_strong_predictor_is_no_separation(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    data = columns()
    data["y"] = (data["z"] - 5 + rng.logistic(0, 0.3, ROWS) > 0).astype(int)
    assert noted(tmp_path, "y ~ x + z + f * h", data) == []
