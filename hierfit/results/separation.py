"""Draws x Design -> whether predictors tell two values of an outcome, or its ordered categories, apart without error.

Then the likelihood rises for ever as the coefficient grows, and only the prior holds it (Albert, Anderson 1984,
Biometrika 71(1)). Of ordered categories it takes a column that puts all rows in their order, or a value of it that only
rows of the lowest or the highest category have. Said where the rows of a single column show it, and where a coefficient
is so large that it must be.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hierfit.model.design import Design
from hierfit.model.families import FAMILIES, Support
from hierfit.results.columns import is_category
from hierfit.results.draws import Draws
from hierfit.results.scale import event

Array = NDArray[np.float64]
# Per sd of the column on the scale of the link: from 0.7 % to 99.3 % within one sd on either side, and more.
HUGE = 10.0
PRIOR_SCALE = 2.5


def separation(draws: Draws, design: Design) -> str | None:
    """Return one sentence on the predictor that decides the outcome, or None where none does."""
    if FAMILIES[design.family].support not in (Support.BINARY, Support.CATEGORIES):
        return None
    for name, column in zip(design.coefficients, design.X.T, strict=True):
        said = _decides(name, column, design)
        if said:
            return f"{said}, so that the data set no bound to the coefficient of {name} (separation)."
    huge = _huge(draws, design)
    if not huge:
        return None
    said = f"The coefficient of {huge[0]} is {np.median(draws.of(huge[0])):.3g} on the scale of the link"
    told = f"the categories of {design.response} apart" if design.thresholds else f"{event(design)} from the rest"
    return f"{said}: it may tell {told} almost without error (separation)."


def separated(draws: Draws, design: Design) -> dict[str, float]:
    """Return the coefficients that no data bound, and the scale of a prior that would: 2.5 per sd of the column."""
    if FAMILIES[design.family].support not in (Support.BINARY, Support.CATEGORIES):
        return {}
    decisive = [
        name for name, column in zip(design.coefficients, design.X.T, strict=True) if _decides(name, column, design)
    ]
    scales = dict(zip(design.coefficients, design.x_scale.tolist(), strict=True))
    return {name: PRIOR_SCALE / scales[name] for name in decisive or _huge(draws, design)}


def _decides(name: str, column: Array, design: Design) -> str | None:
    """How the column decides the outcome: a category with one outcome, or a value that parts the two."""
    if design.thresholds:
        return _orders(name, column, design)
    no, yes = column[design.y == 0], column[design.y == 1]
    if not len(no) or not len(yes):
        return None
    if is_category(name, column) or bool(np.isin(column, (0.0, 1.0)).all()):
        for value in (1.0, 0.0):
            inside = design.y[column == value]
            if len(inside) and np.ptp(inside) == 0:
                which = "always" if inside[0] == 1 else "never"
                return f"Where {name} = {value:g} ({len(inside):,} rows), {event(design)} holds {which}"
        return None
    low, high = (no, yes) if no.max() <= yes.min() else (yes, no)
    if low.max() > high.min():
        return None
    above = "above" if low is no else "below"
    return f"Here {event(design)} wherever {name} is {above} {(low.max() + high.min()) / 2:.4g} and nowhere else"


def _orders(name: str, column: Array, design: Design) -> str | None:
    """How the column decides ordered categories: rows with one of its values at one end, or all rows in its order."""
    if bool(np.isin(column, (0.0, 1.0)).all()):
        for value in (1.0, 0.0):
            inside = design.y[column == value]
            if len(inside) and np.ptp(inside) == 0 and inside[0] in (0, len(design.thresholds)):
                category = design.categories[int(inside[0])]
                return f"Where {name} = {value:g} ({len(inside):,} rows), {design.response} is always {category}"
        return None
    parts = [column[design.y == code] for code in np.unique(design.y)]
    for sign in (1.0, -1.0):
        if all((sign * below).max() <= (sign * above).min() for below, above in pairwise(parts)):
            return f"Here {name} puts the categories of {design.response} in their order"
    return None


def _huge(draws: Draws, design: Design) -> list[str]:
    effects = {
        name: abs(float(np.median(draws.of(name)))) * scale
        for name, scale in zip(design.coefficients, design.x_scale.tolist(), strict=True)
    }
    return [name for name, size in effects.items() if size > HUGE]
