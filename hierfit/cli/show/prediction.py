"""Prediction -> text: a table cut to the page, or all rows as CSV, JSON or Markdown, block by block as they come."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import in_lines, page
from hierfit.cli.show.formats import csv_text, markdown_table
from hierfit.cli.show.lines import LABEL, wrapped
from hierfit.cli.show.table import interval_title
from hierfit.data.cells import NUMBER
from hierfit.posterior.digits import decimals, format_number
from hierfit.posterior.words import elided
from hierfit.visible import visible, visible_json

if TYPE_CHECKING:
    from pathlib import Path

    from hierfit.runs.prediction import Block, Cell, Prediction

SHOWN = 20  # rows of a table on a terminal
CELL_WIDTH, LEAST_WIDTH = 20, 6
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
            known = [_number(cell) if is_number else cell for cell, is_number in zip(cells, numeric, strict=True)]
            record = dict(zip(names, [*known, *own], strict=True))
            lines.append("  " + visible_json(json.dumps(record, ensure_ascii=False, allow_nan=False)))
        yield before
        yield ",\n".join(lines)
        before = ","
    yield "]"


def _number(cell: Cell) -> Cell:
    """Return a cell as a number where it is written as one."""
    if not isinstance(cell, str) or not NUMBER.fullmatch(cell.strip()):
        return cell
    number = float(cell)
    return number if math.isfinite(number) else cell


def _table(prediction: Prediction, blocks: Iterable[Block], output: OutputFormat) -> str:
    inputs: list[list[str]] = [list(prediction.header)]
    own: list[list[str]] = [list(prediction.names)]
    for block in blocks:
        for cells, predicted in zip(block.cells, block.predicted, strict=True):
            inputs.append([_input_text(cell) for cell in cells])
            own.append(_predicted_texts(prediction, predicted))
    if output is OutputFormat.MD:
        return markdown_table([[*cells, *numbers] for cells, numbers in zip(inputs, own, strict=True)])
    left = prediction.n_rows - (len(own) - 1)
    lines = _aligned(inputs, own)
    more = [f"... {left:,} more row{'s' * (left > 1)}: --out FILE, or --format csv"] if left else []
    return in_lines([*_title(prediction), *lines, *more])


def _title(prediction: Prediction) -> list[str]:
    run, what = prediction.run, []
    names = [quantity.name for quantity in prediction.quantities]
    if "expected" in names and run.design.categories:
        what.append(f"expected: probability of {run.design.response} = {run.design.categories[1]}")
    what.append(f"{interval_title(prediction.ci)}s")
    return wrapped(" · ".join([str(run.record.model.formula), *what]))


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
        whole = 0 if quantity.whole else 3 if not quantity.bounds else places
        found += [format_number(cell, whole) if isinstance(cell, float) else cell or "" for cell in own]
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
