"""Rows of the fit -> what the model says of each without it: its place among predictions, its expected value, outcomes.

Letters: K replications, R rows. What is said of a row without itself is computed as `hierfit check` does it
(`check.places`): predictions that were fitted to a row lie around it, so that places crowd in the middle and
proportions lean towards what was seen. A row that is alone in its level of a factor is predicted as one of a new level:
what the level is like was read from the row itself.

Residuals of rows that are left out one by one repel each other where rows share effects, so that sums over rows vary
less than those of rows on their own: bands that take them for independent hold at least as often as they say.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hierfit.posterior.check.fresh import as_new, effects_of_new, place_again
from hierfit.posterior.check.places import Places, joined, outcomes_of, weighted_places
from hierfit.posterior.check.sample import Sample, sample_of
from hierfit.posterior.plots.material import SEED, Material
from hierfit.posterior.predict import trials_of
from hierfit.posterior.predict.new_levels import NewEffects

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Levels = dict[str, NDArray[np.bool_]]
REPLICATES = 200
_PREDICTED = 4


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
    design = material.design
    sample = sample_of(material.draws, design, rows, SEED)
    alone = {group.factor: group.rows_per_level == 1 for group in design.groups}
    alone = {factor: levels for factor, levels in alone.items() if levels.any()}
    new = effects_of_new(sample) if alone else None
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        blocks = list(pool.map(partial(_predict, sample, alone, new), sample.blocks()))
    places = place_again(sample, joined([own for own, _ in blocks]))
    codes = {group.factor: group.codes[rows] for group in design.groups}
    concerned = tuple(factor for factor, levels in alone.items() if levels[codes[factor]].any())
    mean = places.mean / np.maximum(trials_of(design, rows), 1)
    same = np.concatenate([replicated for _, replicated in blocks], axis=1)
    return Predicted(places.pit, mean, same, places.drawn, concerned)


def _predict(
    sample: Sample, alone: Levels, new: NewEffects | None, numbered: tuple[int, slice]
) -> tuple[Places, Array]:
    """Return the places of a block of rows, and replications of theirs."""
    number, at = numbered
    rng, design, rows = sample.rng(_PREDICTED, number), sample.design, sample.rows[at]
    found = outcomes_of(sample, rows, as_new(design, rows, alone), rng, new)
    log_ratios = -np.ascontiguousarray((found.log_density * sample.worth(rows)).T)
    for group in design.groups:
        if group.factor in alone:
            log_ratios[alone[group.factor][group.codes[rows]]] = 0.0
    same = found.replicated[np.linspace(0, len(found.replicated) - 1, REPLICATES).round().astype(np.int64)]
    return weighted_places(found, log_ratios, rng, REPLICATES), same
