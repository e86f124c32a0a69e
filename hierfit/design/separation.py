"""Design -> which rows have the outcome at one end of its range, and which predictors put all rows there.

Where all rows of a level have the outcome at one end (1, no success, no count, the highest category), or where a
predictor parts the two values of an outcome or the ordered categories, the likelihood rises for ever as a coefficient
grows: nothing but its prior bounds it (Albert, Anderson 1984, Biometrika 71(1)). The middle of ordered categories is no
end: the thresholds hold the coefficient. Letters: N rows, K columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.design import Design
from hierfit.model.families import FAMILIES, Support

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Of Newton's steps: how many at most, when they have settled, how far they go, what keeps them defined, the border.
_STEPS, _STILL, _FAR, _RIDGE, _EDGE = 25, 1e-3, 30.0, 1e-9, 1e-4
_ROWS, _MOST_ROWS = 5_000, 100_000
_TAKES_PART = 0.01


@dataclass(frozen=True)
class Ends:
    """Which rows have the outcome at the ends of its range.

    Attributes:
        low: at the lower end [N].
        high: at the upper end [N]; None where the outcome has none.
    """

    low: Flags
    high: Flags | None

    def all_at(self, rows: Flags) -> str | None:
        """Return "low" or "high" where all of the rows, one at least, are at that end."""
        if not rows.any():
            return None
        if self.low[rows].all():
            return "low"
        return "high" if self.high is not None and self.high[rows].all() else None


@dataclass(frozen=True)
class Parting:
    """How a column of numbers parts the two values of an outcome.

    Attributes:
        value: between the two.
        above: whether the outcome is 1 above it.
    """

    value: float
    above: bool


def find_ends(design: Design) -> Ends | None:
    """Return which rows are at the ends; None for an outcome whose range has no ends."""
    support = FAMILIES[design.family].support
    if support is Support.CATEGORIES:
        return Ends(design.y == 0, design.y == len(design.thresholds))
    if support is Support.BINARY:
        return Ends(design.y == 0, design.y == 1)
    if support is Support.SUCCESSES:
        return Ends(design.y == 0, design.y == design.trials)
    return Ends(design.y == 0, None) if support is Support.COUNT else None


def is_indicator(column: Array) -> bool:
    """Whether a column holds 0 and 1 only."""
    return bool(((column == 0) | (column == 1)).all())


def find_parting(column: Array, y: Array) -> Parting | None:
    """Return where a column parts the rows with 0 from those with 1; None where it does not."""
    no, yes = column[y == 0], column[y == 1]
    if not len(no) or not len(yes):
        return None
    low, high = (no, yes) if no.max() <= yes.min() else (yes, no)
    if low.max() > high.min():
        return None
    return Parting(float(low.max() + high.min()) / 2, low is no)


def is_in_order(column: Array, y: Array) -> bool:
    """Whether a column, or its negative, puts ordered categories in their order."""
    parts = [column[y == code] for code in np.unique(y)]
    return any(
        all((sign * below).max() <= (sign * above).min() for below, above in pairwise(parts)) for sign in (1.0, -1.0)
    )


def parting_columns(design: Design) -> tuple[tuple[int, ...], int] | None:
    """Return the columns that together part the two values of an outcome, and how many rows at least lie on its sides.

    The others may lie on the border. None where the two overlap. What parts all rows
    parts some of them, so that a sample that is not parted settles it.
    """
    scaled = (design.X - moments.column_means(design.X)) / design.x_scale
    columns = np.column_stack([np.ones(design.n_rows), scaled]) if design.has_level else scaled
    rows = _ROWS
    while True:
        every = -(-design.n_rows // rows)
        direction = _parting_direction(columns[::every], design.y[::every])
        if direction is None:
            return None
        margins = _margins(columns, design.y, direction)
        if margins.min() >= -_EDGE:
            break
        if every == 1 or rows > _MOST_ROWS:
            return None
        rows *= 4
    weights = np.abs(direction[int(design.has_level) :])
    taking = np.flatnonzero(weights > _TAKES_PART * weights.max())
    return tuple(taking.tolist()), int((margins > (0.0 if margins.min() > 0 else _EDGE)).sum())


def _parting_direction(columns: Array, y: Array) -> Array | None:
    """Return a direction in which the likelihood of a logistic regression rises for ever; None where it has a mode.

    Newton's steps settle at a mode, and go on by about 1 in such a direction where there is one.
    """
    eta = np.zeros(len(y))
    for _ in range(_STEPS):
        probability = 1 / (1 + np.exp(-eta))
        weights = probability * (1 - probability)
        information = (columns.T * weights) @ columns
        information[np.diag_indices_from(information)] += _RIDGE * len(y)
        step = np.asarray(np.linalg.solve(information, columns.T @ (y - probability)), dtype=np.float64)
        change = columns @ step
        if np.abs(change).max() < _STILL:
            return None
        if _margins(columns, y, step).min() >= -_EDGE:
            return step
        eta = np.clip(eta + change, -_FAR, _FAR)
    return None


def _margins(columns: Array, y: Array, direction: Array) -> Array:
    """Return how far each row lies on the right side, over the farthest of all [N]; on the border within `_EDGE`."""
    margins = np.asarray((2 * y - 1) * (columns @ direction))
    return np.asarray(margins / np.abs(margins).max())
