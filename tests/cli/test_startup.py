"""Help and usage errors answer at once: they load none of the packages that take long."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from hierfit.cli.app import app
from tests.cli.conftest import Cli

HEAVY = {"arviz", "cmdstanpy", "matplotlib", "numpy", "pandas", "scipy", "xarray"}
CASES = {
    "--help": 0,
    "--version": 0,
    "fit --help": 0,
    "summarize --help": 0,
    "fti": 2,
    "fit": 2,
    "fit data.csv --y score --ci 2": 2,
    "fit data.csv --y score --slope ses": 2,
}
# One process for all: what one of them loads would be there for those after it too.
PROGRAM = f"""
import sys
from hierfit.cli.app import main
for line in sys.argv[1:]:
    try:
        main(line.split())
    except SystemExit as left:
        print("LEFT", line, int(left.code or 0), *sorted({HEAVY} & set(sys.modules)), file=sys.__stderr__, sep="|")
"""


def test_nothing_heavy_is_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *CASES], capture_output=True, text=True, timeout=60)
    left = [line for line in done.stderr.splitlines() if line.startswith("LEFT")]
    assert left == [f"LEFT|{line}|{code}" for line, code in CASES.items()]


def commands() -> Iterator[tuple[str, Any]]:
    yield from typer.main.get_command(app).commands.items()  # type: ignore[attr-defined]


def test_the_commands() -> None:
    assert [name for name, _ in commands()][:5] == ["simulate", "priors", "fit", "extend", "summarize"]


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_everything_has_help(name: str, command: Any) -> None:
    assert command.help and f"hierfit {name}" in command.help  # an example
    assert [parameter.name for parameter in command.params if not parameter.help] == []


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_help_shows_every_option(name: str, cli: Cli) -> None:
    done = cli(name, "--help")
    assert (done.code, done.err) == (0, "")
    options = [option for parameter in dict(commands())[name].params for option in parameter.opts if option[:2] == "--"]
    assert [option for option in options if option not in done.out] == []


def test_hierfit_alone_shows_help(cli: Cli) -> None:
    done = cli()
    assert "simulate" in done.out + done.err and "Draw the pictures" in done.out + done.err


def test_the_version(cli: Cli) -> None:
    from hierfit import __version__

    assert cli("--version").out == f"hierfit {__version__}\n"
