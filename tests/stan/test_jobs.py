import threading
import time
from pathlib import Path

import pytest

from hierfit.errors import ToolchainError
from hierfit.stan.jobs import Jobs


def test_commands_run_side_by_side_and_the_log_has_what_they_say(tmp_path: Path) -> None:
    meet = "touch {}; for i in $(seq 100); do [ -e {} ] && echo met && exit 0; sleep 0.1; done; exit 1"
    commands = [["sh", "-c", meet.format("a", "b")], ["sh", "-c", meet.format("b", "a")]]
    assert Jobs().run(commands, tmp_path, tmp_path / "log")
    assert (tmp_path / "log").read_text().count("\nmet\n") == 2


def test_one_failure_is_a_failure(tmp_path: Path) -> None:
    assert not Jobs().run([["true"], ["false"]], tmp_path, tmp_path / "log")
    assert not Jobs().run([["false"]], tmp_path, tmp_path / "log")


def test_stopping_ends_what_runs_with_its_children_and_starts_nothing_more(tmp_path: Path) -> None:
    jobs, started = Jobs(), time.monotonic()
    threading.Timer(0.3, jobs.stop).start()
    with pytest.raises(ToolchainError, match="stopped"):
        jobs.run([["sh", "-c", "sleep 60; true"]], tmp_path, tmp_path / "log")
    assert time.monotonic() - started < 30
    with pytest.raises(ToolchainError, match="stopped"):
        jobs.run([["touch", "late"]], tmp_path, tmp_path / "log")
    assert not (tmp_path / "late").exists()


def test_stopping_reaches_all_while_the_first_already_leave(tmp_path: Path) -> None:
    for _ in range(10):
        jobs, started = Jobs(), time.monotonic()
        threading.Timer(0.2, jobs.stop).start()
        with pytest.raises(ToolchainError, match="stopped"):
            jobs.run([["sleep", "60"]] * 20, tmp_path, tmp_path / "log")
        assert time.monotonic() - started < 30


@pytest.mark.parametrize(("error", "stopped"), [(KeyboardInterrupt, True), (ValueError, False)])
def test_an_interrupt_stops_all_and_an_error_does_not(
    tmp_path: Path, error: type[BaseException], stopped: bool
) -> None:
    jobs = Jobs()
    with pytest.raises(error), jobs:
        raise error
    if stopped:
        with pytest.raises(ToolchainError):
            jobs.check()
    else:
        jobs.check()


def test_temporary_files_of_compilers_are_beside_what_they_make(tmp_path: Path) -> None:
    assert Jobs().run([["sh", "-c", "echo in $TMPDIR"]], tmp_path, tmp_path / "log")
    assert f"\nin {tmp_path}\n" in (tmp_path / "log").read_text()
