"""Rows told otherwise -> text: medians, quantiles, ratios, in the sections of the main table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import in_lines, page
from hierfit.cli.show.checks import check_lines
from hierfit.cli.show.fit import header_lines, with_account
from hierfit.cli.show.formats import csv_text, json_text
from hierfit.cli.show.lines import wrapped
from hierfit.cli.show.table import LEAST_NAME_WIDTH, aligned
from hierfit.design.axes import contrasts_of
from hierfit.errors import UsageError
from hierfit.model.spec import INTERCEPT_AT_MEAN, Kind
from hierfit.posterior.digits import decimals, format_count, format_number, format_rhat
from hierfit.posterior.retold import Retold, Telling
from hierfit.posterior.words import elided
from hierfit.runs.finished import Fit
from hierfit.runs.manifest import summary_document
from hierfit.told.cells import interval_title, sections
from hierfit.told.retold import centre_names, quantile_name, retold_record
from hierfit.told.sentences import NAME_WIDTH
from hierfit.visible import visible

_INDENT, _LEAST = "  ", 5


def retold_text(done: Fit, rows: Sequence[Retold], telling: Telling, output: OutputFormat) -> str:
    """Return the rows in the wanted format.

    Raises:
        UsageError: so many quantiles do not fit the page.
    """
    if output is OutputFormat.JSON:
        return json_text(_document(done, rows, telling))
    if output is OutputFormat.CSV:
        records = [retold_record(row, telling, flat=True) for row in rows]
        return csv_text([list(records[0]), *(["" if cell is None else cell for cell in r.values()] for r in records)])
    titles = _titles(done, telling)
    cells = {row.row.name: _cells(row) for row in rows}
    if output.is_document:
        if not telling.quantiles:
            cells = {name: _in_one(own) for name, own in cells.items()}
        what = ["" if row.what is None else f" ({row.what})" for row in rows]
        header = ["", *titles]
        body = [[f"{row.row.name}{said}", *cells[row.row.name]] for row, said in zip(rows, what, strict=True)]
        return with_account([header, *body], done.record, done.diagnosis, _said(done, rows, telling), output)
    blocks = [
        [*header_lines(done.record), *check_lines(done.diagnosis, str(done.folder))],
        _table(done, rows, titles, cells),
        [line for sentence in _said(done, rows, telling) for line in wrapped(sentence)],
    ]
    return "\n\n".join(map(in_lines, filter(None, blocks)))


def _titles(done: Fit, telling: Telling) -> list[str]:
    if telling.quantiles:
        ends = [quantile_name(probability) for probability in telling.quantiles]
    else:
        ends = [interval_title(done.summary.ci)]
    return [*centre_names(telling), *ends, "R-hat", "ESS bulk", "ESS tail"]


def _cells(told: Retold) -> list[str]:
    row = told.row
    places = decimals(told.spread, row.mcse_mean if told.what is None else float("nan"))
    numbers = [format_number(value, places) for value in (told.centre, told.spread, *told.bounds)]
    if row.fixed:
        return [numbers[0], "fixed", *[""] * (len(numbers) - 2), "", "", ""]
    rest = [format_rhat(row.rhat), format_count(row.ess_bulk), format_count(row.ess_tail)]
    return [*numbers, *rest]


def _in_one(cells: Sequence[str]) -> list[str]:
    """Return cells with an interval in one: "0.1 to 0.5"."""
    centre, spread, lower, upper, *rest = cells
    return [centre, spread, f"{lower} to {upper}" if lower else "", *rest]


def _table(done: Fit, rows: Sequence[Retold], titles: Sequence[str], cells: dict[str, list[str]]) -> list[str]:
    """Return the lines of the table; where it is too wide, ESS and R-hat give way."""
    columns = [list(column) for column in zip(*cells.values(), strict=True)]
    heads = list(titles)
    if len(heads) < len(columns):  # an interval is one title over two columns
        heads.insert(3, "")
    wanted = max(min(NAME_WIDTH, len(visible(row.row.name))) + len(_what(row)) for row in rows)
    while True:
        least = [max(_LEAST, len(head)) for head in heads]
        shown = [aligned(column, width) for column, width in zip(columns, least, strict=True)]
        room = page().width - len(_INDENT) - sum(2 + len(column[0]) for column in shown)
        if room >= wanted or heads[-1] not in ("R-hat", "ESS bulk", "ESS tail"):
            break
        columns.pop(), heads.pop()
    if room < LEAST_NAME_WIDTH:
        raise UsageError("--quantiles: so many do not fit a table.", hint="--format csv has room for all")
    whats = max(len(_what(row)) for row in rows)
    names = [elided(row.row.name, max(LEAST_NAME_WIDTH, room - whats)) for row in rows]
    first = max(map(len, names))
    names = [f"{name:<{first}}{_what(row)}".rstrip() for name, row in zip(names, rows, strict=True)]
    width = max(map(len, names))
    lines = [f"{_INDENT}{name:<{width}}  {'  '.join(c[i] for c in shown)}".rstrip() for i, name in enumerate(names)]
    by_name = dict(zip((row.row.name for row in rows), lines, strict=True))
    header = f"{_INDENT}{'':<{width}}  {'  '.join(_heads(heads, [len(column[0]) for column in shown]))}".rstrip()
    found = [header]
    for title, section in sections(replace(done.summary, rows=tuple(row.row for row in rows)), done.record.groups):
        if section:
            found += [title, *(by_name[row.name] for row in section)]
    return found


def _heads(heads: Sequence[str], widths: Sequence[int]) -> list[str]:
    found: list[str] = []
    for at, (head, width) in enumerate(zip(heads, widths, strict=True)):
        if at + 1 < len(heads) and not heads[at + 1]:
            found.append(f"{head:^{width + 2 + widths[at + 1]}}")
        elif head:
            found.append(head.rjust(width))
    return found


def _what(told: Retold) -> str:
    return "" if told.what is None else f"  {told.what}"


def _said(done: Fit, rows: Sequence[Retold], telling: Telling) -> list[str]:
    """Return what the numbers are."""
    said = []
    if telling.ratios:
        of = "per unit of a column or contrast" if contrasts_of(done.design.all_terms) else "per unit of a column"
        said.append(f"Each number is exp of a coefficient: {of}, or against the reference level.")
        levels = [row for row in rows if row.row.kind is Kind.COEFFICIENT and row.row.name == INTERCEPT_AT_MEAN]
        if levels:
            what = levels[0].what
            said.append(f"Intercept is the {what} where all predictors are 0, {INTERCEPT_AT_MEAN} at their means.")
        said.append("They are those of rows of the same group, not averages over groups." * bool(done.design.groups))
    if telling.by_median:
        said.append("MAD sd: 1.4826 times the median distance from the median.")
    return [text for text in said if text]


def _document(done: Fit, rows: Sequence[Retold], telling: Telling) -> dict[str, Any]:
    document = summary_document(done.record, done.summary, done.diagnosis)
    document["parameters"] = [retold_record(row, telling, flat=False) for row in rows]
    return document
