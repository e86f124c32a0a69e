"""The Typer app, and the one place where errors become text and exit codes.

Nothing heavy is imported here or by the modules of the commands at import time, so that `--help` and a usage error
answer at once.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from typing import Annotated, NoReturn

import typer

from hierfit import __version__
from hierfit.cli import check, compare, doctor, effects, extend, fit, plot, predict, report, results, simulate
from hierfit.cli.page import clear, in_lines, on, page_of, show
from hierfit.cli.test import test
from hierfit.cli.usage import Command, Commands, SignedCommand
from hierfit.errors import ExitCode, HierfitError
from hierfit.interrupts import asked_to_stop, listening

# Read by numpy's BLAS when it is loaded. The matrices are small, and its threads spin while those of hierfit work.
_BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
ISSUES = "please report it, with the command and this text"

app = typer.Typer(
    name="hierfit",
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="From a CSV to a checked, explained Bayesian hierarchical regression in one command.",
    epilog="Start with: hierfit simulate --out sim   then: hierfit fit sim/data.csv --y score --x ses --group school",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
for command in (
    simulate.simulate,
    fit.priors,
    fit.fit,
    extend.extend,
    results.summarize,
    predict.predict,
    effects.effects,
    plot.plot,
    report.report,
    check.check,
    compare.compare,
    test,
    results.code,
    doctor.doctor,
):
    app.command(cls=SignedCommand if command is test else Command)(command)


def _show_version(wanted: bool) -> None:
    if wanted:
        show(f"hierfit {__version__}")
        raise typer.Exit()


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """From a CSV to a checked, explained Bayesian hierarchical regression in one command."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code; `hierfit.errors.ExitCode` says what each means."""
    for name in _BLAS_THREADS:
        os.environ.setdefault(name, "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no "·" shows "?"
    with listening():
        _run(argv)


def _run(argv: Sequence[str] | None) -> None:
    """Run a command; whatever it raises becomes text and an exit code."""
    try:
        with on(page_of(sys.stdout)):
            app(args=None if argv is None else list(argv))
    except HierfitError as error:
        if asked_to_stop() and error.exit_code is ExitCode.SAMPLER:  # what was stopped has failed
            _leave_interrupted()
        _show_error(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _leave_interrupted()
    except SystemExit as leaving:
        causes = {type(cause) for cause in _behind(leaving)}
        if BrokenPipeError in causes:
            _forget_stdout()
            sys.exit(ExitCode.OK)
        if KeyboardInterrupt in causes:
            show("interrupted", err=True)
        raise
    except (OSError, MemoryError) as error:
        if os.environ.get("HIERFIT_DEBUG"):
            traceback.print_exc()
        _show_error(_of_the_machine(error))
        sys.exit(ExitCode.USAGE)
    except Exception as error:
        if asked_to_stop():  # an import that is interrupted raises what it likes
            _leave_interrupted()
        if os.environ.get("HIERFIT_DEBUG"):
            traceback.print_exc()
        else:
            _show_bug(error)
        sys.exit(ExitCode.BUG)
    finally:
        clear()


def _leave_interrupted() -> NoReturn:
    show("interrupted", err=True)
    sys.exit(ExitCode.INTERRUPTED)


def _behind(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those that led to it: Typer turns Ctrl-C and a closed pipe into SystemExit."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _forget_stdout() -> None:
    """Send what is still to be written nowhere: the reader, such as head, has left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _of_the_machine(error: OSError | MemoryError) -> HierfitError:
    """Put into words what the operating system refused."""
    if isinstance(error, MemoryError):
        return HierfitError(f"out of memory: {error}", hint="use fewer rows, groups or draws")
    said = error.strerror or str(error)
    return HierfitError(f"{error.filename}: {said}." if error.filename else f"{said}.")


def _show_error(error: HierfitError) -> None:
    """Write the message and what to try; the lines of what a compiler or a sampler said are indented under the first.

    A message on what the user wrote is one line, whatever names in it hold.
    """
    several = error.exit_code is ExitCode.SAMPLER
    for label, text in (("error: ", error.message), ("hint:  ", error.hint)):
        if text:
            show(in_lines([label + text]) if not several else label + text.replace("\n", "\n       "), err=True)


def _show_bug(error: Exception) -> None:
    """Write one line on what went wrong, and one on what to do."""
    said = " ".join(f"{type(error).__name__}: {error}".split())
    show(f"error: a bug in hierfit: {said}", err=True)
    show(f"hint:  {ISSUES}; HIERFIT_DEBUG=1 shows where it happened", err=True)
