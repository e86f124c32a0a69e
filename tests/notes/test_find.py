"""Every kind of note is described, and data without anything to say of have none."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierfit.model.roles import Roles
from hierfit.notes.note import NoteKind
from tests.notes.cases import notes_of

PAGE = Path(__file__).parents[2] / "docs" / "notes.md"
FORMULAS = (
    "y ~ x + z + w + (1 | g)",
    "y ~ x * w + (1 + x | g) + (1 | h)",
    "y ~ x + z + (x || g)",
    "y ~ x + z",
    "y ~ w + (1 | h/g)",
    "y ~ poly(x, 2) + w + (1 | g) + (1 | h)",
)


def test_every_kind_of_note_is_described_and_nothing_else() -> None:
    described = re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert sorted(described) == sorted(kind.value for kind in NoteKind)


def outcome(rng: np.random.Generator, family: str, eta: np.ndarray) -> np.ndarray:
    """Return an outcome of a family whose linear predictor is eta [N]."""
    rows, share = len(eta), 1 / (1 + np.exp(-eta))
    made: dict[str, Any] = {
        "gaussian": lambda: np.round(10 + 2 * eta + rng.normal(size=rows), 2),
        "student": lambda: 10 + eta + rng.standard_t(4, rows),
        "lognormal": lambda: np.exp(eta + rng.normal(0, 0.7, rows)),
        "gamma": lambda: np.exp(eta) * rng.gamma(1.5, 1 / 1.5, rows) + 1e-9,
        "beta": lambda: np.clip(rng.beta(5 * share, 5 - 5 * share), 1e-6, 1 - 1e-6),
        "bernoulli": lambda: rng.binomial(1, share),
        "binomial": lambda: rng.binomial(8, share),
        "poisson": lambda: rng.poisson(np.exp(1 + eta)),
        "negbinomial": lambda: rng.negative_binomial(2, 2 / (2 + np.exp(1 + eta))),
        "cumulative": lambda: np.digitize(eta + rng.logistic(size=rows), [-1, 0, 1.2]),
    }
    return np.asarray(made[family]())


FAMILIES = (*["gaussian"] * 3, "student", "lognormal", "gamma", "beta", "bernoulli", "binomial", "poisson")
FAMILIES += ("negbinomial", "cumulative")


def noted(folder: Path, seed: int) -> list[str]:
    """Return the notes on a random design of ordinary data: 100 to 1,000 rows, some groups small, predictors skewed."""
    rng = np.random.default_rng(seed)
    levels, each = int(rng.choice([10, 20, 50])), int(rng.choice([10, 12, 20]))
    rows = levels * each
    g, h = np.repeat(np.arange(levels), each), rng.integers(0, 8, rows)
    x = rng.normal(rng.choice([0, 2]), 1, rows)
    z = [rng.normal(size=rows), rng.exponential(size=rows), rng.uniform(0, 10, rows)][rng.integers(3)]
    w = np.array(["a", "b", "c"])[rng.integers(0, 3, rows)]
    centred = x - x.mean()
    eta = 0.5 * centred + 0.3 * (w == "b") + rng.normal(0, 0.5, levels)[g] + rng.normal(0, 0.3, 8)[h]
    eta += rng.choice([0, 0.3]) * rng.normal(size=levels)[g] * centred
    family = FAMILIES[rng.integers(len(FAMILIES))]
    columns = {"y": outcome(rng, family, eta), "x": x, "z": z, "w": w}
    columns |= {"g": [f"g{k}" for k in g], "h": [f"h{k}" for k in h], "n": [8] * rows}
    roles = Roles(trials="n") if family == "binomial" else Roles()
    formula = FORMULAS[rng.integers(len(FORMULAS))]
    return [note.text for note in notes_of(folder, formula, columns, family=family, roles=roles)]


@pytest.mark.parametrize("seed", range(40))
def test_ordinary_data_have_no_notes(tmp_path: Path, seed: int) -> None:
    assert noted(tmp_path, seed) == []


@pytest.mark.slow
def test_hardly_any_ordinary_data_have_notes(tmp_path: Path) -> None:
    found = [notes for seed in range(1000, 3000) if (notes := noted(tmp_path, seed))]
    assert len(found) <= 4, found  # 0 to 2 of 2,000 were seen; a rate of 1 in 1,000 gives more than 4 in one of 20
