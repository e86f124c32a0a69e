"""Design -> Nesting: which factors' levels lie within levels of another's.

Of factors with varying intercepts the rows of a level of the inner one see the sum of both only, its total. A factor
has one inner and one outer neighbour at most, so that they form chains. Letters as in `design.design`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.model.grammar import INTERCEPT


@dataclass(frozen=True)
class Nesting:
    """The chains of nested factors.

    Attributes:
        within: for each factor the finest one (0-based) whose levels hold its own; -1 for none.
        level: its level, for each level of the factor [J]; zeros where there is none.
    """

    within: tuple[int, ...]
    level: tuple[NDArray[np.int64], ...]

    def around(self, f: int) -> Iterator[int]:
        """Yield the factors that a factor is nested in, the nearest first."""
        while self.within[f] >= 0:
            f = self.within[f]
            yield f

    @property
    def outer_first(self) -> list[int]:
        """All factors, each after those that it is nested in."""
        return sorted(range(len(self.within)), key=lambda f: len(list(self.around(f))))

    def innermost(self, f: int) -> int:
        """Return the finest factor of the chain that a factor is in."""
        return next((self.innermost(inner) for inner, outer in enumerate(self.within) if outer == f), f)


def nest(design: Design) -> Nesting:
    """Find the chains, from the finest factor on."""
    groups = design.groups
    within, level = [-1] * len(groups), [np.zeros(group.n_levels, dtype=np.int64) for group in groups]
    finest_first = sorted(range(len(groups)), key=lambda f: -groups[f].n_levels)
    for place, f in enumerate(finest_first):
        for g in finest_first[place + 1 :]:
            found = _outer_level(groups[f], groups[g]) if g not in within else None
            if found is not None:
                within[f], level[f] = g, found
                break
    return Nesting(tuple(within), tuple(level))


def _outer_level(inner: Group, outer: Group) -> NDArray[np.int64] | None:
    """Return the level of one factor that each level of the other lies in; None where it is not nested."""
    if outer.n_levels >= inner.n_levels or {inner.terms[0], outer.terms[0]} != {INTERCEPT}:
        return None
    return by_level(outer.codes.astype(np.int64), inner)


def by_level(column: NDArray[Any], group: Group) -> NDArray[Any] | None:
    """Return the value of a column of the rows in each level [J], or None where it varies within one."""
    value = np.zeros(group.n_levels, dtype=column.dtype)
    value[group.codes] = column
    return value if np.array_equal(value[group.codes], column) else None
