"""Draws x Design x points -> averages of a quantity over the rows of the fit, under every draw.

A point is a set of changes to the user's columns, made in every row. Letters: P points, B sets of weights of rows, C
categories (1 where the outcome has none), S draws, R rows, M varying coefficients, Q nodes. What stands for the groups
of a row:

    own           their effects
    none          nothing: effects of 0
    average over  the distribution of all groups: the quantity's mean over normal effects, by Gauss-Hermite quadrature
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.moved_rows import Change, rows_moved
from hierfit.design.reference_grid import Grid
from hierfit.design.rows import Rows
from hierfit.model.densities import mean_itself
from hierfit.model.families import FAMILIES
from hierfit.posterior.draws import Draws
from hierfit.posterior.effects.linear import MOST_SUMS, linear_averages, n_sums
from hierfit.posterior.effects.over_groups import OverGroups, over_groups
from hierfit.posterior.effects.questions import Groups
from hierfit.posterior.predict.blocks import UNIT
from hierfit.posterior.predict.draws_of import every_draw, n_draws
from hierfit.posterior.predict.linear import auxiliary_draws, distribution_of, linear_predictor, with_groups
from hierfit.posterior.predict.quantities import MU, Asked, Scale, told

Array = NDArray[np.float64]
Point = Mapping[str, Change]

BLOCK = 64 * UNIT  # rows whose columns are made at a time


GROUPS_WORDS = {
    Groups.OWN: "with the effects of their own groups",
    Groups.NONE: "as in an average group",
    Groups.AVERAGE_OVER: "averaged over all that groups may be",
}


@dataclass(frozen=True, eq=False)
class Averaging:
    """Which quantity is averaged.

    Attributes:
        draws, design: the fit.
        asked: the quantity.
        groups: what stands for the groups.
        over: how it is averaged over groups, where it is.
        grid: the rows that it is averaged over; those of the fit where it is None.
    """

    draws: Draws
    design: Design
    asked: Asked
    groups: Groups
    over: OverGroups | None = None
    grid: Grid | None = None

    @property
    def is_linear(self) -> bool:
        """Whether it is the linear predictor itself."""
        family, design, asked = FAMILIES[self.design.family], self.design, self.asked
        if asked.scale is Scale.LINK:
            return asked.parameter is None
        identity = design.link == "identity" and family.expected is mean_itself and not family.has_thresholds
        return identity and asked.parameter in (None, MU)

    def of_each(self, points: Sequence[Rows]) -> list[Array]:
        """Return the quantity of the same rows at each point under every draw [C, S, R].

        What groups add to the predictor is worked out once where it is the same at all points.
        """
        if self.over is not None:
            return [np.stack(means) for means in self.over.means(points)]
        first, *others = points
        same = self.groups is Groups.OWN and all(first.same_groups(rows) for rows in others)
        if not same or not others:
            return [np.stack(self.of(rows)) for rows in points]
        picks = every_draw(self.draws)
        nothing = np.zeros((len(picks), len(first.lines)))
        of_groups = with_groups(nothing, self.draws, self.design.groups, first.groups, None, picks)
        alone = replace(self.design, groups=())
        found = []
        for rows in points:
            predictor = linear_predictor(self.draws, alone, replace(rows, groups=()), picks) + of_groups
            auxiliaries = auxiliary_draws(self.draws, self.design, picks, rows)
            found.append(np.stack(told(self.design, predictor, auxiliaries, np.ones(len(rows.lines)), self.asked)))
        return found

    def of(self, rows: Rows) -> list[Array]:
        """Return the quantity of rows under every draw, category by category [S, R]."""
        design = self.design
        if self.groups is not Groups.OWN:
            design, rows = replace(design, groups=()), replace(rows, groups=())
        predictor, auxiliaries = distribution_of(self.draws, design, rows, every_draw(self.draws))
        return told(design, predictor, auxiliaries, np.ones(len(rows.lines)), self.asked)


def averaging(draws: Draws, design: Design, asked: Asked, groups: Groups, grid: Grid | None = None) -> Averaging:
    """Return how a quantity is averaged.

    Raises:
        UsageError: effects of more than two parameters would have to be integrated over.
    """
    over = over_groups(draws, design, asked) if groups is Groups.AVERAGE_OVER and design.groups else None
    return Averaging(draws, design, asked, groups, over, grid)


def averages(how: Averaging, points: Sequence[Point], weights: Array) -> Array:
    """Return sums over the rows, weighted in each of the ways [B, N], at each point [P, B, C, S].

    Raises:
        DataError, FormulaError: a term has no value at a point.
    """
    design = how.design if how.groups is Groups.OWN else replace(how.design, groups=())
    if how.is_linear and n_sums(design, len(points), len(weights)) <= MOST_SUMS:
        grid = None if how.grid is None else how.grid.without_groups
        return linear_averages(how.draws, design, points, weights, BLOCK, grid)
    total = np.zeros((len(points), len(weights), 1, n_draws(how.draws)))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for start in range(0, weights.shape[1], BLOCK):
            block = slice(start, start + BLOCK)
            moved = [rows_moved(how.design, block, point, how.grid) for point in points]

            def work_out(unit: slice, moved: Sequence[Rows] = moved, own: Array = weights[:, block]) -> Array:
                found = how.of_each([rows.at(unit) for rows in moved])
                return np.stack([np.einsum("br,csr->bcs", own[:, unit], values, optimize=True) for values in found])

            for part in pool.map(work_out, _units(weights[:, block])):
                total = total + part
    return total


def _units(weights: Array) -> Iterator[slice]:
    """Yield blocks of rows, those that count nowhere left out."""
    for start in range(0, weights.shape[1], UNIT):
        if weights[:, start : start + UNIT].any():
            yield slice(start, start + UNIT)
