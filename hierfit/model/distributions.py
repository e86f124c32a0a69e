"""Numbers of a distribution on the line -> its density, distribution function and quantiles, as arrays.

By scipy.special alone: scipy.stats, to which tests hold them, takes half a second to import. Letters: x [...], p [...].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log, pi

import numpy as np
from numpy.typing import NDArray

from hierfit.model.links import special

Array = NDArray[np.float64]
Function = Callable[[Array], Array]
_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, eq=False)
class OnLine:
    """A distribution of x = location + scale z.

    Attributes:
        log_density_of, below, above, at: of z: log density, probabilities of less and of more, quantiles.
        location, scale: of x.
        lower, upper: ends of z.
    """

    log_density_of: Function
    below: Function
    above: Function
    at: Function
    location: float = 0.0
    scale: float = 1.0
    lower: float = -np.inf
    upper: float = np.inf

    def log_density(self, x: Array) -> Array:
        """Return the logarithm of the density at x, -inf outside."""
        z = self._standard(x)
        inside = (z >= self.lower) & (z <= self.upper)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(inside, self.log_density_of(z) - log(self.scale), -np.inf)

    def density(self, x: Array) -> Array:
        """Return the density at x."""
        return np.asarray(np.exp(self.log_density(x)))

    def probability_below(self, x: Array | float) -> Array:
        """Return the probability of less than x."""
        return self._probability(self.below, x)

    def probability_above(self, x: Array | float) -> Array:
        """Return the probability of more than x, to every digit also where it is next to 0."""
        return self._probability(self.above, x)

    def quantiles(self, p: Array) -> Array:
        """Return quantiles."""
        with np.errstate(divide="ignore"):
            return np.asarray(self.location + self.scale * self.at(np.asarray(p, dtype=np.float64)))

    def _standard(self, x: Array | float) -> Array:
        return np.asarray((np.asarray(x, dtype=np.float64) - self.location) / self.scale)

    def _probability(self, of: Function, x: Array | float) -> Array:
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(of(np.clip(self._standard(x), self.lower, self.upper)))


def logarithm(probability: Array) -> Array:
    """Return the logarithm of probabilities, finite where they round to 0."""
    return np.asarray(np.log(np.maximum(probability, _TINY)))


def normal(mu: float, sigma: float) -> OnLine:
    """Return normal(mu, sigma)."""
    ndtr, constant = special().ndtr, 0.5 * log(2 * pi)
    return OnLine(lambda z: -z * z / 2 - constant, ndtr, lambda z: ndtr(-z), special().ndtri, mu, sigma)


def student_t(nu: float, mu: float, sigma: float) -> OnLine:
    """Return student_t(nu, mu, sigma)."""
    stdtr, gammaln = special().stdtr, special().gammaln
    constant = float(gammaln((nu + 1) / 2) - gammaln(nu / 2)) - 0.5 * log(nu * pi)
    return OnLine(
        lambda z: constant - (nu + 1) / 2 * np.log1p(z * z / nu),
        lambda z: stdtr(nu, z),
        lambda z: stdtr(nu, -z),
        lambda p: np.where(p > 0, special().stdtrit(nu, p), -np.inf),
        mu,
        sigma,
    )


def cauchy(mu: float, sigma: float) -> OnLine:
    """Return cauchy(mu, sigma)."""
    return OnLine(
        lambda z: -log(pi) - np.log1p(z * z),
        lambda z: np.arctan2(1, -z) / pi,
        lambda z: np.arctan2(1, z) / pi,
        lambda p: np.where(p < 0.5, -1 / np.tan(pi * p), 1 / np.tan(pi * (1 - p))),
        mu,
        sigma,
    )


def laplace(mu: float, sigma: float) -> OnLine:
    """Return laplace(mu, sigma)."""

    def below(z: Array) -> Array:
        tail = np.exp(-np.abs(z)) / 2
        return np.where(z < 0, tail, 1 - tail)

    def at(p: Array) -> Array:
        return np.where(p < 0.5, np.log(2 * p), -np.log(2 * (1 - p)))

    return OnLine(lambda z: -np.abs(z) - log(2), below, lambda z: below(-z), at, mu, sigma)


def logistic(mu: float, scale: float) -> OnLine:
    """Return logistic(mu, scale)."""
    expit = special().expit
    return OnLine(
        lambda z: -np.abs(z) - 2 * np.log1p(np.exp(-np.abs(z))),
        expit,
        lambda z: expit(-z),
        special().logit,
        mu,
        scale,
    )


def lognormal(mu: float, sigma: float) -> OnLine:
    """Return lognormal(mu, sigma)."""
    of_log = normal(mu, sigma)
    return OnLine(
        lambda z: np.where(z > 0, of_log.log_density(np.log(z)) - np.log(z), -np.inf),
        lambda z: of_log.probability_below(np.log(z)),
        lambda z: of_log.probability_above(np.log(z)),
        lambda p: np.exp(of_log.quantiles(p)),
        lower=0.0,
    )


def exponential(rate: float) -> OnLine:
    """Return exponential(rate)."""
    return OnLine(
        lambda z: -z,
        lambda z: -np.expm1(-z),
        lambda z: np.exp(-z),
        lambda p: -np.log1p(-p),
        scale=1 / rate,
        lower=0.0,
    )


def gamma(shape: float, rate: float) -> OnLine:
    """Return gamma(shape, rate)."""
    functions, constant = special(), float(special().gammaln(shape))
    return OnLine(
        lambda z: functions.xlogy(shape - 1, z) - z - constant,
        lambda z: functions.gammainc(shape, z),
        lambda z: functions.gammaincc(shape, z),
        lambda p: functions.gammaincinv(shape, p),
        scale=1 / rate,
        lower=0.0,
    )


def inv_gamma(shape: float, scale: float) -> OnLine:
    """Return inv_gamma(shape, scale)."""
    functions, constant = special(), float(special().gammaln(shape))
    return OnLine(
        lambda z: np.where(z > 0, -(shape + 1) * np.log(z) - 1 / z - constant, -np.inf),
        lambda z: functions.gammaincc(shape, 1 / z),
        lambda z: functions.gammainc(shape, 1 / z),
        lambda p: 1 / functions.gammainccinv(shape, p),
        scale=scale,
        lower=0.0,
    )


def uniform(lower: float, upper: float) -> OnLine:
    """Return uniform(lower, upper)."""
    return OnLine(np.zeros_like, lambda z: z, lambda z: 1 - z, lambda p: p, lower, upper - lower, 0.0, 1.0)


def beta(a: float, b: float) -> OnLine:
    """Return beta(a, b)."""
    functions, constant = special(), float(special().betaln(a, b))
    return OnLine(
        lambda z: functions.xlogy(a - 1, z) + functions.xlog1py(b - 1, -z) - constant,
        lambda z: functions.betainc(a, b, z),
        lambda z: functions.betainc(b, a, 1 - z),
        lambda p: functions.betaincinv(a, b, p),
        lower=0.0,
        upper=1.0,
    )
