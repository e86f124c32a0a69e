"""Draws x Design -> sigma in the units of the outcome, where it has predictors of its own.

The coefficients of log sigma say by what sigma is multiplied; what it comes to is said here, at the levels of a text
predictor, the other columns at their mean, or at the mean of all columns where none is a level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.model import moments
from hierfit.model.design import Design
from hierfit.model.formula import INTERCEPT
from hierfit.model.sigma import SigmaColumns
from hierfit.model.spec import sigma_name
from hierfit.plain import Measured
from hierfit.results.columns import base, is_category, moving_over
from hierfit.results.draws import Draws

Array = NDArray[np.float64]
REFERENCE = "reference"


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


def _points(sigma: SigmaColumns, design: Design) -> list[tuple[str | None, str | None, Array]]:
    """Return where sigma is said: text predictor, level, columns there [S]."""
    columns = {
        name: column for name, column in zip(sigma.coefficients, sigma.X.T, strict=True) if is_category(name, column)
    }
    predictors = dict.fromkeys(map(base, columns))
    if not predictors:
        return [(None, None, moments.column_means(sigma.X))]
    return [
        (column_name(predictor), level, x)
        for predictor in predictors
        for level, x in _at_levels(sigma, predictor, [name for name in columns if base(name) == predictor], design)
    ]


def _at_levels(sigma: SigmaColumns, predictor: str, names: Sequence[str], design: Design) -> list[tuple[str, Array]]:
    """Return the levels of one text predictor, the reference first or in the stated order, and the columns there."""
    named = dict(zip(sigma.coefficients, sigma.X.T, strict=True))
    complete = bool((np.sum([named[name] for name in names], axis=0) == 1).all())
    moving = moving_over({name: named[name] for name in sigma.coefficients if name != INTERCEPT}, names)
    own = [name[len(predictor) + 1 : -1] for name in names]
    labels = [design.references.get(column_name(predictor), REFERENCE), *own]
    found = [(label, _with_moved(sigma, moving, point)) for point, label in enumerate(labels)][complete:]
    stated = design.levels.get(column_name(predictor), ())
    return sorted(found, key=lambda pair: stated.index(pair[0]) if pair[0] in stated else -1) if stated else found


def _with_moved(sigma: SigmaColumns, moving: Mapping[str, Array], point: int) -> Array:
    means = zip(sigma.coefficients, moments.column_means(sigma.X).tolist(), strict=True)
    return np.array([float(moving[name][point]) if name in moving else mean for name, mean in means])


def column_name(predictor: str) -> str:
    """Return the column that a text predictor is made from: `C(judge)` -> judge."""
    return predictor[2:-1] if predictor.startswith("C(") else predictor
