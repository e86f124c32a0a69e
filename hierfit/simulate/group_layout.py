"""The group columns of a formula -> which rows carry which labels.

Group columns form blocks. A block begins with a column that is a factor of its own, or the first of a combination; the
further columns of the combination are nested in it: every level of `school` has its own levels of `class` in
`(1 | school/class)`, called by the same labels in every school. A cell is a smallest group of a block. Every cell of
the first block gets rows of its own; these go through all cells of every other block, in an order of their own, again
and again, so that blocks are crossed.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hierfit.model.formula import Formula
from hierfit.simulate.checks import Count, ends

Codes = NDArray[np.int64]


def blocks_of(formula: Formula) -> tuple[tuple[str, ...], ...]:
    """Return the group columns, block by block, each column once."""
    beginnings = {group.columns[0] for group in formula.all_groups}
    alone = {group.factor for group in formula.all_groups if not group.crossing}
    blocks: dict[str, list[str]] = {}
    for group in formula.all_groups:
        for column in group.columns:
            seen = any(column in block for block in blocks.values())
            if not seen and column in beginnings | alone:
                blocks[column] = [column]
            elif not seen:
                blocks[group.columns[0]].append(column)
    return tuple(tuple(block) for block in blocks.values())


def draw_counts(rng: np.random.Generator, number: Count, size: int) -> Codes:
    """Return `size` whole numbers, all the same or from a range, both ends included."""
    low, high = ends(number)
    return rng.integers(low, high, size=size, endpoint=True)


def lay_out(
    rng: np.random.Generator, blocks: tuple[tuple[str, ...], ...], levels: Mapping[str, Count], rows: Count
) -> dict[str, Codes]:
    """Return the level of every row [N] for each group column, given the number of levels and of rows of each cell."""
    first, *others = (_cells(rng, block, levels) for block in blocks)
    counts = draw_counts(rng, rows, len(first))
    found = dict(zip(blocks[0], np.repeat(first, counts, axis=0).T, strict=True))
    for block, cells in zip(blocks[1:], others, strict=True):
        found |= dict(zip(block, cells[cross(rng, len(cells), counts)].T, strict=True))
    return found


def cross(rng: np.random.Generator, n_cells: int, counts: Codes) -> Codes:
    """Return the cell of a crossed block for every row [N], given the number of rows of each cell of the first one."""
    return np.concatenate([np.resize(rng.permutation(n_cells), count) for count in counts])


def level_labels(prefix: str, count: int) -> tuple[str, ...]:
    """Return labels of levels: numbers with as many digits as the last one, behind a prefix."""
    width = len(str(count))
    return tuple(f"{prefix}{number:0{width}d}" for number in range(1, count + 1))


def _cells(rng: np.random.Generator, block: tuple[str, ...], levels: Mapping[str, Count]) -> Codes:
    """Return the levels of every cell of a block [cells, columns]."""
    cells = np.empty((1, 0), dtype=np.int64)
    for column in block:
        counts = draw_counts(rng, levels[column], len(cells))
        within = np.concatenate([np.arange(count) for count in counts])
        cells = np.column_stack([np.repeat(cells, counts, axis=0), within])
    return cells
