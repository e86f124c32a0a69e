"""What stands under Try, copied: every command of failed fits of many models is accepted."""

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierfit.sampling import SamplerOptions, Sampling
from tests.cli.conftest import Cli
from tests.fake_sampling import fake_sampling, replace_sampler

MODELS: dict[str, list[str]] = {
    "flags": ["--y", "score", "--x", "ses", "--slope", "dose", "--group", "school"],
    "words in slopes": ["--formula", "score ~ level + (level | school)"],
    "curves in slopes": ["--formula", "score ~ poly(dose, 2) + (poly(dose, 2) | school)"],
    "interactions": ["--formula", "score ~ dose * level + (dose * level | school)"],
    "two factors": ["--formula", "score ~ ses + (1 + ses | school) + (0 + dose | area)"],
    "nested": ["--formula", "score ~ ses + (ses | area/school)"],
    "quotes": ["--formula", "score ~ `it's odd` + (1 + `it's odd` | school)"],
    "sigma of levels": ["--formula", "score ~ ses + (1 | school); sigma ~ level"],
    "sigma of two": ["--formula", "score ~ ses + (1 | school)", "--sigma", "ses + dose"],
    "sigma of one": ["--y", "score", "--group", "school", "--sigma", "ses"],
    "horseshoe": ["--y", "score", "--x", "ses", "--x", "dose", "--group", "school", "--prior", "b ~ horseshoe(1)"],
    "separated": ["--y", "passed", "--x", "decides", "--group", "school", "--family", "bernoulli"],
    "ordered": ["--y", "grade", "--x", "ses", "--group", "school", "--family", "cumulative"],
    "per sd": ["--y", "score", "--slope", "dose", "--group", "school", "--standardize"],
    "set by the user": ["--y", "score", "--group", "school", "--warmup", "9", "--adapt-delta", "0.5"],
}


def write_data(path: Path) -> None:
    rng = np.random.default_rng(5)
    n = 120
    columns = {
        "score": rng.normal(size=n).round(3),
        "ses": rng.normal(size=n).round(3),
        "dose": rng.integers(0, 9, n) / 10,
        "it's odd": rng.normal(size=n).round(3),
        "level": np.array(["lo", "mid", "hi"])[rng.integers(0, 3, n)],
        "school": np.array([f"s{i}" for i in range(12)])[np.arange(n) % 12],
        "area": np.array(["north", "east", "south"])[np.arange(n) % 12 % 3],
        "decides": np.arange(n),
        "passed": (np.arange(n) > 50).astype(int),
        "grade": rng.integers(1, 5, n),
    }
    rows = zip(*columns.values(), strict=True)
    text = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(text) + "\n")


def failing(data: Any, options: SamplerOptions) -> Sampling:
    """Chains that disagree, and diverge."""
    sampling = fake_sampling(data, options)
    shift = 1 + np.arange(options.chains)[:, None]
    for name, values in sampling.variables.items():
        if name not in ("cor", "partial", "z", "threshold"):
            values *= shift.reshape(-1, *[1] * (values.ndim - 1)) / options.chains
    sampling.stats["diverging"][:, ::5] = True
    return sampling


@pytest.mark.parametrize("model", MODELS)
def test_every_command_under_try_is_accepted(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    write_data(folder / "rows.csv")
    replace_sampler(monkeypatch, failing)
    hard = ["--engine", "full", "--draws", "200", "--seed", "3"]
    outcome = cli("fit", "rows.csv", *MODELS[model], *hard, "--out", "my run")
    assert outcome.code == 1, outcome.err
    commands = [line.split(". ", 1)[1] for line in outcome.out.splitlines() if ". hierfit fit --from " in line]
    assert commands
    for command in commands:
        words = shlex.split(command)
        assert words[:4] == ["hierfit", "fit", "--from", "my run"]
        tried = cli(*words[1:], "--dry-run", "--out", "another")
        assert tried.code == 0, f"{command}\n{tried.err}"
