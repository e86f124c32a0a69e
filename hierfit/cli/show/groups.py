"""GroupSummary -> text: the groups of a run, sorted by a coefficient, the ends shown and the middle counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import in_lines, page
from hierfit.cli.show.formats import csv_text, json_text, markdown_table
from hierfit.cli.show.lines import wrapped
from hierfit.errors import UsageError, did_you_mean
from hierfit.posterior.digits import format_row, format_share
from hierfit.posterior.group_summary import GroupSummary, GroupTable
from hierfit.posterior.words import counted, elided, plural
from hierfit.visible import visible

LABEL_WIDTH, LEAST_LABEL_WIDTH, TERM_WIDTH = 24, 8, 16


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
    return "\n\n".join([f"Scale: {scale}", *blocks] if scale else blocks)


def _records(summary: GroupSummary) -> list[dict[str, Any]]:
    header, *rows = summary.csv_rows()
    return [
        {str(name): None if value == "" else value for name, value in zip(header, row, strict=True)} for row in rows
    ]


def _table_text(table: GroupTable, ci: float, sort: str | None, top: int | None, output: OutputFormat) -> str:
    order = _order(table, sort)
    hidden = 0 if top is None else max(0, len(order) - 2 * top)
    shown = order if not hidden else [*order[: top or 0], *order[-(top or 0) :]]
    pooled = bool(np.isfinite(table.shrunk_by).any())  # there is nothing to pool where every group has one row
    header = [visible(table.factor), "rows"]
    for term in table.terms:
        header += [elided(term, TERM_WIDTH), f"{100 * ci:.4g}% interval", *["shrunk by"] * pooled]
    cells = [header, *(_cells(table, level, pooled=pooled) for level in shown)]
    more = f"... {hidden:,} more: --all, or --format csv"
    if output is OutputFormat.MD:
        if hidden:
            cells.insert(1 + (top or 0), [more, *[""] * (len(header) - 1)])
        return markdown_table(cells)
    lines: list[str] = []
    for block in _blocks(cells, 2 + pooled):
        rows = _lines(block)
        if hidden:
            rows.insert(1 + (top or 0), more)
        lines += ["", *rows] if lines else rows
    return in_lines([*_title(table), *lines, *_differing(table, ci)])


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


def _order(table: GroupTable, sort: str | None) -> list[int]:
    """Return the levels from lowest to highest in the wanted coefficient, or in the first where they lack it."""
    term = sort if sort in table.terms else table.terms[0]
    return [int(level) for level in np.argsort(table.mean[:, table.terms.index(term)], kind="stable")]


def _cells(table: GroupTable, level: int, *, pooled: bool) -> list[str]:
    cells = [elided(table.labels[level], LABEL_WIDTH), f"{int(table.rows[level]):,}"]
    for term in range(len(table.terms)):
        at = (level, term)
        mean, _, lower, upper = format_row(
            float(table.mean[at]), float(table.deviation_sd[at]), float(table.lower[at]), float(table.upper[at])
        )
        cells += [mean, f"{lower} to {upper}", *[format_share(float(table.shrunk_by[at]))] * pooled]
    return cells


def _differing(table: GroupTable, ci: float) -> Iterator[str]:
    """Yield for each coefficient how many groups differ from the population."""
    for words, count in zip(table.words, table.n_differing.tolist(), strict=True):
        yield from wrapped(
            f"{count:,} of {len(table.labels):,} {words} have a {100 * ci:.4g}% interval that excludes "
            f"the population value."
        )
