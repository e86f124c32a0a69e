"""The pipeline as a Python program uses it, with a sampler that samples nothing."""

import csv
import hashlib
import importlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierfit import workflow
from hierfit.design.learnt_terms import LearntTerms, learnt_terms
from hierfit.design.reading import read_columns
from hierfit.disk.folder import claimed
from hierfit.disk.writing import write_text
from hierfit.engines.collapsed.engine import COLLAPSED
from hierfit.engines.full.engine import FULL
from hierfit.engines.rounds import Listener
from hierfit.errors import DataError, HierfitError, RunFolderError, UsageError
from hierfit.model.families import FAMILIES
from hierfit.model.formula import Formula, formula_from_flags
from hierfit.model.request import FitRequest
from hierfit.runs import finished, programs
from hierfit.runs.files import SCHEMA
from hierfit.runs.finished import Fit
from hierfit.runs.folder import open_whole
from hierfit.sampling import SamplerOptions
from hierfit.simulate.files import write_simulation
from hierfit.simulate.scenarios import find_scenario
from hierfit.simulate.simulate import simulate
from tests.disk import faults
from tests.fake_sampling import replace_sampler

FILES = {"run.json", "chains.npz", "trace.nc", "summary.csv", "summary.json", "groups.csv", "model.stan", "truth.json"}
FORMULA = formula_from_flags("score", ["ses"], "school", ["ses"])
Fitter = Callable[..., Fit]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    asked = replace(find_scenario("schools").simulation, levels={"school": 6}, rows=5, seed=3)
    write_simulation(simulate(asked), tmp_path / "sim")
    return tmp_path / "sim" / "data.csv"


