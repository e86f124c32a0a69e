"""How large the parts of a model are, and what follows for the engines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group

T = TypeVar("T")

# Above this many group effects, a first round of 1,000 draws would be most of the time and memory of a fit.
MANY_EFFECTS, SHORT_ROUND = 10_000, 250


def n_effects(group: Group) -> int:
    """Return how many effects a factor has, J M."""
    return group.n_levels * len(group.terms)


def short_round(design: Design) -> int:
    """Return how many draws of each chain a first round has at most: few where a draw takes long to make or to keep."""
    return SHORT_ROUND if sum(map(n_effects, design.groups)) > MANY_EFFECTS else sys.maxsize


def all_but(items: Sequence[T], index: int) -> list[T]:
    """Return the items but one."""
    return [item for at, item in enumerate(items) if at != index]


def eliminated_factor(groups: Sequence[Group]) -> int:
    """Return the position of the factor with most effects."""
    return max(range(len(groups)), key=lambda index: n_effects(groups[index]))


def eliminated_and_others(groups: Sequence[Group]) -> tuple[Group, tuple[Group, ...]]:
    """Return the factor with most effects, and the others."""
    first = eliminated_factor(groups)
    return groups[first], tuple(all_but(groups, first))


def n_other_effects(groups: Sequence[Group]) -> int:
    """Return how many effects all factors but that with most have together."""
    return sum(map(n_effects, eliminated_and_others(groups)[1]))


def met_pairs(met: NDArray[np.int64]) -> int:
    """Return how many pairs of columns are met by the same level, where each meets so many [J]."""
    return int(np.sum(met * (met + 1) // 2))
