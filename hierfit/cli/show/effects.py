"""Effects -> text: a line for each average or difference, and what was averaged over what."""

from __future__ import annotations

from typing import Any

from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import in_lines, page
from hierfit.cli.show.formats import csv_text, json_text, markdown_table
from hierfit.cli.show.lines import wrapped
from hierfit.cli.show.table import aligned
from hierfit.plain import to_plain
from hierfit.posterior.digits import format_row, format_share
from hierfit.posterior.effects.answer import RATIOS, Effect, EffectScale
from hierfit.posterior.effects.averages import Groups
from hierfit.posterior.words import elided
from hierfit.runs.effects import Effects
from hierfit.told.cells import interval_title

NAME_WIDTH, LEAST = 48, 5
SHARE = 4  # the column of numbers that is a share of draws
NUMBERS = ("mean", "sd", "lower", "upper", "above", "mcse_mean", "rhat", "ess_bulk", "ess_tail")
_GROUPS = {
    Groups.OWN: "with the effects of their own groups",
    Groups.NONE: "as in an average group",
    Groups.AVERAGE_OVER: "averaged over all that groups may be",
}


def effects_text(found: Effects, output: OutputFormat) -> str:
    """Return the answer in the wanted format."""
    if output is OutputFormat.JSON:
        return json_text(_document(found))
    if output is OutputFormat.CSV:
        return csv_text(_csv_rows(found))
    rows = _rows(found)
    if output is OutputFormat.MD:
        return markdown_table(rows)
    own = [list(column) for column in zip(*(row[1:] for row in rows[1:]), strict=True)]
    columns = [aligned(column, LEAST) if at < SHARE else column for at, column in enumerate(own)]
    widths = [max(len(title), *map(len, column)) for title, column in zip(rows[0][1:], columns, strict=True)]
    room = page().width - sum(width + 2 for width in widths)
    width = max(12, min(NAME_WIDTH, room, max(len(row[0]) for row in rows)))
    lines = [_line("", rows[0][1:], width, widths)]
    for at, (name, *_) in enumerate(rows[1:]):
        lines.append(_line(elided(name, width), [column[at] for column in columns], width, widths))
    return in_lines([*wrapped(_title(found)), "", *lines])


def _line(name: str, cells: list[str], width: int, widths: list[int]) -> str:
    numbers = (cell.rjust(room) for cell, room in zip(cells, widths, strict=True))
    return "  ".join([name.ljust(width), *numbers]).rstrip()


def _title(found: Effects) -> str:
    request, design = found.request, found.run.design
    what = request.parameter or design.response
    if request.scale is EffectScale.RATIO:
        said = f"{RATIOS[design.link].capitalize()}s of {what}"
    else:
        said = f"{'Averages' if request.question.marginal else 'Average effects'} of {what}"
        said = said if request.question.marginal else said.replace(" of ", " on ")
        said += " on the scale of the link" if request.scale is EffectScale.LINK else ""
    groups = f", {_GROUPS[request.groups]}" if design.groups else ""
    return f"{said}, over the {design.n_rows:,} rows of the data{groups} · {interval_title(found.ci)}s"


def _rows(found: Effects) -> list[list[str]]:
    """Return the cells of the table, its header first."""
    compares = not found.request.question.marginal
    nothing = "1" if found.request.scale is EffectScale.RATIO else "0"
    rows = [["", "mean", "sd", "lower", "upper", *([f"P(> {nothing})"] if compares else [])]]
    for effect in found.effects:
        numbers = format_row(effect.mean, effect.sd, effect.lower, effect.upper, effect.mcse_mean)
        rows.append([_name(effect), *numbers, *([format_share(effect.above)] if compares else [])])
    return rows


def _name(effect: Effect) -> str:
    parts = [] if effect.of is None else [f"{effect.of}: {effect.what}"]
    parts += [f"{column} = {value}" for column, value in {**effect.at, **effect.by}.items()]
    if effect.category is not None:
        parts.append(f"probability of {effect.category}")
    return ", ".join(parts)


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
        "groups": request.groups.value,
        "parameter": request.parameter,
        "ci": found.ci,
        "effects": to_plain(found.effects),
    }
