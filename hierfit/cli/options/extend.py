"""The options of `hierfit extend`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from hierfit.cli.options.declared import Options
from hierfit.cli.options.shared import ExitZero, Format, OutputFormat, Quiet, Run
from hierfit.errors import UsageError

DEFAULT_GOAL = 1000


@dataclass(frozen=True, kw_only=True)
class ExtendOptions(Options):
    """The options of `hierfit extend`."""

    run: Run
    until_ess: Annotated[
        int | None,
        typer.Option(
            "--until-ess",
            min=1,
            metavar="NUMBER",
            help="Draw until every population-level parameter has so many effective draws, bulk and tail.",
            show_default=f"{DEFAULT_GOAL:,}",
        ),
    ] = None
    draws: Annotated[
        int | None,
        typer.Option("--draws", min=4, metavar="NUMBER", help="Draw so many from each chain, and no more."),
    ] = None
    output: Format = OutputFormat.TABLE
    quiet: Quiet = False
    exit_zero: ExitZero = False


def goal_of(options: ExtendOptions) -> int | None:
    """Return the effective draws to reach; None where a number of draws is asked for.

    Raises:
        UsageError: both are.
    """
    if options.until_ess is not None and options.draws is not None:
        raise UsageError("--until-ess and --draws ask for different things.", hint="leave one out")
    return options.until_ess or (DEFAULT_GOAL if options.draws is None else None)
