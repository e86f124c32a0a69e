"""Sample x rows -> replicated outcomes, and the place of each row's own among predictions that were made without it.

Letters: S draws, R rows, K outcomes drawn anew. A row's place in its predictive distribution (PIT) is that without the
row (LOO-PIT): draws are weighted by the inverse of the density that they give to it, smoothed (`posterior.pareto`);
ties, of discrete outcomes, are broken at random (Dunn, Smyth 1996, Journal of Computational and Graphical Statistics
5(3)). With the row in the fit, places crowd in the middle, the more the fewer rows a group has (Gelfand, Dey, Chang
1992; Vehtari, Lampinen 2002). All that is said of rows without themselves comes from here: checks and pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

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
        drawn: outcomes that are predicted of each [K, R]; none unless they are wanted.
    """

    pit: Array
    k: Array
    mean: Array
    sd: Array
    drawn: Array


def joined(parts: Sequence[Places]) -> Places:
    """Return the places of rows one after another."""
    return Places(*(np.concatenate([getattr(own, each.name) for own in parts], axis=-1) for each in fields(Places)))


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


def weighted_places(found: Outcomes, log_ratios: Array, rng: np.random.Generator, n_drawn: int = 0) -> Places:
    """Return the place of each row among predictions weighted by importance ratios [R, S]; n_drawn is K."""
    log_weights, k = smoothed(log_ratios, 1.0)
    weights = np.exp(log_weights).T
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.sum(weights * found.expected, axis=0)
        variance = np.sum(weights * (found.replicated - mean) ** 2, axis=0)
    pit = places(found.y, found.replicated, weights, rng.random(len(found.y)))
    return Places(pit, k, mean, np.sqrt(variance), _drawn(found.replicated, weights, rng, n_drawn))


def _drawn(replicated: Array, weights: Array, rng: np.random.Generator, count: int) -> Array:
    """Return outcomes of rows [S, R], drawn anew for each with its weights [S, R] -> [K, R]."""
    found = np.empty((count, weights.shape[1]))
    for row, own in enumerate(np.cumsum(weights, axis=0).T if count else ()):
        at = np.searchsorted(own, rng.random(count) * own[-1], side="right")
        found[:, row] = replicated[np.minimum(at, len(own) - 1), row]
    return found


def places(y: Array, replicated: Array, weights: Array, u: Array) -> Array:
    """Return the share of weighted replications [S, R] below outcomes [R], at u [R] within ties, inside (0, 1).

    The outcome counts as one more draw among as many as the weights are worth, so that places of exchangeable
    outcomes are uniform however few draws there are.
    """
    below = np.sum(weights * (replicated < y), axis=0)
    ties = np.sum(weights * (replicated == y), axis=0)
    own = 1 / (1 / np.sum(weights**2, axis=0) + 1)
    return np.asarray((1 - own) * (below + u * ties) + own * u)
