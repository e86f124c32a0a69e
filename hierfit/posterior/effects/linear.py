"""Averages of linear predictors over rows: rows are averaged before draws come in, not under every draw.

The average of x'b + z'u over rows is that of x times b, and the sum of z over the rows of each level times its effects.
Letters as in `averages`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.moved_rows import Change, rows_moved
from hierfit.design.reference_grid import Grid
from hierfit.design.rows import Rows
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict.draws_of import every_draw
from hierfit.posterior.predict.linear import population_part

Array = NDArray[np.float64]
MOST_SUMS = 20_000_000  # numbers that sums over the rows of levels may take


def n_sums(design: Design, n_points: int, n_weights: int) -> int:
    """Return how many numbers the sums over the rows of levels take."""
    return n_points * n_weights * sum(group.n_levels * len(group.columns_of(None)) for group in design.groups)


def linear_averages(
    draws: Draws,
    design: Design,
    points: Sequence[Mapping[str, Change]],
    weights: Array,
    block: int,
    grid: Grid | None = None,
) -> Array:
    """Return sums of linear predictors over the rows, weighted in each of the ways [B, N], at each point [P, B, 1, S].

    Raises:
        DataError, FormulaError: a term has no value at a point.
    """
    picks = every_draw(draws)
    population = population_part(draws, design, picks)
    X = np.zeros((len(points), len(weights), len(population.center)))
    rest = weights.sum(axis=1)[:, None] * population.intercept
    sums = [
        np.zeros((len(points), len(weights), group.n_levels, len(group.columns_of(None)))) for group in design.groups
    ]
    for start in range(0, weights.shape[1], block):
        chosen = slice(start, start + block)
        own = weights[:, chosen]
        if not own.any():
            continue
        for at, point in enumerate(points):
            rows = rows_moved(design, chosen, point, grid)
            X[at] += own @ (rows.X - population.center)
            _add_groups(design, rows, own, [of_points[at] for of_points in sums])
        if rows.offset is not None:
            rest = rest + (own @ rows.offset)[:, None]
    total = X @ population.b.T + rest
    for group, of_levels in zip(design.groups, sums, strict=True):
        effects = draws.effects_of(group)
        for place, m in enumerate(group.columns_of(None)):
            own = np.ascontiguousarray(effects[..., m]).reshape(len(picks), -1).T  # a strided product takes much longer
            same, places = np.unique(of_levels[..., place].reshape(-1, group.n_levels), axis=0, return_inverse=True)
            total += (same @ own)[places.ravel()].reshape(total.shape)
    return np.asarray(total[:, :, None])


def _add_groups(design: Design, rows: Rows, weights: Array, sums: Sequence[Array]) -> None:
    """Add what each level of each factor has of these rows to its sums [B, J, M]."""
    for group, own, found in zip(design.groups, rows.groups, sums, strict=True):
        for place, m in enumerate(group.columns_of(None)):
            for at, of_rows in enumerate(weights):
                found[at, :, place] += np.bincount(own.codes, of_rows * own.Z[:, m], group.n_levels)
