"""A folder is as before or as wanted, whichever call to the disk fails and wherever the process is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from hierfit.disk.folder import HOME, claimed, recover
from hierfit.disk.locking import take_lock
from hierfit.disk.writing import write_text
from hierfit.errors import HierfitError, RunFolderError
from tests.disk.faults import Disk, failing, killed_at, tree

OLD = {"a": b"old a", "b": b"old b", "last": b"old", "plots": None, "plots/x": b"old x"}
NEW = {"a": b"new a", "c": b"new c", "last": b"new", "plots": None, "plots/y": b"new y"}
MINE = {"notes.txt": b"mine", "plots/mine": b"mine too"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that holds the old files and some of the user's."""
    (tmp_path / "parent" / "run" / "plots").mkdir(parents=True)
    for name, content in {**OLD, **MINE}.items():
        if content is not None:
            (tmp_path / "parent" / "run" / name).write_bytes(content)
    return tmp_path / "parent" / "run"


OWN = [name for name, content in OLD.items() if content is not None]


def save(folder: Path, own: Sequence[str] = OWN) -> None:
    with claimed(folder) as place, place.replacing(own, "last") as new:
        (new / "plots").mkdir()
        for name, content in NEW.items():
            if content is not None:
                write_text(new / name, content.decode())


def calls_of(folder: Path) -> int:
    with failing(Disk()) as disk:
        save(folder)
    return disk.count


def test_what_hierfit_wrote_is_replaced_and_the_rest_stays(folder: Path) -> None:
    save(folder)
    assert tree(folder) == {**NEW, **MINE}
    assert [path.name for path in folder.parent.iterdir()] == ["run"]


def test_a_subfolder_that_is_left_empty_goes(folder: Path) -> None:
    (folder / "plots" / "mine").unlink()
    with claimed(folder) as place, place.replacing(OLD.keys() - {"plots"}, "last") as new:
        write_text(new / "last", "new")
    assert tree(folder) == {"last": b"new", "notes.txt": b"mine"}


@pytest.mark.parametrize("exists", [True, False], ids=["replaced", "made"])
@pytest.mark.parametrize("then_all", [False, True], ids=["once", "from then on"])
def test_whichever_call_fails_the_folder_is_whole(folder: Path, exists: bool, then_all: bool) -> None:
    target = folder if exists else folder.parent / "deep" / "run"
    before = tree(folder.parent)
    after = {**NEW, **MINE} if exists else NEW
    saved, call = 0, 0
    while True:
        call += 1
        error = None
        with failing(Disk(call, then_all)) as disk:
            try:
                save(target)
            except HierfitError as caught:
                error = caught
        if disk.count < call:
            break
        if then_all or disk.failed in ("unlink", "rmdir"):
            recover(target)  # by the next command, when the disk is well again
            recover(folder.parent / "any")
        if target.is_dir() and (target / "last").read_bytes() == b"new":
            assert error is None or "not all of it is in its place" in error.message
            assert tree(target) == after
            saved += 1
        else:
            assert error is not None and error.exit_code == 2 and "disk is full" in error.message
            if not then_all:
                assert tree(folder.parent) == before
        leftovers = [name for name in tree(folder.parent) if HOME in name]
        assert leftovers == []
        reset(folder, before)
    assert call > 15 and 0 < saved < call


