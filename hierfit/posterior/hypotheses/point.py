"""Draws -> density at 0, and the Savage-Dickey ratio: posterior over prior density where two quantities agree.

The density is the mean of a kernel of fourth order, (3 - u^2) / 2 times the normal density, over the draws, with 0.8 of
the bandwidth that is best for a normal density. Of 4,000 normal draws it is right to 1 % within 2 sds and low by 8 % at
3. As it is a mean over draws, its Monte Carlo error is that of a mean.

Sources: Dickey 1971, Annals of Mathematical Statistics 42(1); Wand, Jones 1995, Kernel Smoothing, section 2.8.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.posterior.convergence import mean_error
from hierfit.posterior.hypotheses.evaluate import Known, value_of
from hierfit.posterior.hypotheses.prior import N_DRAWS, NoPriorDraws, PriorOf
from hierfit.posterior.hypotheses.tree import Chain, Comparison, names_in

Array = NDArray[np.float64]
_BANDWIDTH = 0.8 * 1.08
# Share of the prior's draws that must have a value, and that must lie on either side; largest relative error.
_MOST, _LEAST, _RELATIVE = 0.999, 0.001, 0.3


def density_at(values: Array) -> tuple[float, float]:
    """Return the density of draws [chains, draws] at 0 and its Monte Carlo error, 0 and NaN without spread."""
    lower, upper = np.quantile(values, (0.25, 0.75))
    spread = min(float(moments.sd(values)), (upper - lower) / 1.349)
    if not spread > 0:
        return 0.0, math.nan
    bandwidth = _BANDWIDTH * spread * values.size ** (-1 / 9)
    squares = np.square(values / bandwidth)
    kernel = 0.5 * (3 - squares) * np.exp(-0.5 * squares) / (bandwidth * math.sqrt(2 * math.pi))
    return float(kernel.mean()), mean_error(kernel)


@dataclass(frozen=True)
class Ratio:
    """A ratio of densities and its Monte Carlo standard error."""

    value: float
    error: float


class NoRatio(Exception):
    """There is no ratio, for the reason said."""


def point_ratio(tree: Comparison, draws: Known, prior: PriorOf) -> Ratio:
    """Return posterior over prior density where the two sides of a `=` agree.

    Raises:
        NoRatio: the prior cannot be drawn from, one of the densities is not known there, or a draw has no value.
    """
    left, right = tree.operands
    apart = Chain(left, (("-", right),))
    try:
        before = Known(prior.draws(list(dict.fromkeys(names_in(apart)))), (N_DRAWS,))
    except NoPriorDraws as reason:
        raise NoRatio(str(reason)) from None
    posterior, expected = (value_of(apart, known, Counter()) for known in (draws, before))
    if not (np.isfinite(posterior).all() and np.isfinite(expected).mean() > _MOST):
        raise NoRatio("some draws have no value")
    expected = expected[np.isfinite(expected)]
    if not (np.ptp(posterior) > 0 and np.ptp(expected) > 0):
        raise NoRatio("it is fixed")
    if min((expected < 0).mean(), (expected > 0).mean()) < _LEAST:
        raise NoRatio("all of the prior, or nearly all, lies on one side")
    above, error = density_at(posterior)
    below, of_prior = density_at(expected[np.newaxis])
    if not (error < _RELATIVE * above and of_prior < _RELATIVE * below):
        raise NoRatio("too few draws are near it to tell")
    value = above / below
    return Ratio(value, value * math.hypot(error / above, of_prior / below))
