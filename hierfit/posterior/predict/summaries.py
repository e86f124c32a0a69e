"""Values of quantities under draws -> the columns that tell them: means, and equal-tailed intervals.

Bounds of what is continuous lie between draws where they have to (R's quantiles of type 7); bounds of counts and
categories are values that were drawn (type 1), so that an interval of whole outcomes has whole ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.posterior.predict.quantities import Quantity

Array = NDArray[np.float64]
Column = list[float] | list[int] | list[str]
_ROUNDING = 1e-9  # 0.025 * 4000 is not quite 100


def column_names(quantities: Sequence[Quantity]) -> tuple[str, ...]:
    """Return the names of the columns that tell the quantities."""
    names = []
    for quantity in quantities:
        names += [quantity.name] * quantity.mean
        names += [f"{quantity.name}_{end}" for end in ("lower", "upper")] if quantity.bounds else []
    return tuple(names)


def of_words(quantities: Sequence[Quantity]) -> tuple[bool, ...]:
    """Return which of these columns hold words."""
    found: list[bool] = []
    for quantity in quantities:
        found += [bool(quantity.categories)] * (quantity.mean + 2 * quantity.bounds)
    return tuple(found)


def columns(quantities: Sequence[Quantity], values: Sequence[Array], ci: float) -> list[Column]:
    """Return these columns of rows, whose values are [S, R]."""
    found: list[Column] = []
    for quantity, own in zip(quantities, values, strict=True):
        if quantity.mean:
            found.append(moments.mean(own, axis=0).tolist())
        if quantity.bounds:
            for bound in bounds(own, ci, whole=quantity.whole):
                found.append(told(quantity, bound))
    return found


def told(quantity: Quantity, values: Array) -> Column:
    """Return values that a quantity can have as they are told: categories by name, whole numbers as such."""
    if quantity.categories:
        return [quantity.categories[int(code)] for code in values]
    whole: list[int] = values.astype(np.int64).tolist()
    return whole if quantity.whole else values.tolist()


def bounds(values: Array, ci: float, *, whole: bool = False) -> tuple[Array, Array]:
    """Return the ends of the equal-tailed interval of probability `ci` of each row [S, R] -> [R]."""
    places = [_place(probability, len(values), whole=whole) for probability in ((1 - ci) / 2, (1 + ci) / 2)]
    last = len(values) - 1
    order = np.partition(values, sorted({at for low, _ in places for at in (low, min(low + 1, last))}), axis=0)
    lower, upper = (
        order[low] + part * (order[min(low + 1, last)] - order[low]) if part else order[low] for low, part in places
    )
    return np.asarray(lower), np.asarray(upper)


def _place(probability: float, count: int, *, whole: bool) -> tuple[int, float]:
    """Return the place of a quantile among values in order, and how far it is on the way to the next one."""
    if whole:
        return max(0, ceil(probability * count - _ROUNDING) - 1), 0.0
    place = probability * (count - 1)
    return int(place), place - int(place)
