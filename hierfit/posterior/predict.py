"""Draws x Design -> predictions of rows: linear predictors, expected and replicated outcomes.

Letters: S chosen draws, R chosen rows, G points. Draws are named by their index into the chains joined end to end.
Numpy only; nothing here ever holds all rows by all draws. Where `Intercept_at_mean` was sampled too, predictors are
computed from it and the centred columns, so that huge offsets lose nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.design import Design, Group
from hierfit.model.densities import category_probabilities
from hierfit.model.families import FAMILIES, SIGMA, THRESHOLD
from hierfit.model.grammar import INTERCEPT
from hierfit.model.spec import coefficient_name, threshold_name
from hierfit.posterior.draws import Draws

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
INTERCEPT_AT_MEAN = "Intercept_at_mean"


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
        return np.asarray(self.intercept[:, None] + self.b @ (X - self.center).T)


def pick_draws(draws: Draws, count: int, rng: np.random.Generator) -> Indices:
    """Return `count` different draws at random, or all where there are fewer, in order."""
    total = draws.n_chains * draws.n_draws
    return np.sort(rng.choice(total, size=min(count, total), replace=False))


def population_part(draws: Draws, design: Design, picks: Indices) -> Population:
    """Return intercept and coefficients of the chosen draws."""
    names = {parameter.name: index for index, parameter in enumerate(draws.parameters)}
    values = draws.values.reshape(-1, len(draws.parameters))[picks]
    b = values[:, [names[name] for name in design.coefficients]]
    if INTERCEPT_AT_MEAN in names:
        return Population(values[:, names[INTERCEPT_AT_MEAN]], b, design.x_mean)
    intercept = values[:, names[INTERCEPT]] if INTERCEPT in names else np.zeros(len(picks))
    return Population(intercept, b, np.zeros(len(design.coefficients)))


def linear_predictor(draws: Draws, design: Design, rows: Indices, picks: Indices) -> Array:
    """Return the linear predictor of chosen rows under chosen draws [S, R]."""
    predictor = population_part(draws, design, picks).at(design.X[rows])
    if design.offset is not None:
        predictor += design.offset[rows]
    return predictor + group_part(draws, design, None, rows, picks)


def group_part(draws: Draws, design: Design, parameter: str | None, rows: Indices, picks: Indices) -> Array:
    """Return what group effects add to the predictor of a parameter, None for the mean, at chosen rows [S, R]."""
    found = np.zeros((len(picks), len(rows)))
    for group in design.groups:
        columns = group.columns_of(parameter)
        if len(columns):
            effects, codes = chosen_effects(draws, group, picks), group.codes[rows]
            for column in columns:
                found += group.Z[rows, column] * effects[:, codes, column]
    return found


def chosen_effects(draws: Draws, group: Group, picks: Indices) -> Array:
    """Return the deviations of one factor under chosen draws [S, J, M]."""
    chains, iterations = np.divmod(picks, draws.n_draws)
    return np.asarray(draws.effects_of(group)[chains, iterations])


def auxiliary_draws(draws: Draws, design: Design, picks: Indices, rows: Indices | None = None) -> dict[str, Array]:
    """Return the auxiliary parameters of chosen draws, each [S, 1], and thresholds [Q, S, 1] where there are any.

    One with predictors is that of chosen rows [S, R], or without rows at the mean of these, group effects 0; where rows
    differ in their precision sigma is that of these rows too, or of a row of mean variance.
    """
    family, chosen = FAMILIES[design.family], draws.values.reshape(-1, len(draws.parameters))[picks]
    named = dict(zip((parameter.name for parameter in draws.parameters), chosen.T, strict=True))
    found = {aux.name: named[aux.name][:, None] for aux in family.auxiliaries if aux.name in named}
    if design.thresholds:
        found[THRESHOLD] = np.stack([named[threshold_name(between)][:, None] for between in design.thresholds])
    for own in design.distributional:
        X = moments.column_means(own.X)[None] if rows is None else own.X[rows]
        b = np.stack([named[coefficient_name(own.parameter, term)] for term in own.coefficients], axis=1)
        predictor = b @ X.T
        if rows is not None:
            predictor = predictor + group_part(draws, design, own.parameter, rows, picks)
        found[own.parameter] = family.inverse_of(own.parameter, predictor)
    if design.precision is not None:
        variance = 1 / design.precision
        found[SIGMA] = found[SIGMA] * np.sqrt(variance.mean() if rows is None else variance[rows])
    return found


def expected(design: Design, predictor: Array, auxiliaries: Mapping[str, Array]) -> Array:
    """Return the mean of the outcome, of one trial where it counts successes, at linear predictors [S, ..., G]."""
    family, spread = FAMILIES[design.family], _beside(predictor, auxiliaries)
    mean = family.mean(predictor, design.link, spread)
    return np.asarray(family.expected(mean, spread, np.ones(predictor.shape[-1])))


def category_shares(design: Design, predictor: Array, auxiliaries: Mapping[str, Array]) -> Array:
    """Return the probability of each ordered category at linear predictors [S, ..., G] -> [C, S, ..., G]."""
    family = FAMILIES[design.family]
    return category_probabilities(family.mean(predictor, design.link, _beside(predictor, auxiliaries)))


def _beside(predictor: Array, auxiliaries: Mapping[str, Array]) -> dict[str, Array]:
    """Return auxiliaries [..., S, 1] with axes for what stands between S and G in linear predictors [S, ..., G]."""
    between = [1] * (predictor.ndim - 2)
    return {name: values.reshape(*values.shape[:-1], *between, -1) for name, values in auxiliaries.items()}


def replicate(
    draws: Draws, design: Design, rng: np.random.Generator, n_draws: int, rows: Indices | None = None
) -> Array:
    """Return replicated outcomes under random draws [n_draws, R], of all rows or of the given ones."""
    picks = pick_draws(draws, n_draws, rng)
    chosen = np.arange(design.n_rows) if rows is None else rows
    family, auxiliaries = FAMILIES[design.family], auxiliary_draws(draws, design, picks, chosen)
    mean = family.mean(linear_predictor(draws, design, chosen, picks), design.link, auxiliaries)
    return family.replicate(rng, mean, auxiliaries, trials_of(design, chosen))


def expected_rows(draws: Draws, design: Design, rows: Indices, picks: Indices) -> Array:
    """Return the mean of each chosen row's outcome, of one trial where it counts successes, over chosen draws [R]."""
    first, total = np.zeros(len(rows)), np.zeros(len(rows))
    for at, pick in enumerate(picks):
        one = np.array([pick])
        predictor = linear_predictor(draws, design, rows, one)
        found = expected(design, predictor, auxiliary_draws(draws, design, one, rows))[0]
        first = first if at else found
        total += found - first
    return np.asarray(first + total / len(picks))


def trials_of(design: Design, rows: Indices) -> Array:
    """Return the number of trials of chosen rows [R], ones for families without."""
    return np.ones(len(rows)) if design.trials is None else design.trials[rows]
