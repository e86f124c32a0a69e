import json
import os
from pathlib import Path

import pytest

from hierfit.errors import RunFolderError
from hierfit.runs.files import SCHEMA, write_manifest
from hierfit.runs.folder import open_run
from tests.runs.cases import CONTENT, make_run


def test_the_manifest_comes_back_as_written(tmp_path: Path) -> None:
    content = CONTENT | {"label": "Schüler/å 001 \u2028", "number": 0.1 + 0.2, "none": None, "list": [1, "a"]}
    write_manifest(tmp_path, content)
    opened = open_run(tmp_path)
    assert (opened.path, opened.manifest) == (tmp_path, {"schema": SCHEMA, **content, "files": {}})
    assert open_run(tmp_path / "run.json").path == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "could not be read"),
        ("[]", "holds no object"),
        ("[" * 100_000, "nested too deeply"),
        (json.dumps({"schema": SCHEMA}), "hierfit is missing; expected text"),
        (
            json.dumps({"schema": SCHEMA, **CONTENT, "model": {"formula": {}}}),
            "model.formula.response is missing",
        ),
        (json.dumps({"schema": SCHEMA + 1, "hierfit": "7.0"}), "was written by hierfit 7.0"),
        ("{}", "of another version"),
        ("\xff", "could not be read"),
    ],
)
def test_broken_manifests(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "run.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(RunFolderError, match=words):
        open_run(tmp_path)


def test_no_run_names_the_runs_nearby(tmp_path: Path) -> None:
    for number in range(5):
        run = make_run(tmp_path / f"run{number}")
        os.utime(run, (number, number))
    for place in (tmp_path / "ran", tmp_path, tmp_path / "run1" / "summary.csv"):
        with pytest.raises(RunFolderError) as refused:
            open_run(place)
        nearby = "summary" not in str(place)
        assert (f"Runs nearby: {tmp_path}/run4, {tmp_path}/run3" in refused.value.message) == nearby
