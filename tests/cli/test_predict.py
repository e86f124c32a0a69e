"""`hierfit predict` on a run made without a sampler: against sums over its draws, and what it says of what is wrong."""

import csv
import gzip
import io
import json
from pathlib import Path

import numpy as np
import pytest

from hierfit.runs.finished import open_fit
from tests.cli.conftest import Cli, Outcome

NEW = 'school,ses,note\na,0.5,"x, y"\nb,-1e0,\n,1,z\nd,2,\n'
PREDICTED = ["expected", "expected_lower", "expected_upper", "outcome_lower", "outcome_upper"]


def read(done: Outcome) -> list[dict[str, str]]:
    assert done.code in (0, 1), done.err
    return list(csv.DictReader(io.StringIO(done.out)))


def of_row(run: Path, school: str, ses: float) -> np.ndarray:
    """Return what is expected of a row under every draw, written out."""
    fit = open_fit(run)
    level = fit.design.groups[0].labels.index(school)
    intercepts, slopes = np.moveaxis(fit.draws.effects["school"][:, :, level], -1, 0)
    return (fit.draws.of("Intercept") + intercepts + (fit.draws.of("ses") + slopes) * ses).ravel()


def test_rows_of_a_file_have_what_the_draws_say(fitted: Path, cli: Cli, folder: Path) -> None:
    (folder / "new.csv").write_text(NEW)
    done = cli("predict", fitted, "new.csv", "--format", "csv", "--exit-zero")
    rows = read(done)
    assert list(rows[0]) == ["school", "ses", "note", *PREDICTED]
    assert [row["note"] for row in rows] == ["x, y", "", "z", ""] and rows[1]["ses"] == "-1e0"
    assert "1 of 4 rows lacks a value that the model needs (school in 1)" in done.err
    assert [rows[2][name] for name in PREDICTED] == [""] * 5
    for row in (rows[0], rows[1], rows[3]):
        values = of_row(fitted, row["school"], float(row["ses"]))
        wanted = [values.mean(), *np.quantile(values, (0.025, 0.975))]
        np.testing.assert_allclose([float(row[name]) for name in PREDICTED[:3]], wanted)
        sigma = open_fit(fitted).draws.of("sigma").ravel()
        spread = np.quantile(
            values + sigma * np.random.default_rng(1).normal(size=(2_000, len(values))), (0.025, 0.975)
        )
        # 1,000 draws: the standard error of such a quantile is sqrt(0.025 / 1,000) / 0.058, 0.086 sds; five of these
        error = 0.43 * np.hypot(values.std(), sigma.mean())
        assert np.all(np.abs([float(row["outcome_lower"]), float(row["outcome_upper"])] - spread) < error)


def test_the_rows_of_the_data_are_those_of_their_file(fitted: Path, cli: Cli, folder: Path) -> None:
    own = cli("predict", fitted, "--format", "csv", "--exit-zero")
    (folder / "again.csv").write_text((fitted.parent / "data.csv").read_text())
    other = read(cli("predict", fitted, "again.csv", "--format", "csv", "--exit-zero"))
    rows = read(own)
    assert len(rows) == len(other) == open_fit(fitted).design.n_rows
    for name in ("school", *PREDICTED):
        assert [row[name] for row in rows] == [row[name] for row in other]
    assert [float(row["score"]) for row in rows] == open_fit(fitted).design.y.tolist()


def test_what_is_written_to_a_file_is_what_is_shown(fitted: Path, cli: Cli, folder: Path) -> None:
    (folder / "new.csv").write_text(NEW)
    shown = cli("predict", fitted, "new.csv", "--format", "csv", "--exit-zero").out
    for name in ("own.csv", "own.csv.gz"):
        done = cli("predict", fitted, "new.csv", "--out", name, "--exit-zero")
        assert done.out == "" and f"Saved    {name}  4 rows" in done.err
        content = (folder / name).read_bytes()
        assert (gzip.decompress(content) if name.endswith("gz") else content).decode() == shown
    document = json.loads(cli("predict", fitted, "new.csv", "--format", "json", "--exit-zero").out)
    rows = list(csv.DictReader(io.StringIO(shown)))
    assert [record["ses"] for record in document] == [0.5, -1.0, 1.0, 2.0]
    assert document[2]["expected"] is None
    assert [record["expected"] for record in document if record["school"]] == [
        float(row["expected"]) for row in rows if row["school"]
    ]
    assert sorted(path.name for path in folder.iterdir()) == ["data.csv", "new.csv", "own.csv", "own.csv.gz"]


