"""Draws x rows -> linear predictors of every distributional parameter, and what the parameters come to.

Letters: S chosen draws, R rows, G points, J levels of a factor, L chosen ones, M varying coefficients. Rows are those
of the fit, by their index, or others in the columns of the design (`Design.on`). Arrays are [S, R], the draws of a row
side by side in memory. Where `Intercept_at_mean` was sampled too, predictors are computed from it and the centred
columns, so that huge offsets lose nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.design import Design, Group
from hierfit.design.rows import GroupRows, Rows
from hierfit.model.families import FAMILIES, SIGMA, THRESHOLD
from hierfit.model.grammar import INTERCEPT
from hierfit.model.spec import INTERCEPT_AT_MEAN, coefficient_name, threshold_name
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict.draws_of import Indices, chosen_effects, positions, values_of
from hierfit.posterior.predict.new_levels import NewEffects

Array = NDArray[np.float64]
NOWHERE: Mapping[str, Array] = MappingProxyType({})


@dataclass(frozen=True)
class Population:
    """The population-level part of chosen draws, intercept at `center`.

    Attributes:
        intercept: [S], 0 without one.
        b: coefficients [S, K].
        center: what the columns are measured from [K].
    """

    intercept: Array
    b: Array
    center: Array

    def at(self, X: Array) -> Array:
        """Return the population-level predictor at rows of X [R, K] -> [S, R]."""
        found = np.asarray((X - self.center) @ self.b.T)
        found += self.intercept
        return found.T


@dataclass(frozen=True, eq=False)
class LevelEffects:
    """Effects of the levels of one factor that rows have.

    Attributes:
        values: [L, M, S].
        places: of each row among these levels [R].
    """

    values: Array
    places: NDArray[np.integer]


def population_part(draws: Draws, design: Design, picks: Indices) -> Population:
    """Return intercept and coefficients of the chosen draws."""
    known = positions(draws)
    b = values_of(draws, design.coefficients, picks)
    if INTERCEPT_AT_MEAN in known:
        return Population(values_of(draws, [INTERCEPT_AT_MEAN], picks)[:, 0], b, design.x_mean)
    intercept = values_of(draws, [INTERCEPT], picks)[:, 0] if INTERCEPT in known else np.zeros(len(picks))
    return Population(intercept, b, np.zeros(len(design.coefficients)))


def linear_predictor(
    draws: Draws, design: Design, rows: Rows | Indices, picks: Indices, new: NewEffects | None = None
) -> Array:
    """Return the linear predictor of rows under chosen draws [S, R]; effects of new levels are 0 without `new`."""
    rows = design.at(rows) if isinstance(rows, np.ndarray) else rows
    predictor = population_part(draws, design, picks).at(rows.X)
    if rows.offset is not None:
        predictor += rows.offset
    return with_groups(predictor, draws, design.groups, rows.groups, None, picks, new)


def auxiliary_draws(
    draws: Draws,
    design: Design,
    picks: Indices,
    rows: Rows | Indices | None = None,
    new: NewEffects | None = None,
    moves: Mapping[str, Array] = NOWHERE,
) -> dict[str, Array]:
    """Return the auxiliary parameters of chosen draws, each [S, 1], and thresholds [Q, S, 1] where there are any.

    One with predictors is that of rows [S, R], or without rows at the mean of those of the fit, group effects 0; where
    rows differ in their precision sigma is that of these rows too, or of a row of mean variance. `moves` are added to
    the predictors of those that they name [S, R].
    """
    rows = design.at(rows) if isinstance(rows, np.ndarray) else rows
    family, known = FAMILIES[design.family], positions(draws)
    names = [aux.name for aux in family.auxiliaries if aux.name in known]
    found = {name: column[:, None] for name, column in zip(names, values_of(draws, names, picks).T, strict=True)}
    if design.thresholds:
        names = [threshold_name(between) for between in design.thresholds]
        found[THRESHOLD] = values_of(draws, names, picks).T[:, :, None]
    for own in design.distributional:
        X = moments.column_means(own.X)[None] if rows is None else rows.distributional[own.parameter]
        b = values_of(draws, [coefficient_name(own.parameter, term) for term in own.coefficients], picks)
        predictor = (X @ b.T).T
        if rows is not None:
            predictor = with_groups(predictor, draws, design.groups, rows.groups, own.parameter, picks, new)
        found[own.parameter] = family.inverse_of(own.parameter, predictor + moves.get(own.parameter, 0.0))
    precision = design.precision if rows is None else rows.precision
    if precision is not None:
        variance = 1 / precision
        found[SIGMA] = found[SIGMA] * np.sqrt(variance.mean() if rows is None else variance)
    return found


def with_groups(
    predictor: Array,
    draws: Draws,
    groups: Sequence[Group],
    rows: Sequence[GroupRows],
    parameter: str | None,
    picks: Indices,
    new: NewEffects | None = None,
) -> Array:
    """Return a predictor with what the effects of these factors add to it [S, R]."""
    concerned = [(group, own) for group, own in zip(groups, rows, strict=True) if len(group.columns_of(parameter))]
    if not concerned:
        return predictor
    effects = [level_effects(draws, group, own, picks, new) for group, own in concerned]
    groups, rows = zip(*concerned, strict=True)
    return predictor + group_part(groups, rows, effects, parameter, predictor.shape)


def level_effects(
    draws: Draws, group: Group, rows: GroupRows, picks: Indices, new: NewEffects | None = None
) -> LevelEffects:
    """Return the effects of the levels that rows have, of those that the fit had not from `new`, or 0."""
    levels, places = _levels_of(rows)
    values = np.empty((len(levels), len(group.terms), len(picks)))
    known = levels < group.n_levels
    values[known] = chosen_effects(draws, group, picks, levels[known]).transpose(1, 2, 0)
    values[~known] = 0.0
    if new is not None:
        for place in np.flatnonzero(~known):
            values[place] = new.of(group.factor, rows.labels[levels[place]], picks).T
    return LevelEffects(values, places)


def _levels_of(rows: GroupRows) -> tuple[Indices, Indices]:
    """Return the levels that rows have, and the place of each row's among them."""
    if len(rows.codes) > len(rows.labels):  # most likely all
        return np.arange(len(rows.labels)), rows.codes.astype(np.int64)
    levels, places = np.unique(rows.codes, return_inverse=True)
    return levels.astype(np.int64), places.astype(np.int64)


def group_part(
    groups: Sequence[Group],
    rows: Sequence[GroupRows],
    effects: Sequence[LevelEffects],
    parameter: str | None,
    shape: tuple[int, ...],
) -> Array:
    """Return what effects add to the predictor of a parameter, None for the mean, row by row: of that shape, [S, R]."""
    found = np.zeros(shape[::-1])
    for group, own, of_levels in zip(groups, rows, effects, strict=True):
        for column in group.columns_of(parameter):
            part, times = of_levels.values[of_levels.places, column], own.Z[:, column, None]
            found += part if np.all(times == 1.0) else np.multiply(part, times, out=part)
    return found.T


def distribution_of(
    draws: Draws, design: Design, rows: Rows, picks: Indices, new: NewEffects | None = None
) -> tuple[Array, Mapping[str, Array]]:
    """Return the linear predictor of rows [S, R] and the auxiliary parameters that go with it."""
    return (
        linear_predictor(draws, design, rows, picks, new),
        auxiliary_draws(draws, design, picks, rows, new),
    )
