"""`hierfit compare` on runs with made-up draws: every format, the file of rows, and what it refuses."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from hierfit.posterior.log_likelihood import LogLikelihood
from hierfit.runs.finished import open_fit
from tests.cli.conftest import CSV, FIT, Cli
from tests.fake_sampling import replace_sampler

Runs = tuple[Path, Path]


@pytest.fixture
def runs(run: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Two runs on the same rows: with slopes of ses, and without."""
    replace_sampler(monkeypatch)
    assert cli(*FIT, "--seed", "2", "--draws", "250", "--out", "plain").code == 0
    return run, Path("plain")


def another(cli: Cli, text: str, *arguments: str) -> str:
    """Fit another file, or in another way, into `other`; return that name."""
    Path("other.csv").write_text(text)
    done = cli(*[word.replace("data.csv", "other.csv") for word in FIT], "--draws", "250", "--out", "other", *arguments)
    assert done.code == 0, done.err
    return "other"


def test_two_runs_in_every_format(runs: Runs, cli: Cli) -> None:
    done = cli("compare", *runs)
    assert (done.code, done.err) == (0, "")
    assert "each of 32 rows of data.csv when" in done.out and "score ~ 1 + ses + (1 | school)  (gaussian)" in done.out
    assert max(map(len, done.out.splitlines())) <= 96
    document = json.loads(cli("compare", *runs, "--format", "json").out)
    assert (document["outcome"], document["rows"]) == ("score", 32) and document["verdict"] in " ".join(
        done.out.split()
    )
    best, other = document["runs"]
    assert best["difference"] == 0 and other["difference"] == pytest.approx(other["elpd"] - best["elpd"])
    assert best["weight"] + other["weight"] == pytest.approx(1)
    read = list(csv.DictReader(io.StringIO(cli("compare", *runs, "--format", "csv").out)))
    assert [row["run"] for row in read] == [best["run"], other["run"]]
    assert float(read[1]["elpd"]) == pytest.approx(other["elpd"])
    assert f"| {best['run']} " in cli("compare", *runs, "--format", "md").out
    backwards = json.loads(cli("compare", *reversed(runs), "--format", "json").out)
    assert [entry["elpd"] for entry in backwards["runs"]] == [best["elpd"], other["elpd"]]


