import hashlib
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hierfit import runs
from hierfit.design.learnt_terms import LearntTerms
from hierfit.disk.folder import claimed
from hierfit.disk.writing import write_text
from hierfit.engines.choice import Engine
from hierfit.errors import RunFolderError
from hierfit.model.formula import Formula
from hierfit.model.priors import Prior
from hierfit.model.spec import ModelSpec
from hierfit.plain import to_plain
from hierfit.posterior.diagnostics import Diagnosis, Level
from hierfit.record import DataRecord, RunRecord, SecondsRecord
from hierfit.request import FitRequest
from hierfit.sampling import SamplerOptions

FORMULA = Formula("y")
PRIORS = {"Intercept": Prior("flat", (), "none"), "sigma": Prior("exponential", (1.0,), "none")}
RECORD = RunRecord(
    hierfit="0.1.0",
    request=FitRequest(Path("/data.csv"), FORMULA, sampler=SamplerOptions(warmup=10)),
    data=DataRecord("data.csv", "0" * 64, 3, 2, ("y",), {"y": 1}),
    groups=(),
    formula="y ~ 1",
    model=ModelSpec(FORMULA, "gaussian", "identity", (), (), PRIORS),
    engine=Engine.FULL,
    draws_per_chain=10,
    seconds=SecondsRecord(1.0, 0.1, 0.2, 0.7),
    status="ok",
    references={},
    categories=(),
    x_mean={},
    terms=LearntTerms(),
    checks=Diagnosis(Level.OK, (), None, (), 1.0, 400.0, 400.0, 0, 10, 1.0),
)
CONTENT: dict[str, Any] = {name: value for name, value in to_plain(RECORD).items() if name != "files"}
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def make_run(folder: Path, mark: str = "first") -> Path:
    with claimed(folder) as place, place.replacing(runs.written(folder), runs.MANIFEST) as draft:
        write_text(draft / "summary.csv", mark)
        runs.write_manifest(draft, CONTENT | {"hierfit": "0.1.0"})
    return folder


