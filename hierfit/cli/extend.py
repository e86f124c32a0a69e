"""`hierfit extend`: more draws for a finished run."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hierfit.cli.options.shared import ExitZero, Format, OutputFormat, Quiet, Run
from hierfit.cli.page import show
from hierfit.errors import UsageError

DEFAULT_GOAL = 1000


def extend(
    run: Run,
    until_ess: Annotated[
        int | None,
        typer.Option(
            "--until-ess",
            min=1,
            metavar="NUMBER",
            help="Draw until every population-level parameter has so many effective draws, bulk and tail.",
            show_default=f"{DEFAULT_GOAL:,}",
        ),
    ] = None,
    draws: Annotated[
        int | None,
        typer.Option("--draws", min=4, metavar="NUMBER", help="Draw so many from each chain, and no more."),
    ] = None,
    output: Format = OutputFormat.TABLE,
    quiet: Quiet = False,
    exit_zero: ExitZero = False,
) -> None:
    """Add draws to a finished run, from where its chains stand, without another warmup.

    [dim]hierfit extend runs/pupils-20261120-084120[/dim]

    [dim]hierfit extend RUN --draws 2000[/dim]
    """
    if until_ess is not None and draws is not None:
        raise UsageError("--until-ess and --draws ask for different things.", hint="leave one out")
    from hierfit import workflow
    from hierfit.cli.show import fit as report
    from hierfit.cli.show.progress import Reporter
    from hierfit.engines.rounds import Listener

    reporter = Reporter(quiet=quiet)
    goal = until_ess or (DEFAULT_GOAL if draws is None else None)
    with reporter:
        done = workflow.extend(run, draws, goal, argv=sys.argv, listener=Listener(reporter.say, reporter.progress))
    show(report.run_text(done.record, done.summary, done.diagnosis, output, done.folder), exactly=output.is_exact)
    reporter.say(report.saved_text(done))
    raise typer.Exit(report.exit_code_of_fit(done, exit_zero=exit_zero))