@pytest.fixture
def fitted(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fitter:
    """Return a function that fits a formula to the simulated data and saves to `run`."""
    replace_sampler(monkeypatch)

    def fit(formula: Formula = FORMULA, seed: int | None = 5, engine: str = "auto") -> Fit:
        options = SamplerOptions(draws=50, seed=seed)
        request = FitRequest(data, formula, ("ses ~ normal(0, 3)",), ci=0.9, engine=engine, sampler=options)
        return workflow.fit(workflow.prepare(request), tmp_path / "run", argv=["hierfit", "fit"])

    return fit


def test_a_plan_is_made_without_sampling(data: Path) -> None:
    plan = workflow.prepare(FitRequest(data, FORMULA))
    assert (plan.table.n_rows, plan.design.groups[0].n_levels) == (30, 6)
    assert list(plan.spec.priors) == ["Intercept", "ses", "sd(school)", "sd(school: ses)", "cor(school)", "sigma"]
    assert plan.engine is COLLAPSED
    assert plan.seconds > 0


def test_the_engine_is_chosen_or_asked_for(data: Path) -> None:
    engines = {wanted: workflow.prepare(FitRequest(data, FORMULA, engine=wanted)).engine for wanted in ("auto", "full")}
    assert engines == {"auto": COLLAPSED, "full": FULL}
    with pytest.raises(UsageError, match="no grouping factor"):
        workflow.prepare(FitRequest(data, Formula("score", ("ses",)), engine="collapsed"))


CHOICES = ("full.layout.choose", "full.layout.place_coefficients", "full.layout.sweep", "full.source.repeated_rows")


@pytest.mark.parametrize(("engine", "choices"), [("collapsed", ("collapsed.source.collapse",)), ("full", CHOICES)])
def test_what_an_engine_chooses_it_chooses_once(
    fitted: Fitter, monkeypatch: pytest.MonkeyPatch, engine: str, choices: tuple[str, ...]
) -> None:
    asked: list[str] = []
    for choice in choices:
        module, _, name = f"hierfit.engines.{choice}".rpartition(".")
        real = getattr(importlib.import_module(module), name)
        monkeypatch.setattr(
            f"{module}.{name}", lambda *given, real=real, choice=choice: asked.append(choice) or real(*given)
        )
    fitted(engine=engine)
    assert sorted(asked) == sorted(choices)


@pytest.mark.parametrize("engine", ["collapsed", "full"])
def test_what_is_saved_is_what_is_returned(fitted: Fitter, engine: str) -> None:
    done = fitted(engine=engine)
    assert {path.name for path in done.folder.iterdir()} == FILES
    loaded = finished.load(done.folder)
    assert loaded.manifest == {"schema": SCHEMA, **json.loads(json.dumps(done.manifest))}
    assert (loaded.spec, loaded.summary, loaded.diagnosis) == (done.spec, done.summary, done.diagnosis)
    assert loaded.manifest["engine"] == engine
    np.testing.assert_array_equal(loaded.draws.values, done.draws.values)
    assert learnt_terms(loaded.design) == learnt_terms(done.design) != LearntTerms()
    rows = list(csv.DictReader((done.folder / "summary.csv").open(encoding="utf-8")))
    assert [float(row["mean"]) for row in rows] == [row.mean for row in done.summary.rows]
    groups = list(csv.DictReader((done.folder / "groups.csv").open(encoding="utf-8")))
    assert len(groups) == 12
    document = json.loads((done.folder / "summary.json").read_text(encoding="utf-8"))
    assert [entry["mean"] for entry in document["parameters"]] == [row.mean for row in done.summary.rows]
    assert set(document) >= {"parameters", "checks", "rows", "groups", "seconds"}
    assert set(document["seconds"]) >= {"total", "sampling"}


def test_a_stored_design_has_the_same_columns_on_the_rows_of_its_file(fitted: Fitter) -> None:
    done = fitted()
    request = finished.stored_request(done.folder)
    rows = finished.open_fit(done.folder).design.on(read_columns(request, FAMILIES[request.family]))
    np.testing.assert_array_equal(rows.X, done.design.X)
    for own, group in zip(rows.groups, done.design.groups, strict=True):
        assert own.labels == group.labels
        np.testing.assert_array_equal(own.codes, group.codes)
        np.testing.assert_array_equal(own.Z, group.Z)


def test_other_intervals_from_the_same_draws(fitted: Fitter) -> None:
    done = fitted()
    assert done.summary.ci == 0.9
    wide, narrow = (
        finished.load(done.folder, 0.95).summary.row("ses"),
        finished.load(done.folder, 0.5).summary.row("ses"),
    )
    assert wide.lower < done.summary.row("ses").lower < narrow.lower < narrow.upper < wide.upper
    assert wide.mean == narrow.mean


def test_a_stored_request_repeats_the_fit(fitted: Fitter, tmp_path: Path) -> None:
    done = fitted(seed=None)
    request = finished.stored_request(done.folder)
    assert request.sampler.seed is not None
    assert (request.priors, request.ci) == (("ses ~ normal(0, 3)",), 0.9)
    again = workflow.fit(workflow.prepare(request), tmp_path / "again")
    assert again.summary == done.summary
    assert (tmp_path / "again" / "groups.csv").read_text() == (done.folder / "groups.csv").read_text()


def test_the_truth_is_kept_only_with_its_own_data(fitted: Fitter, data: Path) -> None:
    truth = finished.stored_truth(fitted())
    assert truth is not None
    lines = data.read_text().splitlines()
    data.write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(RunFolderError, match="already holds a run"):
        fitted()
    done = workflow.fit(workflow.prepare(FitRequest(data, FORMULA)), data.parent / "changed")
    assert not (done.folder / "truth.json").exists()
    assert finished.stored_truth(done) is None


def test_no_groups_no_table_of_groups(fitted: Fitter) -> None:
    done = fitted(Formula("score", ("ses",)))
    assert not (done.folder / "groups.csv").exists()
    loaded = finished.load(done.folder)
    assert loaded.design.groups == () and loaded.summary == done.summary


def test_program_and_data_are_shown(fitted: Fitter) -> None:
    done = fitted(engine="full")
    text = programs.program_text(done.folder)
    assert text.startswith("// score ~ 1 + ses + (1 + ses | school)\n")
    assert "b ~ normal(0, 3); // ses: set by --prior" in text
    assert (done.folder / "model.stan").read_text().rstrip() == text
    data = json.loads(programs.program_data(done.folder))
    assert (data["N"], data["J_school"], np.shape(data["X"]), np.shape(data["Z_school"])) == (30, 6, (30, 1), (30, 2))
    np.testing.assert_allclose(data["y"], done.design.y)


def test_the_program_that_was_sampled_is_shown_with_its_data(fitted: Fitter) -> None:
    done = fitted(engine="full")
    text = programs.wide_program_text(done.folder)
    assert text.startswith("// score ~ 1 + ses + (1 + ses | school)\n")
    assert "//   ses ~ normal(0, 3)   (set by --prior)" in text
    given = json.loads(programs.program_data(done.folder, wide=True))
    assert (given["N"], given["K"], given["J"], given["M"]) == (30, 2, [6], [2])
    assert np.shape(given["X"]) == (30, len(given["in_rows"])) and np.shape(given["level"]) == (1, 30)


def test_a_run_that_has_the_sampled_program_only_is_shown_its_model(fitted: Fitter) -> None:
    done = fitted(engine="full")
    narrow, file = programs.program_text(done.folder), done.folder / "model.stan"
    file.write_text(FULL.program(done.design).text)
    manifest = json.loads((done.folder / "run.json").read_text())
    manifest["files"]["model.stan"] = {
        "bytes": file.stat().st_size,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
    (done.folder / "run.json").write_text(json.dumps(manifest))
    assert programs.program_text(done.folder) == narrow


def test_out_is_checked_before_the_data(tmp_path: Path, data: Path) -> None:
    assert workflow.check_out(None, Path("a.csv"), overwrite=False).parent == Path("runs")
    with pytest.raises(RunFolderError, match="not a hierfit run"):
        workflow.check_out(data.parent, data, overwrite=True)


def test_listeners_are_optional_and_heard(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_sampler(monkeypatch)
    heard: list[object] = []
    monkeypatch.setattr("hierfit.engines.built.build_executable", lambda program, toolchain, say: say("building"))
    listener = Listener(message=heard.append)
    with pytest.raises(AttributeError):  # there is no executable to describe
        workflow.fit(workflow.prepare(FitRequest(data, FORMULA)), tmp_path / "run", listener=listener)
    assert heard == ["building"]
    assert not (tmp_path / "run").exists()


def test_a_plan_needs_good_data(data: Path) -> None:
    with pytest.raises(DataError, match="Did you mean 'score'"):
        workflow.prepare(FitRequest(data, replace(FORMULA, response="scores")))


def test_what_was_saved_is_shown_without_the_draws(fitted: Fitter) -> None:
    done = fitted()
    (done.folder / "trace.nc").unlink()
    shown = finished.load_summary(done.folder)
    assert isinstance(shown, finished.Stored)
    assert (shown.summary, shown.diagnosis, shown.folder) == (done.summary, done.diagnosis, done.folder)
    assert finished.load_summary(done.folder, done.summary.ci).summary == done.summary


@pytest.mark.parametrize("reason", ["other intervals", "another version", "no summary.json"])
def test_the_draws_are_read_where_they_say_more(fitted: Fitter, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    done = fitted()
    if reason == "another version":
        monkeypatch.setattr("hierfit.runs.finished.__version__", "9.9")
    if reason == "no summary.json":
        (done.folder / "summary.json").unlink()
    shown = finished.load_summary(done.folder, 0.5 if reason == "other intervals" else None)
    assert isinstance(shown, finished.Fit)
    assert (shown.summary == done.summary) is (reason != "other intervals")


@pytest.mark.parametrize("change", ["cut", "another number", "another kind"])
def test_a_table_that_was_changed_is_not_shown(fitted: Fitter, change: str) -> None:
    file = fitted().folder / "summary.json"
    content = json.loads(file.read_text())
    if change == "another number":
        content["parameters"][0]["mean"] += 1
    if change == "another kind":
        content["parameters"][0]["kind"] = "news"
    text = json.dumps(content)
    file.write_text(text[:-20] if change == "cut" else text)
    words = {
        "cut": "could not be read",
        "another number": "its checksum is another",
        "another kind": r"kind is \"news\"",
    }
    with pytest.raises(RunFolderError, match=words[change]):
        finished.load_summary(file.parent)


def test_rows_that_repeat_are_sampled_by_the_program_of_their_sums(tmp_path: Path) -> None:
    rows = [f"{number % 7 % 2},{number % 3},{number % 4}" for number in range(60)]
    (tmp_path / "repeated.csv").write_text("\n".join(["y,x,g", *rows]) + "\n")
    request = FitRequest(tmp_path / "repeated.csv", formula_from_flags("y", ["x"], "g"), family="bernoulli")
    plan = workflow.prepare(request)
    assert plan.engine.program(plan.design).name == "binomial"
    given = plan.engine.data(plan.spec, plan.design)
    assert (given["N"], sum(given["trials"]), sum(given["y"])) == (12, 60, sum(plan.design.y))


@pytest.mark.parametrize("then_all", [False, True], ids=["once", "from then on"])
def test_whichever_call_fails_a_run_is_whole(
    fitted: Fitter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then_all: bool
) -> None:
    kept: list[tuple[Any, ...]] = []
    real = workflow._save
    monkeypatch.setattr(workflow, "_save", lambda place, *rest: kept.append(rest) or real(place, *rest))
    run = fitted(Formula("score", ("ses",))).folder
    (run / "notes.txt").write_text("mine")
    monkeypatch.setattr(workflow, "write_netcdf", lambda path, *_: write_text(path, "a" * 100_000))  # see test_netcdf
    before, call, saved = faults.tree(run), 0, 0
    while True:
        call += 1
        error = None
        with faults.failing(faults.Disk(call, then_all)) as disk:
            try:
                with claimed(run) as place:
                    real(
                        place,
                        replace(kept[0][0], manifest={**kept[0][0].manifest, "status": "interrupted"}),
                        *kept[0][1:-1],
                        None,
                    )
            except HierfitError as caught:
                error = caught
        if disk.count < call:
            break
        done = open_whole(run, "trace.nc")  # the next command puts in order what was left
        assert (run / "notes.txt").read_text() == "mine"
        assert {path.name for path in run.parent.glob("*run*")} == {"run"}
        if done.manifest["status"] == "interrupted":
            assert error is None or "not all of it is in its place" in error.message
            assert {path.name for path in run.iterdir()} == (FILES | {"notes.txt"}) - {"truth.json", "groups.csv"}
            shutil.rmtree(run)
            for name, content in before.items():
                run.mkdir(exist_ok=True)
                (run / name).write_bytes(content or b"")
            saved += 1
        else:
            assert error is not None and error.exit_code == 2
            assert faults.tree(run) == before
    assert call > 40 and 0 < saved < call / 2
