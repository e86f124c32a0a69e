import os
from datetime import datetime
from pathlib import Path

import pytest

from hierfit.errors import RunFolderError
from hierfit.runs.place import check_free, default_folder
from tests.runs.cases import make_run

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def test_which_places_are_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("")
    run = make_run(tmp_path / "run")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "run.json").write_text('{"name": "of another program"}')
    for place in ("new", "deep/new", "empty"):
        check_free(tmp_path / place, overwrite=False)
    check_free(run, overwrite=True)
    refused = {run: "already holds a run", tmp_path / "file": "is a file", tmp_path / "file" / "run": "cannot be"}
    for place, words in refused.items():
        with pytest.raises(RunFolderError, match=words):
            check_free(place, overwrite=False)
    for overwrite in (False, True):
        for mine in ("mine", "other"):
            with pytest.raises(RunFolderError, match="is not a hierfit run; it will not be touched"):
                check_free(tmp_path / mine, overwrite=overwrite)
    monkeypatch.chdir(tmp_path / "empty")
    for here in (".", "..", str(tmp_path)):
        with pytest.raises(RunFolderError, match="the folder you are in, or above it"):
            check_free(Path(here), overwrite=True)
    check_free(Path("../third"), overwrite=False)


@pytest.mark.skipif(ROOT, reason="root may write anywhere")
def test_a_place_without_permission_is_refused_early(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(RunFolderError, match=f"{closed} cannot be written"):
        check_free(closed / "deep" / "run", overwrite=False)


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
    assert default_folder(Path(data), datetime(2026, 11, 20, 8, 41, 20)) == Path("runs") / name


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
                check_free(folder, overwrite=True, data=tmp_path / name)
        check_free(folder, overwrite=True, data=tmp_path / "data.csv")


def test_a_users_file_under_a_name_of_hierfits_is_found_early(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (run / "groups.csv").write_text("mine")
    with pytest.raises(RunFolderError, match=r"groups\.csv is not what hierfit wrote there"):
        check_free(run, overwrite=True)
