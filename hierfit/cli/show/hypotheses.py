"""Answers -> what the reader gets to see of them: a table and sentences below it, Markdown, CSV, JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import in_lines, page
from hierfit.cli.show.fit import exit_code as exit_code
from hierfit.cli.show.fit import warning_text as warning_text
from hierfit.cli.show.formats import csv_text, document_table, json_text
from hierfit.cli.show.lines import joined, paragraph, wrapped
from hierfit.cli.show.table import aligned
from hierfit.plain import to_plain
from hierfit.posterior.digits import format_count, format_rhat
from hierfit.posterior.hypotheses.answers import Answers
from hierfit.posterior.hypotheses.cautions import cautions, explanations
from hierfit.told.cells import interval_title
from hierfit.told.hypotheses import ERROR, RATIO, ROPE, ROPE_INTERVAL, answers_cells, answers_columns
from hierfit.visible import visible

MOST_NAME, _INDENT = 40, 4
# What gives way where the page is narrow, first to last.
_GIVES_WAY = (ROPE_INTERVAL, ERROR, RATIO, ROPE, "sd")
_LOST = re.compile(r"\s*[-+]\s")
_NUMBER = re.compile(r"[-+]?[\d.]+|=.*")


def answers_text(answers: Answers, output: OutputFormat) -> str:
    """Return the answers in the wanted format."""
    if output is OutputFormat.CSV:
        return csv_text(answers.csv_rows())
    if output is OutputFormat.JSON:
        return json_text({**to_plain(answers), "cautions": cautions(answers)})
    if output.is_document:
        return _document(answers, output)
    lines = [*_table(answers), "", *_mixing(answers), *caution_lines(answers)]
    for sentence in explanations(answers):
        lines += wrapped(sentence)
    return in_lines(lines)


def caution_lines(answers: Answers) -> list[str]:
    """Return what a reader has to know of single answers."""
    return [line for sentence in cautions(answers) for line in paragraph("Note", sentence)]


def lost_lines(expressions: Sequence[str]) -> list[str]:
    """Return a warning where what a shell made of double quotes and backquotes begins with a sign."""
    lost = next((text for text in expressions if _LOST.match(text)), None)
    if lost is None:
        return []
    return paragraph(
        "Note",
        f"'{lost}' begins with a sign. If a name in backquotes stood before it: within double quotes a shell runs what "
        "stands in backquotes; put single quotes around the expression.",
    )


def redirected_lines(name: str | None) -> list[str]:
    """Return a warning where stdout is a file whose name looks like the right side of a comparison."""
    if name is None or not _NUMBER.fullmatch(name):
        return []
    said = f"the output went to a file called '{visible(name)}': in a shell, > writes to a file."
    return paragraph("Note", f"{said} Put quotes around the expression: 'ses > {visible(name).lstrip('=')}'")


def _mixing(answers: Answers) -> list[str]:
    """Return the line on R-hat and ESS of what was asked for."""
    rhat = max((row.rhat for row in answers.rows if row.rhat == row.rhat), default=float("nan"))
    bulk = min((row.ess_bulk for row in answers.rows if row.ess_bulk == row.ess_bulk), default=float("nan"))
    tail = min((row.ess_tail for row in answers.rows if row.ess_tail == row.ess_tail), default=float("nan"))
    draws = max(row.draws + row.without_value for row in answers.rows)
    parts = [f"{draws:,}"]
    if rhat == rhat:
        several = len(answers.rows) > 1
        parts.append(f"R-hat {'max ' if several else ''}{format_rhat(rhat)}")
        parts.append(f"ESS {'min ' if several else ''}{format_count(bulk)} bulk, {format_count(tail)} tail")
    return joined("Draws", parts)


def _table(answers: Answers) -> list[str]:
    """Return expressions and numbers; expressions on lines of their own where one does not fit beside the numbers."""
    columns = answers_columns(answers, lambda cells: aligned(cells, 0))
    for title in _GIVES_WAY:
        if _width(columns) + _INDENT <= page().width:
            break
        columns.pop(title, None)
    names = [visible(row.expression) for row in answers.rows]
    longest = max(map(len, names))
    room = page().width - _width(columns)
    beside = longest <= min(MOST_NAME, room)
    widths = {title: max(len(title), *map(len, cells)) for title, cells in columns.items()}
    start = longest if beside else _INDENT - 2
    interval = interval_title(answers.ci)
    titles = (t.center(widths[t]) if t == interval else t.rjust(widths[t]) for t in columns)
    header = " " * start + "".join(f"  {title}" for title in titles)
    lines = [header.rstrip()]
    for index, name in enumerate(names):
        numbers = "".join(f"  {cells[index].rjust(widths[title])}" for title, cells in columns.items())
        if beside:
            lines.append((name.ljust(start) + numbers).rstrip())
        else:
            lines += [*_broken(name), (" " * start + numbers).rstrip()]
    return lines


def _broken(name: str) -> list[str]:
    """Return an expression in as many lines as it takes."""
    return wrapped(name, later=" " * _INDENT) or [name]


def _width(columns: dict[str, list[str]]) -> int:
    return sum(2 + max(len(title), *map(len, cells)) for title, cells in columns.items())


def _document(answers: Answers, output: OutputFormat) -> str:
    said = " ".join([*cautions(answers), *explanations(answers)])
    return document_table(answers_cells(answers), output, said)
