"""`hierfit report`: one page that says all of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hierfit.cli.options.declared import Options, takes_options
from hierfit.cli.options.shared import OUTPUT, Ci, ExitZero, Quiet, Run
from hierfit.cli.page import in_lines
from hierfit.report.formats import ReportFormat, format_of


@dataclass(frozen=True, kw_only=True)
class ReportOptions(Options):
    """The options of `hierfit report`."""

    run: Run
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Where to write it: .html or .md.",
            show_default="report.html or .md in the folder of the run",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    output: Annotated[
        ReportFormat,
        typer.Option(
            "--format",
            help="One page for the browser, or Markdown with its pictures in a folder beside it.",
            show_default="what the name of --out says, or html",
            rich_help_panel=OUTPUT,
        ),
    ] = ReportFormat.HTML
    pictures: Annotated[bool, typer.Option("--pictures/--no-pictures", help="With pictures, or without.")] = True
    compare: Annotated[
        list[Path] | None,
        typer.Option(
            "--compare",
            metavar="RUN2",
            help="Also compare it with this run, by leave-one-out. Repeatable.",
            show_default=False,
        ),
    ] = None
    test: Annotated[
        list[str] | None,
        typer.Option(
            "--test",
            metavar="EXPR",
            help="Also say what the posterior holds of an expression, as hierfit test does. Repeatable.",
            show_default=False,
        ),
    ] = None
    ci: Ci = None
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.", rich_help_panel=OUTPUT)] = (
        False
    )
    quiet: Quiet = False
    exit_zero: ExitZero = False


@takes_options
def report(options: ReportOptions) -> None:
    """Write a report of a run: model, data, checks, tables, effects, pictures, priors, a methods paragraph.

    [dim]hierfit report runs/pupils-20261120-084120[/dim]

    [dim]hierfit report RUN --out paper/supplement.html[/dim]

    [dim]hierfit report RUN --format md --no-pictures[/dim]

    [dim]hierfit report RUN --compare RUN2 --test "ses > 2"[/dim]
    """
    from hierfit import asked
    from hierfit.cli.show import fit as verdict
    from hierfit.cli.show.progress import Reporter
    from hierfit.disk.new_file import refuse_taken
    from hierfit.report.files import keep_report, write_report
    from hierfit.runs.folder import open_run

    output = _format_of(options)
    kept = options.out is None and output is ReportFormat.HTML  # with the run, as its pictures are
    out = options.out or open_run(options.run).path / f"report.{output.value}"
    if not kept:
        refuse_taken(out, "--out", overwrite=options.overwrite)
    with Reporter(quiet=options.quiet, barred=False) as reporter:
        others, expressions = options.compare or (), options.test or ()
        found = asked.report(
            options.run, ci=options.ci, pictures=options.pictures, others=others, expressions=expressions
        )
        if kept:
            keep_report(found)
        else:
            write_report(found, out, output, overwrite=options.overwrite)
        reporter.say(in_lines([f"Saved    {out}"]))
    warning = verdict.warning_text(found.run)
    if warning:
        reporter.say(warning)
    raise typer.Exit(verdict.exit_code(found.run, exit_zero=options.exit_zero))


def _format_of(options: ReportOptions) -> ReportFormat:
    """Return the format: that of --format where it is given, else what the ending of the file says."""
    return options.output if "output" in options.typed or options.out is None else format_of(options.out)
