"""`hierfit.fit` and `Run.rerun`: what a DataFrame is fitted as, where the run lives, what is said."""

import gc
import json
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hierfit
from hierfit import workflow
from hierfit.model.formula_text import parse_formula
from hierfit.model.request import FitRequest
from tests.api.conftest import FORMULA
from tests.cli.conftest import CSV
from tests.fake_sampling import fake_sampling, replace_sampler


def test_the_design_of_a_frame_is_that_of_its_csv(sampled: Path, frame: pd.DataFrame) -> None:
    from hierfit.data.source import FRAME

    data = frame.assign(when=pd.date_range("2026-01-01", periods=len(frame)), passed=frame["ses"] > 1, note=None)
    data.iloc[3, 0] = np.nan
    data.to_csv("data.csv", index=False)
    request = FitRequest(Path("data.csv"), parse_formula("score ~ ses * passed + (1 + ses | school) + (1 | when)"))
    one = workflow.prepare(request).design
    other = workflow.prepare(FitRequest(FRAME, request.formula), data).design
    for name in ("y", "X"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), strict=True)
    assert (one.coefficients, one.references) == (other.coefficients, other.references)
    for mine, theirs in zip(one.groups, other.groups, strict=True):
        assert mine.labels == theirs.labels
        np.testing.assert_array_equal(mine.codes, theirs.codes)
    np.testing.assert_array_equal(one.lines, other.lines + 2)


def test_a_frame_gives_the_run_of_its_csv(sampled: Path, frame: pd.DataFrame) -> None:
    Path("data.csv").write_text(CSV)
    one = hierfit.fit(frame, FORMULA, seed=3)
    other = hierfit.fit("data.csv", FORMULA, seed=3)
    pd.testing.assert_frame_equal(one.summary(), other.summary())
    pd.testing.assert_frame_equal(one.groups(), other.groups())
    assert one.manifest["data"]["path"] == "<DataFrame>" and one.manifest["data"]["rows"] == len(frame)
    flags = hierfit.fit(frame, y="score", x="ses", group="school", slope="ses", seed=3)
    pd.testing.assert_frame_equal(one.summary(), flags.summary())


@pytest.mark.parametrize("kind", ["dict", "to_pandas"])
def test_other_tables_are_frames(sampled: Path, frame: pd.DataFrame, kind: str) -> None:
    class Table:
        def to_pandas(self) -> pd.DataFrame:
            return frame

    data = Table() if kind == "to_pandas" else frame.to_dict("list")
    assert hierfit.fit(data, FORMULA, seed=1).manifest["data"]["rows"] == len(frame)


def test_categories_are_levels_in_their_order(sampled: Path, frame: pd.DataFrame) -> None:
    dose = pd.Categorical(["low", "high"] * 16, categories=["low", "mid", "high"])
    year = pd.Categorical([2, 1, 1, 2] * 8)
    run = hierfit.fit(frame.assign(dose=dose, year=year), "score ~ dose + year + (1 | school)", seed=1)
    assert list(run.summary().index[:4]) == ["Intercept", "Intercept_at_mean", "dose[high]", "year[2]"]
    again = run.rerun(levels={"dose": ["high", "low"]}, reference={"year": "2"})
    assert {"dose[low]", "year[1]"} <= set(again.summary().index)


def test_a_temporary_run_goes_with_its_object(sampled: Path, frame: pd.DataFrame) -> None:
    run = hierfit.fit(frame, FORMULA, seed=1)
    folder = run.folder
    assert folder.is_dir() and not list(sampled.iterdir())
    del run
    gc.collect()
    assert not folder.parent.exists()


def test_a_forked_process_leaves_it_alone(sampled: Path, frame: pd.DataFrame) -> None:
    run = hierfit.fit(frame, FORMULA, seed=1)
    folder = run.folder
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads
        child = os.fork()
    if child == 0:
        del run
        gc.collect()
        os._exit(0)
    os.waitpid(child, 0)
    assert folder.is_dir()


