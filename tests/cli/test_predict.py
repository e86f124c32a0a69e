"""`hierfit predict` on a run made without a sampler: against sums over its draws, and what it says of what is wrong."""

import csv
import gzip
import io
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hierfit import asked
from hierfit.cli.app import main
from hierfit.cli.page import Page
from hierfit.runs.finished import open_fit
from hierfit.runs.prediction import Groups, PredictionRequest
from tests.cli.conftest import Cli, Outcome
from tests.fake_sampling import replace_sampler

NEW = 'school,ses,note\na,0.5,"x, y"\nb,-1e0,\n,1,z\nd,2,\n'
PREDICTED = ["expected", "expected_lower", "expected_upper", "outcome_lower", "outcome_upper"]


def read(done: Outcome) -> list[dict[str, str]]:
    assert done.code in (0, 1), done.err
    return list(csv.DictReader(io.StringIO(done.out)))


def _number(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell


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


def test_python_gets_a_frame_of_what_is_written(fitted: Path, cli: Cli, folder: Path) -> None:
    (folder / "new.csv").write_text(NEW)
    cli("predict", fitted, "new.csv", "--out", "own.csv", "--exit-zero")
    prediction = asked.predict(fitted, folder / "new.csv")
    frame = prediction.frame()
    wanted = pd.read_csv(folder / "own.csv", keep_default_na=False, na_values={name: [""] for name in PREDICTED})
    assert list(frame.columns) == list(wanted.columns)
    assert frame["note"].tolist() == wanted["note"].tolist()
    for name in ("ses", *PREDICTED):
        np.testing.assert_allclose(frame[name].to_numpy(float), wanted[name].to_numpy(float), rtol=1e-12)
    assert prediction.n_rows == 4 and prediction.n_complete == 3 and prediction.missing == {"school": 1}
    assert len(asked.predict(fitted, request=PredictionRequest(groups=Groups.NONE)).frame()) == 32


def test_parquet_holds_the_same_and_without_its_package_is_refused(
    fitted: Path, cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "new.csv").write_text(NEW)
    cli("predict", fitted, "new.csv", "--out", "own.csv", "--draws", "d.csv", "--exit-zero")
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        pass
    else:
        cli("predict", fitted, "new.csv", "--out", "own.parquet", "--draws", "d.parquet", "--exit-zero")
        for name in ("own", "d"):
            plain, packed = pd.read_csv(folder / f"{name}.csv"), pd.read_parquet(folder / f"{name}.parquet")
            for column in set(plain.columns) - {"note", "school"}:
                np.testing.assert_allclose(packed[column], plain[column])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for option in ("--out", "--draws"):
        done = cli("predict", fitted, "new.csv", option, "x.parquet")
        assert done.code == 2 and "pyarrow, which is not installed" in done.err and f"{option} x.csv" in done.err


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


def test_new_groups_get_what_is_said(fitted: Path, cli: Cli, folder: Path) -> None:
    (folder / "new.csv").write_text("school,ses\na,1\nnew,1\nnewer,1\nnew,1\n")
    drawn = cli("predict", fitted, "new.csv", "--new-groups", "draw", "--format", "csv", "--exit-zero")
    average = cli("predict", fitted, "new.csv", "--new-groups", "average", "--format", "csv", "--exit-zero")
    none = cli("predict", fitted, "new.csv", "--groups", "none", "--format", "csv", "--exit-zero")
    assert "3 rows of 2 schools that the fit had not: their effects are drawn" in drawn.err
    assert "their effects are 0" in average.err and none.err == ""
    fit = open_fit(fitted)
    population = (fit.draws.of("Intercept") + fit.draws.of("ses")).ravel()
    rows, of_average, of_none = read(drawn), read(average), read(none)
    for row in (*of_average[1:], *of_none):
        assert float(row["expected"]) == pytest.approx(population.mean())
        assert float(row["expected_lower"]) == pytest.approx(np.quantile(population, 0.025))
    assert (
        float(rows[0]["expected"]) == float(of_average[0]["expected"]) == pytest.approx(of_row(fitted, "a", 1).mean())
    )
    assert [rows[1][name] for name in PREDICTED[:3]] == [rows[3][name] for name in PREDICTED[:3]]
    sds, cor = (fit.draws.of(name).ravel() for name in ("sd(school)", "sd(school: ses)")), "cor(school: Intercept, ses)"
    one, other = sds
    variance = np.mean(one**2 + other**2 + 2 * fit.draws.of(cor).ravel() * one * other)
    for row in rows[1:3]:
        width = float(row["expected_upper"]) - float(row["expected_lower"])
        # 1,000 draws of about a normal distribution: 3.9 sds, to some percent
        assert width / 3.92 == pytest.approx(np.sqrt(variance + population.var()), rel=0.15)
    assert rows[1]["expected"] != rows[2]["expected"]


def test_without_groups_their_columns_are_not_needed(fitted: Path, cli: Cli, folder: Path) -> None:
    (folder / "new.csv").write_text("ses\n1\n")
    assert "no column 'school'" in cli("predict", fitted, "new.csv").err
    (row,) = read(cli("predict", fitted, "new.csv", "--groups", "none", "--format", "csv", "--exit-zero"))
    assert row["ses"] == "1" and row["expected"]


def test_seed_and_probability_are_those_that_are_asked_for(fitted: Path, cli: Cli, folder: Path) -> None:
    (folder / "new.csv").write_text("school,ses\na,1\n")

    def row(*arguments: str) -> dict[str, float]:
        (found,) = read(cli("predict", fitted, "new.csv", "--format", "csv", "--exit-zero", *arguments))
        return {name: float(found[name]) for name in PREDICTED}

    usual, again, other, wide = row(), row("--seed", "1"), row("--seed", "2"), row("--ci", "0.99")
    assert usual == again
    assert usual["expected_lower"] == other["expected_lower"] and usual["outcome_lower"] != other["outcome_lower"]
    assert wide["expected_lower"] < usual["expected_lower"] and wide["outcome_upper"] > usual["outcome_upper"]
    values = of_row(fitted, "a", 1)
    assert wide["expected_upper"] == pytest.approx(np.quantile(values, 0.995))


def test_how_many_rows_are_read_at_a_time_does_not_matter(
    fitted: Path, cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"{('a', 'b', f'n{i // 7}')[i % 3]},{'' if i % 11 == 5 else i / 100},{i}" for i in range(150)]
    rows[-1], rows[-2] = "a,,x", "b,,y"
    (folder / "new.csv").write_text("school,ses,note\n" + "\n".join(rows) + "\n")
    command = ["predict", fitted, "new.csv", "--new-groups", "draw", "--exit-zero"]
    whole = cli(*command, "--format", "csv", "--draws", "whole.csv")
    for name in ("FIRST", "BLOCK"):
        monkeypatch.setattr(f"hierfit.runs.prediction.{name}", 64)
    assert cli(*command, "--format", "csv", "--draws", "parts.csv").out == whole.out
    assert (folder / "parts.csv").read_bytes() == (folder / "whole.csv").read_bytes()
    read_back = read(whole)
    assert [row["note"] for row in read_back] == [row.split(",")[2] for row in rows]
    assert [row["expected"] == "" for row in read_back] == [row.split(",")[1] == "" for row in rows]


def test_a_table_on_a_terminal_is_cut_and_says_where_the_rest_is(
    fitted: Path, cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"a,{i},{'long text ' * 20}\n" for i in range(100))
    (folder / "new.csv").write_text("school,ses,note\n" + rows)
    whole = cli("predict", fitted, "new.csv", "--exit-zero").out.splitlines()
    assert len(whole) == 1 + 1 + 100
    monkeypatch.setattr("hierfit.cli.app.page_of", lambda stream: Page(80, terminal=True))
    cut = cli("predict", fitted, "new.csv", "--exit-zero").out.splitlines()
    assert max(map(len, cut)) <= 80
    assert len(cut) == 1 + 1 + 20 + 2
    intervals = [line.rstrip()[-30:] for line in cut[2:22]]
    assert intervals == [line.rstrip()[-30:] for line in whole[2:22]] and all(" to " in line for line in intervals)
    assert cut[-1] == "... 80 more rows: --out FILE, or --format csv"
    assert "not shown" in cut[-2]


def test_files_are_read_as_those_of_a_fit_are(fitted: Path, cli: Cli, folder: Path) -> None:
    (folder / "new.csv").write_text("school,ses,note\na,0.5,e\nb,1.5,é\n")
    wanted = read(cli("predict", fitted, "new.csv", "--format", "csv", "--exit-zero"))
    texts = {
        "semicolons.csv": "school;ses;note\na;0,5;e\nb;1,5;é\n".encode("latin-1"),
        "lines.csv": 'school,note,ses,more\r\na,"e",0.5\r\n\r\nb,"é",1.5,\r\n'.encode(),
        "mark.csv.gz": gzip.compress("\ufeffschool,ses,note\na,0.5,e\nb,1.5,é\n".encode()),
    }
    for name, content in texts.items():
        (folder / name).write_bytes(content)
        found = read(cli("predict", fitted, name, "--format", "csv", "--exit-zero"))
        assert [[row[column] for column in ("note", *PREDICTED)] for row in found] == [
            [row[column] for column in ("note", *PREDICTED)] for row in wanted
        ]


MODELS: dict[str, tuple[list[str], str]] = {
    "trials": (
        ["--y", "won", "--x", "ses", "--group", "school", "--family", "binomial", "--trials", "played"],
        "school,ses,played\na,1,7\nb,0,20\n",
    ),
    "exposure": (
        ["--y", "won", "--x", "ses", "--group", "school", "--family", "poisson", "--exposure", "played"],
        "school,ses,played\na,1,7\nb,0,20\n",
    ),
    "offset": (
        ["--formula", "won ~ ses + offset(log(played)) + (1 | school)", "--family", "poisson"],
        "school,ses,played\na,1,7\nb,0,20\n",
    ),
    "precision": (
        ["--y", "score", "--x", "ses", "--group", "school", "--precision-weights", "played"],
        "school,ses,played\na,1,7\nb,0,20\n",
    ),
    "binary": (
        ["--y", "passed", "--x", "arm", "--group", "school", "--family", "bernoulli"],
        "school,arm\na,trt\nb,ctl\n",
    ),
    "ordered": (
        ["--formula", "rating ~ ses + (1 | school)", "--family", "cumulative", "--levels", "rating=bad,fair,good"],
        "school,ses\na,1\nb,0\n",
    ),
    "weights": (["--formula", "score ~ poly(ses, 2) * arm", "--weights", "played"], "ses,arm\n1,trt\n0.25,ctl\n"),
    "elsewhere": (
        ["--formula", "score ~ ses + (1 + won || school); sigma ~ arm"],
        "school,ses,won,arm\na,1,2,ctl\nb,0,1,trt\n",
    ),
    "nothing": (["--formula", "score ~ 1"], "id\n1\n\n2\n"),
}  # fmt: skip
PLAYED = ("trials", "exposure", "precision", "weights")
DATA = "won,played,score,rating,passed,ses,arm,school\n" + "".join(
    f"{i % 4},{4 + i % 3},{50 + 2 * i % 17 + 3 * (i % 4)}.5,{('bad', 'fair', 'good')[i * 7 % 3]},"
    f"{('no', 'yes')[i * 5 % 7 % 2]},{(7 * i % 11) / 4},{('ctl', 'trt')[i // 4 % 2]},{'abcd'[i % 4]}\n"
    for i in range(48)
)  # fmt: skip


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Return the name of a model and the folder of its run, `run` beside study.csv, made without a sampler."""
    place, name = tmp_path_factory.mktemp("model"), str(request.param)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(place)
        Path("study.csv").write_text(DATA)
        replace_sampler(monkeypatch)
        with pytest.raises(SystemExit) as left:
            options = ["--engine", "full", "--seed", "1", "--draws", "100", "--out", "run", "-q"]
            main(["fit", "study.csv", *MODELS[name][0], *options])
        assert left.value.code in (0, 1)
    return name, place / "run"


def test_models_predict_their_own_rows_alike_from_the_run_and_from_a_file(model: tuple[str, Path], cli: Cli) -> None:
    run, options = model[1], ["--format", "csv", "--exit-zero"]
    own = read(cli("predict", run, *options))
    other = read(cli("predict", run, run.parent / "study.csv", *options))
    assert len(own) == len(other) == 48
    predicted = [name for name in other[0] if name not in DATA.splitlines()[0].split(",")]
    assert predicted
    for column in predicted:
        for one, two in zip(own, other, strict=True):
            assert one[column] == two[column] or float(one[column]) == pytest.approx(float(two[column]), rel=1e-9)
    for column in DATA.splitlines()[0].split(","):
        if column in own[0]:
            one, two = ([_number(row[column]) for row in rows] for rows in (own, other))
            assert one == (two if isinstance(one[0], str) else pytest.approx(two, rel=1e-12))
    needed = MODELS[model[0]][1].splitlines()[0].split(",") if model[0] != "nothing" else []
    # the logarithm of a column is stored, and not the column
    assert set(needed) <= {*own[0], "played"} and ("played" in own[0]) == (model[0] in PLAYED)


def test_models_predict_other_rows(model: tuple[str, Path], cli: Cli, folder: Path) -> None:
    name, run = model
    (folder / "new.csv").write_text(MODELS[name][1])
    rows = read(cli("predict", run, "new.csv", "--format", "csv", "--exit-zero"))
    assert len(rows) == 2
    for row in rows:
        if name == "ordered":
            shares = [float(row[f"probability[{category}]"]) for category in ("bad", "fair", "good")]
            assert sum(shares) == pytest.approx(1)
            assert row["outcome_lower"] in ("bad", "fair", "good")
        else:
            assert float(row["expected_lower"]) <= float(row["expected"]) <= float(row["expected_upper"])
        if name == "binary":
            assert 0 < float(row["expected"]) < 1 and {row["outcome_lower"], row["outcome_upper"]} <= {"0", "1"}
        if name == "trials":
            assert float(row["expected_upper"]) < float(row["outcome_upper"]) + 1 <= float(row["played"]) + 1
    header, *_ = MODELS[name][1].splitlines()
    if "played" in header:
        (folder / "less.csv").write_text("school,ses\na,1\n")
        done = cli("predict", run, "less.csv")
        assert done.code == 2 and "no column 'played'" in done.err and "less.csv" in done.err
    shown = cli("predict", run, "new.csv", "--exit-zero").out
    assert ("probability of passed = yes" in shown) == (name == "binary")


def test_an_exposure_multiplies_what_is_expected(folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "study.csv").write_text(DATA)
    replace_sampler(monkeypatch)
    for name in ("exposure", "offset", "trials"):
        cli("fit", "study.csv", *MODELS[name][0], "--seed", "1", "--draws", "100", "--out", name)
        (folder / "new.csv").write_text("school,ses,played\na,1,5\na,1,50\n")
        one, ten = read(cli("predict", name, "new.csv", "--format", "csv", "--exit-zero"))
        assert float(ten["expected"]) == pytest.approx(10 * float(one["expected"]))
        assert float(ten["expected_upper"]) == pytest.approx(10 * float(one["expected_upper"]))
