"""What results are written on: width and colours of terminals, files and pipes."""

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from hierfit.cli.page import NARROWEST, WIDEST, Page, clear, meanwhile, page_of, show


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "of_file", "of_terminal"),
    [
        ({}, Page(WIDEST), Page(WIDEST, True, True)),
        ({"COLUMNS": "70"}, Page(70), Page(70, True, True)),
        ({"COLUMNS": "7"}, Page(NARROWEST), Page(NARROWEST, True, True)),
        ({"COLUMNS": "300"}, Page(WIDEST), Page(WIDEST, True, True)),
        ({"COLUMNS": "wide"}, Page(WIDEST), Page(WIDEST, True, True)),
        ({"COLUMNS": "0"}, Page(WIDEST), Page(WIDEST, True, True)),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, Page(WIDEST), Page(WIDEST, False, True)),
        ({"FORCE_COLOR": "1"}, Page(WIDEST, True), Page(WIDEST, True, True)),
        ({"TERM": "dumb"}, Page(WIDEST), Page(WIDEST, False, True)),
    ],
)
def test_pages(environment: dict[str, str], of_file: Page, of_terminal: Page) -> None:
    assert page_of(io.StringIO(), environment) == of_file
    assert page_of(Terminal(), environment) == of_terminal


def test_a_real_terminal(run: Path) -> None:
    leader, follower = pty.openpty()
    import fcntl
    import struct
    import termios

    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 66, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    with subprocess.Popen(
        [sys.executable, "-m", "hierfit", "summarize", str(run)],
        stdout=follower,
        stderr=subprocess.PIPE,
        env=environment | {"TERM": "xterm"},
    ) as process:
        os.close(follower)
        written = b""
        while True:
            try:
                block = os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
            written += block
    shown = written.decode()
    assert process.returncode == 0
    assert "\x1b[1mOK\x1b[0m" in shown
    assert max(len(line) for line in shown.replace("\x1b[32m\x1b[1m", "").replace("\x1b[0m", "").splitlines()) <= 66


def test_what_is_shown_meanwhile_makes_room_for_what_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", screen)
    meanwhile("Reading  runs/a\x1b[31m")
    assert screen.getvalue() == "Reading  runs/a\\x1b[31m"
    show("done", err=True)
    assert screen.getvalue().endswith("\r\x1b[Kdone\n")
    clear()
    assert screen.getvalue().endswith("done\n")


@pytest.mark.parametrize(("kind", "term"), [(io.StringIO, "xterm"), (Terminal, "dumb")])
def test_files_and_plain_terminals_are_shown_nothing_meanwhile(monkeypatch: pytest.MonkeyPatch, kind, term) -> None:
    screen = kind()
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr(sys, "stderr", screen)
    meanwhile("Reading  runs/a")
    show("done", err=True)
    assert screen.getvalue() == "done\n"
