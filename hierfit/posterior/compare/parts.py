"""What is left out of a run, rows or levels of a factor -> what the run says of each when it is fitted without it.

A row's density given the draw of its group's effects, which hang on the row itself where the group has few rows, may
take large weights. Where outcomes are normal, rows with such weights (k above `HARMLESS_K`) are left out again with the
effects of one factor, that with the most levels, integrated out (`integrated`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.errors import UsageError
from hierfit.posterior.compare.integrated import is_integrable, level_density, levels, rows_given_others
from hierfit.posterior.compare.left_out import LeftOut, Watch, leave_out, leave_out_on_all_cores
from hierfit.posterior.log_likelihood import BLOCK_NUMBERS, LogLikelihood
from hierfit.posterior.predict.new_levels import level_scales
from hierfit.posterior.words import plural

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
HARMLESS_K = 0.3


def leave_rows_out(likelihood: LogLikelihood, efficiency: float, watch: Watch = lambda count: None) -> LeftOut:
    """Leave each row out; errors and arguments as `leave_out`."""
    found = leave_out_on_all_cores(likelihood.blocks(), likelihood.of, efficiency, watch)
    design = likelihood.design
    factor = max((group for group in design.groups), key=lambda group: group.n_levels, default=None)
    doubtful = np.flatnonzero(found.k > HARMLESS_K)
    if factor is None or not len(doubtful) or not is_integrable(design, [factor.factor]):
        return found
    rows: list[Indices] = []
    again = leave_out(_noting(rows_given_others(likelihood, factor, doubtful), rows), efficiency)
    return found.replaced(np.concatenate(rows), again)


def _noting(parts: Iterator[tuple[Indices, Array]], rows: list[Indices]) -> Iterator[Array]:
    for own, density in parts:
        rows.append(own)
        yield density


def leave_levels_out(
    likelihood: LogLikelihood, factor: Group, efficiency: float, watch: Watch = lambda count: None
) -> LeftOut:
    """Leave each level of a factor out, all its rows together; the model need not have the factor.

    What varies within it is integrated out: the effects of the level, and of levels that lie within it. Effects of
    other factors are those of the draws.

    Raises:
        UsageError: that cannot be done exactly.
    """
    design = likelihood.design
    within = [group for group in design.groups if _lies_within(group, factor)]
    if within and not is_integrable(design, [group.factor for group in within]):
        raise UsageError(
            _not_normal(design, within, factor.factor),
            hint="leave out --by to compare by rows; whole groups would take fits without them",
        )
    if len(within) == 1 and np.array_equal(within[0].codes, factor.codes):
        return leave_out(levels(likelihood, within[0]), efficiency, watch)
    scales = [level_scales(likelihood.draws, group) for group in within]
    of_level = np.split(np.argsort(factor.codes, kind="stable"), np.cumsum(factor.rows_per_level)[:-1])
    densities = (_level(likelihood, rows, within, scales)[:, None] for rows in of_level)
    return leave_out(_gathered(densities, BLOCK_NUMBERS // likelihood.n_draws), efficiency, watch)


def _level(likelihood: LogLikelihood, rows: Indices, within: list[Group], scales: list[Array]) -> Array:
    """Return the log density of all rows of one level [S]."""
    if within:
        return level_density(likelihood, rows, within, scales)
    width = max(1, BLOCK_NUMBERS // likelihood.n_draws)
    starts = range(0, len(rows), width)
    return np.asarray(sum(likelihood.of(rows[start : start + width]).sum(axis=1) for start in starts))


def _gathered(columns: Iterator[Array], width: int) -> Iterator[Array]:
    """Yield about so many columns [S, 1] at a time."""
    batch: list[Array] = []
    for column in columns:
        batch.append(column)
        if len(batch) >= max(1, width):
            yield np.concatenate(batch, axis=1)
            batch = []
    if batch:
        yield np.concatenate(batch, axis=1)


def _lies_within(group: Group, factor: Group) -> bool:
    """Whether all rows of each level of a factor are of one level of another."""
    outer = np.zeros(group.n_levels, dtype=np.int64)
    outer[group.codes] = factor.codes
    return np.array_equal(outer[group.codes], factor.codes)


def _not_normal(design: Design, within: list[Group], factor: str) -> str:
    """Return why what varies within a factor cannot be integrated out."""
    names = ", ".join(group.factor for group in within)
    if any(len(group.columns_of(None)) < len(group.terms) for group in within):
        why = "effects on other parameters than the mean"
    else:
        why = f"a {design.family} outcome"
    return (
        f"--by {factor}: what a model without one of the {plural(factor)} says of it takes an integral over effects of "
        f"{names}, which has no closed form with {why}."
    )
