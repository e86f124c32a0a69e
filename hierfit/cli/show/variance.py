"""How the variance divides -> text: a table for each scale and point, R2, and what the numbers are of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import in_lines, page
from hierfit.cli.show.formats import csv_text, document_table, json_text
from hierfit.cli.show.lines import wrapped
from hierfit.cli.show.table import aligned
from hierfit.plain import to_plain
from hierfit.posterior.words import elided
from hierfit.runs.variance import Variance
from hierfit.told.cells import interval_title
from hierfit.told.variance import division_cells, division_title, r2_cells, variance_rows, variance_sentences

NAME_WIDTH, LEAST_NAME_WIDTH, _INDENT = 34, 12, "  "


def variance_text(found: Variance, output: OutputFormat) -> str:
    """Return the answer in the wanted format."""
    if output is OutputFormat.JSON:
        return json_text(_document(found))
    if output is OutputFormat.CSV:
        return csv_text(variance_rows(found.answer))
    design, answer = found.run.design, found.answer
    said = variance_sentences(answer, design)
    if output.is_document:
        tables = []
        for division in answer.divisions:
            header, *rows = division_cells(division, found.ci)
            tables.append(document_table([[division_title(division, design), *header[1:]], *rows], output))
        return "\n\n".join([*tables, document_table(r2_cells(found.answer, found.ci), output, *said)])
    blocks = []
    for division in answer.divisions:
        blocks.append([division_title(division, design), *_lines(division_cells(division, found.ci))])
    blocks += [_lines(r2_cells(found.answer, found.ci)), [line for sentence in said for line in wrapped(sentence)]]
    return "\n\n".join(map(in_lines, [wrapped(_title(found)), *blocks]))


def _title(found: Variance) -> str:
    run = found.run
    return f"The variance of {run.design.response} in {run.record.formula} · {interval_title(found.ci)}s"


def _lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table, numbers aligned on the point, intervals at the right."""
    columns = [list(column) for column in zip(*(row[1:] for row in rows[1:]), strict=True)]
    shown = [column if any(" " in cell for cell in column) else aligned(column, 0) for column in columns]
    widths = [max(len(head), *map(len, column)) for head, column in zip(rows[0][1:], shown, strict=True)]
    room = page().width - len(_INDENT) - sum(2 + width for width in widths)
    names = [elided(row[0], max(LEAST_NAME_WIDTH, min(NAME_WIDTH, room))) for row in rows[1:]]
    width = max(map(len, names))
    lines = [_line("", rows[0][1:], width, widths)]
    lines += [_line(name, [c[at] for c in shown], width, widths) for at, name in enumerate(names)]
    return lines


def _line(name: str, cells: Sequence[str], width: int, widths: Sequence[int]) -> str:
    numbers = (cell.rjust(room) for cell, room in zip(cells, widths, strict=True))
    return "  ".join([f"{_INDENT}{name.ljust(width)}", *numbers]).rstrip()


def _document(found: Variance) -> dict[str, Any]:
    run = found.run
    return {
        "run": str(run.folder),
        "formula": run.record.formula,
        "family": run.design.family,
        "link": run.design.link,
        "ci": found.ci,
        **to_plain(found.answer),
        "notes": variance_sentences(found.answer, run.design),
    }
