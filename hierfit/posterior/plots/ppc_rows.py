"""Rows of the fit -> what the model says of each without it: its place among predictions, its expected value, outcomes.

Letters: S draws, K replications, R rows. Draws are weighted by the inverse of the density that they give to the row,
smoothed (`posterior.pareto`): predictions that were fitted to a row lie around it, so that places crowd in the middle
and proportions lean towards what was seen, the more the fewer rows a group has (Gelfand, Dey, Chang 1992; Vehtari,
Lampinen 2002). A row that is alone in its level of a factor is predicted as one of a new level: what the level is like
was read from the row itself.

Residuals of rows that are left out one by one repel each other where rows share effects, so that sums over rows vary
less than those of rows on their own: bands that take them for independent hold at least as often as they say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.rows import Rows
from hierfit.model.families import FAMILIES
from hierfit.posterior.draws import Draws
from hierfit.posterior.pareto import smoothed
from hierfit.posterior.plots.material import Material
from hierfit.posterior.predict import expected, trials_of
from hierfit.posterior.predict.draws_of import n_draws
from hierfit.posterior.predict.linear import distribution_of
from hierfit.posterior.predict.new_levels import NewEffects, new_effects

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
MOST_DRAWS, REPLICATES = 1_000, 200
FEWEST_DRAWS = 25  # for the tail of their weights
BLOCK_NUMBERS = 400_000
_NEW = "\0new "  # no label of a file begins so


@dataclass(frozen=True, eq=False)
class Predicted:
    """What the model says of rows.

    Attributes:
        places: of each outcome among predictions without it, between 0 and 1, at random within ties [R].
        expected: mean of each outcome, of one trial where it counts successes, without it [R].
        replicated: outcomes under the same draws for all rows, the rows among those fitted to [K, R].
        left_out: outcomes under draws of their own for each row, without it [K, R].
        alone: factors in whose levels some of the rows are alone.
    """

    places: Array
    expected: Array
    replicated: Array
    left_out: Array
    alone: tuple[str, ...]


def predict_rows(material: Material, rows: Indices) -> Predicted:
    """Return what the model says of chosen rows."""
    design, rng = material.design, material.rng
    draws = _thinned(material.draws)
    alone = {group.factor: group.rows_per_level == 1 for group in design.groups}
    alone = {factor: levels for factor, levels in alone.items() if levels.any()}
    new = new_effects(draws, design, int(rng.integers(2**31))) if alone else None
    parts = [_predict(draws, design, block, alone, new, rng) for block in _blocks(rows, n_draws(draws))]
    places, means, replicated, left_out = (np.concatenate(part, axis=-1) for part in zip(*parts, strict=True))
    codes = {group.factor: group.codes[rows] for group in design.groups}
    concerned = tuple(factor for factor, levels in alone.items() if levels[codes[factor]].any())
    return Predicted(places, means, replicated, left_out, concerned)


def _blocks(rows: Indices, size: int) -> Iterator[Indices]:
    width = max(1, BLOCK_NUMBERS // size)
    for start in range(0, len(rows), width):
        yield rows[start : start + width]


def _predict(
    draws: Draws,
    design: Design,
    rows: Indices,
    alone: dict[str, NDArray[np.bool_]],
    new: NewEffects | None,
    rng: np.random.Generator,
) -> tuple[Array, Array, Array, Array]:
    """Return places, expected values, replications and outcomes left out of a block of rows."""
    family, picks, y = FAMILIES[design.family], np.arange(n_draws(draws)), design.y[rows]
    columns, is_new = _with_new_levels(design, rows, alone)
    predictor, auxiliaries = distribution_of(draws, design, columns, picks, new)
    trials = trials_of(design, rows)
    outcomes = family.replicate(rng, family.mean(predictor, design.link, auxiliaries), auxiliaries, trials)
    density = family.log_density_at(y, predictor, design.link, auxiliaries, trials)
    worth = np.ones(len(rows)) if design.weights is None else design.weights[rows]
    weights = _weights(density * worth, is_new)
    below, ties = (np.einsum("rs,sr->r", weights, found) for found in (outcomes < y, outcomes == y))
    size = len(picks)
    places = (below * size + rng.random(len(rows)) * (ties * size + 1)) / (size + 1)
    means = np.einsum("rs,sr->r", weights, expected(design, predictor, auxiliaries))
    same = outcomes[np.linspace(0, size - 1, min(REPLICATES, size)).round().astype(np.int64)]
    return places, means, same, _drawn(outcomes, weights, rng)


def _weights(density: Array, is_new: NDArray[np.bool_]) -> Array:
    """Return weights of draws for each row [R, S] from the log density of the row under each [S, R]."""
    size = len(density)
    equal = np.full(density.shape[::-1], 1 / size)
    if size < FEWEST_DRAWS:
        return equal
    log_weights, _ = smoothed(np.ascontiguousarray(-density.T), 1.0)
    return np.where(is_new[:, None], equal, np.exp(log_weights))


def _drawn(outcomes: Array, weights: Array, rng: np.random.Generator) -> Array:
    """Return outcomes of rows [S, R], drawn anew for each with its weights [R, S] -> [K, R]."""
    found = np.empty((REPLICATES, len(weights)))
    for row, own in enumerate(np.cumsum(weights, axis=1)):
        at = np.searchsorted(own, rng.random(REPLICATES) * own[-1], side="right")
        found[:, row] = outcomes[np.minimum(at, len(own) - 1), row]
    return found


def _with_new_levels(
    design: Design, rows: Indices, alone: dict[str, NDArray[np.bool_]]
) -> tuple[Rows, NDArray[np.bool_]]:
    """Return rows of the fit, levels in which one is alone being new ones; and which rows these are [R]."""
    columns, is_new, groups = design.at(rows), np.zeros(len(rows), dtype=np.bool_), []
    for group, own in zip(design.groups, columns.groups, strict=True):
        if group.factor in alone:
            own_alone = alone[group.factor][own.codes]
            is_new |= own_alone
            names = tuple(f"{_NEW}{label}" for label in own.labels)
            codes = np.where(own_alone, own.codes + len(own.labels), own.codes).astype(np.int32)
            own = replace(own, labels=(*own.labels, *names), codes=codes)
        groups.append(own)
    return replace(columns, groups=tuple(groups)), is_new


def _thinned(draws: Draws) -> Draws:
    """Return at most `MOST_DRAWS` draws, evenly over all chains, as those of one chain."""
    total = n_draws(draws)
    picks = np.unique(np.linspace(0, total - 1, min(total, MOST_DRAWS)).round().astype(np.int64))
    chains, at = np.divmod(picks, draws.n_draws)
    return replace(
        draws,
        values=draws.values[chains, at][None],
        effects={factor: effects[chains, at][None] for factor, effects in draws.effects.items()},
        stats={},
    )
