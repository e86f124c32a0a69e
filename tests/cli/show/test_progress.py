"""What is said while hierfit works: on stderr, and a bar only where a person watches."""

import io
import re
from contextlib import redirect_stderr

import pytest

from hierfit.cli.show.progress import Reporter
from hierfit.sampling import Progress


class Screen(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self) -> bool:
        return True


STEPS = [
    Progress(400, 8000, (100, 100, 100, 100), "warmup", 0, 0.5),
    Progress(6182, 8000, (2000, 2000, 1182, 1000), "sampling", 1234, 21.0),
    Progress(8000, 8000, (2000, 2000, 2000, 2000), "sampling", 1234, 28.0),
]


def work(*, quiet: bool = False) -> None:
    reporter = Reporter(quiet=quiet)
    reporter.say("Reading  [data].csv: 1 row")
    with reporter:
        reporter.say("Building the gaussian program: 30 s, once")
        for step in STEPS:
            reporter.progress(step)
    reporter.say("Saved    run")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "110")
    return Screen()


@pytest.mark.parametrize("force", [False, True])
def test_a_log_gets_lines_and_no_bar(
    force: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if force:  # what continuous integration sets
        monkeypatch.setenv("FORCE_COLOR", "1")
    work()
    out, err = capsys.readouterr()
    assert (out, err.splitlines()) == (
        "",
        ["Reading  [data].csv: 1 row", "Building the gaussian program: 30 s, once", "Saved    run"],
    )


def test_quiet_is_silent(screen: Screen, capsys: pytest.CaptureFixture[str]) -> None:
    with redirect_stderr(screen):
        work(quiet=True)
    assert (screen.getvalue(), capsys.readouterr().out) == ("", "")


def test_a_terminal_gets_one_bar_over_all_chains(screen: Screen, capsys: pytest.CaptureFixture[str]) -> None:
    with redirect_stderr(screen):
        work()
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    assert "Sampling" in shown
    assert re.search(r"8000/8000 +sampling +1,234 divergent +0:00:00 +left", shown)
    assert max(line.count("Sampling") for line in re.split(r"[\r\n]", shown)) == 1
    assert "Building the gaussian program" in shown and "Reading  [data].csv: 1 row\n" in shown
    assert capsys.readouterr().out == ""


def test_the_bar_is_gone_when_an_error_is_shown(screen: Screen) -> None:
    with redirect_stderr(screen), pytest.raises(ValueError, match="stop"), Reporter(quiet=False) as reporter:
        reporter.progress(STEPS[0])
        raise ValueError("stop")
    assert screen.getvalue().endswith("\x1b[2K")  # the line is wiped
    assert "\x1b[?25h" in screen.getvalue()  # and the cursor is back
