"""Draws of one quantity -> R-hat, effective sample sizes and the Monte Carlo error of its mean, as ArviZ defines them.

ArviZ has them too; importing it takes a second, more than all that a command does with a small run. Tests hold every
number to ArviZ's. Letters: C chains, D draws of one chain, K arrays of draws, H halves of chains of d draws each.

Sources: Vehtari, Gelman, Simpson, Carpenter, Bürkner 2021, Bayesian Analysis 16(2) (split chains, normal scores of
ranks, folding, tails); Geyer 1992, Statistical Science 7(4) (initial positive and monotone sequences); Blom 1958
(normal scores).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TAILS = (0.05, 0.95)
_BLOM = 3 / 8
_CONSTANT = 1e-15  # a range below which ArviZ takes draws for constant


@dataclass(frozen=True)
class Mixing:
    """Convergence numbers of one quantity.

    Attributes:
        rhat: rank-normalised split R-hat, the larger of that of the values and of their distances from the median.
        ess_bulk: effective sample size of the normal scores.
        ess_tail: that of being below the 5 % or the 95 % quantile, the smaller one.
        mcse_mean: Monte Carlo standard error of the mean.
    """

    rhat: float
    ess_bulk: float
    ess_tail: float
    mcse_mean: float


def measure(values: Array) -> Mixing:
    """Return the convergence numbers of draws [C, D], of one scale of size, of which there are four at least."""
    halves = split(values)
    scores = normal_scores(halves)
    tails = [split((values <= bound).astype(np.float64)) for bound in np.quantile(values, TAILS)]
    bulk, low, high, mean = effective_sizes(np.stack([scores, *tails, halves]))
    error = float(values.std(ddof=1)) / np.sqrt(mean)
    return Mixing(_of_both(halves, scores), bulk, min(low, high), float(error))


def rhat_and_bulk(values: Array) -> tuple[float, float]:
    """Return R-hat and the bulk's effective sample size of draws [C, D]."""
    halves = split(values)
    scores = normal_scores(halves)
    return _of_both(halves, scores), effective_sizes(scores[None])[0]


def error_of_mean(values: Array) -> float:
    """Return the Monte Carlo standard error of the mean of draws [C, D]."""
    return float(values.std(ddof=1) / np.sqrt(effective_sizes(split(values)[None])[0]))


def split(values: Array) -> Array:
    """Return the halves of chains [C, D] -> [2C, D // 2]; the middle draw of an odd number is left out."""
    half = values.shape[1] // 2
    return np.concatenate([values[:, :half], values[:, -half:]])


def normal_scores(values: Array) -> Array:
    """Return what normal numbers of these ranks would be, ties at their average rank; of the same shape."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    twice = 2 * np.cumsum(counts) - counts + 1  # of the average rank, which may be half a rank
    return np.asarray(_scores_of_ranks(values.size)[twice][places].reshape(values.shape))


@lru_cache(maxsize=8)
def _scores_of_ranks(n: int) -> Array:
    """Return the normal scores of the ranks 0, 1/2, 1, ... n among n values; nan for those that there cannot be.

    By the standard library: importing scipy.special takes longer than all of them.
    """
    normal = NormalDist()
    scores = np.full(2 * n + 1, np.nan)
    for twice in range(2, n + 2):
        scores[twice] = normal.inv_cdf((twice / 2 - _BLOM) / (n - 2 * _BLOM + 1))
        scores[2 * n + 2 - twice] = -scores[twice]
    return scores


def _of_both(halves: Array, scores: Array) -> float:
    if len(halves) == 2:  # ArviZ's R-hat is of two chains at least: the halves of one are split once more
        halves = split(halves)
        scores = normal_scores(halves)
    folded = normal_scores(np.abs(halves - np.median(halves)))
    return max(between_and_within(scores), between_and_within(folded))


def between_and_within(values: Array) -> float:
    """Return the R-hat of chains as they are [H, d]."""
    d = values.shape[1]
    with np.errstate(all="ignore"):
        ratio = d * values.mean(axis=1).var(ddof=1) / values.var(axis=1, ddof=1).mean()
    return float(np.sqrt((ratio + d - 1) / d))


def effective_sizes(values: Array) -> list[float]:
    """Return the effective sample size of each array of halves of chains [K, H, d]."""
    n_halves, d = values.shape[1:]
    centred = values - values.mean(axis=2, keepdims=True)
    spectrum = np.abs(np.fft.rfft(centred, _fast(2 * d), axis=2)) ** 2
    covariance = np.fft.irfft(spectrum, _fast(2 * d), axis=2)[:, :, :d].mean(axis=1) / d
    within = covariance[:, 0] * d / (d - 1)
    variance = covariance[:, 0] + (values.mean(axis=2).var(axis=1, ddof=1) if n_halves > 1 else 0.0)
    with np.errstate(all="ignore"):
        correlation = 1 - (within[:, None] - covariance) / variance[:, None]
    correlation[:, 0] = 1.0
    total = n_halves * d
    constant = np.ptp(values, axis=(1, 2)) < _CONSTANT
    return [
        float(total) if same else total / _time(own, total) for same, own in zip(constant, correlation, strict=True)
    ]


def _fast(n: int) -> int:
    """Return a length of at least n that a Fourier transform is quick at."""
    return 1 << (n - 1).bit_length()


def _time(correlation: Array, total: int) -> float:
    """Return the integrated autocorrelation time of correlations [d] of `total` draws (Geyer's two sequences)."""
    if np.isnan(correlation).any():
        return float("nan")
    d = len(correlation)
    pairs = correlation[: d // 2 * 2].reshape(-1, 2).sum(axis=1)
    last = max(0, (d - 3) // 2)  # no pair beyond it is looked at
    ends = np.flatnonzero(pairs[1 : last + 1] <= 0) if pairs[0] > 0 else np.array([-1])
    end = 1 + int(ends[0]) if len(ends) else last
    # Of the pair at which the sequence ends the even correlation counts once, where it, or the pair, is positive.
    even = float(correlation[2 * end])
    rest = even if even > 0 or pairs[end] >= 0 else 0.0
    time = 2 * float(np.minimum.accumulate(pairs[:end]).sum()) + rest - 1
    return float(max(time, 1 / np.log10(total)))
