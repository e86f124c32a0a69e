import hashlib
import json
from pathlib import Path

import pytest

from hierfit.errors import RunFolderError
from hierfit.runs.files import FILES, write_csv, write_manifest, written
from hierfit.runs.folder import open_run, open_whole
from tests.runs.cases import CONTENT, make_run


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
    files = open_run(run).manifest["files"]
    assert files == {"summary.csv": {"bytes": 5, "sha256": hashlib.sha256(b"first").hexdigest()}}
    assert written(run) == {"summary.csv", "run.json"}
    assert open_whole(run, "summary.csv").path == run
    for damage in ("First", "first ", ""):
        (run / "summary.csv").write_text(damage)
        with pytest.raises(RunFolderError, match=r"summary\.csv is not the file that was saved with this run"):
            open_whole(run, "summary.csv")


def test_of_a_version_that_did_not_say_all_names_are_hierfits(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps(CONTENT | {"schema": 1, "hierfit": "0.1.0"}))
    (tmp_path / "summary.csv").write_text("any")
    assert written(tmp_path) == FILES
    assert written(tmp_path / "nothing") == frozenset()


@pytest.mark.parametrize(
    "name", ["../thesis", "/thesis", "thesis.txt", "plots/../thesis", "plots/a/b.png", "notes/a.png"]
)
def test_run_json_cannot_make_other_files_hierfits(tmp_path: Path, name: str) -> None:
    files = {name: {"bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()}}
    (tmp_path / "run.json").write_text(json.dumps(CONTENT | {"schema": 1, "hierfit": "0.1.0", "files": files}))
    assert written(tmp_path) == {"run.json"}


def test_a_picture_that_was_changed_is_the_users(tmp_path: Path) -> None:
    (tmp_path / "plots").mkdir()
    for name in ("trace", "ppc", "gone"):
        (tmp_path / "plots" / f"{name}.png").write_text(name)
    write_manifest(tmp_path, CONTENT | {"hierfit": "0.1.0"})
    (tmp_path / "plots" / "ppc.png").write_text("own")
    (tmp_path / "plots" / "gone.png").unlink()
    assert written(tmp_path) == {"run.json", "plots/trace.png"}


def test_tables_are_written_as_csv(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [("name", "mean"), ('a, "b"', 0.1 + 0.2), ("ü", "")])
    assert (tmp_path / "a.csv").read_bytes().decode() == 'name,mean\n"a, ""b""",0.30000000000000004\nü,\n'
