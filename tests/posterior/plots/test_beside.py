"""Figures that processes of their own save: in order, whole, errors heard, no process left behind."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from hierfit.errors import DiskError
from hierfit.posterior.plots import beside
from hierfit.posterior.plots.beside import saved_beside


@pytest.fixture(params=["children", "one processor", "another thread"])
def way(request, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1 if request.param == "one processor" else 2)
    monkeypatch.setattr(beside, "_may_split", lambda: request.param != "another thread")
    return request.param


def no_children() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return True


def test_each_is_saved_when_it_comes_and_in_order(tmp_path: Path, way: str) -> None:
    def save(name: str) -> None:
        time.sleep(0.05 * (name == "a"))
        (tmp_path / name).write_text(f"{name} {os.getpid()}")

    found = []
    for name in saved_beside(iter("abcde"), save):
        found.append(name)
        own = int((tmp_path / name).read_text().split()[1]) == os.getpid()
        assert own == (way != "children")
    assert found == list("abcde") and no_children()


def test_what_goes_wrong_is_raised_here(tmp_path: Path, way: str) -> None:
    def save(name: str) -> None:
        if name == "b":
            raise DiskError("no room", hint="make room")

    found = []
    with pytest.raises(DiskError, match="no room") as raised:
        for name in saved_beside(iter("abcde"), save):
            found.append(name)
    assert found == ["a"] and raised.value.hint == "make room" and no_children()


def test_a_reader_who_leaves_leaves_no_process(way: str) -> None:
    saving = saved_beside(iter("abc"), lambda name: time.sleep(0.0 if name == "a" else 5.0 * (way == "children")))
    assert next(saving) == "a"
    saving.close()
    assert no_children()


def test_an_ended_process_is_no_picture(monkeypatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(beside, "_may_split", lambda: True)
    with pytest.raises(MemoryError, match="was ended"):
        list(saved_beside("a", lambda name: os.kill(os.getpid(), 9)))


def test_other_threads_keep_the_process_whole() -> None:
    stop = threading.Event()
    other = threading.Thread(target=stop.wait)
    other.start()
    try:
        assert not beside._may_split()
    finally:
        stop.set()
        other.join()