@pytest.mark.parametrize("width", [50, 60, 80])
def test_the_table_fits_the_page(runs: Runs, cli: Cli, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    Path("plain").rename("a-run-whose-folder-has-a-name-of-some-length")
    monkeypatch.setenv("COLUMNS", str(width))
    done = cli("compare", "run", "a-run-whose-folder-has-a-name-of-some-length")
    assert max(map(len, done.out.splitlines())) <= width
    assert "difference" in done.out and "k > 0.67" in done.out


def test_intervals_of_differences(runs: Runs, cli: Cli) -> None:
    assert "interval" not in cli("compare", *runs).out
    document = json.loads(cli("compare", *runs, "--ci", "0.8", "--format", "json").out)
    best, other = document["runs"]
    assert document["ci"] == 0.8 and best["lower"] is None and other["lower"] < other["difference"] < other["upper"]
    done = cli("compare", *runs, "--ci", "0.8")
    assert "80% interval" in done.out and f"{other['lower']:,.1f} to {other['upper']:,.1f}" in done.out
    read = list(csv.DictReader(io.StringIO(cli("compare", *runs, "--ci", "0.8", "--format", "csv").out)))
    assert float(read[1]["upper"]) == pytest.approx(other["upper"]) and read[0]["upper"] == ""


def test_one_run_alone(run: Path, cli: Cli) -> None:
    done = cli("compare", run)
    assert done.code == 0 and "difference" not in done.out and "weight" not in done.out
    found = json.loads(cli("compare", run, "--format", "json").out)
    assert found["verdict"] == "" and len(found["runs"]) == 1


def test_rows_in_a_file(runs: Runs, run: Path, cli: Cli) -> None:
    done = cli("compare", *runs, "--pointwise", "rows.csv")
    assert "Saved    rows.csv" in done.err
    read = list(csv.DictReader(io.StringIO(Path("rows.csv").read_text())))
    assert len(read) == 64 and list(read[0]) == ["run", "line", "school", "elpd", "p_loo", "pareto_k"]
    own = [row for row in read if row["run"] == "run"]
    data = list(csv.DictReader(io.StringIO(CSV)))
    assert [int(row["line"]) for row in own] == list(range(2, 34))
    assert [row["school"] for row in own] == [row["school"] for row in data]
    total = next(
        each for each in json.loads(cli("compare", *runs, "--format", "json").out)["runs"] if each["run"] == "run"
    )
    assert sum(float(row["elpd"]) for row in own) == pytest.approx(total["elpd"])
    opened = open_fit(Path("run"))
    seen = LogLikelihood(opened.draws, opened.design).of(np.arange(32))
    in_sample = np.log(np.exp(seen).mean(axis=0)).sum()
    assert total["p_loo"] == pytest.approx(in_sample - total["elpd"])
    again = cli("compare", *runs, "--pointwise", "rows.csv")
    assert (again.code, again.out) == (2, "") and "rows.csv exists already" in again.err
    assert cli("compare", *runs, "--pointwise", "quiet.csv", "-q").err == ""
    assert cli("compare", run, "--pointwise", "rows.csv", "--overwrite").code == 0
    assert len(Path("rows.csv").read_text().splitlines()) == 33


def test_groups_are_left_out_whole(runs: Runs, cli: Cli) -> None:
    done = cli("compare", *runs, "--by", "school", "--pointwise", "schools.csv")
    assert done.code == 0 and "each of 4 schools of data.csv (32 rows)" in done.out and "schools" in done.out
    read = list(csv.DictReader(io.StringIO(Path("schools.csv").read_text())))
    assert list(read[0]) == ["run", "school", "rows", "elpd", "p_loo", "pareto_k"]
    assert [(row["school"], row["rows"]) for row in read if row["run"] == "run"] == [(s, "8") for s in "abcd"]
    document = json.loads(cli("compare", *runs, "--by", "school", "--format", "json").out)
    assert document["left_out"] == "school"
    for entry in document["runs"]:
        own = [float(row["elpd"]) for row in read if row["run"] == entry["run"]]
        assert sum(own) == pytest.approx(entry["elpd"])
        assert all(place["group"] in "abcd" for place in entry["worst"])
    done = cli("compare", *runs, "--by", "schol")
    assert done.code == 2 and "no run has groups of that name. Did you mean 'school'?" in done.err


def test_groups_that_are_called_otherwise_are_refused(run: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_sampler(monkeypatch)
    other = another(cli, CSV.replace(",c\n", ",z\n"))
    done = cli("compare", run, other, "--by", "school")
    assert done.code == 2 and "on line 4 of data.csv school is 'c' for run; it is 'z' for other" in done.err
    assert cli("compare", run, other).code == 0


def test_runs_on_other_rows_are_refused(run: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_sampler(monkeypatch)
    lines = CSV.splitlines()
    lines[6] = lines[6].replace(lines[6].split(",")[1], "", 1)
    done = cli("compare", run, another(cli, "\n".join(lines)))
    assert done.code == 2 and "line 7 of data.csv is one of run and not of other" in done.err


def test_runs_on_another_outcome_are_refused(run: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_sampler(monkeypatch)
    lines = CSV.splitlines()
    value = lines[6].split(",")[0]
    lines[6] = lines[6].replace(value, "77", 1)
    done = cli("compare", run, another(cli, "\n".join(lines)))
    assert done.code == 2
    assert f"on line 7 of data.csv score is {value} for run; score is 77 for other, line 7 of other.csv" in done.err


def test_a_run_of_the_priors_alone_is_refused(run: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_sampler(monkeypatch)
    done = cli("compare", run, another(cli, CSV, "--prior-only"))
    assert done.code == 2 and "other was drawn from the priors alone" in done.err


def test_a_run_with_few_draws_is_refused(run: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_sampler(monkeypatch)
    Path("other.csv").write_text(CSV)
    cli("fit", "other.csv", "--y", "score", "--x", "ses", "--draws", "20", "--out", "other", "--exit-zero")
    done = cli("compare", run, "other")
    assert done.code == 2 and "other has 80 draws" in done.err and "hierfit extend other" in done.err


def test_a_run_whose_checks_failed_is_named(runs: Runs, cli: Cli) -> None:
    import dataclasses

    from hierfit.posterior.verdict import Level
    from hierfit.runs import compared

    def failed(path: Path) -> object:
        stored = load(path)
        if path.name != "plain":
            return stored
        return dataclasses.replace(stored, diagnosis=dataclasses.replace(stored.diagnosis, status=Level.FAIL))

    load = compared.load_summary
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(compared, "load_summary", failed)
        done, still = cli("compare", *runs), cli("compare", *runs, "--exit-zero")
    assert (done.code, still.code) == (1, 0) and done.out == still.out
    assert "plain: FAILED" in done.err and "hierfit summarize plain" in done.err and "run: FAILED" not in done.err


def test_rows_that_lean_on_the_fit_are_named(run: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from hierfit.posterior.compare import left_out

    smoothed = left_out.smoothed

    def doubtful(log_ratios, efficiency):  # type: ignore[no-untyped-def]
        k = np.full(32, 0.1)
        k[[1, 4, 5, 6, 7, 8]] = [0.9, 1.2, 0.8, 0.75, 0.72, 0.71]
        return smoothed(log_ratios, efficiency)[0], k

    monkeypatch.setattr(left_out, "smoothed", doubtful)
    monkeypatch.setattr("hierfit.posterior.compare.parts.HARMLESS_K", 2.0)  # nothing is done again
    done = cli("compare", run)
    said = " ".join(done.out.split())
    assert "k of run: line 6 (school a): 1.20; line 3 (school b): 0.90" in said
    assert "1 more: --pointwise FILE" in said
    document = json.loads(cli("compare", run, "--format", "json").out)["runs"][0]
    assert document["k_above_threshold"] == 6 and [row["line"] for row in document["worst"]][:2] == [6, 3]


def test_what_is_no_run_is_said(run: Path, cli: Cli) -> None:
    done = cli("compare", run, "nowhere")
    assert done.code == 2 and "there is no folder 'nowhere'" in done.err
    done = cli("compare")
    assert done.code == 2 and "hierfit compare" in done.err


def test_folds_in_every_format(runs: Runs, cli: Cli) -> None:
    done = cli("compare", *runs, "--folds", "4", "--pointwise", "rows.csv")
    assert done.code == 0, done.err
    said = " ".join(done.out.split())
    assert "without the fold that holds that row (4-fold cross-validation)" in said
    assert "p_kfold" in said and "Checks of 8 fits without a fold" in said and "Pareto" not in said
    assert "Fitting  run, plain again 4 times, each time without one of 4 folds of the rows" in done.err
    assert max(map(len, done.out.splitlines())) <= 96
    document = json.loads(cli("compare", *runs, "--folds", "4", "--format", "json").out)
    best = document["runs"][0]
    assert best["folds"] == 4 and [fit["without"] for fit in best["refits"]] == [f"fold {k}" for k in range(1, 5)]
    assert "k_threshold" not in best and best["p_kfold"] > 0
    read = list(csv.DictReader(io.StringIO(Path("rows.csv").read_text())))
    assert list(read[0]) == ["run", "line", "school", "elpd", "p_kfold", "fold"]
    folds = [[row["fold"] for row in read if row["run"] == name] for name in ("run", "plain")]
    assert folds[0] == folds[1] and sorted(folds[0]) == sorted("1234" * 8)
    assert sum(float(row["elpd"]) for row in read if row["run"] == best["run"]) == pytest.approx(best["elpd"])
    assert "| p_kfold |" in cli("compare", *runs, "--folds", "4", "--format", "md").out
    assert json.loads(cli("compare", *runs, "--folds", "4", "--format", "json", "-q").out) == document  # the same seeds
    other = json.loads(cli("compare", *runs, "--folds", "4", "--seed", "2", "--format", "json").out)
    assert other["runs"][0]["elpd"] != best["elpd"]


def test_folds_of_groups(runs: Runs, cli: Cli) -> None:
    done = cli("compare", *runs, "--folds", "2", "--by", "school", "--pointwise", "schools.csv")
    assert done.code == 0 and "without the fold that holds that school" in " ".join(done.out.split())
    assert "folds of the schools" in done.err
    read = list(csv.DictReader(io.StringIO(Path("schools.csv").read_text())))
    assert list(read[0]) == ["run", "school", "rows", "elpd", "p_kfold", "fold"] and len(read) == 8
    assert sorted(row["fold"] for row in read) == list("11112222")


def test_folds_that_cannot_be_are_refused(runs: Runs, cli: Cli) -> None:
    for words, said, hint in (
        (["--folds", "33"], "--folds 33: there are 32 rows", "--folds 2 to 32"),
        (["--folds", "5", "--by", "school"], "--folds 5: there are 4 schools", "--folds 2 to 4"),
        (["--folds", "4", "--refit"], "--refit is about", "leave one"),
        (["--seed", "4"], "--seed is about folds", "add --folds 10"),
    ):
        done = cli("compare", *runs, *words)
        assert done.code == 2 and said in done.err and hint in done.err and done.out == ""
    assert cli("compare", *runs, "--folds", "1").code == 2


@pytest.fixture
def two_doubtful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines 3 and 6 of every run have too high a k."""
    from hierfit.posterior.compare import left_out

    smoothed = left_out.smoothed

    def doubtful(log_ratios, efficiency):  # type: ignore[no-untyped-def]
        k = np.full(len(log_ratios), 0.1)
        k[[1, 4]] = [0.9, 1.2] if len(log_ratios) == 32 else [0.1, 0.1]
        return smoothed(log_ratios, efficiency)[0], k

    monkeypatch.setattr(left_out, "smoothed", doubtful)
    monkeypatch.setattr("hierfit.posterior.compare.parts.HARMLESS_K", 2.0)


def test_rows_that_cannot_be_left_out_are_fitted_without(runs: Runs, cli: Cli, two_doubtful: None) -> None:
    before = cli("compare", *runs, "--pointwise", "before.csv")
    assert "Add --refit: 4 fits, each without one of them" in " ".join(before.out.split())
    done = cli("compare", *runs, "--refit", "--pointwise", "after.csv")
    assert done.code == 0 and "Fitting  run again without each of 2 rows whose k is too high" in done.err
    assert "Checks of 4 fits without what was above it" in " ".join(done.out.split()) and "k of run" not in done.out
    one, other = (list(csv.DictReader(io.StringIO(Path(f"{name}.csv").read_text()))) for name in ("before", "after"))
    changed = [row["line"] for row, new in zip(one, other, strict=True) if row["elpd"] != new["elpd"]]
    assert changed == ["3", "6", "3", "6"]
    for row, new in zip(one, other, strict=True):
        assert float(row["elpd"]) + float(row["p_loo"]) == pytest.approx(float(new["elpd"]) + float(new["p_loo"]))
        assert (new["pareto_k"] == "") == (row["line"] in ("3", "6"))
    document = json.loads(cli("compare", *runs, "--refit", "--format", "json").out)["runs"][0]
    assert document["k_above_threshold"] == 0
    assert {fit["without"] for fit in document["refits"]} == {"line 3 (school b)", "line 6 (school a)"}


def test_nothing_to_fit_again(runs: Runs, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from hierfit.posterior.compare import left_out

    smoothed = left_out.smoothed
    monkeypatch.setattr(left_out, "smoothed", lambda *given: (smoothed(*given)[0], np.full(len(given[0]), 0.1)))
    done, plain = cli("compare", *runs, "--refit"), cli("compare", *runs)
    assert (done.code, done.err, done.out) == (0, "", plain.out)


def test_fits_that_fail_their_checks_are_named(runs: Runs, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    from hierfit.posterior.verdict import Finding, Level
    from hierfit.runs import refits

    diagnose = refits.diagnose
    finding = Finding("rhat", Level.FAIL, "1.17", "< 1.01", ("sigma",), "chains disagree")

    def failing(draws, design, spec, **known):  # type: ignore[no-untyped-def]
        found = diagnose(draws, design, spec, **known)
        bad = design.weights[0] == 0  # the fold with the first row
        return dataclasses.replace(found, status=Level.FAIL if bad else Level.OK, findings=(finding,) if bad else ())

    monkeypatch.setattr(refits, "diagnose", failing)
    done = cli("compare", *runs, "--folds", "4")
    assert done.code == 1 and "Checks of 8 fits without a fold: 2 failed." in " ".join(done.out.split())
    assert done.err.count("FAILED; rhat 1.17 (sigma)") == 2 and "Checks   run without fold" in done.err
    assert cli("compare", *runs, "--folds", "4", "--exit-zero").code == 0


def test_a_level_that_only_a_fold_has_is_said(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_sampler(monkeypatch)
    lines = [f"{line},{'rare' if at == 5 else 'ab'[at % 2]}" for at, line in enumerate(CSV.splitlines())]
    lines[0] = lines[0].replace(",b", ",kind").replace(",a", ",kind")
    Path("kinds.csv").write_text("\n".join(lines))
    words = ["fit", "kinds.csv", "--y", "score", "--x", "kind", "--group", "school", "--draws", "250", "--exit-zero"]
    assert cli(*words, "--out", "kinds").code == 0
    done = cli("compare", "kinds", "--folds", "4")
    assert done.code == 0, done.err
    assert "has all rows that say something of kind[rare]: without them there is the prior." in " ".join(
        done.out.split()
    )
    assert cli(*words, "--prior", "kind[rare] ~ flat()", "--out", "flat").code == 0
    done = cli("compare", "flat", "--folds", "4")
    assert done.code == 2 and "no row says anything of kind[rare]" in done.err and "--prior" in done.err
