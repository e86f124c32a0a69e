"""`hierfit summarize`, `hierfit plot` and `hierfit code`: what a run folder holds, shown again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hierfit.cli.options.declared import Options, takes_options
from hierfit.cli.options.shared import Ci, ExitZero, Format, OutputFormat, Quiet, Run
from hierfit.cli.page import in_lines, show
from hierfit.cli.saving import write_new
from hierfit.errors import UsageError

if TYPE_CHECKING:
    from hierfit.runs.finished import Fit, Stored


@dataclass(frozen=True, kw_only=True)
class SummarizeOptions(Options):
    """The options of `hierfit summarize`."""

    run: Run
    groups: Annotated[bool, typer.Option("--groups", help="The groups instead of the main table.")] = False
    sort: Annotated[
        str | None,
        typer.Option("--sort", help="Sort groups by this coefficient: Intercept, ses, ...", show_default="first"),
    ] = None
    top: Annotated[int, typer.Option("--top", min=1, help="Groups shown from either end.")] = 5
    show_all: Annotated[bool, typer.Option("--all", help="All groups.")] = False
    ci: Ci = None
    output: Format = OutputFormat.TABLE
    exit_zero: ExitZero = False


@takes_options
def summarize(options: SummarizeOptions) -> None:
    """Show the tables of a run. The exit code says, as that of the fit, whether its checks failed.

    [dim]hierfit summarize runs/pupils-20261120-084120[/dim]

    [dim]hierfit summarize RUN --groups --sort ses[/dim]

    [dim]hierfit summarize RUN --format json[/dim]
    """
    about_groups = options.said("sort", "top", "show_all")
    if about_groups and not options.groups:
        raise UsageError(f"{about_groups[0]} is about groups, but --groups is not given.", hint="add --groups")
    from hierfit.cli.show import fit as report
    from hierfit.runs import finished

    run, output = options.run, options.output
    done: Stored | Fit
    if options.groups:
        from hierfit.cli.show.groups import groups_text
        from hierfit.posterior.group_summary import summarize_groups
        from hierfit.posterior.scale import groups_scale

        done = finished.load(run, options.ci)
        summary = summarize_groups(done.draws, done.design, done.spec, done.summary.ci)
        top = None if options.show_all else options.top
        text = groups_text(summary, options.sort, top, output, groups_scale(done.design))
    else:
        done = finished.load_summary(run, options.ci)
        text = report.run_text(done.record, done.summary, done.diagnosis, output, run)
    show(text, exactly=output.is_exact)
    if options.groups or output is not OutputFormat.TABLE:
        warning = report.warning_text(done)
        if warning:
            show(warning, err=True)
    raise typer.Exit(report.exit_code(done, exit_zero=options.exit_zero))


def plot(
    run: Run,
    quiet: Quiet = False,
) -> None:
    """Draw the pictures of a run into its folder plots/.

    [dim]hierfit plot runs/pupils-20261120-084120[/dim]
    """
    from hierfit.runs import finished

    for path, caption in finished.plot(run):
        if not quiet:
            show(in_lines([f"{path}  {caption}"]))


def code(
    run: Run,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="FILE",
            help="Also write the data of the program there, as JSON; with - print them, instead of the program.",
            show_default=False,
        ),
    ] = None,
    wide: Annotated[
        bool, typer.Option("--wide", help="The program that was sampled, and its data: one for all models of its kind.")
    ] = False,
) -> None:
    """Print the model of a run as a Stan program, its priors with their numbers.

    [dim]hierfit code runs/pupils-20261120-084120 --data data.json > model.stan[/dim]

    [dim]hierfit code RUN --wide[/dim]
    """
    from hierfit.runs import finished

    if data == Path("-"):
        show(finished.program_data(run, wide=wide))
        return
    text = finished.wide_program_text(run) if wide else finished.program_text(run)
    if data is not None:
        write_new(data, finished.program_data(run, wide=wide), "--data")
    show(text)
