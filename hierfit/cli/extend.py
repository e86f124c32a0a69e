"""`hierfit extend`: more draws for a finished run."""

from __future__ import annotations

import sys

import typer

from hierfit.cli.options.declared import takes_options
from hierfit.cli.options.extend import ExtendOptions, goal_of
from hierfit.cli.page import show


@takes_options
def extend(options: ExtendOptions) -> None:
    """Add draws to a finished run, from where its chains stand, without another warmup.

    [dim]hierfit extend runs/pupils-20261120-084120[/dim]

    [dim]hierfit extend RUN --draws 2000[/dim]
    """
    goal, output = goal_of(options), options.output
    from hierfit import workflow
    from hierfit.cli.show import fit as report
    from hierfit.cli.show.progress import Reporter
    from hierfit.engines.rounds import Listener

    reporter = Reporter(quiet=options.quiet)
    listener = Listener(reporter.say, reporter.progress)
    with reporter:
        done = workflow.extend(options.run, options.draws, goal, argv=sys.argv, listener=listener)
    show(report.run_text(done.record, done.summary, done.diagnosis, output, done.folder), exactly=output.is_exact)
    reporter.say(report.saved_text(done))
    raise typer.Exit(report.exit_code_of_fit(done, exit_zero=options.exit_zero))
