"""GroupTable -> the cells of its table, in order, and how many levels differ from the population."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hierfit.posterior.digits import format_row, format_share
from hierfit.posterior.group_summary import GroupTable
from hierfit.posterior.words import elided
from hierfit.told.cells import interval_title
from hierfit.visible import visible

LABEL_WIDTH, TERM_WIDTH = 24, 16


def is_pooled(table: GroupTable) -> bool:
    """Whether there is something to pool: not where every group has one row."""
    return bool(np.isfinite(table.shrunk_by).any())


def groups_header(table: GroupTable, ci: float) -> list[str]:
    """Return the titles of the columns: label, rows, and for each coefficient mean, interval and pooling."""
    header = [visible(table.factor), "rows"]
    for term in table.terms:
        header += [elided(term, TERM_WIDTH), interval_title(ci), *["shrunk by"] * is_pooled(table)]
    return header


def groups_order(table: GroupTable, sort: str | None) -> list[int]:
    """Return the levels from lowest to highest in the wanted coefficient, or in the first where they lack it."""
    term = sort if sort in table.terms else table.terms[0]
    return [int(level) for level in np.argsort(table.mean[:, table.terms.index(term)], kind="stable")]


def groups_cells(table: GroupTable, level: int, *, pooled: bool) -> list[str]:
    """Return the cells of a level; `pooled` where there is something to pool."""
    cells = [elided(table.labels[level], LABEL_WIDTH), f"{int(table.rows[level]):,}"]
    for term in range(len(table.terms)):
        at = (level, term)
        mean, _, lower, upper = format_row(
            float(table.mean[at]), float(table.deviation_sd[at]), float(table.lower[at]), float(table.upper[at])
        )
        cells += [mean, f"{lower} to {upper}", *[format_share(float(table.shrunk_by[at]))] * pooled]
    return cells


def differing_sentences(table: GroupTable, ci: float) -> Iterator[str]:
    """Yield for each coefficient how many groups differ from the population."""
    for words, count in zip(table.words, table.n_differing.tolist(), strict=True):
        yield (
            f"{count:,} of {len(table.labels):,} {words} have a {100 * ci:.4g}% interval that excludes "
            f"the population value."
        )
