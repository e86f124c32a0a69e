"""`hierfit summarize` and `hierfit code`: what a run folder holds, shown again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hierfit.cli.options.declared import takes_options
from hierfit.cli.options.shared import OutputFormat, OverwriteFile, Run
from hierfit.cli.options.summarize import SummarizeOptions, check_options, held_of, telling_of
from hierfit.cli.page import show

if TYPE_CHECKING:
    from hierfit.cli.show.fit import Judged
    from hierfit.posterior.retold import Telling


@takes_options
def summarize(options: SummarizeOptions) -> None:
    """Show the tables of a run. The exit code says, as that of the fit, whether its checks failed.

    [dim]hierfit summarize runs/pupils-20261120-084120[/dim]

    [dim]hierfit summarize RUN --groups --sort ses[/dim]

    [dim]hierfit summarize RUN --variance --at ses=0,10[/dim]

    [dim]hierfit summarize RUN --exp --format tex[/dim]
    """
    check_options(options)
    telling, held = telling_of(options), held_of(options)
    from hierfit.cli.show import fit as report

    if options.groups:
        done, text = _of_groups(options)
    elif options.variance:
        done, text = _of_variance(options, held)
    elif telling is not None:
        done, text = _retold(options, telling)
    else:
        from hierfit.runs import finished

        stored = finished.load_summary(options.run, options.ci)
        done = stored
        text = report.run_text(stored.record, stored.summary, stored.diagnosis, options.output, options.run)
    show(text, exactly=options.output.is_exact)
    if options.groups or options.variance or options.output is not OutputFormat.TABLE:
        warning = report.warning_text(done)
        if warning:
            show(warning, err=True)
    raise typer.Exit(report.exit_code(done, exit_zero=options.exit_zero))


def _of_groups(options: SummarizeOptions) -> tuple[Judged, str]:
    from hierfit.cli.show.groups import groups_text
    from hierfit.posterior.group_summary import summarize_groups
    from hierfit.posterior.scale import groups_scale
    from hierfit.runs import finished

    done = finished.load(options.run, options.ci)
    summary = summarize_groups(done.draws, done.design, done.spec, done.summary.ci)
    top = None if options.show_all else options.top
    return done, groups_text(summary, options.sort, top, options.output, groups_scale(done.design))


def _of_variance(options: SummarizeOptions, held: Mapping[str, Sequence[float | str]]) -> tuple[Judged, str]:
    from hierfit.cli.show.variance import variance_text
    from hierfit.runs.variance import variance_of

    found = variance_of(options.run, held, options.ci)
    return found.run, variance_text(found, options.output)


def _retold(options: SummarizeOptions, telling: Telling) -> tuple[Judged, str]:
    from hierfit.cli.show.retold import retold_text
    from hierfit.posterior.retold import retell
    from hierfit.runs import finished

    done = finished.load(options.run, options.ci)
    rows = retell(done.draws, done.summary, done.spec, telling)
    return done, retold_text(done, rows, telling, options.output)


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
    overwrite: OverwriteFile = False,
) -> None:
    """Print the model of a run as a Stan program, its priors with their numbers.

    [dim]hierfit code runs/pupils-20261120-084120 --data data.json > model.stan[/dim]

    [dim]hierfit code RUN --wide[/dim]
    """
    from hierfit.disk.new_file import refuse_taken, write_whole
    from hierfit.runs import programs

    if data == Path("-"):
        show(programs.program_data(run, wide=wide))
        return
    if data is not None:
        refuse_taken(data, "--data", overwrite=overwrite)
    text = programs.wide_program_text(run) if wide else programs.program_text(run)
    if data is not None:
        write_whole(data, programs.program_data(run, wide=wide) + "\n")
    show(text)
