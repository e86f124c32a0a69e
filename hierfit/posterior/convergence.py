"""Draws -> R-hat, effective sample sizes, Monte Carlo errors and E-BFMI of many quantities.

Letters: C chains, D draws of one chain, P population-level parameters, J levels, M varying coefficients.

Population-level parameters get rank-normalised split R-hat, bulk and tail ESS and the MCSE of the mean (`mixing`, in a
third of ArviZ's time). Columns are standardised first: all but the MCSE are invariant, and anything with a range below
1e-15 is taken for a constant. A parameter without any spread (a prior `constant(1)`) is "fixed": its numbers are NaN
and it can never fail a check.

Group effects are too many for that. Up to `EXACT_EFFECTS` of them are looked at so; beyond that plain split R-hat and
the batch-means ESS, vectorised, look at all, and the exact numbers only at the `SUSPECTS` worst of either.
Batch means with floor(sqrt(D)) batches per chain have a relative error near sqrt(2 / batches), 13 % at 4 x 1,000.

Sources: Vehtari, Gelman, Simpson, Carpenter, Bürkner 2021, Bayesian Analysis 16(2); Vehtari, Simpson, Gelman, Yao,
Gabry 2024, Journal of Machine Learning Research 25(72) (Pareto k); Betancourt 2016,
arXiv:1604.00695 (E-BFMI); Flegal, Jones 2010, Annals of Statistics 38(2) (batch means).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.plain import Measured
from hierfit.posterior.mixing import error_of_mean, measure, rhat_and_bulk
from hierfit.posterior.pareto import tail_shape

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

EXACT_EFFECTS = 200
SUSPECTS = 20
MIN_DRAWS = 4
MIN_WEIGHTS = 100  # for the shape of a tail
BLOCK_NUMBERS = 500_000  # what a core's cache holds


@dataclass(frozen=True)
class Convergence:
    """Convergence numbers of several quantities, NaN where fixed, not finite or with too few draws.

    Attributes:
        rhat: rank-normalised split R-hat [P].
        ess_bulk: effective sample size of the bulk [P].
        ess_tail: effective sample size of the 5 % and 95 % quantiles, the smaller one [P].
        mcse_mean: Monte Carlo standard error of the mean [P].
        fixed: whether the quantity has no spread at all [P].
    """

    rhat: Array
    ess_bulk: Array
    ess_tail: Array
    mcse_mean: Array
    fixed: Flags


@dataclass(frozen=True)
class Weights:
    """How well the points that an independence sampler proposed cover the posterior; NaN where there are too few.

    Attributes:
        pareto_k: shape of the tail of their weights, density over proposal.
        largest: the largest weight, in multiples of their average: about so many draws a chain stays there.
        share: that weight's share of the sum of all.
        efficiency: share of the points that is as good as independent draws.
    """

    pareto_k: Measured
    largest: Measured
    share: Measured
    efficiency: Measured


@dataclass(frozen=True)
class EffectScreen:
    """Convergence numbers of the effects of one grouping factor; NaN where fixed.

    Attributes:
        rhat: split R-hat [J, M].
        ess: effective sample size of the bulk [J, M].
        exact: whether `mixing` looked at all of them.
    """

    rhat: Array
    ess: Array
    exact: bool


def is_fixed(values: Array, spacings: int = 4) -> Flags:
    """Whether a quantity has no spread beyond so many units of its last digit, from its draws [C, D, ...] -> [...]."""
    low, high = values.min(axis=(0, 1)), values.max(axis=(0, 1))
    with np.errstate(invalid="ignore"):
        spread = high - low
    return np.asarray(spread <= spacings * np.spacing(np.maximum(np.abs(low), np.abs(high))), dtype=np.bool_)


def assess(values: Array) -> Convergence:
    """Return the convergence numbers of every column of draws [C, D, P]."""
    n_draws, n_columns = values.shape[1:]
    numbers = np.full((4, n_columns), np.nan)
    fixed = is_fixed(values) if n_draws else np.ones(n_columns, dtype=np.bool_)
    finite = np.isfinite(values).all(axis=(0, 1))
    for column in np.flatnonzero(~fixed & finite) if n_draws >= MIN_DRAWS else ():
        numbers[:, column] = _assess_one(values[:, :, column])
    return Convergence(numbers[0], numbers[1], numbers[2], numbers[3], fixed)


def _assess_one(values: Array) -> tuple[float, float, float, float]:
    standard, scale = moments.standardized(values)
    with np.errstate(all="ignore"):
        found = measure(standard)
    return found.rhat, found.ess_bulk, found.ess_tail, found.mcse_mean * scale


def mean_error(values: Array) -> float:
    """Return the Monte Carlo standard error of the mean of draws [C, D], NaN where these are fixed or too few."""
    if values.shape[1] < MIN_DRAWS or not np.isfinite(values).all() or is_fixed(values[:, :, np.newaxis])[0]:
        return np.nan
    standard, scale = moments.standardized(values)
    with np.errstate(all="ignore"):
        return error_of_mean(standard) * scale


def weigh(log_weights: Array) -> Weights:
    """Return what the logarithms of the weights of all proposed points [C, D] say."""
    known = np.where(np.isnan(log_weights), -np.inf, log_weights)
    if known.size < MIN_WEIGHTS or not np.isfinite(known.max()):
        return Weights(np.nan, np.nan, np.nan, np.nan)
    weights = np.exp(known - known.max())
    share = weights / weights.sum()
    k = tail_shape(weights)
    efficiency = 1 / np.sum(np.square(share)) / share.size
    most = float(share.max())
    return Weights(k if np.isfinite(k) else np.nan, most * share.size, most, float(efficiency))


def screen_effects(effects: Array) -> EffectScreen:
    """Return R-hat and ESS of group effects [C, D, J, M]: exact when few, vectorised ones else."""
    n_levels, n_terms = effects.shape[2:]
    flat = effects.reshape(*effects.shape[:2], -1)
    if flat.shape[1] < MIN_DRAWS:
        nothing = np.full((n_levels, n_terms), np.nan)
        return EffectScreen(nothing, nothing, exact=True)
    exact = flat.shape[2] <= EXACT_EFFECTS
    if exact:
        rhat, ess = np.full(flat.shape[2], np.nan), np.full(flat.shape[2], np.nan)
        suspects = np.arange(flat.shape[2])
    else:
        rhat, ess = _screen_in_blocks(flat)
        suspects = np.union1d(np.argsort(-np.nan_to_num(rhat))[:SUSPECTS], np.argsort(np.nan_to_num(ess))[:SUSPECTS])
    for column in suspects:
        rhat[column], ess[column] = _rhat_and_bulk(flat[:, :, column])
    return EffectScreen(rhat.reshape(n_levels, n_terms), ess.reshape(n_levels, n_terms), exact)


def _rhat_and_bulk(values: Array) -> tuple[float, float]:
    if not np.isfinite(values).all() or is_fixed(values[:, :, None])[0]:
        return np.nan, np.nan
    standard, _ = moments.standardized(values)
    with np.errstate(all="ignore"):
        return rhat_and_bulk(standard)


def _screen_in_blocks(flat: Array) -> tuple[Array, Array]:
    width = max(1, BLOCK_NUMBERS // (flat.shape[0] * flat.shape[1]))
    starts = range(0, flat.shape[2], width)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        blocks = list(pool.map(lambda start: _screen_block(flat[:, :, start : start + width]), starts))
    return np.concatenate([rhat for rhat, _ in blocks]), np.concatenate([ess for _, ess in blocks])


def _screen_block(values: Array) -> tuple[Array, Array]:
    fixed = is_fixed(values)
    with np.errstate(all="ignore"):
        shifted = values - values[:1, :1]
        rhat, ess = split_rhat(shifted), batch_ess(shifted)
    rhat[fixed], ess[fixed] = np.nan, np.nan
    return rhat, ess


def split_rhat(values: Array) -> Array:
    """Return the split R-hat without rank normalisation of draws [C, D, P] -> [P] (BDA3, equation 11.4)."""
    half = values.shape[1] // 2
    halves = values[:, :half], values[:, -half:]
    within = np.concatenate([each.var(axis=1, ddof=1) for each in halves]).mean(axis=0)
    between = np.concatenate([each.mean(axis=1) for each in halves]).var(axis=0, ddof=1)
    return np.asarray(np.sqrt((half - 1) / half + between / within))


def batch_ess(values: Array) -> Array:
    """Return the batch-means ESS of draws [C, D, P] -> [P], with floor(sqrt(D)) batches per chain."""
    n_chains, n_draws, n_columns = values.shape
    n_batches = int(np.sqrt(n_draws))
    length = n_draws // n_batches
    used = values[:, : n_batches * length].reshape(n_chains * n_batches, length, n_columns)
    variance = values.reshape(-1, n_columns).var(axis=0, ddof=1)
    return np.asarray(n_chains * n_draws * variance / (length * used.mean(axis=1).var(axis=0, ddof=1)))


def energy_bfmi(energy: NDArray[Any]) -> Array:
    """Return the E-BFMI of every chain from its energies [C, D] -> [C]; NaN where the energy never moves."""
    energies = np.asarray(energy, dtype=np.float64)
    if energies.shape[1] < MIN_DRAWS:
        return np.full(len(energies), np.nan)
    with np.errstate(all="ignore"):
        return np.asarray(np.square(np.diff(energies, axis=1)).mean(axis=1) / energies.var(axis=1, ddof=1))
