"""Sample -> replicated outcomes of its rows, block by block: sums under every draw, and each row's place among them.

Letters: S draws, R rows. Replicated outcomes are drawn with the effects of the rows' own groups, one of each row under
each draw. Statistics are arrays [1 + S]: of the data, and of each replication. A row's place in its predictive
distribution (PIT) is that without the row (LOO-PIT): draws are weighted by the inverse of the density that they give to
it, smoothed (`posterior.pareto`); ties, of discrete outcomes, are broken at random (Dunn, Smyth 1996, Journal of
Computational and Graphical Statistics 5(3)). With the row in the fit, places crowd in the middle, the more the fewer
rows a group has (Gelfand, Dey, Chang 1992; Vehtari, Lampinen 2002).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hierfit.design.rows import Rows
from hierfit.model.families import FAMILIES
from hierfit.posterior.check.sample import Sample
from hierfit.posterior.pareto import smoothed
from hierfit.posterior.predict import trials_of
from hierfit.posterior.predict.linear import distribution_of
from hierfit.posterior.predict.new_levels import NewEffects
from hierfit.posterior.predict.values import outcomes_by_row

Array = NDArray[np.float64]
KEPT = 200  # replications of all rows, for pictures
_OUTCOMES = 1


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Replicated outcomes of some rows.

    Attributes:
        y: the rows' own [R].
        replicated: under each draw [S, R].
        expected: means of the outcome [S, R].
        log_density: of the rows' own outcomes [S, R].
    """

    y: Array
    replicated: Array
    expected: Array
    log_density: Array


@dataclass(frozen=True, eq=False)
class Places:
    """Where outcomes stand among the predictions of their rows, each predicted without itself.

    Attributes:
        pit: share of the predictions below, at random within ties [R].
        k: Pareto shape of the weights [R]; NaN where all are the same.
        mean: of the prediction [R].
        sd: of the prediction [R].
    """

    pit: Array
    k: Array
    mean: Array
    sd: Array


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

    parts = [block.places for block in blocks]
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
        places=Places(*(np.concatenate([getattr(own, each.name) for own in parts]) for each in fields(Places))),
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


def outcomes_of(
    sample: Sample,
    rows: NDArray[np.int64],
    columns: Rows,
    rng: np.random.Generator,
    new: NewEffects | None = None,
    *,
    density: bool = True,
) -> Outcomes:
    """Replicate the outcomes of rows, whose columns are given: their groups may be others, with `new` effects.

    Without `density` that of the rows' own outcomes is left out.
    """
    design, family, trials = sample.design, FAMILIES[sample.design.family], trials_of(sample.design, rows)
    predictor, auxiliaries = distribution_of(sample.draws, design, columns, sample.picks, new)
    mean = family.mean(predictor, design.link, auxiliaries)
    own = (design.y[rows], predictor, design.link, auxiliaries, trials)
    log_density = family.log_density_at(*own) if density else np.empty((0, len(rows)))
    expected = np.broadcast_to(family.expected(mean, auxiliaries, trials), predictor.shape)
    return Outcomes(
        design.y[rows],
        outcomes_by_row(design, mean, auxiliaries, trials, rng),
        expected,
        np.asarray(log_density),
    )


def weighted_places(found: Outcomes, log_ratios: Array, rng: np.random.Generator) -> Places:
    """Return the place of each row among predictions weighted by importance ratios [R, S]."""
    log_weights, k = smoothed(log_ratios, 1.0)
    weights = np.exp(log_weights).T
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.sum(weights * found.expected, axis=0)
        variance = np.sum(weights * (found.replicated - mean) ** 2, axis=0)
        return Places(places(found.y, found.replicated, weights, rng.random(len(found.y))), k, mean, np.sqrt(variance))


def places(y: Array, replicated: Array, weights: Array, u: Array) -> Array:
    """Return the share of weighted replications [S, R] below outcomes [R], at u [R] within ties, inside (0, 1).

    The outcome counts as one more draw among as many as the weights are worth, so that places of exchangeable
    outcomes are uniform however few draws there are.
    """
    below = np.sum(weights * (replicated < y), axis=0)
    ties = np.sum(weights * (replicated == y), axis=0)
    own = 1 / (1 / np.sum(weights**2, axis=0) + 1)
    return np.asarray((1 - own) * (below + u * ties) + own * u)
