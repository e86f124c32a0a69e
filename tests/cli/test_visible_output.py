"""Labels, columns and files that would do something on the screen: seen in each format, and whole in what is saved."""

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hierfit.cli.app import main
from hierfit.cli.page import Page, on, ready
from hierfit.cli.show.progress import Reporter
from tests.cli.conftest import Cli, Outcome
from tests.fake_sampling import replace_sampler
from tests.hostile import is_raw

FILE, X, GROUP = "da\x1b[2J\nta.csv", "s\u202ees\n|x", "sch\x9bool"
LABELS = ("\x1b[31mred\nerror: no", "[red]b[/red][/]", "$c^2_d$\u200b", "_d|`<i>*\r")


@pytest.fixture(scope="module")
def harm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with data whose every name does harm, and a run fitted to them."""
    place = tmp_path_factory.mktemp("harm")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(place)
        rows = [["y", X, GROUP], *([f"{50 + 2 * i % 17}.5", i * 7 % 11, LABELS[i % 4]] for i in range(40))]
        with Path(FILE).open("w", newline="") as stream:
            csv.writer(stream).writerows(rows)
        replace_sampler(monkeypatch)
        with pytest.raises(SystemExit) as left:
            main(["fit", FILE, "--y=y", f"--x={X}", f"--group={GROUP}", "--seed=1", "--draws=250", "--out=run", "-q"])
        assert left.value.code == 0
    return place


@pytest.fixture
def shown(harm: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Return the command line in that folder; nothing raw comes of it."""
    monkeypatch.chdir(harm)

    def run(*arguments: str | Path) -> Outcome:
        done = cli(*arguments)
        assert not {letter for letter in done.out + done.err if is_raw(letter)}
        return done

    return run


@pytest.mark.parametrize("words", [["--format=table"], ["--format=md"], ["--groups"], ["--groups", "--format=md"]])
def test_tables_show_what_a_label_holds(shown: Cli, words: list[str]) -> None:
    out = shown("summarize", "run", *words).out
    assert "sch\\x9bool" in out.replace("\\\\", "\\")
    if "--groups" in words:
        plain = re.sub(r"\\([\\|*<_])", r"\1", out)
        assert "\\x1b[31mred" in plain and "[red]b[/red][/]" in plain and "$c^2_d$\\u200b" in plain
        assert len([line for line in out.splitlines() if "c^2" in line]) == 1
    assert not any(line.startswith("error") for line in out.splitlines())


def test_a_table_of_markdown_keeps_its_cells(shown: Cli) -> None:
    rows = [line for line in shown("summarize", "run", "--groups", "--format=md").out.splitlines() if line[:1] == "|"]
    assert len({line.replace("\\|", "").count("|") for line in rows}) == 1 and len(rows) == 6


def test_json_says_the_same(shown: Cli) -> None:
    labels = {row["level"] for row in json.loads(shown("summarize", "run", "--groups", "--format=json").out)}
    assert labels == set(LABELS)
    names = {row["name"] for row in json.loads(shown("summarize", "run", "--format=json").out)["parameters"]}
    assert {X, f"sd({GROUP})"} <= names


def test_csv_and_files_are_exact(cli: Cli, harm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(harm)
    out = cli("summarize", "run", "--groups", "--format=csv").out
    for text in (out, (harm / "run" / "groups.csv").read_bytes().decode()):
        assert {row["level"] for row in csv.DictReader(io.StringIO(text, newline=""))} == set(LABELS)


def test_csv_on_a_terminal_shows_escapes(harm: Path) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "hierfit", "summarize", "run", "--groups", "--format=csv"]
    with subprocess.Popen(command, cwd=harm, stdout=follower, stderr=subprocess.PIPE) as process:
        os.close(follower)
        written = b""
        while True:
            try:
                written += os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
    assert process.returncode == 0
    text = written.decode().replace("\r\n", "\n")
    assert "\\x1b[31mred\\nerror: no" in text and not any(map(is_raw, text))


def test_what_is_said_before_and_of_mistakes(shown: Cli) -> None:
    fit = ["fit", FILE, "--y=y", f"--x={X}", f"--group={GROUP}", "--dry-run"]
    assert shown(*fit).out.splitlines()[0].startswith("Data     da\\x1b[2J\\nta.csv: 40 rows")
    assert re.search(r"s\\u202ees\\n\|x +~ normal", shown(*fit).out)
    for words in (
        ["--x=\x1bno\nhint:  x"],
        ["--prior=\x1b\nhint: ~ normal(0, 1)"],
        ["--family=\x1b\nx"],
        ["--\x1b\nx"],
    ):
        done = shown(*fit, *words)
        assert done.code == 2 and done.err.startswith("error: ") and "\\x1b" in done.err
        assert all(line.startswith(("error: ", "hint:  ")) for line in done.err.splitlines())
    for wide in ([], ["--wide"]):
        assert all(line.startswith("//") for line in shown("code", "run", *wide).out.splitlines()[:5])


def test_the_lines_of_pictures(shown: Cli) -> None:
    lines = shown("plot", "run", "--dpi=40").out.splitlines()
    assert lines and all(line.startswith("run/plots/") for line in lines)


def test_only_our_own_colours_are_colours() -> None:
    from hierfit.cli.page import coloured

    with on(Page(colour=True)):
        line = coloured("Checks   OK \x1b[31mx", "OK", "green")
        assert ready(line) == "Checks   \x1b[32m\x1b[1mOK\x1b[0m \\x1b[31mx"


def test_markup_and_emoji_are_letters_beside_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    with Reporter(quiet=False) as reporter:
        reporter.say("[red]x[/red] [/] :cat: \x1b]0;title\x07")
    assert "[red]x[/red] [/] :cat: \\x1b]0;title\\x07" in screen.getvalue()


def test_a_path_that_is_no_text(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_sampler(monkeypatch)
    file, run = (os.fsdecode(name) for name in (b"d\xff.csv", b"r\xff"))
    Path("data.csv").rename(file)
    assert cli("fit", file, "--y=score", "--x=ses", "--group=school", "--draws=250", f"--out={run}").code == 0
    tables = ["summarize", run], ["summarize", run, "--format=json"]
    for words in (*tables, ["plot", run, "--dpi=40"], ["fit", f"--from={run}", "--dry-run"]):
        done = cli(*words)
        assert done.code == 0 and not any(map(is_raw, done.out + done.err))
