"""The families' variances in numpy: of the outcome around its mean, and what stands for it on the scale of the link.

variance: (mean [..., N], auxiliaries, trials [N]) -> variance of the outcome [..., N], of the count of successes where
there are trials and of codes for categories; letters and what `mean` is the mean of as in `model.families`. Infinite
where the distribution has none.

On the scale of the link (Nakagawa, Johnson, Schielzeth 2017, J. R. Soc. Interface 14: 20170213; Goldstein, Browne,
Rasbash 2002, Understanding Statistics 1(4)):

    around    the outcome, or its log, lies around the linear predictor: its variance there
    hidden    a variable lies around the linear predictor whose place between thresholds is the outcome: that of the
              logistic, normal or extreme-value distribution, by link
    log       ln(1 + variance / mean^2) of the outcome under a log link, the lognormal approximation: ln(1 + 1/mean)
              for a Poisson count, ln(1 + 1/mean + 1/shape) for a negative binomial one, ln(1 + 1/shape) for gamma
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from hierfit.model.densities import LogDensity, category_probabilities
from hierfit.model.links import LEAST, bounded_exp

Array = NDArray[np.float64]
Auxiliaries = Mapping[str, Array]
Variance = Callable[[Array, Auxiliaries, Array], Array]

HIDDEN_VARIANCE: Mapping[str, float] = {"logit": math.pi**2 / 3, "probit": 1.0, "cloglog": math.pi**2 / 6}


class LinkScale(StrEnum):
    """What stands for the variance of an outcome on the scale of the link."""

    AROUND = "around"
    HIDDEN = "hidden"
    LOG = "log"
    NONE = "none"


def around(auxiliaries: Auxiliaries) -> Array:
    """Return the variance around the linear predictor of an outcome, or its log, that is normal or Student there."""
    variance = np.square(auxiliaries["sigma"])
    if "nu" not in auxiliaries:
        return np.asarray(variance)
    nu = auxiliaries["nu"]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(nu > 2, variance * nu / (nu - 2), np.inf)


def around_mean(mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the same, of the outcome itself."""
    return np.broadcast_to(around(auxiliaries), np.broadcast_shapes(np.shape(mean), np.shape(auxiliaries["sigma"])))


def lognormal(mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the variance of y, not of its log."""
    own = np.square(auxiliaries["sigma"])
    return np.expm1(np.minimum(own, 690.0)) * bounded_exp(2 * mean + own)


def bernoulli(mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return p (1 - p)."""
    return np.asarray(mean * (1 - mean))


def binomial(mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return n p (1 - p)."""
    return np.asarray(trials * mean * (1 - mean))


def beta(mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return that of a beta distribution of precision phi."""
    return np.asarray(mean * (1 - mean) / (1 + auxiliaries["phi"]))


def beta_binomial(mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return that of n trials whose probability has a beta distribution of precision phi."""
    return np.asarray(trials * mean * (1 - mean) * (1 + (trials - 1) / (1 + auxiliaries["phi"])))


def poisson(mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return the mean."""
    return mean


def negbinomial(mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return mean + mean^2 / shape."""
    return np.asarray(mean + mean**2 / auxiliaries["shape"])


def gamma(mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return mean^2 / shape."""
    return np.asarray(mean**2 / auxiliaries["shape"])


def cumulative(mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
    """Return that of the categories' codes."""
    shares = category_probabilities(mean)
    codes = np.arange(len(shares), dtype=np.float64).reshape(-1, *[1] * (mean.ndim - 1))
    first = np.sum(shares * codes, axis=0)
    return np.asarray(np.sum(shares * (codes - first) ** 2, axis=0))


def zero_inflated(variance: Variance) -> Variance:
    """Return how to compute that of an outcome which is 0 instead with probability zi."""

    def inflated(mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
        zi = auxiliaries["zi"]
        return np.asarray((1 - zi) * (variance(mean, auxiliaries, trials) + zi * mean**2))

    return inflated


def hurdle(variance: Variance, log_density: LogDensity) -> Variance:
    """Return how to compute that of an outcome which is 0 with probability hu, otherwise a count that is not 0."""

    def behind(mean: Array, auxiliaries: Auxiliaries, trials: Array) -> Array:
        none = log_density(np.zeros_like(mean), mean, auxiliaries, trials)
        share = (1 - auxiliaries["hu"]) / np.maximum(-np.expm1(none), LEAST)
        return np.asarray(share * (variance(mean, auxiliaries, trials) + mean**2 * (1 - share)))

    return behind
