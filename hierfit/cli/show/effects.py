"""Effects -> text: a line for each average or difference, and what was averaged over what."""

from __future__ import annotations

from typing import Any

from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import in_lines, page
from hierfit.cli.show.formats import csv_text, document_table, json_text
from hierfit.cli.show.lines import wrapped
from hierfit.cli.show.table import aligned
from hierfit.plain import to_plain
from hierfit.posterior.words import elided
from hierfit.runs.effects import Effects
from hierfit.told.effects import effects_cells, effects_title

NAME_WIDTH, LEAST = 48, 5
SHARE = 4  # the column of numbers that is a share of draws
NUMBERS = ("mean", "sd", "lower", "upper", "above", "mcse_mean", "rhat", "ess_bulk", "ess_tail")


def effects_text(found: Effects, output: OutputFormat) -> str:
    """Return the answer in the wanted format."""
    if output is OutputFormat.JSON:
        return json_text(_document(found))
    if output is OutputFormat.CSV:
        return csv_text(_csv_rows(found))
    rows = effects_cells(found)
    if output.is_document:
        return document_table(rows, output, *[effects_title(found)] * (output is OutputFormat.TEX))
    own = [list(column) for column in zip(*(row[1:] for row in rows[1:]), strict=True)]
    columns = [aligned(column, LEAST) if at < SHARE else column for at, column in enumerate(own)]
    widths = [max(len(title), *map(len, column)) for title, column in zip(rows[0][1:], columns, strict=True)]
    room = page().width - sum(width + 2 for width in widths)
    width = max(12, min(NAME_WIDTH, room, max(len(row[0]) for row in rows)))
    lines = [_line("", rows[0][1:], width, widths)]
    for at, (name, *_) in enumerate(rows[1:]):
        lines.append(_line(elided(name, width), [column[at] for column in columns], width, widths))
    return in_lines([*wrapped(effects_title(found)), "", *lines])


def _line(name: str, cells: list[str], width: int, widths: list[int]) -> str:
    numbers = (cell.rjust(room) for cell, room in zip(cells, widths, strict=True))
    return "  ".join([name.ljust(width), *numbers]).rstrip()


def _csv_rows(found: Effects) -> list[list[object]]:
    held = list(dict.fromkeys(column for effect in found.effects for column in (*effect.at, *effect.by)))
    rows: list[list[object]] = [["of", "what", *held, "category", *NUMBERS]]
    for effect in found.effects:
        places = {**effect.at, **effect.by}
        numbers = [to_plain(getattr(effect, name)) for name in NUMBERS]
        rows.append([effect.of, effect.what, *(places.get(name) for name in held), effect.category, *numbers])
    return [["" if cell is None else cell for cell in row] for row in rows]


def _document(found: Effects) -> dict[str, Any]:
    request = found.request
    return {
        "run": str(found.run.folder),
        "formula": found.run.record.formula,
        "scale": request.scale.value,
        "weights": request.question.weights.value,
        "groups": request.groups.value,
        "parameter": request.parameter,
        "ci": found.ci,
        "effects": to_plain(found.effects),
    }
