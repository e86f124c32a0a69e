"""`hierfit compare`: how well runs predict what they have not seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hierfit.cli.options.declared import Options, takes_options
from hierfit.cli.options.shared import OUTPUT, ExitZero, Format, OutputFormat, OverwriteFile, Quiet
from hierfit.cli.page import show
from hierfit.errors import UsageError


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
    folds: Annotated[
        int | None,
        typer.Option(
            "--folds",
            metavar="K",
            min=2,
            help="Fit each run again K times, each time without one of K folds of the rows, or of groups (--by).",
            show_default=False,
        ),
    ] = None
    refit: Annotated[
        bool,
        typer.Option("--refit", help="Fit again without each row, or group, whose Pareto k is too high."),
    ] = False
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same folds.")] = 1
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
            help="Also write a CSV with a line for each run and row, or group: where it is, elpd, p_loo, Pareto k, "
            "or the fold.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None
    overwrite: OverwriteFile = False
    output: Format = OutputFormat.TABLE
    quiet: Quiet = False
    exit_zero: ExitZero = False


@takes_options
def compare(options: CompareOptions) -> None:
    """Compare runs by how well each predicts rows that it has not seen; one run alone gives its own.

    Leave-one-out from the draws that there are; --refit and --folds fit again without the rows.

    [dim]hierfit compare runs/slopes runs/intercepts[/dim]

    [dim]hierfit compare RUN RUN --by school[/dim]

    [dim]hierfit compare RUN --pointwise rows.csv[/dim]

    [dim]hierfit compare RUN RUN --folds 10 --by school[/dim]
    """
    if options.refit and options.folds is not None:
        raise UsageError("--refit is about leaving out one by one, and --folds leaves out many at a time.",
                         hint="leave one of them out")  # fmt: skip
    if options.said("seed") and options.folds is None:
        raise UsageError("--seed is about folds, but --folds is not given.", hint="add --folds 10")
    from hierfit import asked
    from hierfit.cli.show.compare import comparison_text, warning_text
    from hierfit.cli.show.progress import Reporter
    from hierfit.disk.new_file import refuse_taken, written_whole
    from hierfit.engines.rounds import Listener
    from hierfit.errors import ExitCode
    from hierfit.runs.cross_validated import Way
    from hierfit.runs.files import write_csv

    if options.pointwise is not None:
        refuse_taken(options.pointwise, "--pointwise", overwrite=options.overwrite)
    way = Way(options.folds, options.seed, options.refit)
    with Reporter(quiet=options.quiet, work="Leaving out") as reporter:
        listener = Listener(message=reporter.say)
        found = asked.compare(options.runs, options.by, reporter.count, way, listener)
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
