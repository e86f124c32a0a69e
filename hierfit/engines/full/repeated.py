"""Design -> Repeated: rows that the model cannot tell apart but by their outcome, as one row each.

Rows with the same predictors, levels, varying columns, offset and weight have the same linear predictor. Exactly, up
to a constant of the log density:

    bernoulli   n rows with s ones       one binomial row, s of n
    binomial    s_i of n_i               one row, the sums
    poisson     y_i at rate m            one row, the sum at rate n m: log n more in the offset

Other families have no such sums. Only the sampler sees them: fitted values, checks and pictures are about the rows of
the CSV.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.outcome import LARGEST_COUNT

Array = NDArray[np.float64]

# Family -> the one that its sums have.
SUMMED = {"bernoulli": "binomial", "binomial": "binomial", "poisson": "poisson"}
# Fewer rows than this share of them, or it is not worth it.
LEAST_SAVING = 0.5


@dataclass(frozen=True)
class Repeated:
    """Rows that stand for several.

    Attributes:
        first: of each distinct row, the first in the CSV [D].
        y: sums of the outcome [D].
        trials: sums of the trials [D]; None for poisson.
        counts: how many rows each stands for [D].
    """

    first: NDArray[np.int64]
    y: Array
    trials: Array | None
    counts: NDArray[np.int64]


def repeated_rows(design: Design) -> Repeated | None:
    """Return the distinct rows, or None where the family has no sums, these are too large, or they save little."""
    if design.family not in SUMMED:
        return None
    place = _places(design)
    if place is None:
        return None
    trials = np.ones(design.n_rows) if design.family == "bernoulli" else design.trials
    y = np.bincount(place, weights=design.y).astype(np.float64)
    summed = None if trials is None else np.bincount(place, weights=trials).astype(np.float64)
    if (y if summed is None else summed).max() > LARGEST_COUNT:
        return None
    return Repeated(np.unique(place, return_index=True)[1], y, summed, np.bincount(place))


def _places(design: Design) -> NDArray[np.int64] | None:
    """Return which distinct row each row is [N], counted as they appear; None as soon as there are too many."""
    from pandas import factorize

    place = np.zeros(design.n_rows, dtype=np.int64)
    for column in _columns(design):
        codes, found = factorize(column)
        place, distinct = factorize(place * len(found) + codes)
        if len(distinct) > LEAST_SAVING * design.n_rows:
            return None
    return place


def _columns(design: Design) -> Iterator[NDArray[Any]]:
    """Yield all that the linear predictor and the weight of a row depend on."""
    for group in design.groups:
        yield group.codes
    yield from design.X.T
    for group in design.groups:
        yield from group.Z.T
    for column in (design.offset, design.weights):
        if column is not None:
            yield column


def sampled_family(design: Design, repeated: Repeated | None) -> str:
    """Return the family whose program samples the full engine's posterior: binomial where bernoulli rows repeat."""
    return design.family if repeated is None else SUMMED[design.family]
