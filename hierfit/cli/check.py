"""`hierfit check`: whether a fitted model could have given data like those that it was fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hierfit.cli.options.declared import Options, takes_options
from hierfit.cli.options.shared import OUTPUT, ExitZero, Format, OutputFormat, Quiet, Run
from hierfit.cli.page import in_lines, show
from hierfit.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class CheckOptions(Options):
    """The options of `hierfit check`."""

    run: Run
    strict: Annotated[bool, typer.Option("--strict", help="Leave with exit code 1 where a check says `differs`.")] = (
        False
    )
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same replications.")] = 1
    plots: Annotated[
        bool,
        typer.Option("--plots/--no-plots", help="Draw pictures, into the run's folder plots/.", rich_help_panel=OUTPUT),
    ] = True
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Draw the pictures there instead.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace pictures that --out holds.", rich_help_panel=OUTPUT)
    ] = False
    output: Format = OutputFormat.TABLE
    quiet: Quiet = False
    exit_zero: ExitZero = False


@takes_options
def check(options: CheckOptions) -> None:
    """Check a model against its data: replicated outcomes, residuals, groups, priors; in sentences and pictures.

    [dim]hierfit check runs/pupils-20261120-084120[/dim]

    [dim]hierfit check RUN --no-plots --format json[/dim]

    [dim]hierfit check RUN --out pictures --strict[/dim]
    """
    _require_sense(options)
    from hierfit import asked
    from hierfit.cli.show import check as report
    from hierfit.cli.show import fit as verdict
    from hierfit.cli.show.lines import LABEL
    from hierfit.cli.show.progress import Reporter

    found = asked.check(options.run, options.seed)
    show(report.checks_text(found, options.output), exactly=options.output.is_exact)
    with Reporter(quiet=options.quiet, barred=False) as reporter:
        if options.plots:
            for path, caption in asked.picture_checks(found, options.out, overwrite=options.overwrite):
                reporter.say(in_lines([f"{'Saved':<{LABEL}}{path}  {caption}"]))
    warning = verdict.warning_text(found)
    if warning:
        show(warning, err=True)
    code = verdict.exit_code(found, exit_zero=options.exit_zero)
    raise typer.Exit(code or report.exit_code(found, strict=options.strict))


def _require_sense(options: CheckOptions) -> None:
    """Refuse options that contradict each other.

    Raises:
        UsageError: they do.
    """
    if not options.plots and options.out is not None:
        raise UsageError("--out is for pictures, and --no-plots draws none.", hint="leave one of them out")
    if options.overwrite and options.out is None:
        raise UsageError(
            "--overwrite is about --out, which is not given.", hint="leave it out: plots/ is kept up to date"
        )
    if options.out is not None and options.out.exists() and not options.out.is_dir():
        raise UsageError(f"--out {options.out} is a file.", hint="name a folder")
