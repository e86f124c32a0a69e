"""A density on d real numbers -> a distribution close to it that can be drawn from.

The mode is climbed to, the curvature there gives the axes, and along each axis, on either side, the width is that of
the normal density that falls as slowly as the density does (`engines.split_t`). A pilot sample then says how close it
is; where it is not close enough, its weighted moments give new axes.

A tail that such a body misses is not found by a pilot sample, and hardly by the chains: a point there has a weight of a
hundred others, is met once in a hundred thousand draws, and holds a chain for as long. So a wider t with heavier tails
is mixed in (Hesterberg 1995, defensive mixtures), and so is, for every number with an end near the mode, which is an sd
that may be 0, a part that starts there: where an sd is 0 the others are elsewhere than its body leans to.

A function of points [s, d] -> log densities [s] is all that is asked for; several points at once may be worked out side
by side.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.split_t import SplitT

Array = NDArray[np.float64]
LogDensity = Callable[[Array], Array]

DEGREES = 8.0
PILOT = 25  # points of a pilot sample, for each real number
GOOD, POOR = 0.6, 0.25  # shares of the pilot sample that the weights leave effective
LEAST_EIGENVALUE = 1e-3  # of a precision, over the largest
_STEP, _SMALL = 1e-3, 0.02  # of the first steps, and of those in the units that come of them
_DISTANCES = np.array([1.0, 2.0, 3.0])
_LEAST, _MOST = 0.5, 4.0  # widths
_WIDER = 1.15  # than the density, so that its tails are not missed where it leans
_HEAVY, _HEAVY_DEGREES, _HEAVY_WIDTH = 0.05, 3.0, 2.0  # share of the wide part, its tails, how much wider it is
_EDGES, _EDGE_DEGREES = 0.1, 5.0  # share of all parts that start at an end, and their tails
_NOTHING = 1e-6  # width of a part that starts at an end, beyond it
_LEANS = (1.0, 0.5, 0.0)  # how far to follow the lean of the body from its mode to an end, where the density may bend
_NEGLIGIBLE = 30.0  # log density below the mode's from where on an end is not looked at
_LACKING = 0.4, 1.0  # logs of weights over that at the mode, from where on the body does not do: at an end, around it


class NoProposalError(Exception):
    """No distribution that is close enough was found; the text says why."""


class Drawn(Protocol):
    """What can be drawn from, and has a density."""

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Return n points [n, d]."""
        ...

    def log_density(self, points: Array) -> Array:
        """Return the log density [s] of points [s, d], up to a constant."""
        ...


