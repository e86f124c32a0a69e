"""`hierfit fit`: options -> FitRequest -> workflow.prepare and workflow.fit -> the report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hierfit.cli import model_options, options
from hierfit.cli.model_request import request_from
from hierfit.cli.options import DEFAULT_CI, EngineChoice, OutputFormat, ToolchainChoice
from hierfit.cli.page import show
from hierfit.errors import HierfitError
from hierfit.visible import visible

if TYPE_CHECKING:
    from hierfit.request import FitRequest
    from hierfit.workflow import Plan


def fit(
    context: typer.Context,
    data: options.DataFile = None,
    formula: model_options.FormulaText = None,
    y: model_options.Y = None,
    x: model_options.X = None,
    group: model_options.GroupColumn = None,
    slope: model_options.Slope = None,
    no_varying_intercept: model_options.NoVaryingIntercept = False,
    uncorrelated: model_options.Uncorrelated = False,
    family: model_options.FamilyName = "gaussian",
    link: model_options.LinkName = None,
    trials: model_options.Trials = None,
    offset: model_options.Offset = None,
    exposure: model_options.Exposure = None,
    weights: model_options.Weights = None,
    precision_weights: model_options.PrecisionWeights = None,
    reference: model_options.Reference = None,
    sigma: model_options.SigmaFormula = None,
    levels: model_options.Levels = None,
    na: model_options.Na = None,
    prior: model_options.PriorText = None,
    standardize: model_options.Standardize = False,
    no_center: model_options.NoCenter = False,
    prior_only: model_options.PriorOnly = False,
    again: model_options.From = None,
    chains: options.Chains = 4,
    warmup: options.Warmup = None,
    draws: options.DrawCount = 1000,
    until_ess: options.UntilEss = 400,
    seed: options.Seed = None,
    adapt_delta: options.AdaptDelta = None,
    max_treedepth: options.MaxTreedepth = 10,
    parallel_chains: options.ParallelChains = None,
    engine: options.Engine = EngineChoice.AUTO,
    toolchain: options.Toolchain = ToolchainChoice.AUTO,
    out: options.Out = None,
    overwrite: options.Overwrite = False,
    ci: options.Ci = DEFAULT_CI,
    output: options.Format = OutputFormat.TABLE,
    quiet: options.Quiet = False,
    dry_run: options.DryRun = False,
    exit_zero: options.ExitZero = False,
) -> None:
    """Fit a hierarchical regression to the columns of a CSV file, check it, and save it.

    [dim]hierfit fit pupils.csv --y score --x ses --group school[/dim]

    [dim]hierfit fit pupils.csv --y score --slope ses --group school --prior "ses ~ normal(0, 5)" --seed 1[/dim]

    [dim]hierfit fit --from runs/pupils-20261120-084120 --draws 4000[/dim]
    """
    _run(
        request_from(context) if again is None else _repeated(again, context),
        out,
        overwrite=overwrite,
        output=output,
        quiet=quiet,
        dry_run=dry_run,
        exit_zero=exit_zero,
    )


def _run(
    request: FitRequest,
    out: Path | None,
    *,
    overwrite: bool,
    output: OutputFormat,
    quiet: bool,
    dry_run: bool,
    exit_zero: bool,
) -> None:
    """Prepare and fit, with the report in the order in which things become known."""
    from hierfit import workflow
    from hierfit.cli import model_report, report
    from hierfit.cli.note_report import on_one_screen
    from hierfit.cli.progress import Reporter
    from hierfit.rounds import Listener

    reporter = Reporter(quiet=quiet)
    folder = workflow.check_out(out, request.data, overwrite=overwrite)
    plan = workflow.prepare(request)
    if dry_run:
        show(model_report.plan_text(plan))
        show(_time_text(plan))
        return
    reporter.say(model_report.reading_text(plan))
    listener = Listener(reporter.say, reporter.progress)
    with reporter:
        done = workflow.fit(plan, folder, overwrite=overwrite, argv=sys.argv, listener=listener)
    seen = on_one_screen() and not quiet  # above the progress
    text = report.run_text(done.manifest, done.summary, done.diagnosis, output, done.folder, notes=not seen)
    show(text, exactly=output.is_exact)
    if output is not OutputFormat.TABLE and (warning := report.warning_text(done)):
        reporter.say(warning)
    reporter.say(report.saved_text(done))
    raise typer.Exit(report.exit_code_of_fit(done, exit_zero=exit_zero))


def _time_text(plan: Plan) -> str:
    """Return how long the fit will take; that this cannot be said is no reason for a dry run to fail."""
    from hierfit import workflow
    from hierfit.cli import model_report

    try:
        return model_report.time_text(plan, workflow.estimate(plan))
    except HierfitError as error:
        return f"Time not estimated: {error.message}"


def _repeated(run: Path, context: typer.Context) -> FitRequest:
    """Return the request of --from; say so where the run's own file is not what it was."""
    from hierfit import finished
    from hierfit.cli.repeat import repeated

    request = repeated(run, context)
    if context.params["data"] is None and not context.params["quiet"] and finished.data_has_changed(run):
        show(f"Note     {visible(str(request.data))} has changed since that run", err=True)
    return request


def priors(
    context: typer.Context,
    data: options.DataFile = None,
    formula: model_options.FormulaText = None,
    y: model_options.Y = None,
    x: model_options.X = None,
    group: model_options.GroupColumn = None,
    slope: model_options.Slope = None,
    no_varying_intercept: model_options.NoVaryingIntercept = False,
    uncorrelated: model_options.Uncorrelated = False,
    family: model_options.FamilyName = "gaussian",
    link: model_options.LinkName = None,
    trials: model_options.Trials = None,
    offset: model_options.Offset = None,
    exposure: model_options.Exposure = None,
    weights: model_options.Weights = None,
    precision_weights: model_options.PrecisionWeights = None,
    reference: model_options.Reference = None,
    sigma: model_options.SigmaFormula = None,
    levels: model_options.Levels = None,
    na: model_options.Na = None,
    prior: model_options.PriorText = None,
    standardize: model_options.Standardize = False,
    no_center: model_options.NoCenter = False,
    output: options.Format = OutputFormat.TABLE,
) -> None:
    """Show every prior of a model with its numbers and where they come from; nothing is sampled.

    [dim]hierfit priors pupils.csv --y score --x ses --group school[/dim]
    """
    request = request_from(context)
    from hierfit import workflow
    from hierfit.cli import model_report

    show(model_report.priors_text(workflow.prepare(request).spec, output), exactly=output.is_exact)
