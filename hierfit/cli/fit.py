"""`hierfit fit`: options -> FitRequest -> workflow.prepare and workflow.fit -> the report."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from hierfit.cli.options.declared import takes_options
from hierfit.cli.options.fit import FitOptions
from hierfit.cli.options.model import PriorsOptions
from hierfit.cli.options.request import request_from
from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import show
from hierfit.errors import HierfitError
from hierfit.visible import visible

if TYPE_CHECKING:
    from hierfit.model.request import FitRequest
    from hierfit.workflow import Plan


@takes_options
def fit(options: FitOptions) -> None:
    """Fit a hierarchical regression to the columns of a CSV file, check it, and save it.

    [dim]hierfit fit pupils.csv --y score --x ses --group school[/dim]

    [dim]hierfit fit pupils.csv --y score --slope ses --group school --prior "ses ~ normal(0, 5)" --seed 1[/dim]

    [dim]hierfit fit --from runs/pupils-20261120-084120 --draws 4000[/dim]
    """
    request = request_from(options) if options.again is None else _repeated(options)
    from hierfit import workflow
    from hierfit.cli.show import fit as report
    from hierfit.cli.show import plan as planned
    from hierfit.cli.show.notes import on_one_screen
    from hierfit.cli.show.progress import Reporter
    from hierfit.engines.rounds import Listener

    output, overwrite = options.output, options.overwrite
    reporter = Reporter(quiet=options.quiet)
    folder = workflow.check_out(options.out, request.data, overwrite=overwrite)
    plan = workflow.prepare(request)
    if options.dry_run:
        show(planned.plan_text(plan))
        show(_time_text(plan))
        return
    reporter.say(planned.reading_text(plan))
    listener = Listener(reporter.say, reporter.progress)
    with reporter:
        done = workflow.fit(plan, folder, overwrite=overwrite, argv=sys.argv, listener=listener)
    seen = on_one_screen() and not options.quiet  # above the progress
    text = report.run_text(done.record, done.summary, done.diagnosis, output, done.folder, notes=not seen)
    show(text, exactly=output.is_exact)
    if output is not OutputFormat.TABLE and (warning := report.warning_text(done)):
        reporter.say(warning)
    reporter.say(report.saved_text(done))
    raise typer.Exit(report.exit_code_of_fit(done, exit_zero=options.exit_zero))


def _time_text(plan: Plan) -> str:
    """Return how long the fit will take; that this cannot be said is no reason for a dry run to fail."""
    from hierfit import workflow
    from hierfit.cli.show import plan as planned

    try:
        return planned.time_text(plan, workflow.estimate(plan))
    except HierfitError as error:
        return f"Time not estimated: {error.message}"


def _repeated(options: FitOptions) -> FitRequest:
    """Return the request of --from; say so where the run's own file is not what it was."""
    from hierfit.cli.options.repeat import repeated
    from hierfit.runs import finished

    assert options.again is not None
    request = repeated(options.again, options)
    if options.data is None and not options.quiet and finished.data_has_changed(options.again):
        show(f"Note     {visible(str(request.data))} has changed since that run", err=True)
    return request


@takes_options
def priors(options: PriorsOptions) -> None:
    """Show every prior of a model with its numbers and where they come from; nothing is sampled.

    [dim]hierfit priors pupils.csv --y score --x ses --group school[/dim]
    """
    request = request_from(options)
    from hierfit import workflow
    from hierfit.cli.show.plan import priors_text

    show(priors_text(workflow.prepare(request).spec, options.output), exactly=options.output.is_exact)
