"""`hierfit effects` on a run made without a sampler."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from hierfit.runs.finished import open_fit
from tests.cli.conftest import Cli


def slopes(run: Path) -> np.ndarray:
    """Return what a unit of ses does in each row, with the effects of its school, under every draw [S, N]."""
    fit = open_fit(run)
    (group,) = fit.design.groups
    own = fit.draws.effects["school"][:, :, group.codes, 1]
    return (fit.draws.of("ses")[:, :, None] + own).reshape(-1, fit.design.n_rows)


def test_effects_of_all_predictors_as_a_table_and_for_programs(fitted: Path, cli: Cli) -> None:
    done = cli("effects", fitted, "--exit-zero")
    assert done.code == 0 and "ses: per unit" in done.out and "P(> 0)" in done.out
    assert done.out.startswith("Average effects on score, over the 32 rows of the data, with the effects of their own")
    values = slopes(fitted).mean(axis=1)
    (record,) = json.loads(cli("effects", fitted, "--format", "json", "--exit-zero").out)["effects"]
    wanted = [values.mean(), values.std(ddof=1), *np.quantile(values, (0.025, 0.975))]
    np.testing.assert_allclose([record[name] for name in ("mean", "sd", "lower", "upper")], wanted, rtol=1e-6)
    (row,) = csv.DictReader(io.StringIO(cli("effects", fitted, "--format", "csv", "--exit-zero").out))
    assert (row["of"], row["what"]) == ("ses", "per unit") and float(row["mean"]) == record["mean"]
    table = cli("effects", fitted, "--format", "md", "--ci", "0.5", "--exit-zero").out
    assert "| ses: per unit |" in table


def test_schools_one_by_one_and_values_that_are_held(fitted: Path, cli: Cli) -> None:
    by = list(
        csv.DictReader(io.StringIO(cli("effects", fitted, "--by", "school", "--format", "csv", "--exit-zero").out))
    )
    codes, labels = open_fit(fitted).design.groups[0].codes, open_fit(fitted).design.groups[0].labels
    assert [row["school"] for row in by] == list(labels)
    for level, row in enumerate(by):
        np.testing.assert_allclose(float(row["mean"]), slopes(fitted)[:, codes == level].mean(), rtol=1e-6)
    held = cli("effects", fitted, "--marginal", "--at", "ses=0, 1", "--groups", "none", "--exit-zero")
    assert "ses = 0" in held.out and "ses = 1" in held.out and "P(" not in held.out


def test_equal_weights_are_said_and_leave_groups_out(fitted: Path, cli: Cli) -> None:
    told = cli("effects", fitted, "--weights", "equal", "--exit-zero")
    assert "over the reference grid (ses at " in told.out and "its mean), as in an average" in told.out
    document = json.loads(cli("effects", fitted, "--weights", "equal", "--format", "json", "--exit-zero").out)
    assert (document["weights"], document["groups"]) == ("equal", "none")
    (effect,) = document["effects"]
    np.testing.assert_allclose(effect["mean"], open_fit(fitted).draws.of("ses").mean(), rtol=1e-6)
    plain = json.loads(cli("effects", fitted, "--format", "json", "--exit-zero").out)
    assert (plain["weights"], plain["groups"]) == ("proportional", "own")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--of", "sse"], "Did you mean 'ses'?"),
        (["--marginal"], "--marginal: averages of what?"),
        (["--marginal", "--step", "1"], "--step is a change"),
        (["--marginal", "--of", "ses", "--contrast", "pairwise"], "--contrast compares"),
        (["--step", "0"], "--step 0 changes nothing"),
        (["--weights", "equal", "--groups", "own"], "rows of the reference grid are in no group"),
        (["--weights", "equal", "--by", "school"], "--by school: with --weights equal"),
        (["--at", "ses"], "--at ses could not be read"),
        (["--at", "ses=1"], "no predictors that could move"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(fitted: Path, cli: Cli, arguments: list[str], said: str) -> None:
    done = cli("effects", fitted, *arguments)
    assert done.code == 2 and said in done.err and done.out == ""
