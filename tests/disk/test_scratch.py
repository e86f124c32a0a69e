"""Temporary folders go, with the process or, where it was killed, with the next."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hierfit.errors import DiskError

PROGRAM = "import os, sys; from hierfit.disk.scratch import scratch, scratch_home\n"


def process(tmp_path: Path, text: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    return subprocess.run([sys.executable, "-c", PROGRAM + text], env=environment, capture_output=True, text=True)


def test_nothing_is_left_by_a_process_that_ends(tmp_path: Path) -> None:
    done = process(tmp_path, "with scratch() as one: open(one / 'a', 'w').write('a'); print(os.listdir(one.parent))")
    assert ".scratch" in done.stdout and list(tmp_path.iterdir()) == []
    done = process(tmp_path, "scratch_home(); scratch().__enter__(); raise ValueError")
    assert "ValueError" in done.stderr and list(tmp_path.iterdir()) == []


def test_what_a_killed_process_leaves_the_next_removes(tmp_path: Path) -> None:
    process(tmp_path, "scratch().__enter__(); os.kill(os.getpid(), 9)")
    mine, young, old = (tmp_path / name for name in ("hierfit", "hierfit-young", "hierfit-old"))
    for folder in (mine, young, old):
        folder.mkdir()
    (tmp_path / "hierfit-notes.txt").write_text("mine")
    (tmp_path / "hierfit-demo").mkdir()
    (tmp_path / "hierfit-demo" / "lock").write_text("a folder of the user's")
    for folder in (old, tmp_path / "hierfit-demo"):
        os.utime(folder, (time.time() - 3600,) * 2)
    assert len(list(tmp_path.iterdir())) == 6
    done = process(tmp_path, "print(len(os.listdir(scratch_home().parent)))")
    assert done.stdout == "5\n"  # of these one is its own
    left = {"hierfit", "hierfit-young", "hierfit-notes.txt", "hierfit-demo", "hierfit-demo/lock"}
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")} == left


def test_what_a_living_process_has_stays(tmp_path: Path) -> None:
    text = "import subprocess; home = scratch_home(); subprocess.run([sys.executable, '-c', sys.argv[1]])\n"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    inner = PROGRAM + "scratch_home()"
    command = [sys.executable, "-c", PROGRAM + text + "print(home.is_dir())", inner]
    assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout == "True\n"


def test_no_room_is_said_with_what_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    from hierfit.disk.scratch import scratch

    with pytest.raises(DiskError, match=r"could not be written: the disk is full \(.* MB free\)") as caught, scratch():
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.exit_code == 2 and "TMPDIR" in (caught.value.hint or "")
    with pytest.raises(FileNotFoundError), scratch():  # what else goes wrong is not about room
        raise FileNotFoundError(errno.ENOENT, "no such file")
