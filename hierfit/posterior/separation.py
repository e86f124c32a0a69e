"""Draws x Design -> whether predictors tell two values of an outcome, or its ordered categories, apart without error.

Said where the rows of a single column show it, as `design.separation` explains, and where a coefficient is so large
that it must be.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.separation import find_ends, find_parting, is_in_order, is_indicator
from hierfit.model.families import FAMILIES, Support
from hierfit.posterior.draws import Draws
from hierfit.posterior.scale import event

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
    """How the column decides the outcome: a category with one outcome, or a value that parts the two, or an order."""
    ends = find_ends(design)
    if ends is None:
        return None
    if is_indicator(column):
        for value in (1.0, 0.0):
            rows = column == value
            end = ends.all_at(rows)
            if end is not None:
                return f"Where {name} = {value:g} ({int(rows.sum()):,} rows), {_always(end, design)}"
        return None
    if design.thresholds:
        ordered = is_in_order(column, design.y)
        return f"Here {name} puts the categories of {design.response} in their order" if ordered else None
    parting = find_parting(column, design.y)
    if parting is None:
        return None
    side = "above" if parting.above else "below"
    return f"Here {event(design)} wherever {name} is {side} {parting.value:.4g} and nowhere else"


def _always(end: str, design: Design) -> str:
    if design.thresholds:
        return f"{design.response} is always {design.categories[0 if end == 'low' else -1]}"
    return f"{event(design)} holds {'never' if end == 'low' else 'always'}"


def _huge(draws: Draws, design: Design) -> list[str]:
    effects = {
        name: abs(float(np.median(draws.of(name)))) * scale
        for name, scale in zip(design.coefficients, design.x_scale.tolist(), strict=True)
    }
    return [name for name, size in effects.items() if size > HUGE]
