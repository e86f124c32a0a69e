"""Sample -> replicated outcomes of its rows, block by block: sums under every draw, and each row's place among them.

Letters: S draws, R rows. Replicated outcomes are drawn with the effects of the rows' own groups, one of each row under
each draw. Statistics are arrays [1 + S]: of the data, and of each replication. Places are those of `check.places`.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hierfit.posterior.check.places import Places, joined, outcomes_of, weighted_places
from hierfit.posterior.check.sample import Sample
from hierfit.posterior.predict import trials_of

Array = NDArray[np.float64]
KEPT = 200  # replications of all rows, for pictures
_OUTCOMES = 1


@dataclass(frozen=True, eq=False)
class Replicated:
    """What one pass over the rows finds.

    Attributes:
        total, square: sums of outcomes, and of squares, less `origin` [1 + S].
        origin: what outcomes are counted from.
        least, most: smallest and largest outcome [1 + S].
        zeros, full: how many outcomes are 0, or all trials [1 + S].
        shares: of successes: sums of shares, and of their squares [1 + S].
        categories: how often each category occurs [1 + S, C].
        scatter: squared distances of the data from what a draw expects, over variances, and the same of the draw's
            replication [2, S].
        places: of the rows.
        kept: some replications of all rows [KEPT, R].
    """

    origin: float
    total: Array
    square: Array
    least: Array
    most: Array
    zeros: Array
    full: Array
    shares: Array
    categories: Array
    scatter: Array
    places: Places
    kept: NDArray[np.float32]


def replicate_rows(sample: Sample) -> Replicated:
    """Replicate the outcomes of all rows of a sample."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        blocks = list(pool.map(partial(_block, sample), sample.blocks()))

    def summed(name: str) -> Array:
        return np.asarray(np.sum([getattr(block, name) for block in blocks], axis=0))

    return Replicated(
        origin=blocks[0].origin,
        total=summed("total"),
        square=summed("square"),
        least=np.min([block.least for block in blocks], axis=0),
        most=np.max([block.most for block in blocks], axis=0),
        zeros=summed("zeros"),
        full=summed("full"),
        shares=summed("shares"),
        categories=summed("categories"),
        scatter=summed("scatter"),
        places=joined([block.places for block in blocks]),
        kept=np.concatenate([block.kept for block in blocks], axis=1),
    )


def _block(sample: Sample, numbered: tuple[int, slice]) -> Replicated:
    """Replicate the outcomes of a block."""
    number, at = numbered
    rng, design, rows = sample.rng(_OUTCOMES, number), sample.design, sample.rows[at]
    found = outcomes_of(sample, rows, design.at(rows), rng)
    every = np.concatenate([found.y[None], found.replicated])
    trials = np.maximum(trials_of(design, rows), 1)
    origin = float(sample.y[0])
    away, share = every - origin, every / trials
    codes = range(len(design.categories)) if design.thresholds else range(0)
    with np.errstate(over="ignore", invalid="ignore"):
        distances = (found.replicated - found.expected) ** 2
        variance = np.maximum(distances.mean(axis=0), np.finfo(np.float64).tiny)
        own = np.sum((found.y - found.expected) ** 2 / variance, axis=1)
        return Replicated(
            origin,
            away.sum(axis=1),
            np.square(away).sum(axis=1),
            every.min(axis=1),
            every.max(axis=1),
            (every == 0).sum(axis=1),
            (every == trials).sum(axis=1),
            np.stack([share.sum(axis=1), np.square(share).sum(axis=1)]),
            np.stack([(every == code).sum(axis=1) for code in codes], axis=1) if codes else np.zeros((len(every), 0)),
            np.stack([own, np.sum(distances / variance, axis=1)]),
            weighted_places(found, -np.ascontiguousarray((found.log_density * sample.worth(rows)).T), rng),
            found.replicated[np.linspace(0, len(found.replicated) - 1, KEPT).astype(int)].astype(np.float32),
        )