def reset(folder: Path, before: dict[str, bytes | None]) -> None:
    """Have everything as before."""
    for path in sorted(folder.parent.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    for name, content in before.items():
        path = folder.parent / name
        path.mkdir(parents=True) if content is None else path.write_bytes(content)


def test_wherever_the_process_is_killed_the_next_one_puts_it_in_order(folder: Path) -> None:
    before, call, saved = tree(folder.parent), 1, 0
    while killed_at(call, lambda: save(folder)):
        recover(folder)
        now = tree(folder)
        assert now in ({**OLD, **MINE}, {**NEW, **MINE})
        saved += now == {**NEW, **MINE}
        assert [path.name for path in folder.parent.iterdir()] == ["run"]
        reset(folder, before)
        call += 1
    assert call > 25 and 0 < saved < call


def test_wherever_a_first_save_is_killed_there_is_all_or_nothing(tmp_path: Path) -> None:
    call, saved = 1, 0
    while killed_at(call, lambda: save(tmp_path / "run")):
        recover(tmp_path / "other")
        now = tree(tmp_path)
        assert now in ({}, {f"run/{name}": content for name, content in NEW.items()} | {"run": None})
        saved += now != {}
        reset(tmp_path / "run", {})
        call += 1
    assert call > 15 and 0 < saved < call


def test_the_next_writer_puts_it_in_order_too(folder: Path) -> None:
    calls = calls_of(folder)
    for call in range(1, calls):
        killed_at(call, lambda: save(folder))
        save(folder, [*OWN, *NEW])
        assert tree(folder) == {**NEW, **MINE}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_fails_before_it_is_ready_leaves_no_trace(folder: Path, error: type[BaseException]) -> None:
    before = tree(folder.parent)
    for target in (folder, folder.parent / "new"):
        with pytest.raises(error), claimed(target) as place, place.replacing(OLD, "last") as new:
            write_text(new / "a", "half")
            raise error
        assert tree(folder.parent) == before


def test_a_link_stays_a_link(folder: Path, tmp_path: Path) -> None:
    link, dangling = tmp_path / "link", tmp_path / "dangling"
    link.symlink_to(folder)
    dangling.symlink_to(tmp_path / "elsewhere" / "run")
    save(link)
    save(dangling)
    assert link.is_symlink() and tree(folder) == {**NEW, **MINE}
    assert dangling.is_symlink() and tree(tmp_path / "elsewhere" / "run") == NEW


def test_what_the_user_put_there_is_not_touched(folder: Path) -> None:
    for name, words in (("c", "not what hierfit wrote"), ("plots/y", "not what hierfit wrote")):
        (folder / name).write_text("mine")
        before = tree(folder.parent)
        with pytest.raises(RunFolderError, match=words):
            save(folder)
        assert tree(folder.parent) == before
        (folder / name).unlink()
    (folder / "c").mkdir()
    with pytest.raises(RunFolderError, match="not what hierfit wrote"):
        save(folder)


def test_a_subfolder_that_leads_elsewhere_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (folder / "plots").rename(tmp_path / "pictures")
    (folder / "plots").symlink_to(tmp_path / "pictures")
    before = tree(tmp_path)
    with pytest.raises(RunFolderError, match="plots is no folder"):
        save(folder)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", ["../thesis", "/tmp/thesis", "plots/../../thesis", "..", "link/thesis"])
def test_nobody_can_have_files_elsewhere_removed(folder: Path, name: str) -> None:
    thesis = folder.parent / "thesis"
    thesis.write_text("mine")
    (folder / "link").symlink_to(folder.parent)
    ready = folder / HOME / "ready"
    ready.mkdir(parents=True)
    (ready / ".stale.json").write_text(json.dumps([name]))
    recover(folder)
    assert thesis.read_text() == "mine" and not (folder / HOME).exists()


HOLD = "import sys, time; from pathlib import Path; from hierfit.disk.folder import claimed\n"
HOLD += "with claimed(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"


@pytest.mark.parametrize("name", ["run", "new"])
def test_a_second_writer_is_told_who_the_first_is(folder: Path, name: str) -> None:
    target = folder.parent / name
    first = subprocess.Popen([sys.executable, "-c", HOLD, str(target)], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None and first.stdout.readline() == "held\n"
    try:
        with pytest.raises(RunFolderError, match=f"by another hierfit: process {first.pid} ") as refused:
            save(target)
        assert refused.value.exit_code == 2
        recover(target)  # but it can be read
        assert (folder / "last").read_bytes() == b"old"
    finally:
        first.kill()
        first.wait()
    save(target)  # no lock outlives its process
    assert (target / "last").read_bytes() == b"new" and HOME not in str(sorted(tree(folder.parent)))


def test_a_reader_waits_while_files_are_moved(folder: Path) -> None:
    home = folder / HOME
    (home / "ready").mkdir(parents=True)
    lock = take_lock(home / "lock")
    process = os.fork()
    if process == 0:
        started = time.monotonic()
        recover(folder)
        os._exit(int(10 * (time.monotonic() - started)))
    time.sleep(0.4)
    (home / "ready").rmdir()
    lock.release()
    assert 2 <= os.WEXITSTATUS(os.waitpid(process, 0)[1]) < 30


def test_a_killed_writer_of_another_folder_is_cleaned_up_after(tmp_path: Path) -> None:
    first = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "one")], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None and first.stdout.readline() == "held\n"
    first.send_signal(signal.SIGKILL)
    first.wait()
    (tmp_path / f".two{HOME}").mkdir()
    (tmp_path / f".two{HOME}" / "mine").write_text("the user's own")
    assert (tmp_path / f".one{HOME}").is_dir()
    save(tmp_path / "three")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".two{HOME}", "three"]
