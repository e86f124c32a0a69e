"""The files of a run after somebody's edits: each is read, or refused in words, by every command that reads it."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hierfit.errors import RunFolderError
from hierfit.runs.folder import open_run
from hierfit.runs.stored import truth_of
from tests.cli.conftest import Cli, fitted, folder  # noqa: F401
from tests.cli.conftest import cli as cli
from tests.edits import DELETED, Edit, edited, edits, places
from tests.fake_sampling import replace_sampler

READERS = (
    ("summarize", "run"),
    ("summarize", "run", "--groups"),
    ("summarize", "run", "--format", "json"),
    ("summarize", "run", "--format", "md"),
    ("code", "run"),
    ("code", "run", "--data", "-"),
    ("code", "run", "--wide"),
    ("fit", "--from", "run", "--dry-run"),
    ("fit", "--from", "run", "--out", "new", "--overwrite", "--quiet"),
    ("simulate", "--from", "run", "--out", "new-data", "--overwrite"),
    ("extend", "run", "--draws", "4", "--quiet"),
)
TRUTH = {
    "parameters": {"ses": 1.5, "sd(school)": 2.0},
    "effects": {"school": {"terms": ["Intercept", "ses"], "values": {"a": [1.0, 0.5], "b": [0.0, -1.0]}}},
    "seed": 1,
}


@dataclass(frozen=True)
class Runs:
    """A finished run with a truth, and copies of it with one file changed."""

    original: Path

    def text(self, name: str) -> str:
        return (self.original / name).read_text()

    def changed(self, name: str, text: str) -> Path:
        shutil.rmtree("run", ignore_errors=True)
        shutil.copytree(self.original, "run")
        (Path("run") / name).write_text(text)
        return Path("run")


@pytest.fixture
def made(fitted: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:  # noqa: F811
    replace_sampler(monkeypatch)
    original = folder / "original"
    shutil.copytree(fitted, original)
    manifest = json.loads((original / "run.json").read_text())
    manifest["request"]["data"] = str(folder / "data.csv")
    (original / "run.json").write_text(json.dumps(manifest))
    (original / "truth.json").write_text(json.dumps(TRUTH))
    return Runs(original)


def refusal(run: Path) -> str | None:
    """Return why a run.json is refused, None where it is read; any other exception is a failure."""
    try:
        open_run(run)
    except RunFolderError as error:
        return error.message
    return None


def accepted(made: Runs, step: int) -> Iterator[Edit]:
    """Yield those of every step-th edit of run.json that are read."""
    run = made.changed("run.json", "")
    for edit in islice(edits(json.loads(made.text("run.json"))), 0, None, step):
        (run / "run.json").write_text(edit.text)
        if refusal(run) is None:
            yield edit


def ends_well(cli: Cli, command: tuple[str, ...], what: object) -> int:
    done = cli(*command)
    assert done.code in (0, 1, 2), f"{what}: {command}: {done.err}"
    assert "Traceback" not in done.err
    return done.code


def test_every_edit_of_run_json_is_read_or_refused(made: Runs) -> None:
    content = json.loads(made.text("run.json"))
    run, refused, total = made.changed("run.json", ""), 0, 0
    for edit in edits(content):
        (run / "run.json").write_text(edit.text)
        message = refusal(run)
        total += 1
        refused += message is not None
        if message is not None and edit.place != ("schema",):
            assert "expected" in message or "is not known" in message, (str(edit), message)
    assert total > 2000 and refused > 0.7 * total


def test_words_say_what_was_found_and_what_was_expected(made: Runs, cli: Cli) -> None:
    content = json.loads(made.text("run.json"))
    run = made.changed("run.json", json.dumps(edited(content, ("model", "groups", 0, "correlated"), "yes")))
    done = cli("summarize", run)
    assert done.code == 2
    assert done.err == (
        'error: run/run.json is not as hierfit wrote it: model.groups[0].correlated is "yes"; expected true or false.\n'
        "hint:  bring back a copy of it, or fit again, into another folder\n"
    )


@pytest.mark.parametrize("step", [120, pytest.param(1, marks=pytest.mark.slow)])
def test_every_command_ends_well_on_what_is_read(made: Runs, cli: Cli, step: int) -> None:
    read = list(accepted(made, step))
    assert len(read) >= 200 // step
    for edit in read:
        for command in READERS:
            made.changed("run.json", edit.text)
            ends_well(cli, command, edit)


@pytest.mark.slow
def test_pictures_of_what_is_read_end_well(made: Runs, cli: Cli) -> None:
    for edit in list(accepted(made, 20)):
        made.changed("run.json", edit.text)
        ends_well(cli, ("plot", "run", "--quiet"), edit)


@pytest.mark.parametrize("step", [31, pytest.param(1, marks=pytest.mark.slow)])
def test_no_edit_of_summary_json_is_shown(made: Runs, cli: Cli, step: int) -> None:
    for edit in list(edits(json.loads(made.text("summary.json"))))[::step]:
        made.changed("summary.json", edit.text)
        assert ends_well(cli, ("summarize", "run"), edit) == 2, str(edit)
    made.changed("summary.json", "")
    Path("run/summary.json").unlink()
    assert ends_well(cli, ("summarize", "run"), "no summary.json") == 0


def test_every_edit_of_truth_json_is_read_or_refused(made: Runs, cli: Cli) -> None:
    run, refused = made.changed("truth.json", ""), 0
    for edit in edits(TRUTH):
        (run / "truth.json").write_text(edit.text)
        try:
            truth_of(run)
        except RunFolderError as error:
            refused += 1
            assert "truth.json is not as hierfit wrote it" in error.message, str(edit)
    assert refused > 100
    (run / "truth.json").write_text('{"parameters": {"ses": "two"}}')
    done = cli("plot", "run")
    assert done.code == 2 and 'truth.json is not as hierfit wrote it: parameters.ses is "two"' in done.err


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["ses", "score", "school"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def fuzz(cli: Cli, made: Runs, data: st.DataObject) -> int | None:
    """Change a run.json in up to three places, and show what is read; return how that ended, None where it is not."""
    content: Any = json.loads(made.text("run.json"))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(list(places(content))))
        content = edited(content, place, data.draw(ANYTHING | st.just(DELETED)))
    run = made.changed("run.json", json.dumps(content))
    command = data.draw(st.sampled_from(READERS))
    return ends_well(cli, command, content) if refusal(run) is None else None


@settings(derandomize=True, max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_run_json_of_any_content_ends_well(made: Runs, cli: Cli, data: st.DataObject) -> None:
    fuzz(cli, made, data)
