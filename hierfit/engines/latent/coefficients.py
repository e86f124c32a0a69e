"""Coefficients and auxiliary parameters of the latent density: real numbers -> values in the units of the kernel.

Letters: s points, K coefficients, A auxiliary parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from hierfit.stan.theta import Scalar

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Coefficients:
    """Coefficients that add up to a linear predictor.

    Attributes:
        scalars: their priors, what they count from and their units [K].
        free: which are not constant.
        at_prior: the columns where the prior of the intercept, or those of thresholds, speak [K].
        intercept: whether the first is one.
    """

    scalars: tuple[Scalar, ...]
    free: NDArray[np.int64]
    at_prior: Array
    intercept: bool = True

    @classmethod
    def of(cls, own: Sequence[Scalar], at_prior: Array, *, intercept: bool = True) -> Coefficients:
        """Return those of scalars."""
        free = np.array([k for k, scalar in enumerate(own) if scalar.prior.constant is None], dtype=np.int64)
        return cls(tuple(own), free, at_prior, intercept)

    @property
    def unit(self) -> Array:
        """One unit of the sampler in those of the CSV [K]."""
        return np.array([scalar.scale for scalar in self.scalars])

    @property
    def location(self) -> Array:
        """What each counts from [K]."""
        return np.array([scalar.location for scalar in self.scalars])

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """The ends of the free ones."""
        return [self.scalars[k].standard_bounds for k in self.free]

    def values(self, real: Array) -> Array:
        """Return all of them in units of the sampler [s, K]."""
        found = np.zeros((len(real), len(self.scalars)))
        for k, scalar in enumerate(self.scalars):
            if scalar.prior.constant is not None:
                found[:, k] = (scalar.prior.constant - scalar.location) / scalar.scale
        found[:, self.free] = real
        return found

    def at_prior_of(self, values: Array) -> Array:
        """Return them where priors speak [s, K]."""
        moved = values.copy()
        if self.intercept and self.at_prior.any():
            moved[:, 0] += values @ self.at_prior
        return moved

    def log_prior(self, values: Array) -> Array:
        """Return the log density of their priors [s]."""
        there = self.at_prior_of(values) * self.unit + self.location
        return sum((_log_prior(self.scalars[k], there[:, k]) for k in self.free), np.zeros(len(values)))


@dataclass(frozen=True)
class Auxiliaries:
    """Auxiliary parameters that all rows share; those that predictors have keep the place of a number."""

    scalars: tuple[Scalar, ...]
    free: NDArray[np.int64]

    @classmethod
    def of(cls, own: Sequence[Scalar]) -> Auxiliaries:
        """Return those of scalars."""
        free = np.array([a for a, scalar in enumerate(own) if scalar.prior.constant is None], dtype=np.int64)
        return cls(tuple(own), free)

    def values(self, real: Array) -> tuple[Array, Array]:
        """Return them in units of the sampler [s, A], and the logs of their slopes with their priors' [s]."""
        found, log_prior = np.ones((len(real), len(self.scalars))), np.zeros(len(real))
        for a, scalar in enumerate(self.scalars):
            if scalar.prior.constant is not None:
                found[:, a] = scalar.prior.constant / scalar.scale
        for at, a in enumerate(self.free):
            lower, upper = self.scalars[a].standard_bounds
            r = real[:, at]
            if isfinite(upper):
                below = 1 / (1 + np.exp(-np.abs(r)))
                share = np.where(r > 0, below, 1 - below)
                found[:, a] = lower + (upper - lower) * share
                log_prior += -np.abs(r) + 2 * np.log(below)
            else:
                found[:, a] = lower + np.exp(r)
                log_prior += r
            log_prior += _log_prior(self.scalars[a], found[:, a] * self.scalars[a].scale)
        return found, log_prior


def _log_prior(scalar: Scalar, x: Array) -> Array:
    """Return the log density of a parameter in the units of the CSV [s], -inf outside its range."""
    lower, upper = scalar.prior.bounds(within=scalar.within)
    return np.where((x >= lower) & (x <= upper), scalar.prior.log_density(x), -np.inf)