def test_draws_are_those_that_the_table_sums_up(fitted: Path, cli: Cli, folder: Path) -> None:
    (folder / "new.csv").write_text(NEW)
    table = read(cli("predict", fitted, "new.csv", "--draws", "d.csv", "--format", "csv", "--exit-zero"))
    draws = list(csv.DictReader((folder / "d.csv").open()))
    fit = open_fit(fitted)
    per_row = fit.draws.n_chains * fit.draws.n_draws
    assert [line["line"] for line in draws[::per_row]] == ["2", "3", "5"]
    for place, row in enumerate([table[0], table[1], table[3]]):
        own = draws[place * per_row : (place + 1) * per_row]
        at = [int(own[7]["chain"]) * fit.draws.n_draws + int(own[7]["draw"])]
        values = np.array([float(line["expected"]) for line in own])
        np.testing.assert_allclose(values, of_row(fitted, row["school"], float(row["ses"])))
        assert at == [7]
        outcome = np.array([float(line["outcome"]) for line in own])
        np.testing.assert_allclose(
            [float(row[name]) for name in PREDICTED[3:]], np.quantile(outcome, (0.025, 0.975)), rtol=1e-12
        )


def test_a_name_that_the_input_has_is_given_to_another_column(fitted: Path, cli: Cli, folder: Path) -> None:
    (folder / "new.csv").write_text("expected,school,ses,expected_2\n1,a,0,2\n")
    done = cli("predict", fitted, "new.csv", "--format", "csv", "--exit-zero")
    (row,) = read(done)
    assert list(row) == ["expected", "school", "ses", "expected_2", "expected_3", *PREDICTED[1:]]
    assert (row["expected"], row["expected_2"]) == ("1", "2")
    assert "expected is expected_3" in done.err


@pytest.mark.parametrize(
    ("text", "arguments", "message", "hint"),
    [
        ("school,ses\na,1\nzz,2\n", [], "'school', line 3: no row of the fit had the level 'zz'", "--new-groups"),
        ("school\na\n", [], "no column 'ses' in new.csv", "school"),
        ("school,ses\na,much\n", [], "column 'ses' of new.csv must hold numbers, but line 2 holds 'much'", ""),
        ("school,ses\na,1\n", ["--parameter", "shape"], "no such parameter", "mu, sigma"),
        ("school,ses\na,1\n", ["--out", "new.txt"], "does not say what kind of file", ".csv.gz"),
        ("school,ses\na,1\n", ["--out", "new.csv"], "new.csv exists already", "--overwrite"),
        ("school,ses\na,1\n", ["--draws", "no/d.csv"], "there is no folder no", ""),
        ("school,ses\na,1\n", ["--groups", "none", "--new-groups", "draw"], "says nothing", "leave"),
        ("school,ses\na,1\n", ["--out", "o.csv", "--format", "csv"], "--format is for the screen", "leave"),
    ],
)  # fmt: skip
def test_what_cannot_be_predicted_is_refused_before_anything_is_written(
    text: str, arguments: list[str], message: str, hint: str, fitted: Path, cli: Cli, folder: Path
) -> None:
    (folder / "new.csv").write_text(text)
    done = cli("predict", fitted, "new.csv", *arguments)
    assert done.code == 2 and done.out == ""
    assert message in done.err and hint in done.err
    assert sorted(path.name for path in folder.iterdir()) == ["data.csv", "new.csv"]
