"""What is left out of a run, rows or levels of a factor -> what the run says of each when it is fitted without it.

A row's density given the draw of its group's effects, which hang on the row itself where the group has few rows, may
take large weights. Where outcomes are normal, rows with such weights (k above `HARMLESS_K`) are left out again with the
effects of one factor, that with the most levels, integrated out (`integrated`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.errors import UsageError
from hierfit.posterior.compare.integrated import is_integrable, level_density, levels, rows_given_others
from hierfit.posterior.compare.left_out import LeftOut, Watch, leave_out, leave_out_on_all_cores
from hierfit.posterior.compare.quadrature import TOLERABLE, Levels, is_of_mean, is_quadrable, levels_of, nodes_for
from hierfit.posterior.log_likelihood import BLOCK_NUMBERS, LogLikelihood
from hierfit.posterior.predict.new_levels import level_scales
from hierfit.posterior.words import plural

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Integrator = Callable[[LogLikelihood, Group], Levels | None]
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
    likelihood: LogLikelihood,
    factor: Group,
    efficiency: float,
    watch: Watch = lambda count: None,
    integrator: Integrator = lambda likelihood, group: None,
) -> LeftOut:
    """Leave each level of a factor out, all its rows together; the model need not have the factor.

    `integrator` returns levels of a factor whose effects are integrated out faster than here; None where it has none.

    What varies within it is integrated out: the effects of the level, and of levels that lie within it; exactly where
    outcomes are normal, else by nodes. Effects of other factors are those of the draws.

    Raises:
        UsageError: that cannot be done.
    """
    design = likelihood.design
    within = [group for group in design.groups if lies_within(group, factor)]
    if within and not is_integrable(design, [group.factor for group in within]):
        return _by_nodes(likelihood, factor, within, efficiency, watch, integrator)
    if len(within) == 1 and np.array_equal(within[0].codes, factor.codes):
        return leave_out(levels(likelihood, within[0]), efficiency, watch)
    scales = [level_scales(likelihood.draws, group) for group in within]
    of_level = np.split(np.argsort(factor.codes, kind="stable"), np.cumsum(factor.rows_per_level)[:-1])
    densities = (_level(likelihood, rows, within, scales)[:, None] for rows in of_level)
    return leave_out(_gathered(densities, BLOCK_NUMBERS // likelihood.n_draws), efficiency, watch)


def _by_nodes(
    likelihood: LogLikelihood,
    factor: Group,
    within: list[Group],
    efficiency: float,
    watch: Watch,
    integrator: Integrator,
) -> LeftOut:
    """Leave each level of a factor out whose effects, or those of levels within it, are integrated out numerically."""
    levels = integrator(likelihood, within[0]) if len(within) == 1 else None
    if levels is None and not is_quadrable(likelihood.design, within):
        raise UsageError(_too_much(likelihood.design, within, factor.factor), hint=_refit_hint(factor.factor))
    levels = levels or levels_of(likelihood, within[0])
    nodes, error = nodes_for(levels)
    if error > TOLERABLE:
        raise UsageError(
            f"--by {factor.factor}: the integral over effects of {within[0].factor} is not had to {TOLERABLE:g} by "
            f"quadrature ({error:.2g} with {len(nodes.x)} nodes).",
            hint=_refit_hint(factor.factor),
        )
    if np.array_equal(within[0].codes, factor.codes):
        batches = levels.batches(np.arange(factor.n_levels))
        return leave_out_on_all_cores(batches, lambda rows: levels.density(rows, nodes), efficiency, watch)
    order = np.lexsort((within[0].codes, factor.codes))
    of_level = np.split(order, np.cumsum(factor.rows_per_level)[:-1])
    return leave_out_on_all_cores(
        of_level, lambda rows: levels.density(rows, nodes).sum(axis=1, keepdims=True), efficiency, watch
    )


def _refit_hint(factor: str) -> str:
    return f"add --folds 10: fits without a tenth of the {plural(factor)} each"


def _level(likelihood: LogLikelihood, rows: Indices, within: list[Group], scales: list[Array]) -> Array:
    """Return the log density of all rows of one level [S]."""
    return level_density(likelihood, rows, within, scales) if within else likelihood.together(rows)


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


def lies_within(group: Group, factor: Group) -> bool:
    """Whether all rows of each level of a factor are of one level of another."""
    outer = np.zeros(group.n_levels, dtype=np.int64)
    outer[group.codes] = factor.codes
    return np.array_equal(outer[group.codes], factor.codes)


def _too_much(design: Design, within: list[Group], factor: str) -> str:
    """Return why what varies within a factor cannot be integrated out."""
    names = " and ".join(group.factor for group in within)
    if not is_of_mean(within):
        why = "some of which are on other parameters than the mean"
    elif len(within) > 1:
        why = f"which are of several factors, with a {design.family} outcome"
    else:
        why = f"which are {len(within[0].terms)} for each level, with a {design.family} outcome"
    return (
        f"--by {factor}: what a model says of one of the {plural(factor)} when it is fitted without it takes an "
        f"integral over effects of {names}, {why}."
    )
