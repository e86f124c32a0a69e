"""A note is seen before sampling, in the report where that goes elsewhere, in run.json, and in every later look."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hierfit.cli.show.notes import note_lines, on_one_screen
from tests.cli.conftest import FIT, Cli
from tests.fake_sampling import replace_sampler

NOTE = "Note     4 schools say little"
TRY = "         Try: --formula 'score ~ 1 + ses + school'"


@pytest.fixture(autouse=True)
def sampler(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_sampler(monkeypatch)


def test_notes_are_seen_before_sampling_and_kept(cli: Cli) -> None:
    done = cli(*FIT, "--seed", "1", "--draws", "250", "--out", "run")
    assert done.err.count(NOTE) == 1 and done.out.count(NOTE) == 1  # two files, each of which may be all that is read
    assert TRY in done.out.splitlines()
    kept = json.loads(Path("run/run.json").read_text())["notes"]
    assert [note["kind"] for note in kept] == ["few-levels"] and kept[0]["columns"] == ["school"]
    assert json.loads(Path("run/summary.json").read_text())["notes"] == kept
    assert cli("summarize", "run").out.count(NOTE) == 1
    assert json.loads(cli("summarize", "run", "--format", "json").out)["notes"] == kept
    assert f"Note: {kept[0]['text'][:20]}" in cli("summarize", "run", "--format", "md").out


def test_on_one_screen_notes_are_said_once(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hierfit.cli.show.notes.on_one_screen", lambda: True)
    done = cli(*FIT, "--draws", "250", "--out", "run")
    assert done.err.count(NOTE) == 1 and NOTE not in done.out
    quiet = cli(*FIT, "--draws", "250", "--out", "quiet", "--quiet")
    assert NOTE not in quiet.err and quiet.out.count(NOTE) == 1


def test_a_dry_run_has_the_notes(cli: Cli) -> None:
    assert cli(*FIT, "--dry-run").out.count(NOTE) == 1


@pytest.mark.parametrize("same", [True, False])
def test_one_screen_is_one_file(same: bool) -> None:
    program = "from hierfit.cli.show.notes import on_one_screen; print(on_one_screen())"
    to = subprocess.STDOUT if same else subprocess.PIPE
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=to, text=True, check=True)
    assert done.stdout.strip() == str(same)


def test_streams_that_are_no_files_are_not_one_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    assert not on_one_screen()


def test_no_notes_no_lines() -> None:
    assert note_lines(()) == []
