"""GroupSummary -> text: the groups of a run, sorted by a coefficient, the ends shown and the middle counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import in_lines, page
from hierfit.cli.show.formats import csv_text, document_table, json_text
from hierfit.cli.show.lines import wrapped
from hierfit.errors import UsageError, did_you_mean
from hierfit.posterior.group_summary import GroupSummary, GroupTable
from hierfit.posterior.words import counted, elided, plural
from hierfit.told.groups import differing_sentences, groups_cells, groups_header, groups_order, is_pooled

LEAST_LABEL_WIDTH = 8


def groups_text(summary: GroupSummary, sort: str | None, top: int | None, output: OutputFormat, scale: str = "") -> str:
    """Return the groups in the wanted format; json and csv hold them all. `scale` names that of the coefficients.

    Raises:
        UsageError: the run has no groups, or no varying coefficient is named like `sort`.
    """
    if not summary.tables:
        raise UsageError("this run has no groups.", hint="leave out --groups")
    if output is OutputFormat.CSV:
        return csv_text(summary.csv_rows())
    if output is OutputFormat.JSON:
        return json_text(_records(summary))
    _check_sort(summary, sort)
    blocks = [_table_text(table, summary.ci, sort, top, output) for table in summary.tables]
    return "\n\n".join([f"{'% ' * (output is OutputFormat.TEX)}Scale: {scale}", *blocks] if scale else blocks)


def _records(summary: GroupSummary) -> list[dict[str, Any]]:
    header, *rows = summary.csv_rows()
    return [
        {str(name): None if value == "" else value for name, value in zip(header, row, strict=True)} for row in rows
    ]


def _table_text(table: GroupTable, ci: float, sort: str | None, top: int | None, output: OutputFormat) -> str:
    order = groups_order(table, sort)
    hidden = 0 if top is None else max(0, len(order) - 2 * top)
    shown = order if not hidden else [*order[: top or 0], *order[-(top or 0) :]]
    pooled = is_pooled(table)
    cells = [groups_header(table, ci), *(groups_cells(table, level, pooled=pooled) for level in shown)]
    more = f"... {hidden:,} more: --all, or --format csv"
    if output.is_document:
        if hidden:
            cells.insert(1 + (top or 0), [more, *[""] * (len(cells[0]) - 1)])
        return document_table(cells, output)
    lines: list[str] = []
    for block in _blocks(cells, 2 + pooled):
        rows = _lines(block)
        if hidden:
            rows.insert(1 + (top or 0), more)
        lines += ["", *rows] if lines else rows
    differing = [line for sentence in differing_sentences(table, ci) for line in wrapped(sentence)]
    return in_lines([*_title(table), *lines, *differing])


def _title(table: GroupTable) -> list[str]:
    varying = " and ".join(table.words)
    title = f"{counted(len(table.labels), table.factor)}: {varying}, population value + deviation"
    return wrapped(title)


def _blocks(cells: Sequence[Sequence[str]], per_term: int) -> list[list[list[str]]]:
    """Return the rows whole where the page takes them with labels of some length, else term by term.

    The first two columns, label and rows, stand in every block; `per_term` columns are about each term.
    """
    least = sum(max(map(len, column)) + 2 for column in list(zip(*cells, strict=True))[1:]) + LEAST_LABEL_WIDTH
    n_columns = len(cells[0])
    if least <= page().width or n_columns <= 2 + per_term:
        return [[list(row) for row in cells]]
    starts = range(2, n_columns, per_term)
    return [[[*row[:2], *row[start : start + per_term]] for row in cells] for start in starts]


def _lines(cells: Sequence[Sequence[str]]) -> list[str]:
    """Return rows, the header first, as lines; labels give way where the numbers need the room."""
    widest, *widths = (max(map(len, column)) for column in zip(*cells, strict=True))
    label = min(widest, max(LEAST_LABEL_WIDTH, page().width - sum(widths) - 2 * len(widths)))
    lines = []
    for first, *numbers in cells:
        aligned = [number.rjust(width) for number, width in zip(numbers, widths, strict=True)]
        lines.append("  ".join([elided(first, label).ljust(label), *aligned]))
    return lines


def _check_sort(summary: GroupSummary, sort: str | None) -> None:
    terms = list(dict.fromkeys(term for table in summary.tables for term in table.terms))
    if sort is not None and sort not in terms:
        factors = " or ".join(plural(table.factor) for table in summary.tables)
        raise UsageError(
            f"--sort {sort}: no coefficient of that name varies between {factors}.{did_you_mean(sort, terms)}",
            hint=f"choose {' or '.join(terms)}",
        )
