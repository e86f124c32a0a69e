"""Draws x Design -> parameters beside the mean in their own units, where they have predictors.

The coefficients speak of a link, of log sigma or of the logit of zi; what the parameter comes to is said here, at the
levels of a text predictor, the other columns at their mean, or at the mean of all columns where none is a level.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.along import columns_along
from hierfit.design.axes import factors
from hierfit.design.design import Design
from hierfit.design.distributional import PredictorColumns
from hierfit.model.families import FAMILIES
from hierfit.model.spec import coefficient_name
from hierfit.plain import Measured
from hierfit.posterior.draws import Draws

Array = NDArray[np.float64]


@dataclass(frozen=True)
class AtLevel:
    """A parameter at one point.

    Attributes:
        parameter: its name, `sigma`.
        predictor: the text predictor, None at the mean of all columns.
        level: its level, None there too.
        mean: posterior mean.
        sd: posterior sd.
        lower: lower bound of the equal-tailed interval.
        upper: upper bound.
    """

    parameter: str
    predictor: str | None
    level: str | None
    mean: Measured
    sd: Measured
    lower: Measured
    upper: Measured


def at_levels(draws: Draws, design: Design, bounds: tuple[float, float]) -> tuple[AtLevel, ...]:
    """Return each parameter that has predictors at the levels of each text predictor, or at the mean of all.

    `bounds` are the two probabilities of an equal-tailed interval.
    """
    found = []
    for own in design.distributional:
        b = np.stack([draws.of(coefficient_name(own.parameter, term)).ravel() for term in own.coefficients], axis=1)
        for predictor, level, x in _points(own, design):
            values = FAMILIES[design.family].inverse_of(own.parameter, b @ x)
            lower, upper = np.quantile(values, bounds).tolist()
            mean, sd = float(moments.mean(values)), float(moments.sd(values))
            found.append(AtLevel(own.parameter, predictor, level, mean, sd, lower, upper))
    return tuple(found)


def _points(own: PredictorColumns, design: Design) -> Iterator[tuple[str | None, str | None, Array]]:
    """Yield where a parameter is said: text predictor, level, columns there [S]."""
    assert design.inputs is not None
    of_levels, means = factors(own.terms, design.inputs), moments.column_means(own.X)
    first = int(own.intercept)
    for factor in of_levels:
        along = columns_along(own.terms, means[first:], design.inputs, factor.setting)
        for label, x in zip(factor.labels, along.values, strict=True):
            yield factor.column, label, np.concatenate([means[:first], x])
    if not of_levels:
        yield None, None, means
