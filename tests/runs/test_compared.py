"""Runs opened to be compared: their names, their effective draws, and what is refused."""

from pathlib import Path

import pytest

from hierfit.errors import RunFolderError, UsageError
from hierfit.runs.compared import compare_runs
from tests.runs.cases import make_run


def test_a_run_given_twice(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    with pytest.raises(UsageError, match="is given twice"):
        compare_runs([run, tmp_path / "other" / ".." / "run" / "run.json"])


def test_a_run_without_draws(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"trace\.nc"):
        compare_runs([make_run(tmp_path / "run")])
