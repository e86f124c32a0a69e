"""`hierfit predict`: what a run says of rows, those of its data or of another file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from hierfit.cli.options.declared import takes_options
from hierfit.cli.options.predict import PredictOptions, prediction_request
from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import page, show

if TYPE_CHECKING:
    from hierfit.cli.show.progress import Reporter
    from hierfit.runs.prediction import Block, Prediction


@takes_options
def predict(options: PredictOptions) -> None:
    """Predict the rows of the data, or of another file: what is expected of each, and where its outcome will lie.

    [dim]hierfit predict runs/pupils-20261120-084120[/dim]

    [dim]hierfit predict RUN new.csv --out predicted.csv[/dim]

    [dim]hierfit predict RUN new.csv --new-groups draw --ci 0.9[/dim]
    """
    request = prediction_request(options)
    from hierfit import asked
    from hierfit.cli.page import in_lines
    from hierfit.cli.show import fit as verdict
    from hierfit.cli.show import prediction as report
    from hierfit.cli.show.progress import Reporter
    from hierfit.data.source import STDIN
    from hierfit.runs.prediction_files import check_file, write_draws, write_predictions

    new = STDIN if options.new == Path("-") else options.new
    for path, option in ((options.out, "--out"), (options.draws, "--draws")):
        check_file(path, option, overwrite=options.overwrite)
    prediction = asked.predict(options.run, new, request)
    cut = options.output is OutputFormat.TABLE and page().terminal
    with Reporter(quiet=options.quiet, work="Predicting", barred=not cut or options.writes) as reporter:
        for note in report.notes(prediction):
            reporter.say(in_lines([note]))
        if options.draws is not None:
            write_draws(prediction, options.draws, reporter.count)
            rows = prediction.n_complete * prediction.run.draws.n_chains * prediction.run.draws.n_draws
            reporter.say(report.saved_text(options.draws, rows))
        if options.out is not None:
            write_predictions(prediction, options.out, reporter.count)
            reporter.say(report.saved_text(options.out, prediction.n_rows))
        else:
            blocks = _counted(prediction, reporter, report.SHOWN if cut else None)
            for text in report.texts(prediction, blocks, options.output):
                show(text, exactly=options.output.is_exact)
    warning = verdict.warning_text(prediction.run)
    if warning:
        show(warning, err=True)
    raise typer.Exit(verdict.exit_code(prediction.run, exit_zero=options.exit_zero))


def _counted(prediction: Prediction, reporter: Reporter, limit: int | None) -> Iterator[Block]:
    """Yield the blocks, and move the bar."""
    done = 0
    for block in prediction.blocks(limit):
        yield block
        done += len(block.cells)
        reporter.count(done, prediction.n_rows if limit is None else limit)
