"""Draws x rows of the fit -> what their outcomes do over groups, on average over the rows.

Letters: S draws, F factors, R kinds of rows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from hierfit.posterior.effects.averages import Point
from hierfit.posterior.predict.draws_of import Indices
from hierfit.posterior.variance.fitted import Fitted, enough_draws
from hierfit.posterior.variance.moments import Moments, moments_of
from hierfit.posterior.variance.outcome import NODES, over_groups
from hierfit.posterior.variance.rows import kinds_of_rows

Array = NDArray[np.float64]

_KINDS, _BUDGET = 1_000, 1e6  # kinds of rows at most; and these times draws
_CELLS = 1e6  # kinds of rows times draws times nodes of a block: 8 MB
# Where groups are simulated: so many levels of all kinds of rows together, and of each at least. A variance between
# 2,000 has a relative error of some 5 % under each draw, which adds little to what the posterior says of it.
_LEVELS, _LEAST_LEVELS, _SIMULATED_KINDS = 2_000, 8, 250


@dataclass(frozen=True, eq=False)
class OverRows:
    """What outcomes do over groups, averaged over rows under chosen draws [S].

    Attributes:
        picks: the draws.
        mean: expected.
        predictors: variance over rows of what is expected, groups averaged over.
        between: variance of what is expected between the levels of each factor [F, S].
        together: between all groups.
        within: variance within groups.
        around: variance around the linear predictor, where the scale of the link has that.
        n_rows: kinds of rows.
        sampled: whether they were drawn from all.
    """

    picks: Indices
    mean: Array
    predictors: Array
    between: Array
    together: Array
    within: Array
    around: Array | None
    n_rows: int
    sampled: bool


def over_rows(fit: Fitted, point: Point) -> OverRows:
    """Return what outcomes of the rows do, with columns changed.

    Raises:
        DataError, FormulaError: a term has no value there.
    """
    simulated = fit.of_other_parameters
    kinds = kinds_of_rows(fit.design, point, _SIMULATED_KINDS if simulated else _KINDS)
    count = len(kinds.weights)
    levels = max(_LEAST_LEVELS, _LEVELS // count) if simulated else 0
    picks = enough_draws(fit.draws, count, 0 if simulated else _BUDGET)

    def work_out(unit: slice) -> list[Moments]:
        found = over_groups(fit, kinds.rows.at(unit), picks, levels, unit.start)
        own = kinds.weights[unit]
        parts = [found.mean, *found.between, found.together, found.within]
        parts += [] if found.around is None else [found.around]
        return [moments_of(part, own) for part in parts]

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        units = list(_units(count, len(picks) * (levels or NODES)))
        parts = list(pool.map(work_out, units))
    mean, *rest = (reduce(Moments.and_also, moments) for moments in zip(*parts, strict=True))
    averages = [moments.mean for moments in rest]
    n_factors = len(fit.design.groups)
    noise = averages[n_factors] / levels if levels else 0.0  # that means of simulated levels have
    return OverRows(
        picks,
        mean.mean,
        np.maximum(mean.variance - noise, 0.0) if count > 1 else np.zeros(len(picks)),
        np.array(averages[:n_factors]),
        averages[n_factors],
        averages[n_factors + 1],
        averages[n_factors + 2] if len(averages) > n_factors + 2 else None,
        count,
        kinds.sampled is not None,
    )


def _units(n_rows: int, each: int) -> Iterator[slice]:
    step = max(1, int(_CELLS / each))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))
