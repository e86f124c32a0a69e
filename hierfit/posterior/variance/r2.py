"""Draws x rows of the fit -> R2: the share of the variance of outcomes that their expected values have.

Under every draw, var(mu) / (var(mu) + mean(v)), mu being what is expected of the rows and v the variance of each around
it as it is modelled (Gelman, Goodrich, Gabry, Vehtari 2019, The American Statistician 73(3); p (1 - p) of two values).
Conditional: with the effects of the rows' groups. Marginal: the variance that mu has with effects of 0, over the same
total, so that what groups explain is in the denominator. Outcomes out of trials are taken as shares of successes.
Ordered categories are no numbers: for them it is the variable behind them that is explained, whose variance around the
linear predictor the link has (McKelvey, Zavoina 1975, Journal of Mathematical Sociology 4(1)).

Letters: S draws, R rows. Rows are taken block by block; of more than `MOST` so many are drawn at random.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from hierfit.design.rows import Rows
from hierfit.model.families import FAMILIES
from hierfit.model.variances import HIDDEN_VARIANCE
from hierfit.posterior.predict.draws_of import Indices
from hierfit.posterior.predict.linear import auxiliary_draws, linear_predictor, with_groups
from hierfit.posterior.variance.fitted import Fitted, enough_draws, without_groups
from hierfit.posterior.variance.moments import Moments, moments_of
from hierfit.posterior.variance.rows import row_weights, sample

Array = NDArray[np.float64]

MOST = 100_000
_BUDGET = 2e7  # rows times draws
_CELLS = 2.5e5  # of a block: 2 MB


@dataclass(frozen=True, eq=False)
class Explained:
    """Draws of R2.

    Attributes:
        conditional: with the effects of groups [S].
        marginal: without; None where there are no groups, or nothing else [S].
        n_rows: rows that it is of.
    """

    conditional: Array
    marginal: Array | None
    n_rows: int


def explained(fit: Fitted) -> Explained:
    """Return the draws of R2 of a fit."""
    chosen = sample(fit.design.n_rows, MOST)
    picks = enough_draws(fit.draws, len(chosen), _BUDGET)
    rows, weights = fit.design.at(chosen), row_weights(fit.design, chosen)

    def work_out(unit: slice) -> tuple[Moments, ...]:
        own = weights[unit]
        return tuple(moments_of(values, own) for values in _means(fit, rows.at(unit), picks))

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        parts = list(pool.map(work_out, _units(len(chosen), len(picks))))
    own, bare, left = (reduce(Moments.and_also, moments) for moments in zip(*parts, strict=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        total = own.variance + left.mean
        marginal = bare.variance / total if fit.design.groups and bare.variance.any() else None
        return Explained(own.variance / total, marginal, len(chosen))


def _units(n_rows: int, n_draws: int) -> Iterator[slice]:
    step = max(1, int(_CELLS / n_draws))
    for start in range(0, n_rows, step):
        yield slice(start, start + step)


def _means(fit: Fitted, rows: Rows, picks: Indices) -> tuple[Array, Array, Array]:
    """Return what is expected of rows, with effects of groups and without, and the variance left [S, R]."""
    design, family = fit.design, FAMILIES[fit.design.family]
    bare = linear_predictor(fit.draws, fit.bare, without_groups(rows), picks)
    own = with_groups(bare, fit.draws, design.groups, rows.groups, None, picks)
    if family.has_thresholds:
        return own, bare, np.full(own.shape, HIDDEN_VARIANCE[design.link])
    auxiliaries = beside = auxiliary_draws(fit.draws, design, picks, rows)
    if fit.of_other_parameters:
        beside = auxiliary_draws(fit.draws, fit.bare, picks, without_groups(rows))
    one, trials = np.ones(own.shape[1]), np.ones(own.shape[1]) if rows.trials is None else rows.trials
    mean = family.mean(own, design.link, auxiliaries)
    return (
        family.expected(mean, auxiliaries, one),
        family.expected(family.mean(bare, design.link, beside), beside, one),
        np.broadcast_to(family.variance(mean, auxiliaries, trials) / trials**2, own.shape),
    )
