"""A proposal x points where the density is known -> a proposal that refuses by itself what the density would refuse.

Near the mode the log density is nearly a polynomial in the few numbers that are sampled. One is fitted to the points at
which the search worked the density out, by weighted least squares, and stands in for it: a point of the proposal is
kept with a probability of density over proposal, both times a constant (Tierney 1994, section 2.3.4). What is kept has
a known density, so that chains which propose it stay exact however far the polynomial is off, and the density itself,
which may be a matrix of a thousand effects, is worked out for few points that are refused then.

Far out, where the polynomial is but guessing, the proposal, whose tails are heavy on purpose, stays as it is; so it
does as a whole where a second pilot sample is not better than the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.proposal import LogDensity, Pilot, Proposal, fly

Array = NDArray[np.float64]

DEGREES = (2, 3, 4, 5)
_MOST = 200  # coefficients of a polynomial
_FLIGHT = 12  # points of the second pilot sample, for each real number
_BETTER = 1.1  # its effective share, over that of the first
_FAR = 14.0  # points whose log density is farther below the highest say nothing of the polynomial
_TEMPER = 0.25  # power of the density that points are weighted with: the tails must be right to a few percent only
_SPARE = 2.5  # points for each coefficient
_SURE, _DOUBT = 0.25, 2.0  # sd of a value of the polynomial that is believed; sds that are added to others
_TRIED = 4_000  # points of the proposal that say how often one is kept
_LOW, _HIGH = 0.2, 8.0  # of density over proposal that is believed, over the average
_LEAST_KEPT = 0.1  # share of points, below which drawing takes too long


@dataclass(frozen=True)
class Polynomial:
    """A polynomial in d numbers, near a log density over its highest value.

    Attributes:
        center: where it counts from [d].
        axes: columns are the units it counts in [d, d].
        degree: the total of its powers at most.
        coefficients: in the order of `powers` [m].
        root: of their covariance, times their transpose [m, m].
        noise: sd of the values it was fitted to, where the density is highest; it grows with the root of the weights.
    """

    center: Array
    axes: Array
    degree: int
    coefficients: Array
    root: Array
    noise: float

    def at(self, points: Array) -> tuple[Array, Array]:
        """Return its values [s] at points [s, d], and how sure it is, as sds [s]."""
        X = powers(points, self.center, self.axes, self.degree)
        values = X @ self.coefficients
        spread = np.square(X @ self.root).sum(axis=1) + np.exp(np.clip(-_TEMPER * values, 0, 100))
        return values, self.noise * np.sqrt(spread)


@dataclass(frozen=True)
class Sharpened:
    """A proposal of which a point is kept with a probability that a polynomial says.

    Attributes:
        proposal: what is drawn from.
        polynomial: near the log density, up to a constant.
        low, high: ends of log density over proposal; at the upper one every point is kept.
        unsure: what it is at most where the polynomial is not sure; as many sds above its value as make it certain
            that no tail is missed.
    """

    proposal: Proposal
    polynomial: Polynomial
    low: float
    high: float
    unsure: float

    @property
    def mode(self) -> Array:
        """That of the body [d]."""
        return self.proposal.mode

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Return n points [n, d]."""
        found = np.empty((0, len(self.mode)))
        while len(found) < n:
            points = self.proposal.draw(2 * n, rng)
            kept = np.log(rng.random(len(points))) < self.log_ratio(points) - self.high
            found = np.concatenate([found, points[kept]])
        return found[:n]

    def log_density(self, points: Array) -> Array:
        """Return the log density [s] of points [s, d], up to a constant."""
        return self.proposal.log_density(points) + self.log_ratio(points)

    def log_ratio(self, points: Array) -> Array:
        """Return the log of density over proposal [s] at points [s, d], as far as it is believed."""
        values, sd = self.polynomial.at(points)
        ratio = values - self.proposal.log_density(points)
        ratio = np.where(sd < _SURE, ratio, np.minimum(ratio + _DOUBT * sd, self.unsure))
        return np.clip(ratio, self.low, self.high)


