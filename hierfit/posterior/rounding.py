"""Draws of effects -> whether single precision tells them apart: it may round by a thousandth of their sds at most."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.design import Group
from hierfit.model.grammar import INTERCEPT

FEW_DRAWS = 20  # that are enough to judge from
MANY_NUMBERS = 4_000_000  # draws of effects, from where on double precision is a matter of memory
_ROUNDING = 1e-3


def is_rough_enough(effects: NDArray[np.floating[Any]], group: Group) -> bool:
    """Whether single precision tells the draws of each effect of a factor apart, from a few of them [s, J, M].

    Deviations from a population value are about as large as their sds; where there is no such value they may not be.
    What rows see of intercepts far from 0 is their sum with the slopes, so theirs count at the mean of the columns.
    """
    error = np.spacing(np.abs(effects).max(axis=0).astype(np.float32))
    some = np.asarray(effects, dtype=np.float64)
    if group.terms[0] == INTERCEPT:
        of_mean = len(group.columns_of(None))
        at_mean = some[..., :1] + some[..., 1:of_mean] @ group.mean[1:of_mean, np.newaxis]
        some = np.concatenate([at_mean, some[..., 1:]], axis=-1)
    spread = moments.sd(some, axis=0, ddof=0)
    return bool(np.all((error < _ROUNDING * spread) | (spread == 0)))
