"""`hierfit test`: what the posterior of a run says of expressions over its parameters."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer

from hierfit.cli.options.declared import takes_options
from hierfit.cli.options.hypotheses import HypothesisOptions, rope_of
from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import in_lines, show
from hierfit.cli.saving import format_of


@takes_options
def test(options: HypothesisOptions) -> None:
    """Say what the posterior holds of expressions: mean, interval, and how likely a comparison is to be true.

    Parameters are named as the tables name them, levels of groups as school[12] and school[12: ses].

    [dim]hierfit test RUN 'ses > 2' 'sd(school)^2 / (sd(school)^2 + sigma^2)'[/dim]

    [dim]hierfit test RUN 'school[12] > school[7]' --rope -0.1,0.1 --format json[/dim]
    """
    rope = rope_of(options.rope)
    from hierfit.cli.show import hypotheses as report
    from hierfit.disk.new_file import refuse_taken, write_whole
    from hierfit.runs import hypotheses
    from hierfit.runs.folder import open_run

    if options.out is not None:
        refuse_taken(options.out, "--out", overwrite=options.overwrite)
    expressions = options.expressions or []
    answers = hypotheses.test(options.run, expressions, ci=options.ci, rope=rope)
    output = format_of(options.out, options.output, said="output" in options.typed)
    text = report.answers_text(answers, output)
    if options.out is None:
        show(text, exactly=output.is_exact)
    else:
        write_whole(options.out, text + "\n")
        if not options.quiet:
            show(in_lines([f"Saved    {options.out}"]), err=True)
    beside = list[str]()
    if not options.quiet and (options.out is not None or output is not OutputFormat.TABLE):
        beside += report.caution_lines(answers)
    if not options.quiet:
        beside += report.lost_lines(expressions)
    if not options.quiet and not any(row.is_claim for row in answers.rows):
        beside += report.redirected_lines(_redirected())
    folder = open_run(options.run)
    if warning := report.warning_text(folder):
        beside.append(warning)
    if beside:
        show("\n".join(beside), err=True)
    raise typer.Exit(report.exit_code(folder, exit_zero=options.exit_zero))


def _redirected() -> str | None:
    """Return the name of the file in the current folder that stdout goes to, None where it goes elsewhere."""
    try:
        own = os.fstat(sys.stdout.fileno())
        same = (entry.name for entry in os.scandir(Path()) if os.path.samestat(entry.stat(), own))
        return next(same, None)
    except (OSError, ValueError, AttributeError):  # no file at all
        return None