def sharpen(
    log_density: LogDensity,
    proposal: Proposal,
    pilot: Pilot,
    known: tuple[Array, Array],
    rng: np.random.Generator,
) -> tuple[Proposal | Sharpened, Pilot]:
    """Return the proposal sharpened by what is known, points [s, d] and log densities [s], and a pilot sample of it.

    Where that is no better than the pilot sample there is, both are returned as they are.
    """
    sharp = _sharpest(proposal, *known, rng)
    if sharp is None:
        return proposal, pilot
    second = fly(log_density, sharp, _FLIGHT * len(proposal.mode), rng)
    return (sharp, second) if second.efficiency > _BETTER * pilot.efficiency else (proposal, pilot)


def _sharpest(proposal: Proposal, points: Array, log_densities: Array, rng: np.random.Generator) -> Sharpened | None:
    """Return the proposal with the polynomial that is surest of points it is not fitted to, or None."""
    near = log_densities > log_densities.max() - _FAR
    points, logs = points[near], log_densities[near] - log_densities.max()
    fitted = [found for degree in DEGREES if (found := _fit(points, logs, proposal, degree)) is not None]
    if not fitted:
        return None
    tried = proposal.draw(_TRIED, rng)
    polynomial = min(fitted, key=lambda found: np.minimum(found.at(tried)[1], 1.0).mean())
    sharp = _believed(proposal, polynomial, tried)
    kept = np.exp(sharp.log_ratio(tried) - sharp.high).mean()
    return sharp if kept > _LEAST_KEPT else None


def _fit(points: Array, logs: Array, proposal: Proposal, degree: int) -> Polynomial | None:
    """Return a polynomial of that degree; None where points are too few. Its noise is that of points left out."""
    body = proposal.parts[0]
    X = powers(points, body.mode, body.axes, degree)
    if X.shape[1] > min(len(points) / _SPARE, _MOST):
        return None
    root = np.exp(_TEMPER / 2 * logs)
    Q, R = np.linalg.qr(X * root[:, np.newaxis])
    if np.abs(np.diag(R)).min() < 1e-8 * np.abs(np.diag(R)).max():
        return None
    inverse = np.linalg.inv(R)
    coefficients = inverse @ (Q.T @ (root * logs))
    left_out = root * (logs - X @ coefficients) / (1 - np.minimum(np.square(Q).sum(axis=1), 1 - 1e-6))
    noise = float(np.sqrt(np.mean(np.square(left_out))))
    return Polynomial(body.mode, body.axes, degree, coefficients, inverse, noise)


def _believed(proposal: Proposal, polynomial: Polynomial, tried: Array) -> Sharpened:
    """Return the proposal with ends between which the polynomial is believed, from points of the proposal [s, d]."""
    values, sd = polynomial.at(tried)
    ratio = values - proposal.log_density(tried)
    sure = ratio[sd < _SURE]
    if not len(sure):
        return Sharpened(proposal, polynomial, 0.0, 0.0, 0.0)
    high = float(np.quantile(sure, 0.999))
    average = float(np.log(np.mean(np.exp(np.minimum(sure, high) - high))) + high)
    return Sharpened(proposal, polynomial, average + np.log(_LOW), min(high, average + np.log(_HIGH)), average)


def powers(points: Array, center: Array, axes: Array, degree: int) -> Array:
    """Return all products of at most `degree` of the numbers [s, m], of points [s, d] in units of the axes."""
    along = np.linalg.solve(axes, (points - center).T)
    found = [np.ones((1, len(points)))]
    for before, number in _grown(len(along), degree):
        found.append(found[-1][before] * along[number])
    return np.concatenate(found).T


@cache
def _grown(d: int, degree: int) -> list[tuple[list[int], list[int]]]:
    """Return, for each power from 1 on, which product of the power below is multiplied by which of d numbers."""
    last, steps = [0], []  # the last number of each product: later ones follow it, so that each product comes once
    for _ in range(degree):
        pairs = [(at, number) for at, least in enumerate(last) for number in range(least, d)]
        steps.append(([at for at, _ in pairs], [number for _, number in pairs]))
        last = steps[-1][1]
    return steps