def test_a_fit_that_fails_leaves_nothing(sampled: Path, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    from hierfit.disk.scratch import scratch_home

    def broken(*_: object) -> object:
        raise hierfit.SamplerError("it stopped")

    replace_sampler(monkeypatch, broken)
    gc.collect()
    before = set(scratch_home().glob("run-*"))
    for bad in ("score ~ nothing", FORMULA):
        with pytest.raises(hierfit.HierfitError):
            hierfit.fit(frame, bad, seed=1)
        gc.collect()
    assert set(scratch_home().glob("run-*")) <= before


def test_a_named_folder_stays(sampled: Path, frame: pd.DataFrame) -> None:
    run = hierfit.fit(frame, FORMULA, seed=1, out="runs/a")
    assert run.folder == Path("runs/a")
    del run
    gc.collect()
    assert hierfit.load("runs/a").seed == 1
    with pytest.raises(hierfit.RunFolderError, match="already holds a run") as caught:
        hierfit.fit(frame, FORMULA, seed=1, out="runs/a")
    assert caught.value.hint == "choose another out=, or replace it with overwrite=True"
    assert caught.value.__notes__ == [f"Try: {caught.value.hint}"]
    assert hierfit.fit(frame, FORMULA, seed=2, out="runs/a", overwrite=True).seed == 2


def test_save_moves_a_run_to_a_folder(sampled: Path, frame: pd.DataFrame) -> None:
    run = hierfit.fit(frame, FORMULA, seed=1)
    before, table = run.folder, run.summary()
    assert run.save("kept") is run and run.folder == Path("kept")
    gc.collect()
    assert not before.exists()
    names = set(json.loads(Path("kept/run.json").read_text())["files"]) | {"run.json"}
    assert {path.name for path in Path("kept").iterdir() if path.is_file()} == names
    pd.testing.assert_frame_equal(hierfit.load("kept").summary(), table)
    with pytest.raises(hierfit.RunFolderError, match="in kept already"):
        run.save("kept", overwrite=True)
    Path("other").mkdir()
    Path("other/mine.txt").touch()
    with pytest.raises(hierfit.RunFolderError, match="not a hierfit run"):
        run.save("other", overwrite=True)


def test_a_run_is_repeated_with_changes(sampled: Path, frame: pd.DataFrame) -> None:
    run = hierfit.fit(frame, FORMULA, seed=5, priors=["ses ~ normal(0, 1)"])
    again = run.rerun(draws=500)
    assert again.folder != run.folder
    assert (again.seed, again.manifest["draws_per_chain"]) == (5, 500)
    assert again.manifest["request"]["priors"] == ["ses ~ normal(0, 1)"]
    assert run.rerun(formula="score ~ ses + (1 | school)").formula == "score ~ 1 + ses + (1 | school)"
    run.save("kept")
    loaded = hierfit.load("kept")
    with pytest.raises(hierfit.UsageError, match="fitted to a DataFrame") as caught:
        loaded.rerun(seed=2)
    assert caught.value.hint == "in Python: hierfit.load('kept').rerun(frame); or name a CSV file with its rows"
    assert loaded.rerun(frame, seed=2).seed == 2


def test_failed_checks_are_a_warning_where_fit_was_called(
    sampled: Path, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(data: object, options: object) -> object:
        found = fake_sampling(data, options)  # type: ignore[arg-type]
        found.variables["aux"][0] += 50
        return found

    replace_sampler(monkeypatch, stuck)
    with pytest.warns(hierfit.ChecksFailedWarning, match=r"the checks of score ~ .* FAILED \(rhat") as caught:
        run = hierfit.fit(frame, FORMULA, seed=1, out="bad", draws=250)
    assert not run.ok and run.checks.status == "fail" and run.checks.tries
    assert caught[0].filename == __file__
    with pytest.warns(hierfit.ChecksFailedWarning, match="the checks of bad FAILED") as caught:
        hierfit.load("bad")
    assert caught[0].filename == __file__


def test_a_fit_says_nothing_unless_asked(
    sampled: Path, frame: pd.DataFrame, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    hierfit.fit(frame, FORMULA, seed=1)
    hierfit.fit(frame, FORMULA, seed=1, progress=True)  # no terminal
    assert capfd.readouterr() == ("", "")
    assert [each for each in recwarn if issubclass(each.category, hierfit.ChecksFailedWarning)] == []


@pytest.mark.parametrize(
    ("data", "keywords", "kind", "said"),
    [
        (None, {}, hierfit.UsageError, "what is to be fitted is not said."),
        ([1, 2], {"formula": FORMULA}, hierfit.UsageError, "data are a DataFrame or the path of a CSV file, not list."),
        ("none.csv", {"formula": FORMULA}, hierfit.DataError, "there is no file none.csv."),
        (None, {"formula": FORMULA, "x": "ses"}, hierfit.UsageError, "formula= says it all; x= cannot be given beside"),
        (None, {"formula": "score ~ sex"}, hierfit.DataError, "no column 'sex' in <DataFrame>. Did you mean 'ses'?"),
        (
            None,
            {"formula": FORMULA, "family": "beta"},
            hierfit.DataError,
            "column 'score' of <DataFrame> holds 50.5 on row 0",
        ),
        (None, {"formula": FORMULA, "priors": "sex ~ normal(0, 1)"}, hierfit.PriorError, "sex"),
    ],
)
def test_errors_speak_of_frames_and_keywords(
    sampled: Path, frame: pd.DataFrame, data: object, keywords: dict[str, str], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind) as caught:
        hierfit.fit(frame if data is None else data, **keywords)  # type: ignore[arg-type]
    assert said in str(caught.value) and "--" not in str(caught.value)
