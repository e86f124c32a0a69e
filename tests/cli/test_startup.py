"""Help and usage errors answer at once, and a fit soon begins to sample: none loads packages that it has no use for."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from hierfit.cli.app import app
from tests.cli.conftest import CSV, Cli

HEAVY = {"arviz", "cmdstanpy", "formulae", "h5netcdf", "matplotlib", "numpy", "pandas", "scipy", "xarray"}
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

# A fit with a sampler that says what has been loaded when it begins, and again at the end.
FIT = f"""
import sys
import pytest
from hierfit.cli.app import main
from tests.fake_sampling import fake_sampling, replace_sampler

def say(when):
    print(when, *sorted({HEAVY} & set(sys.modules)), file=sys.__stderr__, sep="|")

def sampler(data, options):
    say("SAMPLES")
    return fake_sampling(data, options)

patch = pytest.MonkeyPatch()
replace_sampler(patch, sampler)
try:
    main(sys.argv[1:])
except SystemExit:
    say("ENDS")
"""


def test_nothing_heavy_is_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *CASES], capture_output=True, text=True, timeout=60)
    left = [line for line in done.stderr.splitlines() if line.startswith("LEFT")]
    assert left == [f"LEFT|{line}|{code}" for line, code in CASES.items()]


def test_a_fit_loads_little(folder: Path) -> None:
    """Before sampling, what reads the file; after, what writes one."""
    words = [
        "fit",
        "data.csv",
        "--formula",
        "score ~ ses * score2 + (1 + ses | school)",
        "--draws",
        "50",
        "--seed",
        "1",
        "--out",
        "run",
    ]
    lines = CSV.splitlines()
    rows = [f"{line},{5 * row % 13}" for row, line in enumerate(lines[1:])]
    (folder / "data.csv").write_text("\n".join([f"{lines[0]},score2", *rows]))
    paths = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", FIT, *words],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = [line for line in done.stderr.splitlines() if line.startswith(("SAMPLES", "ENDS"))]
    assert said[0] == "SAMPLES|numpy|pandas", done.stderr
    assert said[-1] == "ENDS|h5netcdf|numpy|pandas"
    assert (folder / "run" / "trace.nc").is_file()


def test_simulating_loads_what_draws_only_to_draw(folder: Path) -> None:
    lines = ["simulate --groups 4 --out plain --no-plots", "simulate --groups 4 --out drawn"]
    done = subprocess.run([sys.executable, "-c", PROGRAM, *lines], capture_output=True, text=True, timeout=60)
    plain, drawn = [line.split("|") for line in done.stderr.splitlines() if line.startswith("LEFT")]
    assert plain[2] == drawn[2] == "0", done.stderr
    assert {"matplotlib", "arviz"}.isdisjoint(plain) and "matplotlib" in drawn


def test_blas_has_one_thread_unless_the_user_says_otherwise(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    cli("--version")
    assert (os.environ["OPENBLAS_NUM_THREADS"], os.environ["MKL_NUM_THREADS"]) == ("1", "3")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")


# Says what signals would do while the command line is imported, and what they do when that is done.
STARTING = """
import signal, sys
import hierfit.cli
class Finder:
    def find_spec(self, name, *rest):
        if name == "hierfit.cli.app":
            print(signal.getsignal(signal.SIGINT).name, file=sys.__stderr__)
sys.meta_path.insert(0, Finder())
sys.argv[1:] = ["--version"]
try:
    hierfit.cli.main()
finally:
    print(signal.getsignal(signal.SIGINT).name, file=sys.__stderr__)
"""


def test_ctrl_c_while_starting_and_after_the_work_is_without_a_word() -> None:
    done = subprocess.run([sys.executable, "-c", STARTING], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.split()) == (0, ["SIG_DFL", "SIG_IGN"])


def test_a_start_that_is_interrupted_leaves_no_traceback() -> None:
    text = STARTING.replace(
        "print(signal.getsignal(signal.SIGINT).name, file=sys.__stderr__)", "signal.raise_signal(2)", 1
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


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
    assert "simulate" in done.out + done.err and "Draw pictures" in done.out + done.err


def test_the_version(cli: Cli) -> None:
    from hierfit import __version__

    assert cli("--version").out == f"hierfit {__version__}\n"
