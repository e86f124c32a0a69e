"""LatentDensity x Metric -> chains of Hamiltonian steps, side by side, and the short warmup that sets their length.

A chain is given a random momentum and follows its Hamiltonian for a number of leapfrog steps; where that ends it goes
with probability min(1, exp(change of energy)) (Neal 2011). The length of the way is fixed in the units of the metric,
but for a random factor, so that no chain goes round in circles; the size of a step is set by dual averaging (Hoffman &
Gelman 2014, section 3.2). All chains take the same number of steps, since the kernel works out several points as fast
as one. Sds mean the same as their negatives, so that chains pass through 0. Letters: C chains, n numbers sampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.latent.density import LatentDensity
from hierfit.engines.latent.metric import Metric, metric_at
from hierfit.engines.proposal import NoProposalError

Array = NDArray[np.float64]
Generators = Sequence[np.random.Generator]

WALKERS = 8  # chains of the warmup
ROUNDS = 40, 60, 100  # of the warmup: after each the metric is that of where the walkers are
LAST = 50  # iterations with the metric that is kept
WARMUP = sum(ROUNDS) + LAST
ACCEPTED = 0.85  # wanted share
LENGTH, SPREAD = 1.6, 0.5  # of a way, in sds, and how far it is longer or shorter
MOST_STEPS = 40  # of a way, on average; beyond that Stan's trees are no longer
MOST_DIVERGENT = 0.01  # share of the last iterations of the warmup
_FAR = 1000.0  # change of energy beyond which a way is said to diverge
_SHRINK = 20.0  # draws that the curvature's say counts for beside those of the walkers
_GAMMA, _T0, _KAPPA = 0.05, 10.0, 0.75


@dataclass(frozen=True)
class Here:
    """Where chains stand.

    Attributes:
        points: [C, n].
        lp: log densities [C].
        slopes: derivatives [C, n].
    """

    points: Array
    lp: Array
    slopes: Array

    def __len__(self) -> int:
        return len(self.lp)


@dataclass(frozen=True)
class Moved:
    """What one iteration did.

    Attributes:
        here: where chains stand now.
        accepted: how likely they moved [C].
        diverging: whether the energy was lost on the way [C].
        energy: of each where its way began [C].
    """

    here: Here
    accepted: Array
    diverging: NDArray[np.bool_]
    energy: Array


@dataclass(frozen=True)
class Walk:
    """How chains go.

    Attributes:
        metric: in whose units steps are.
        step: their size.
        points: those of the end of the warmup, those where it ended last [s, n].
    """

    metric: Metric
    step: float
    points: Array

    @property
    def starts(self) -> Array:
        """Where the warmup ended [WALKERS, n]."""
        return self.points[-WALKERS:]

    @property
    def steps(self) -> float:
        """How many a way has on average."""
        return LENGTH / self.step

    def n_steps(self, rng: np.random.Generator) -> int:
        """Return how many steps the next way has."""
        return max(1, round(self.steps * rng.uniform(1 - SPREAD, 1 + SPREAD)))


def stand_at(density: LatentDensity, points: Array) -> Here:
    """Return chains that stand at points [C, n]."""
    lp, slopes = density.gradient(points)
    fine = np.isfinite(lp) & np.isfinite(slopes).all(axis=1)
    return Here(points, np.where(fine, lp, -np.inf), np.where(fine[:, np.newaxis], slopes, 0.0))


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # a way that diverges goes anywhere
def move(density: LatentDensity, metric: Metric, here: Here, step: float, n_steps: int, rngs: Generators) -> Moved:
    """Let every chain go one way of so many steps, with random numbers of its own."""
    n = here.points.shape[1]
    momentum = np.array([rng.standard_normal(n) for rng in rngs])
    luck = np.array([rng.random() for rng in rngs])
    energy = 0.5 * np.square(momentum).sum(axis=1) - here.lp
    there, lost = here, np.zeros(len(here), dtype=bool)
    for _ in range(n_steps):
        half = momentum + 0.5 * step * metric.back(there.slopes)
        there = stand_at(density, there.points + np.where(lost, 0.0, step)[:, np.newaxis] * metric.out(half))
        momentum = half + 0.5 * step * metric.back(there.slopes)
        change = energy - 0.5 * np.square(momentum).sum(axis=1) + there.lp
        lost |= ~(change > -_FAR)  # and stays where it is, so that the others need not wait for its numbers
        if lost.all():
            break
    change = np.where(lost, -np.inf, change)
    accepted = np.exp(np.minimum(change, 0.0))
    moved, all_of = luck < accepted, (luck < accepted)[:, np.newaxis]
    taken = Here(
        np.where(all_of, there.points, here.points),
        np.where(moved, there.lp, here.lp),
        np.where(all_of, there.slopes, here.slopes),
    )
    return Moved(taken, accepted, lost, energy)


def folded(density: LatentDensity, points: Array) -> Array:
    """Return points with all sds on the side that is not negative, where they mean the same.

    Chains are not to be folded on their way: their axes, which lean, would lean to the wrong side.
    """
    mirrored, found = density.parameters.mirrored, points.copy()
    found[:, : len(mirrored)] = np.where(mirrored, np.abs(found[:, : len(mirrored)]), found[:, : len(mirrored)])
    return found


class StepSize:
    """A step size on its way to the wanted acceptance, and the average that is kept."""

    def __init__(self, first: float) -> None:
        self.now, self._center, self._count, self._error, self._log_mean = first, np.log(10 * first), 0, 0.0, 0.0

    def hear(self, accepted: float) -> None:
        """Take in how likely chains moved."""
        self._count += 1
        share = 1 / (self._count + _T0)
        self._error = (1 - share) * self._error + share * (ACCEPTED - accepted)
        log_now = self._center - np.sqrt(self._count) / _GAMMA * self._error
        weight = self._count**-_KAPPA
        self._log_mean = weight * log_now + (1 - weight) * self._log_mean
        self.now = float(np.exp(log_now))

    @property
    def mean(self) -> float:
        """The size to go on with."""
        return float(np.exp(self._log_mean))


def warm_up(density: LatentDensity, starts: Array, rng: np.random.Generator) -> Walk:
    """Return how chains go, from points [WALKERS, n] not too far from the posterior.

    Raises:
        NoProposalError: ways would be too long, or diverge.
    """
    metric, here, first = metric_at(density, starts, rng), stand_at(density, starts), 0.1
    if not np.isfinite(here.lp).all():
        raise NoProposalError("the density is not finite where Hamiltonian steps would start")
    for size in ROUNDS:
        here, past, first, _ = _adapt(density, metric, here, first, size, rng)
        if size == ROUNDS[-1]:
            break
        metric = metric_at(density, past, rng)
    metric = metric.scaled(lengths(metric, past))
    _, past, step, divergent = _adapt(density, metric, here, first, LAST, rng)
    walk = Walk(metric, step, past)
    if walk.steps > MOST_STEPS:
        raise NoProposalError(f"Hamiltonian steps would be {walk.steps:.0f} for each draw, more than {MOST_STEPS}")
    if divergent > MOST_DIVERGENT:
        raise NoProposalError(f"{divergent:.0%} of the Hamiltonian steps diverge")
    return walk


def _adapt(
    density: LatentDensity, metric: Metric, here: Here, first: float, size: int, rng: np.random.Generator
) -> tuple[Here, Array, float, float]:
    """Return where walkers stand after a round, the points of its latter half [s, n], the step size, what diverged."""
    rngs, adapting, past, divergent = rng.spawn(len(here)), StepSize(first), [], []
    for at in range(size):
        step = adapting.now
        n_steps = min(2 * MOST_STEPS, Walk(metric, step, here.points).n_steps(rng))
        moved = move(density, metric, here, step, n_steps, rngs)
        here = moved.here
        adapting.hear(float(moved.accepted.mean()))
        if at == size // 4:
            density.remember(here.points[int(np.argmax(here.lp))])
        if at >= size // 2:
            past.append(here.points)
            divergent.append(moved.diverging)
    points = folded(density, np.concatenate(past))
    return stand_at(density, points[-len(here) :]), points, adapting.mean, float(np.mean(divergent))


def lengths(metric: Metric, points: Array) -> Array:
    """Return the sds of points [s, n] along the axes of a metric [n], drawn to 1 as far as so few tell little."""
    squares = metric.inward(points - points.mean(axis=0)).var(axis=0)
    return np.asarray(np.sqrt((len(points) * squares + _SHRINK) / (len(points) + _SHRINK)))
