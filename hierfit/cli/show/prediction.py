"""Prediction -> text: a table cut to the page, or all rows as CSV, JSON or Markdown, block by block as they come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import in_lines, page
from hierfit.cli.show.formats import csv_text, document_table
from hierfit.cli.show.lines import LABEL, wrapped
from hierfit.posterior.digits import decimals, format_number
from hierfit.posterior.predict.quantities import EXPECTED
from hierfit.posterior.words import counted, elided
from hierfit.told.cells import interval_title
from hierfit.visible import visible, visible_json

if TYPE_CHECKING:
    from pathlib import Path

    from hierfit.runs.prediction import Block, Cell, Prediction

SHOWN = 20  # rows of a table on a terminal
CELL_WIDTH, LEAST_WIDTH = 20, 6
_SHARE_DECIMALS = 3
_SDS = 4  # an interval of 95 % is about so many sds wide


def texts(prediction: Prediction, blocks: Iterable[Block], output: OutputFormat) -> Iterator[str]:
    """Yield the lines of a prediction in the wanted format, as blocks come."""
    if output is OutputFormat.CSV:
        yield csv_text([[*prediction.header, *prediction.names]])
        for block in blocks:
            yield csv_text(_rows(block))
    elif output is OutputFormat.JSON:
        yield from _json(prediction, blocks)
    else:
        yield _table(prediction, blocks, output)


def notes(prediction: Prediction) -> Iterator[str]:
    """Yield what a reader of the predictions should know: of missing cells, names that were taken, priors alone."""
    if prediction.missing:
        count = prediction.n_rows - prediction.n_complete
        columns = ", ".join(f"{name} in {rows:,}" for name, rows in prediction.missing.items())
        rows = "rows lacks a value" if count == 1 else "rows lack a value"
        yield f"{count:,} of {prediction.n_rows:,} {rows} that the model needs ({columns}): nothing is predicted there."
    for factor, (levels, rows_of) in prediction.new.items():
        given = "drawn from the distribution of the groups" if prediction.drawn else "0, those of an average group"
        rows = f"{rows_of:,} row{'s' * (rows_of != 1)}"
        yield f"{rows} of {counted(levels, factor)} that the fit had not: their effects are {given}."
    if prediction.renamed:
        pairs = ", ".join(f"{name} is {other}" for name, other in prediction.renamed.items())
        yield f"The input has columns of these names already: {pairs}."
    if prediction.run.spec.prior_only:
        yield "This run did not see the outcome: what is predicted is what its priors say."


def saved_text(path: Path, rows: int) -> str:
    """Return the line that says where predictions are."""
    return in_lines([f"{'Saved':<{LABEL}}{path}  {rows:,} row{'s' * (rows != 1)}"])


def _rows(block: Block) -> Iterator[list[Cell]]:
    for cells, own in zip(block.cells, block.predicted, strict=True):
        yield [*cells, *("" if cell is None else cell for cell in own)]


def _json(prediction: Prediction, blocks: Iterable[Block]) -> Iterator[str]:
    numeric = [name in prediction.numeric for name in prediction.header]
    names = [*prediction.header, *prediction.names]
    before = "["
    for block in blocks:
        lines = []
        for cells, own in zip(block.cells, block.predicted, strict=True):
            known = [
                prediction.number(cell) if is_number else cell for cell, is_number in zip(cells, numeric, strict=True)
            ]
            record = dict(zip(names, [*known, *own], strict=True))
            lines.append("  " + visible_json(json.dumps(record, ensure_ascii=False, allow_nan=False)))
        yield before
        yield ",\n".join(lines)
        before = ","
    yield "]"


def _table(prediction: Prediction, blocks: Iterable[Block], output: OutputFormat) -> str:
    inputs: list[list[str]] = [list(prediction.header)]
    own: list[list[str]] = [list(prediction.names) if output.is_document else _titles(prediction)]
    for block in blocks:
        for cells, predicted in zip(block.cells, block.predicted, strict=True):
            numbers = _predicted_texts(prediction, predicted)
            inputs.append([_input_text(cell) for cell in cells])
            own.append(numbers if output.is_document else _with_intervals(prediction, numbers))
    if output.is_document:
        return document_table([[*cells, *numbers] for cells, numbers in zip(inputs, own, strict=True)], output)
    left = prediction.n_rows - (len(own) - 1)
    lines = _aligned(inputs, own)
    more = [f"... {left:,} more row{'s' * (left > 1)}: --out FILE, or --format csv"] if left else []
    return in_lines([*_title(prediction), *lines, *more])


def _titles(prediction: Prediction) -> list[str]:
    """Return the titles of the columns of a table, where an interval is one: "expected", "95% interval"."""
    found, interval = [], interval_title(prediction.ci)
    for quantity in prediction.quantities:
        found += [prediction.renamed.get(quantity.name, quantity.name)] if quantity.mean else []
        found += [interval if quantity.mean else f"{quantity.name}, {interval}"] if quantity.bounds else []
    return [visible(title) for title in found]


def _with_intervals(prediction: Prediction, numbers: Sequence[str]) -> list[str]:
    """Return the cells of such a row: bounds as "47.4 to 53.2"."""
    found, left = [], iter(numbers)
    for quantity in prediction.quantities:
        found += [next(left)] if quantity.mean else []
        if quantity.bounds:
            lower, upper = next(left), next(left)
            found.append(f"{lower} to {upper}" if lower or upper else "")
    return found


def _title(prediction: Prediction) -> list[str]:
    design, formula = prediction.run.design, str(prediction.run.record.model.formula)
    if design.categories and any(quantity.name == EXPECTED for quantity in prediction.quantities):
        formula += f" · {EXPECTED}: probability of {design.response} = {design.categories[1]}"
    return wrapped(formula)


def _input_text(cell: Cell) -> str:
    if isinstance(cell, float):
        return f"{cell:.6g}"
    return "" if cell is None else visible(cell)


def _predicted_texts(prediction: Prediction, cells: Sequence[Cell]) -> list[str]:
    """Return numbers with as many digits as the interval of the first quantity supports."""
    found, at, places = [], 0, None
    for quantity in prediction.quantities:
        size = quantity.mean + 2 * quantity.bounds
        own = cells[at : at + size]
        at += size
        numbers = [cell for cell in own if isinstance(cell, float)]
        if quantity.mean and quantity.bounds and len(numbers) == size:
            places = decimals((numbers[2] - numbers[1]) / _SDS)
        for cell in own:
            if isinstance(cell, float):
                found.append(format_number(cell, places if quantity.bounds else _SHARE_DECIMALS))
            else:
                found.append("" if cell is None else str(cell))
    return found


def _aligned(inputs: Sequence[Sequence[str]], own: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines: all predicted columns, and as many of the input as have room, the last in the file first.

    What has no room is said in the header.
    """
    own_widths = [max(map(len, column)) for column in zip(*own, strict=True)]
    room = page().width - sum(width + 2 for width in own_widths)
    columns = [[elided(cell, CELL_WIDTH) for cell in column] for column in zip(*inputs, strict=True)]
    shown: list[list[str]] = []
    for column in columns:
        width = max(map(len, column)) + 2
        if width <= room:
            shown.append(column)
            room -= width
    widths = [max(map(len, column)) for column in shown]
    lines = []
    for place, numbers in enumerate(own):
        cells = [column[place].ljust(width) for column, width in zip(shown, widths, strict=True)]
        cells += [number.rjust(width) for number, width in zip(numbers, own_widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
    hidden = len(columns) - len(shown)
    if hidden:
        lines.append(f"({hidden} column{'s' * (hidden > 1)} of the input not shown: --format csv)")
    return lines