def test_only_what_hierfit_wrote_is_replaced(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (run / "notes.txt").write_text("mine")
    (run / "groups.csv").write_text("mine too: run.json does not name it")
    make_run(run, "second")
    assert sorted(path.name for path in run.iterdir()) == ["groups.csv", "notes.txt", "run.json", "summary.csv"]
    assert (run / "summary.csv").read_text() == "second"


def test_run_json_says_what_was_written(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (run / "summary.csv").read_bytes()
    files = runs.open_run(run).manifest["files"]
    assert files == {"summary.csv": {"bytes": 5, "sha256": hashlib.sha256(b"first").hexdigest()}}
    assert runs.written(run) == {"summary.csv", "run.json"}
    assert runs.open_whole(run, "summary.csv").path == run
    for damage in ("First", "first ", ""):
        (run / "summary.csv").write_text(damage)
        with pytest.raises(RunFolderError, match=r"summary\.csv is not the file that was saved with this run"):
            runs.open_whole(run, "summary.csv")


def test_of_a_version_that_did_not_say_all_names_are_hierfits(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(CONTENT | {"schema": 1, "hierfit": "0.1.0"}))
    (tmp_path / "summary.csv").write_text("any")
    assert runs.written(tmp_path) == runs.FILES
    assert runs.written(tmp_path / "nothing") == frozenset()


@pytest.mark.parametrize(
    "name", ["../thesis", "/thesis", "thesis.txt", "plots/../thesis", "plots/a/b.png", "notes/a.png"]
)
def test_run_json_cannot_make_other_files_hierfits(tmp_path: Path, name: str) -> None:
    files = {name: {"bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()}}
    (tmp_path / "run.json").write_text(json.dumps(CONTENT | {"schema": 1, "hierfit": "0.1.0", "files": files}))
    assert runs.written(tmp_path) == {"run.json"}


def test_a_picture_that_was_changed_is_the_users(tmp_path: Path) -> None:
    (tmp_path / "plots").mkdir()
    for name in ("trace", "ppc", "gone"):
        (tmp_path / "plots" / f"{name}.png").write_text(name)
    runs.write_manifest(tmp_path, CONTENT | {"hierfit": "0.1.0"})
    (tmp_path / "plots" / "ppc.png").write_text("own")
    (tmp_path / "plots" / "gone.png").unlink()
    assert runs.written(tmp_path) == {"run.json", "plots/trace.png"}


def test_which_places_are_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("")
    run = make_run(tmp_path / "run")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "run.json").write_text('{"name": "of another program"}')
    for place in ("new", "deep/new", "empty"):
        runs.check_free(tmp_path / place, overwrite=False)
    runs.check_free(run, overwrite=True)
    refused = {run: "already holds a run", tmp_path / "file": "is a file", tmp_path / "file" / "run": "cannot be"}
    for place, words in refused.items():
        with pytest.raises(RunFolderError, match=words):
            runs.check_free(place, overwrite=False)
    for overwrite in (False, True):
        for mine in ("mine", "other"):
            with pytest.raises(RunFolderError, match="is not a hierfit run; it will not be touched"):
                runs.check_free(tmp_path / mine, overwrite=overwrite)
    monkeypatch.chdir(tmp_path / "empty")
    for here in (".", "..", str(tmp_path)):
        with pytest.raises(RunFolderError, match="the folder you are in, or above it"):
            runs.check_free(Path(here), overwrite=True)
    runs.check_free(Path("../third"), overwrite=False)


@pytest.mark.skipif(ROOT, reason="root may write anywhere")
def test_a_place_without_permission_is_refused_early(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(RunFolderError, match=f"{closed} cannot be written"):
        runs.check_free(closed / "deep" / "run", overwrite=False)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("pupils.csv", "pupils-20261120-084120"),
        ("sim/data.csv.gz", "data-20261120-084120"),
        ("a.b c.csv", "a-20261120-084120"),
        (".csv", "data-20261120-084120"),
    ],
)
def test_the_default_folder(data: str, name: str) -> None:
    assert runs.default_folder(Path(data), datetime(2026, 11, 20, 8, 41, 20)) == Path("runs") / name


def test_the_manifest_comes_back_as_written(tmp_path: Path) -> None:
    content = CONTENT | {"label": "Schüler/å 001 \u2028", "number": 0.1 + 0.2, "none": None, "list": [1, "a"]}
    runs.write_manifest(tmp_path, content)
    opened = runs.open_run(tmp_path)
    assert (opened.path, opened.manifest) == (tmp_path, {"schema": runs.SCHEMA, **content, "files": {}})
    assert runs.open_run(tmp_path / "run.json").path == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_a_folder_that_holds_the_data_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (run / "deep").mkdir()
    (run / "deep" / "data.csv").write_text("y")
    (tmp_path / "to_data.csv").symlink_to(run / "deep" / "data.csv")
    (tmp_path / "to_run").symlink_to(run)
    (tmp_path / "data.csv").write_text("y")
    (run / "linked.csv").symlink_to(tmp_path / "data.csv")
    data = ["run/deep/data.csv", "to_data.csv", "to_run/deep/data.csv", "run/linked.csv", "run/../run/deep/data.csv"]
    for folder in (run, tmp_path / "to_run"):
        for name in data:
            with pytest.raises(RunFolderError, match="run holds the data"):
                runs.check_free(folder, overwrite=True, data=tmp_path / name)
        runs.check_free(folder, overwrite=True, data=tmp_path / "data.csv")


def test_a_users_file_under_a_name_of_hierfits_is_found_early(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (run / "groups.csv").write_text("mine")
    with pytest.raises(RunFolderError, match=r"groups\.csv is not what hierfit wrote there"):
        runs.check_free(run, overwrite=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "could not be read"),
        ("[]", "holds no object"),
        ("[" * 100_000, "nested too deeply"),
        (json.dumps({"schema": runs.SCHEMA}), "hierfit is missing; expected text"),
        (
            json.dumps({"schema": runs.SCHEMA, **CONTENT, "model": {"formula": {}}}),
            "model.formula.response is missing",
        ),
        (json.dumps({"schema": runs.SCHEMA + 1, "hierfit": "7.0"}), "was written by hierfit 7.0"),
        ("{}", "of another version"),
        ("\xff", "could not be read"),
    ],
)
def test_broken_manifests(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "run.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(RunFolderError, match=words):
        runs.open_run(tmp_path)


def test_no_run_names_the_runs_nearby(tmp_path: Path) -> None:
    for number in range(5):
        run = make_run(tmp_path / f"run{number}")
        os.utime(run, (number, number))
    for place in (tmp_path / "ran", tmp_path, tmp_path / "run1" / "summary.csv"):
        with pytest.raises(RunFolderError) as refused:
            runs.open_run(place)
        nearby = "summary" not in str(place)
        assert (f"Runs nearby: {tmp_path}/run4, {tmp_path}/run3" in refused.value.message) == nearby


def test_tables_are_written_as_csv(tmp_path: Path) -> None:
    runs.write_csv(tmp_path / "a.csv", [("name", "mean"), ('a, "b"', 0.1 + 0.2), ("ü", "")])
    assert (tmp_path / "a.csv").read_bytes().decode() == 'name,mean\n"a, ""b""",0.30000000000000004\nü,\n'


def test_truth_belongs_to_one_file(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    assert runs.truth_beside(data, "abc") is None
    (tmp_path / "truth.json").write_text(json.dumps({"data_sha256": "abc", "parameters": {}}))
    assert runs.truth_beside(data, "abc") == {"data_sha256": "abc", "parameters": {}}
    assert runs.truth_beside(data, "abd") is None
    assert runs.stored_truth(tmp_path) is not None
    for broken in ("", "[]", "{", '{"data_sha256": "abc", "parameters": []}'):
        (tmp_path / "truth.json").write_text(broken)
        with pytest.raises(RunFolderError, match=r"truth\.json"):
            runs.stored_truth(tmp_path)
        if "sha256" in broken:
            with pytest.raises(RunFolderError, match=r"truth\.json is not as hierfit wrote it: parameters is \[\]"):
                runs.truth_beside(data, "abc")
        else:
            assert runs.truth_beside(data, "abc") is None
