"""Draws x rows -> the variance on the scale of the link: of predictors, between the levels of factors, residual.

Between levels it is the mean over rows of the variance of the linear predictor, all rows and all draws counted; what is
left is what `model.variances` says of the family. Letters: S draws, R rows, K coefficients.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hierfit.design.rows import Rows
from hierfit.model.families import FAMILIES, LinkScale
from hierfit.model.variances import HIDDEN_VARIANCE, around
from hierfit.posterior.predict.draws_of import Indices
from hierfit.posterior.predict.linear import auxiliary_draws, population_part
from hierfit.posterior.variance.fitted import Fitted, spread_of_columns

Array = NDArray[np.float64]


def of_predictors(fit: Fitted, rows: Rows, weights: Array, picks: Indices) -> Array:
    """Return the variance over rows of what the population part and offsets come to [S]."""
    own = population_part(fit.draws, fit.bare, picks)
    columns, b = rows.X, own.b
    if rows.offset is not None:
        columns = np.column_stack([columns, rows.offset])
        b = np.column_stack([b, np.ones(len(picks))])
    _, covariance = spread_of_columns(columns, weights)
    total = weights.sum()
    return np.asarray(np.einsum("sk,kl,sl->s", b, covariance, b, optimize=True) * (total / max(total - 1, 1.0)))


def of_factors(fit: Fitted, rows: Rows, weights: Array, picks: Indices) -> dict[str, Array]:
    """Return the variance between the levels of each factor, averaged over rows [S]."""
    return {
        group.factor: fit.between_on_average(group, own.Z, weights, picks)
        for group, own in zip(fit.design.groups, rows.groups, strict=True)
        if len(group.columns_of(None))
    }


def residual(fit: Fitted, picks: Indices, outcome_mean: Array | None, around_rows: Array | None) -> Array:
    """Return what is left on the scale of the link [S].

    `outcome_mean` is the mean of the outcome under a log link, `around_rows` the variance around the linear predictor
    where rows differ in it.
    """
    family = FAMILIES[fit.design.family]
    if family.link_scale is LinkScale.HIDDEN:
        return np.full(len(picks), HIDDEN_VARIANCE[fit.design.link])
    if around_rows is not None:
        return around_rows
    auxiliaries = auxiliary_draws(fit.draws, fit.bare, picks)
    if family.link_scale is LinkScale.AROUND:
        return around(auxiliaries)[:, 0]
    assert outcome_mean is not None
    return log_variance(fit.design.family, outcome_mean[:, None], auxiliaries)[:, 0]


def log_variance(family: str, mean: Array, auxiliaries: Mapping[str, Array]) -> Array:
    """Return ln(1 + variance / mean^2) of outcomes of that mean, the lognormal approximation [..., N]."""
    variance = FAMILIES[family].variance(mean, auxiliaries, np.ones(1))
    return np.asarray(np.log1p(variance / mean**2))
