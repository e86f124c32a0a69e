import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hierfit import runs
from hierfit.errors import RunFolderError
from hierfit.model.formula import Formula
from hierfit.model.spec import ModelSpec

MODEL = ModelSpec(Formula("y"), "gaussian", "identity", (), (), {}).to_dict()
NUMBERS = dict.fromkeys(("request", "data", "groups", "formula", "engine", "draws_per_chain", "seconds", "status"), 1)
CONTENT: dict[str, Any] = json.loads(json.dumps(NUMBERS | {"model": MODEL}))
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def make_run(folder: Path, mark: str = "first") -> Path:
    with runs.new_folder(folder, overwrite=True) as draft:
        (draft / "mark").write_text(mark)
        runs.write_manifest(draft, CONTENT | {"hierfit": "0.1.0"})
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_folder_appears_at_once_and_whole(tmp_path: Path) -> None:
    final = tmp_path / "deep" / "run"
    with runs.new_folder(final, overwrite=False) as draft:
        (draft / "a").write_text("1")
        assert not final.exists()
        assert draft.stat().st_dev == tmp_path.stat().st_dev
    assert (final / "a").read_text() == "1"
    assert [path.name for path in final.parent.iterdir()] == ["run"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), runs.new_folder(tmp_path / "run", overwrite=False) as draft:
        (draft / "a").write_text("1")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_an_exception_leaves_the_earlier_run_whole(tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    before = tree(tmp_path)
    with pytest.raises(ValueError), runs.new_folder(tmp_path / "run", overwrite=True) as draft:
        (draft / "mark").write_text("second")
        raise ValueError
    assert tree(tmp_path) == before


def test_a_refused_rename_brings_the_earlier_run_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(tmp_path / "run")
    before = tree(tmp_path)
    replace = os.replace

    def refuse(source: Path, target: Path) -> None:
        if Path(source).name == "run" and Path(target) == tmp_path / "run" and "." in Path(source).parent.name:
            raise OSError(5, "Input/output error")
        replace(source, target)

    with (
        pytest.raises(RunFolderError, match="could not be written: Input/output error"),
        runs.new_folder(tmp_path / "run", overwrite=True) as draft,
    ):
        (draft / "mark").write_text("second")
        monkeypatch.setattr(os, "replace", refuse)
    assert tree(tmp_path) == before


def test_what_came_to_exist_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    with (
        pytest.raises(RunFolderError, match="already holds a run"),
        runs.new_folder(tmp_path / "run", overwrite=False) as draft,
    ):
        (draft / "mark").write_text("second")
        make_run(tmp_path / "run")
    assert (tmp_path / "run" / "mark").read_text() == "first"


def test_overwriting_replaces_the_whole_run(tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    (tmp_path / "run" / "plots").mkdir()
    make_run(tmp_path / "run", "second")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["mark", "run.json"]
    assert (tmp_path / "run" / "mark").read_text() == "second"


def test_which_places_are_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("")
    run = make_run(tmp_path / "run")
    for place in ("new", "deep/new", "empty"):
        runs.check_free(tmp_path / place, overwrite=False)
    runs.check_free(run, overwrite=True)
    refused = {run: "already holds a run", tmp_path / "file": "is a file", tmp_path / "file" / "run": "cannot be"}
    for place, words in refused.items():
        with pytest.raises(RunFolderError, match=words):
            runs.check_free(place, overwrite=False)
    for overwrite in (False, True):
        with pytest.raises(RunFolderError, match="is not a hierfit run; it will not be touched"):
            runs.check_free(tmp_path / "mine", overwrite=overwrite)
    monkeypatch.chdir(tmp_path / "empty")
    for here in (".", "..", str(tmp_path)):
        with pytest.raises(RunFolderError, match="the folder you are in, or above it"):
            runs.check_free(Path(here), overwrite=True)
    runs.check_free(Path("../other"), overwrite=False)


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
    assert (opened.path, opened.manifest) == (tmp_path, {"schema": runs.SCHEMA, **content})
    assert runs.open_run(tmp_path / "run.json").path == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_a_manifest_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    runs.write_manifest(tmp_path, CONTENT)
    with pytest.raises(ValueError):
        runs.write_manifest(tmp_path, CONTENT | {"number": float("nan")})
    assert runs.open_run(tmp_path).manifest["status"] == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "could not be read"),
        ("[]", "holds no object"),
        ('{"schema": 1}', "lacks request, data"),
        (json.dumps({"schema": 1, **CONTENT, "model": {"formula": {}}}), "its model is incomplete"),
        ('{"schema": 2, "hierfit": "7.0"}', "was written by hierfit 7.0"),
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
    for place in (tmp_path / "ran", tmp_path, tmp_path / "run1" / "mark"):
        with pytest.raises(RunFolderError) as refused:
            runs.open_run(place)
        nearby = "mark" not in str(place)
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
    for broken in ("", "[]", "{"):
        (tmp_path / "truth.json").write_text(broken)
        assert runs.truth_beside(data, "abc") is None and runs.stored_truth(tmp_path) is None


def test_new_plots_replace_the_old(tmp_path: Path) -> None:
    (runs.new_plots(tmp_path) / "old.png").write_text("")
    assert list(runs.new_plots(tmp_path).iterdir()) == []


def test_no_place_for_plots(tmp_path: Path) -> None:
    (tmp_path / "plots").write_text("a file")
    with pytest.raises(RunFolderError, match="plots could not be made"):
        runs.new_plots(tmp_path)
