"""Draws of a model fitted without some rows -> log density of what was held out: rows one by one, or whole levels.

Letters: S draws, N parts. A row's density is given the effects of its levels, which the rows left in tell of. Effects
of a level of which no row was left in are integrated out under each draw: the mean of draws of it would do, but takes
many more. All rows of a level that was held out whole have one density together, the effects of the level, and of
levels within it, integrated out, as `parts.leave_levels_out` has it; other effects are those of the draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Group
from hierfit.posterior.compare.integrated import is_integrable, level_density
from hierfit.posterior.compare.left_out import log_sum
from hierfit.posterior.compare.parts import lies_within
from hierfit.posterior.compare.quadrature import drawn_density, is_of_mean
from hierfit.posterior.log_likelihood import BLOCK_NUMBERS, LogLikelihood
from hierfit.posterior.predict.new_levels import level_scales

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Density:
    """Log predictive densities of parts [N], and their Monte Carlo standard errors [N]."""

    elpd: Array
    mcse: Array


def rows_held_out(likelihood: LogLikelihood, rows: Indices, efficiency: float) -> Density:
    """Return the densities of rows, each for itself, under draws that have seen none of them.

    efficiency: share of the draws that are as good as independent ones.
    """
    design = likelihood.design
    seen = np.ones(design.n_rows, dtype=np.bool_)
    seen[rows] = False
    if design.weights is not None:
        seen &= design.weights > 0
    unseen = [np.bincount(group.codes[seen], minlength=group.n_levels)[group.codes[rows]] == 0
              for group in design.groups]  # fmt: skip
    found = Density(np.empty(len(rows)), np.empty(len(rows)))
    known = ~np.any(unseen, axis=0) if unseen else np.ones(len(rows), dtype=np.bool_)
    width = max(1, BLOCK_NUMBERS // likelihood.n_draws)
    places = np.flatnonzero(known)
    for start in range(0, len(places), width):
        some = places[start : start + width]
        _put(found, some, likelihood.of(rows[some]), efficiency)
    sets = _Sets(likelihood)
    for place in np.flatnonzero(~known).tolist():
        new = [group for group, own in zip(design.groups, unseen, strict=True) if own[place]]
        _put(found, np.array([place]), sets.density(rows[[place]], new)[:, None], efficiency)
    return found


def levels_held_out(likelihood: LogLikelihood, factor: Group, levels: Indices, efficiency: float) -> Density:
    """Return the densities of levels of a factor, all rows of each together; the model need not have the factor."""
    within = [group for group in likelihood.design.groups if lies_within(group, factor)]
    sets, found = _Sets(likelihood), Density(np.empty(len(levels)), np.empty(len(levels)))
    for place, level in enumerate(levels.tolist()):
        rows = np.flatnonzero(factor.codes == level)
        _put(found, np.array([place]), sets.density(rows, within)[:, None], efficiency)
    return found


def seen_density(likelihood: LogLikelihood, factor: Group | None) -> Array:
    """Return the same of all rows, or levels, under draws that have seen all [N]."""
    if factor is not None:
        return levels_held_out(likelihood, factor, np.arange(factor.n_levels), 1.0).elpd
    found = [log_sum(np.ascontiguousarray(likelihood.of(rows).T)) for rows in likelihood.blocks()]
    return np.asarray(np.concatenate(found) - np.log(likelihood.n_draws))


class _Sets:
    """Densities of sets of rows, effects of some factors integrated out in the way that there is."""

    def __init__(self, likelihood: LogLikelihood) -> None:
        self._likelihood, self._scales = likelihood, dict[str, Array]()
        self._rng = np.random.default_rng(0)

    def density(self, rows: Indices, factors: Sequence[Group]) -> Array:
        """Return the log density of rows together [S], effects of these factors integrated out.

        Those of other parameters than the mean are the draws', which for a level that was not seen are new ones.
        """
        likelihood, names = self._likelihood, [group.factor for group in factors]
        if factors and is_integrable(likelihood.design, names):
            return level_density(likelihood, rows, factors, self._scales_of(factors))
        if factors and is_of_mean(factors):
            return drawn_density(likelihood, rows, factors, self._scales_of(factors), self._rng)
        return likelihood.together(rows)

    def _scales_of(self, factors: Sequence[Group]) -> list[Array]:
        for group in factors:
            if group.factor not in self._scales:
                self._scales[group.factor] = level_scales(self._likelihood.draws, group)
        return [self._scales[group.factor] for group in factors]


def _put(found: Density, places: Indices, by_draw: Array, efficiency: float) -> None:
    """Put in what log densities under draws [S, R] come to."""
    log_density = np.ascontiguousarray(by_draw.T)
    n_draws = log_density.shape[1]
    elpd = log_sum(log_density) - np.log(n_draws)
    ratio = np.exp(np.minimum(log_density - elpd[:, None], 700.0))
    found.elpd[places] = elpd
    found.mcse[places] = ratio.std(axis=1) / np.sqrt(n_draws * efficiency)


def joined(parts: Iterable[tuple[Indices, Density]], size: int) -> Density:
    """Return the densities of parts, fold by fold, as those of all."""
    whole = Density(np.empty(size), np.empty(size))
    for places, density in parts:
        whole.elpd[places], whole.mcse[places] = density.elpd, density.mcse
    return whole
