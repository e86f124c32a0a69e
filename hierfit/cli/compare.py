"""`hierfit compare`: how well runs predict what they have not seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hierfit.cli.options.declared import Options, takes_options
from hierfit.cli.options.shared import OUTPUT, ExitZero, Format, OutputFormat, Quiet
from hierfit.cli.page import show


@dataclass(frozen=True, kw_only=True)
class CompareOptions(Options):
    """The options of `hierfit compare`."""

    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN", help="Folders of runs, as `hierfit fit` printed them.", show_default=False),
    ]
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            metavar="FACTOR",
            help="Leave out whole groups, all rows of a school at a time, in place of single rows.",
            show_default=False,
        ),
    ] = None
    ci: Annotated[
        float | None,
        typer.Option(
            "--ci",
            min=0.01,
            max=0.999,
            help="Also the interval of that probability of each difference.",
            show_default=False,
        ),
    ] = None
    pointwise: Annotated[
        Path | None,
        typer.Option(
            "--pointwise",
            metavar="FILE",
            help="Also write a CSV with a line for each run and row, or group: where it is, elpd, p_loo, Pareto k.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file of --pointwise.", rich_help_panel=OUTPUT)
    ] = False
    output: Format = OutputFormat.TABLE
    quiet: Quiet = False
    exit_zero: ExitZero = False


@takes_options
def compare(options: CompareOptions) -> None:
    """Compare runs by how well each predicts rows that it has not seen (leave-one-out); one run alone gives its own.

    [dim]hierfit compare runs/slopes runs/intercepts[/dim]

    [dim]hierfit compare RUN RUN --by school[/dim]

    [dim]hierfit compare RUN --pointwise rows.csv[/dim]
    """
    from hierfit import workflow
    from hierfit.cli.show.compare import comparison_text, warning_text
    from hierfit.cli.show.progress import Reporter
    from hierfit.disk.new_file import refuse_taken, written_whole
    from hierfit.errors import ExitCode
    from hierfit.runs.files import write_csv

    if options.pointwise is not None:
        refuse_taken(options.pointwise, "--pointwise", overwrite=options.overwrite)
    with Reporter(quiet=options.quiet, work="Leaving out") as reporter:
        found = workflow.compare(options.runs, options.by, reporter.count)
    show(comparison_text(found, options.output, options.ci), exactly=options.output.is_exact)
    if options.pointwise is not None:
        with written_whole(options.pointwise) as part:
            write_csv(part, found.pointwise())
        reporter.say(f"Saved    {options.pointwise}")
    warning = warning_text(found)
    if warning:
        show(warning, err=True)
    failed = bool(warning) and not options.exit_zero
    raise typer.Exit(ExitCode.CHECKS_FAILED if failed else ExitCode.OK)
