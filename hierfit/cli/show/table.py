"""Summary -> the lines of its table: sections, numbers aligned on the point, as wide as the page.

Where names and numbers do not fit, columns go before names are cut to less than `NAME_WIDTH`: one ESS, the
smaller, in place of two, then none, then no R-hat; the Checks line has their worst, and the other formats have all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hierfit.cli.page import page
from hierfit.model.spec import Kind
from hierfit.posterior.summary import Summary
from hierfit.posterior.words import elided
from hierfit.runs.record import GroupRecord
from hierfit.told.cells import cells, interval_title, sections
from hierfit.told.sentences import MOST_LEVELS, NAME_WIDTH
from hierfit.visible import visible

LEAST_NAME_WIDTH = 12
_INTERVAL = ("lower", "upper")
# Titles of the columns of numbers and the least width of each, with room and without; the sets of columns to choose
# from, the fullest first.
_LEAST_WIDTHS = {"mean": 8, "sd": 7, "lower": 8, "upper": 8, "R-hat": 5, "ESS bulk": 8, "ESS tail": 8, "ESS": 5}
_COMPACT = {"mean": 5, "sd": 4, "lower": 5, "upper": 6, "R-hat": 5, "ESS bulk": 8, "ESS tail": 8, "ESS": 3}
_ESTIMATE = ("mean", "sd", *_INTERVAL)
_ALL = (*_ESTIMATE, "R-hat", "ESS bulk", "ESS tail")
_LAYOUTS = (
    (_ALL, _LEAST_WIDTHS),
    (_ALL, _COMPACT),
    ((*_ESTIMATE, "R-hat", "ESS"), _COMPACT),
    ((*_ESTIMATE, "R-hat"), _COMPACT),
    (_ESTIMATE, _COMPACT),
)


def table_lines(summary: Summary, groups: Sequence[GroupRecord]) -> list[str]:
    """Return the table: coefficients, variation between groups, residual; numbers aligned on the point."""
    rows = [cells(row) for row in summary.rows]
    wanted = min(NAME_WIDTH, max(len(visible(row.name)) for row in summary.rows))
    for titles, least in _LAYOUTS:
        columns = {title: aligned([row[title] for row in rows], least[title]) for title in titles}
        room = page().width - 2 - sum(2 + len(column[0]) for column in columns.values())
        if room >= wanted:
            break
    names = [elided(row.name, max(LEAST_NAME_WIDTH, min(NAME_WIDTH, room))) for row in summary.rows]
    width = max(len(name) for name in names)
    lines = {
        row.name: f"  {name:<{width}}  {'  '.join(column[i] for column in columns.values())}".rstrip()
        for i, (row, name) in enumerate(zip(summary.rows, names, strict=True))
    }
    table = [_header(width, {title: len(column[0]) for title, column in columns.items()}, summary.ci)]
    for title, section in sections(summary, groups):
        if section:
            own = [lines[row.name] for row in section]
            table += [title, *(_ends(own) if section[0].kind is Kind.DISTRIBUTIONAL else own)]
    return table


def _ends(lines: list[str]) -> list[str]:
    """Return the lines of a section; of the many levels that sigma may have, the first and the last."""
    if len(lines) <= MOST_LEVELS:
        return lines
    shown = MOST_LEVELS // 2
    return [*lines[:shown], f"  ... {len(lines) - 2 * shown:,} more: --format csv", *lines[-shown:]]


def _header(width: int, widths: Mapping[str, int], ci: float) -> str:
    lower, upper = (widths[title] for title in _INTERVAL)
    titles = [f"{title:>{widths[title]}}" for title in widths if title not in _INTERVAL]
    titles.insert(len(_ESTIMATE) - len(_INTERVAL), f"{interval_title(ci):^{lower + 2 + upper}}")
    return f"  {'':<{width}}  {'  '.join(titles)}".rstrip()


def aligned(numbers: Sequence[str], least: int) -> list[str]:
    """Pad numbers so that their decimal points stand in one column; words stand at the right."""
    tails = [len(number) - number.find(".") if "." in number else 0 for number in numbers]
    longest = max(tails)
    padded = [
        number if number.isalpha() else number + " " * (longest - tail)
        for number, tail in zip(numbers, tails, strict=True)
    ]
    return [number.rjust(max(least, *map(len, padded))) for number in padded]
