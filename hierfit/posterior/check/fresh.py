"""Sample x factor -> replicated outcomes of rows whose groups are new: effects drawn from the groups' distribution.

Letters: S draws, R rows, L levels. Two questions need them. A group's mean under its own effects, which were fitted to
it, agrees with them whatever the group is; as a new group it need not (mixed predictive checks: Marshall, Spiegelhalter
2003, Statistics in Medicine 22(10); Gelman, Meng, Stern 1996). And where a group has few rows, the draws of its effects
hang on each of them, so that weights cannot take a row out (Pareto k): effects are then drawn anew, and weighted by
what they give to the group's other rows. What the row has told the draws of coefficients and sds stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.design.rows import GroupRows, Rows
from hierfit.posterior.check.places import Places, outcomes_of, weighted_places
from hierfit.posterior.check.sample import BLOCK_NUMBERS, Sample
from hierfit.posterior.compare.left_out import k_threshold
from hierfit.posterior.log_likelihood import LogLikelihood
from hierfit.posterior.predict.new_levels import NewEffects, new_effects

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
LARGEST_GROUP = 30  # rows: of more, drawing effects anew hits what they say too seldom
_NEW = "\0new "  # no label of a file begins so


def as_new(design: Design, rows: Indices, levels: Mapping[str, NDArray[np.bool_]]) -> Rows:
    """Return rows of the fit with these levels [J] of factors as new ones."""
    columns = design.at(rows)
    moved = tuple(
        _renamed(own, levels[group.factor]) if group.factor in levels else own
        for group, own in zip(design.groups, columns.groups, strict=True)
    )
    return replace(columns, groups=moved)


def all_levels(design: Design, factors: Collection[str]) -> dict[str, NDArray[np.bool_]]:
    """Return all levels of some factors."""
    return {group.factor: np.ones(group.n_levels, np.bool_) for group in design.groups if group.factor in factors}


def _renamed(own: GroupRows, levels: NDArray[np.bool_]) -> GroupRows:
    names = tuple(f"{_NEW}{label}" for label in own.labels)
    codes = np.where(levels[own.codes], own.codes + len(own.labels), own.codes).astype(np.int32)
    return replace(own, labels=(*own.labels, *names), codes=codes)


def effects_of_new(sample: Sample) -> NewEffects:
    """Return how effects of new levels are drawn."""
    return new_effects(sample.draws, sample.design, sample.seed)


def place_again(sample: Sample, found: Places) -> Places:
    """Return the places of rows, those that weights could not take out found again with effects drawn anew.

    What is left with a large k stays as it is.
    """
    design, threshold = sample.design, k_threshold(len(sample.picks))
    group = max(design.groups, key=lambda group: group.n_levels, default=None)
    if group is None:
        return found
    wanted = np.flatnonzero((found.k > threshold) & (group.rows_per_level <= LARGEST_GROUP)[group.codes[sample.rows]])
    if not len(wanted):
        return found
    pit, k, mean, sd, drawn = (getattr(found, each.name).copy() for each in fields(Places))
    new, rng = effects_of_new(sample), sample.rng(2)
    for some in _by_level(group, sample.rows, wanted, BLOCK_NUMBERS // len(sample.picks)):
        again = _placed(sample, group, sample.rows[some], new, rng, len(drawn))
        better = ~(again.k > k[some])
        at = some[better]
        pit[at], k[at], mean[at], sd[at] = (
            own[better] for own in (again.pit, np.nan_to_num(again.k, nan=-np.inf), again.mean, again.sd)
        )
        drawn[:, at] = again.drawn[:, better]
    return Places(pit, k, mean, sd, drawn)


def _by_level(group: Group, rows: Indices, wanted: Indices, width: int) -> Iterator[Indices]:
    """Yield wanted places among rows, those of a level together, as many as have about `width` rows in their levels."""
    order = wanted[np.argsort(group.codes[rows[wanted]], kind="stable")]
    codes = group.codes[rows[order]]
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    size = np.cumsum(group.rows_per_level[codes[starts]])
    batch = size // max(1, width)
    ends = [*starts[np.flatnonzero(np.diff(batch)) + 1], len(order)]
    start = 0
    for end in ends:
        yield order[start:end]
        start = end


def _placed(
    sample: Sample, group: Group, wanted: Indices, new: NewEffects, rng: np.random.Generator, n_drawn: int
) -> Places:
    """Return the places of some rows of the design under new effects, given the other rows of their levels."""
    levels = np.unique(group.codes[wanted])
    is_level = np.zeros(group.n_levels, dtype=np.bool_)
    is_level[levels] = True
    rows = np.flatnonzero(is_level[group.codes])
    rows = rows[np.argsort(group.codes[rows], kind="stable")]
    every = outcomes_of(sample, rows, as_new(sample.design, rows, all_levels(sample.design, [group.factor])), rng, new)
    weights = LogLikelihood(sample.draws, sample.design).weights(rows)
    starts = np.searchsorted(group.codes[rows], levels)
    together = np.add.reduceat(every.log_density * weights, starts, axis=1)
    at = np.empty(sample.design.n_rows, dtype=np.int64)
    at[rows] = np.arange(len(rows))
    own = at[wanted]
    left_out = every.log_density[:, own] * sample.worth(wanted)
    log_ratios = together[:, np.searchsorted(levels, group.codes[wanted])] - left_out
    chosen = replace(
        every,
        y=every.y[own],
        replicated=every.replicated[:, own],
        expected=every.expected[:, own],
        log_density=every.log_density[:, own],
    )
    return weighted_places(chosen, np.ascontiguousarray(log_ratios.T), rng, n_drawn)
