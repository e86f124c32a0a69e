"""Design -> the blocks of what varies, as the program has them, and what of it is of the mean.

How the sampler sees effects (`engines.full.layout`) is chosen for those of the mean; effects of other parameters are
seen as standard normal ones. Letters as in `design.design`; F counts blocks, of which a factor has one or several.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.engines.full.centering import column_sizes
from hierfit.engines.full.nesting import Nesting

Array = NDArray[np.float64]


def columns_of_mean(design: Design) -> NDArray[np.bool_]:
    """Return which of the C varying columns are of the mean."""
    parameters = (parameter for group in design.groups for parameter in group.named.of_parameters)
    return np.array([parameter is None for parameter in parameters], dtype=np.bool_)


def effects_of_mean(design: Design) -> NDArray[np.bool_]:
    """Return which of all effects, factor by factor, column by column, are of the mean."""
    return np.repeat(columns_of_mean(design), column_sizes(design))


def among_all(values: NDArray[Any], where: NDArray[np.bool_], other: float) -> NDArray[Any]:
    """Return the values of the chosen places, and another number in all other ones."""
    if where.all():
        return values
    found = np.full((len(where), *values.shape[1:]), other, dtype=values.dtype)
    found[where] = values
    return found


def nested_blocks(design: Design, nesting: Nesting, level_X: Array) -> dict[str, Any]:
    """Return how the blocks are nested, and what coefficients add to the means of their levels.

    `nesting` and `level_X` are of the mean's factors.
    """
    of_mean = [len(group.columns_of(None)) > 0 for group in design.groups]
    place, levels = _first_blocks(design, of_mean), [group.n_levels for group in design.of_mean.groups]
    rows = np.split(level_X, np.cumsum(levels)[:-1]) if levels else []
    within: list[int] = []
    outer_level, own_rows = [], []
    for group, has_mean in zip(design.groups, of_mean, strict=True):
        for number in range(len(group.named.blocks)):
            f = place.index(len(within)) if has_mean and not number else None
            outer = -1 if f is None else nesting.within[f]
            within.append(place[outer] + 1 if outer >= 0 else 0)
            outer_level.append(np.zeros(group.n_levels, dtype=np.int64) if f is None else nesting.level[f])
            own_rows.append(np.zeros((group.n_levels, level_X.shape[1])) if f is None else rows[f])
    ordered = [place[f] for f in nesting.outer_first]
    return {
        "outer_first": np.array([*ordered, *(f for f in range(len(within)) if f not in ordered)], dtype=int) + 1,
        "within": np.array(within, dtype=int),
        "outer_level": np.concatenate([np.empty(0, dtype=int), *outer_level]) + 1,
        "level_X": np.concatenate([np.empty((0, level_X.shape[1])), *own_rows]),
    }


def _first_blocks(design: Design, of_mean: Sequence[bool]) -> list[int]:
    """Return the place among all blocks of the first one of each factor of the mean."""
    before = np.cumsum([0, *(len(group.named.blocks) for group in design.groups)])
    return [int(start) for start, has_mean in zip(before, of_mean, strict=False) if has_mean]