@dataclass(frozen=True)
class Proposal:
    """A mixture of split Student t distributions, truncated.

    Attributes:
        parts: the body first.
        shares: of the parts before they are truncated, which add up to 1.
        bounds: ends of every real number, beyond which there is nothing [d, 2].
    """

    parts: tuple[SplitT, ...]
    shares: tuple[float, ...]
    bounds: Array

    @property
    def mode(self) -> Array:
        """That of the body [d]."""
        return self.parts[0].mode

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Return n points [n, d]."""
        found = np.empty((0, len(self.mode)))
        while len(found) < n:
            points = self._draw(n, rng)
            inside = (points >= self.bounds[:, 0]) & (points <= self.bounds[:, 1])
            found = np.concatenate([found, points[inside.all(axis=1)]])
        return found[:n]

    def _draw(self, n: int, rng: np.random.Generator) -> Array:
        sizes = rng.multinomial(n, self.shares)
        points = np.concatenate([part.draw(size, rng) for part, size in zip(self.parts, sizes.tolist(), strict=True)])
        return np.asarray(rng.permutation(points))

    def log_density(self, points: Array) -> Array:
        """Return the log density [s] up to a constant, which is what the truncation takes away."""
        logs = [np.log(share) + part.log_density(points) for part, share in zip(self.parts, self.shares, strict=True)]
        return np.asarray(np.logaddexp.reduce(logs))


@dataclass(frozen=True)
class Pilot:
    """Points of a proposal with their weights.

    Attributes:
        points: [s, d].
        weights: that add up to 1 [s].
    """

    points: Array
    weights: Array

    @property
    def efficiency(self) -> float:
        """What share of the points is as good as draws of the density itself."""
        return float(1 / np.sum(self.weights**2) / len(self.weights))


def propose(log_density: LogDensity, start: Array, bounds: Array, rng: np.random.Generator) -> tuple[Proposal, Pilot]:
    """Return a distribution near the density, and points of it.

    Raises:
        NoProposalError: the density has no mode to speak of.
    """
    mode, near = climb(log_density, start, bounds)
    return around(log_density, mode, _axes_of_curvature(log_density, mode, near), bounds, rng)


def around(
    log_density: LogDensity, mode: Array, axes: Array, bounds: Array, rng: np.random.Generator
) -> tuple[Proposal, Pilot]:
    """Return a distribution near the density, and points of it, given its mode and axes an sd long each [d, d].

    Raises:
        NoProposalError: the density is flat or not finite around its mode.
    """
    proposal = mix(log_density, split(log_density, mode, axes), bounds)
    pilot = fly(log_density, proposal, PILOT * len(mode), rng)
    if pilot.efficiency < GOOD:
        center = pilot.weights @ pilot.points
        axes = axes_of(np.linalg.pinv(np.atleast_2d(np.cov(pilot.points.T, aweights=pilot.weights)), hermitian=True))
        second = mix(log_density, split(log_density, center, axes), bounds)
        again = fly(log_density, second, PILOT * len(mode), rng)
        if again.efficiency > pilot.efficiency:
            proposal, pilot = second, again
    return proposal, pilot


def climb(log_density: LogDensity, start: Array, bounds: Array) -> tuple[Array, Array]:
    """Return the mode [d], and about how far from it the density falls by half a unit [d]."""
    from scipy.optimize import minimize

    d = len(start)
    top, ahead, behind = np.split(log_density(start + _STEP * _star(d)), [1, 1 + d])
    if not np.isfinite(top).all():
        raise NoProposalError("the density is not finite where the search for its mode begins")
    unit = 1 / np.sqrt(np.clip((2 * top - ahead - behind) / _STEP**2, 1.0, 1e12))  # numbers of like size are wanted

    wall = -float(top[0]) + 1e3  # higher than where the search begins, so that it turns back

    def downhill(scaled: Array) -> tuple[float, Array]:
        values = log_density(start + unit * (scaled + _SMALL * _star(d)[: 1 + d]))
        if not np.isfinite(values).all():
            return wall, np.zeros(d)
        return -float(values[0]), -(values[1:] - values[0]) / _SMALL

    ends = (bounds - start[:, np.newaxis]) / unit[:, np.newaxis]
    found = minimize(downhill, np.zeros(d), jac=True, bounds=ends.tolist(), options={"ftol": 1e-9, "gtol": 1e-2})
    return np.asarray(start + unit * found.x), unit


def _star(d: int) -> Array:
    """Return the origin and a step either way along each axis [1 + 2 d, d]."""
    return np.concatenate([np.zeros((1, d)), np.eye(d), -np.eye(d)])


def _axes_of_curvature(log_density: LogDensity, mode: Array, near: Array) -> Array:
    """Return axes that are an sd long each where the density is as curved everywhere as near its mode [d, d]."""
    d, sizes = len(mode), 0.5 * near
    for _ in range(2):  # steps of about half an sd: large enough for the digits of the density
        top, ahead, behind = np.split(log_density(mode + sizes * _star(d)), [1, 1 + d])
        with np.errstate(invalid="ignore"):
            curvature = (2 * top - ahead - behind) / sizes**2
        sizes = 0.5 / np.sqrt(np.clip(curvature, 1e-2, 1e12))
    pairs = [(i, j) for i in range(d) for j in range(i)]
    corners = [s * np.eye(d)[i] + t * np.eye(d)[j] for i, j in pairs for s in (1, -1) for t in (1, -1)]
    precision = np.diag(curvature * sizes**2)
    if pairs:
        values = log_density(mode + np.array(corners) * sizes).reshape(-1, 2, 2)
        with np.errstate(invalid="ignore"):
            mixed = -(values[:, 0, 0] - values[:, 0, 1] - values[:, 1, 0] + values[:, 1, 1]) / 4
        for (i, j), value in zip(pairs, mixed, strict=True):
            precision[i, j] = precision[j, i] = value
    return sizes[:, np.newaxis] * axes_of(precision)


def axes_of(precision: Array) -> Array:
    """Return the symmetric root of the inverse of a precision [d, d], whose eigenvalues are made positive."""
    if not np.isfinite(precision).all():
        raise NoProposalError("the density is not finite around its mode")
    values, vectors = np.linalg.eigh(precision)
    if values.max() <= 0:
        raise NoProposalError("the density is flat at its mode")
    return np.asarray((vectors / np.sqrt(np.maximum(values, LEAST_EIGENVALUE * values.max()))) @ vectors.T)


def split(log_density: LogDensity, mode: Array, axes: Array) -> SplitT:
    """Return the split t distribution whose widths are those of the density along its axes."""
    d = len(mode)
    ends = np.array([-1.0, 1.0])
    along = ends[:, None, None, None] * _DISTANCES[:, None, None] * axes.T  # [2, distances, axis, d]
    values = log_density(np.concatenate([mode[np.newaxis], (mode + along).reshape(-1, d)]))
    drop = np.maximum(values[0] - values[1:].reshape(2, len(_DISTANCES), d), 1e-3)
    widths = (_DISTANCES[:, np.newaxis] / np.sqrt(2 * drop)).max(axis=1)
    return SplitT(mode, axes, _WIDER * np.clip(widths, _LEAST, _MOST), DEGREES)


def mix(log_density: LogDensity, body: SplitT, bounds: Array) -> Proposal:
    """Return the body with what covers its tails: a wide part, and one at every lower end where there is something."""
    wide = SplitT(body.mode, body.axes, _HEAVY_WIDTH * np.maximum(body.widths, 1.0), _HEAVY_DEGREES)
    found = (edge(log_density, body, bounds, at) for at in range(len(body.mode)))
    edges = [part for part in found if part is not None]
    share = _EDGES / len(edges) if edges else 0.0
    rest = 1.0 - _HEAVY - share * len(edges)
    return Proposal((body, wide, *edges), (rest, _HEAVY, *[share] * len(edges)), bounds)


def edge(log_density: LogDensity, body: SplitT, bounds: Array, at: int) -> SplitT | None:
    """Return a part that starts where one number is at its lower end, leaning to the mode; None where none is needed.

    Across, it is as wide as the density is at that end; along, it reaches half way to the mode.
    """
    end, others = bounds[at, 0], np.arange(len(body.mode)) != at
    covariance = body.axes @ body.axes.T
    if not np.isfinite(end) or body.mode[at] <= end or not others.any():
        return None
    lean = covariance[:, at] / covariance[at, at] * (end - body.mode[at])
    starts = np.clip(body.mode + np.outer(_LEANS, lean), *bounds.T)
    starts[:, at] = end

    def there(points: Array) -> Array:
        return log_density(np.insert(points, at, end, axis=1))

    top, *near_end = log_density(np.concatenate([body.mode[np.newaxis], starts]))
    start = starts[np.argmax(near_end)]
    if not max(near_end) > top - _NEGLIGIBLE:
        return None
    with suppress(NoProposalError):
        mode, near = climb(there, start[others], bounds[others])
        across = split(there, mode, _axes_of_curvature(there, mode, near))
        part = _starting_at(np.insert(mode, at, end), body.mode, across, at)
        return part if _lacks(log_density, body, part, at) else None
    return None


def _lacks(log_density: LogDensity, body: SplitT, part: SplitT, at: int) -> bool:
    """Whether the body has too little where a part starts, or two of its widths to either side."""
    sides = np.delete(part.axes, at, axis=1).T * 2
    points = np.concatenate([[body.mode, part.mode], part.mode + sides, part.mode - sides])
    weights = log_density(points) - body.log_density(points)
    here, *around = (weights[1:] - weights[0]).tolist()
    return bool(here > _LACKING[0] or max(around) > _LACKING[1])


def _starting_at(point: Array, towards: Array, across: SplitT, at: int) -> SplitT:
    """Return a split t whose axis `at` leads from its mode to half way towards another point."""
    others = np.arange(len(point)) != at
    axes = np.zeros((len(point), len(point)))
    axes[np.ix_(others, others)] = across.axes
    axes[:, at] = (towards - point) / 2
    return SplitT(point, axes, np.insert(across.widths, at, (_NOTHING, 1.0), axis=1), _EDGE_DEGREES)


def fly(log_density: LogDensity, proposal: Drawn, size: int, rng: np.random.Generator) -> Pilot:
    """Return a pilot sample of that size.

    Raises:
        NoProposalError: the density is nothing, or not finite, at all of its points or one.
    """
    points = proposal.draw(size, rng)
    log_weights = log_density(points) - proposal.log_density(points)
    if not np.isfinite(log_weights.max()):
        raise NoProposalError("the density is not finite at points of a pilot sample")
    weights = np.exp(log_weights - log_weights.max())
    return Pilot(points, weights / weights.sum())
