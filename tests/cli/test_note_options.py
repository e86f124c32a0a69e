"""What a note says to try can be copied to the command, and then there is no such note."""

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import Cli
from tests.notes.cases import write_columns

ROWS = 120


def columns() -> dict[str, Any]:
    """Return columns that trip every note with something to copy, one or two in a model."""
    rng = np.random.default_rng(12)
    group = np.arange(ROWS) % 20
    made = {
        "y": rng.normal(size=20)[group] + rng.normal(size=ROWS),
        "x": rng.normal(size=ROWS),
        "year": 2000 + np.arange(ROWS) % 7,
        "size of it": group * 3.5,
        "g": [f"g{k}" for k in group],
        "same": [f"h{k}" for k in group],
        "three": [f"t{k % 3}" for k in range(ROWS)],
        "four": [k % 4 + 1 for k in range(ROWS)],
        "f": [["low", "mid", "top"][k % 3] for k in range(ROWS)],
        "row": list(range(ROWS)),
    }
    made["z"] = made["x"] + rng.normal(0, 0.05, ROWS)
    made["top"] = [int(level == "top" or k % 2) for k, level in enumerate(made["f"])]
    made["low"] = [int(level != "low" and k % 2) for k, level in enumerate(made["f"])]
    made["part"] = (made["x"] > 0.1).astype(int)
    both = made["x"] + (made["year"] - 2003) / 2
    made["both"] = (both > 0.2).astype(int)
    made["slip"] = made["y"] + 300 * (np.arange(ROWS) == int(np.argmax(made["x"])))
    return made


CASES = [
    ("few-levels", "y ~ x + (1 | three)", []),
    ("few-levels", "y ~ x + (1 | four)", []),
    ("column-twice", "y ~ x + year + (1 | year)", []),
    ("same-levels", "y ~ x + (1 | g) + (1 | same)", []),
    ("constant-slopes", "y ~ `size of it` + (1 + `size of it` | g)", []),
    ("effects-as-rows", "y ~ x + (1 | row)", []),
    ("far-from-zero", "y ~ year + (1 + year || g)", []),
    ("near-collinear", "y ~ x + z + (1 | g)", []),
    ("near-collinear", "y ~ x * year + (1 | g)", []),
    ("separation", "top ~ x + f", ["--family", "bernoulli"]),
    ("separation", "low ~ x + f", ["--family", "bernoulli"]),
    ("separation", "part ~ x + f", ["--family", "bernoulli"]),
    ("separation", "part ~ x + f", ["--family", "bernoulli", "--standardize"]),
    ("separation", "both ~ x + year", ["--family", "bernoulli"]),
    ("carrying-row", "slip ~ x + (1 | g)", []),
]


@pytest.mark.parametrize(("kind", "formula", "more"), CASES)
def test_what_a_note_says_to_try_is_accepted_and_helps(cli: Cli, kind: str, formula: str, more: list[str]) -> None:
    write_columns(Path("trip.csv"), columns())
    first = cli("fit", "trip.csv", "--formula", formula, *more, "--dry-run").out
    tries = [line.split("Try: ")[1] for line in first.splitlines() if "Try: " in line]
    assert len(tries) == 1, first
    option = shlex.split(tries[0])
    given = [] if option[0] == "--formula" else ["--formula", formula]
    kept = [] if option[0] == "--family" else more
    after = cli("fit", "trip.csv", *given, *kept, *option, "--dry-run")
    assert after.code == 0, after.err
    note = next(line for line in first.splitlines() if line.startswith("Note"))
    assert note not in after.out
    assert kind in ("separation", "carrying-row") or "Note  " not in after.out
