"""Draws x Design -> sigma in the units of the outcome, where it has predictors of its own.

The coefficients of log sigma say by what sigma is multiplied; what it comes to is said here, at the levels of a text
predictor, the other columns at their mean, or at the mean of all columns where none is a level.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.model import moments
from hierfit.model.along import columns_along
from hierfit.model.axes import factors
from hierfit.model.design import Design
from hierfit.model.sigma import SigmaColumns
from hierfit.model.spec import sigma_name
from hierfit.plain import Measured
from hierfit.results.draws import Draws

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SigmaAt:
    """Sigma at one point.

    Attributes:
        predictor: the text predictor, None at the mean of all columns.
        level: its level, None there too.
        mean: posterior mean.
        sd: posterior sd.
        lower: lower bound of the equal-tailed interval.
        upper: upper bound.
    """

    predictor: str | None
    level: str | None
    mean: Measured
    sd: Measured
    lower: Measured
    upper: Measured


def sigma_in_units(draws: Draws, design: Design, bounds: tuple[float, float]) -> tuple[SigmaAt, ...]:
    """Return sigma at the levels of each text predictor, or at the mean of all; nothing where it has no predictors.

    `bounds` are the two probabilities of an equal-tailed interval.
    """
    if design.sigma is None:
        return ()
    b = np.stack([draws.of(sigma_name(term)).ravel() for term in design.sigma.coefficients], axis=1)
    found = []
    for predictor, level, x in _points(design.sigma, design):
        sigma = np.exp(b @ x)
        lower, upper = np.quantile(sigma, bounds).tolist()
        found.append(SigmaAt(predictor, level, float(moments.mean(sigma)), float(moments.sd(sigma)), lower, upper))
    return tuple(found)


def _points(sigma: SigmaColumns, design: Design) -> Iterator[tuple[str | None, str | None, Array]]:
    """Yield where sigma is said: text predictor, level, columns there [S]."""
    assert design.inputs is not None
    of_levels, means = factors(sigma.terms, design.inputs), moments.column_means(sigma.X)
    first = int(sigma.intercept)
    for factor in of_levels:
        along = columns_along(sigma.terms, means[first:], design.inputs, factor.setting)
        for label, x in zip(factor.labels, along.values, strict=True):
            yield factor.column, label, np.concatenate([means[:first], x])
    if not of_levels:
        yield None, None, means
