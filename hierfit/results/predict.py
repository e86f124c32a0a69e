"""Draws x Design -> predictions: linear predictors, lines of the population and of groups, replicated outcomes.

Letters: S chosen draws, R chosen rows, G points of a grid, L chosen levels. Draws are named by their index into the
chains joined end to end. Numpy only; nothing here ever holds all rows by all draws.

Lines are of the expected outcome, on its own scale; of one trial where it counts successes; of ordered categories, C in
number, they are of the probability of each. They run along one predictor or over its categories; columns made from that
predictor move with it (see `columns`), all others and the offset stay at their mean, the effects of other factors at 0.
Where `Intercept_at_mean` was sampled too, predictors are computed from it and the centred columns, so that huge offsets
lose nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.errors import UsageError
from hierfit.model import moments
from hierfit.model.densities import category_probabilities
from hierfit.model.design import Design, Group
from hierfit.model.families import FAMILIES, SIGMA, THRESHOLD
from hierfit.model.formula import INTERCEPT
from hierfit.model.scaling import row_precision
from hierfit.model.spec import sigma_name, threshold_name
from hierfit.results.columns import moving_along
from hierfit.results.draws import Draws

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
INTERCEPT_AT_MEAN = "Intercept_at_mean"
MIN_SPREAD = 1e-8


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


@dataclass(frozen=True)
class Along:
    """What the lines of groups run along.

    Attributes:
        column: the predictor.
        group: the grouping factor.
        grid: points along the predictor [G].
    """

    column: str
    group: Group
    grid: Array


@dataclass(frozen=True)
class Course:
    """The points that lines run through.

    Attributes:
        X: population columns [G, K].
        moving: the columns that move, among them varying ones, and their values [G].
    """

    X: Array
    moving: Mapping[str, Array]


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
    for group in design.groups:
        effects = chosen_effects(draws, group, picks)
        codes = group.codes[rows]
        for column in range(len(group.terms)):
            predictor += group.Z[rows, column] * effects[:, codes, column]
    return predictor


def chosen_effects(draws: Draws, group: Group, picks: Indices) -> Array:
    """Return the deviations of one factor under chosen draws [S, J, M]."""
    chains, iterations = np.divmod(picks, draws.n_draws)
    return np.asarray(draws.effects[group.factor][chains, iterations])


def auxiliary_draws(draws: Draws, design: Design, picks: Indices, rows: Indices | None = None) -> dict[str, Array]:
    """Return the auxiliary parameters of chosen draws, each [S, 1], and thresholds [Q, S, 1] where there are any.

    Where sigma has predictors it is that of chosen rows [S, R], or at the mean of these without rows; where rows differ
    in their precision that of these rows too, or of a row of mean variance.
    """
    family, chosen = FAMILIES[design.family], draws.values.reshape(-1, len(draws.parameters))[picks]
    named = dict(zip((parameter.name for parameter in draws.parameters), chosen.T, strict=True))
    found = {aux.name: named[aux.name][:, None] for aux in family.auxiliaries if aux.name in named}
    if design.thresholds:
        found[THRESHOLD] = np.stack([named[threshold_name(between)][:, None] for between in design.thresholds])
    if design.sigma is not None:
        X = moments.column_means(design.sigma.X)[None] if rows is None else design.sigma.X[rows]
        b = np.stack([named[sigma_name(term)] for term in design.sigma.coefficients], axis=1)
        found[SIGMA] = np.exp(b @ X.T)
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


def named_columns(design: Design) -> dict[str, Array]:
    """Return the columns of all coefficients by name, population and varying, each [N]."""
    columns = {
        term: group.Z[:, index]
        for group in design.groups
        for index, term in enumerate(group.terms)
        if term != INTERCEPT
    }
    return columns | dict(zip(design.coefficients, design.X.T, strict=True))


def course_through(design: Design, moving: Mapping[str, Array]) -> Course:
    """Return the points where some columns move [G] and all others stay at their mean."""
    n_points = len(next(iter(moving.values())))
    X = np.repeat(moments.column_means(design.X)[None], n_points, axis=0)
    for index, name in enumerate(design.coefficients):
        if name in moving:
            X[:, index] = moving[name]
    return Course(X, moving)


def course_along(design: Design, column: str, grid: Array) -> Course:
    """Return the points along one column.

    Raises:
        UsageError: the column has no population-level coefficient.
    """
    if column not in design.coefficients:
        known = ", ".join(design.coefficients) or "none"
        raise UsageError(f"'{column}' has no population-level coefficient.", hint=f"coefficients: {known}")
    return course_through(design, moving_along(named_columns(design), column, grid))


def population_lines(draws: Draws, design: Design, column: str, grid: Array, picks: Indices) -> Array:
    """Return the population's line along one column under chosen draws [S, G].

    Raises:
        UsageError: the column has no population-level coefficient.
    """
    return population_at(draws, design, course_along(design, column, grid), picks)


def population_at(draws: Draws, design: Design, course: Course, picks: Indices) -> Array:
    """Return the expected outcome at the points of a course, all group effects 0, under chosen draws [S, G]."""
    return expected(design, _population_predictor(draws, design, course, picks), auxiliary_draws(draws, design, picks))


def population_shares(draws: Draws, design: Design, course: Course, picks: Indices) -> Array:
    """Return the probability of each category along a course, all group effects 0, under chosen draws [C, S, G]."""
    predictor = _population_predictor(draws, design, course, picks)
    return category_shares(design, predictor, auxiliary_draws(draws, design, picks))


def _population_predictor(draws: Draws, design: Design, course: Course, picks: Indices) -> Array:
    predictor = population_part(draws, design, picks).at(course.X)
    return predictor if design.offset is None else predictor + moments.mean(design.offset)


def group_lines(draws: Draws, design: Design, along: Along, levels: Indices, picks: Indices | None = None) -> Array:
    """Return lines of chosen levels: at the posterior mean [1, L, G], or one per chosen draw [S, L, G]."""
    return group_at(draws, design, along.group, course_along(design, along.column, along.grid), levels, picks)


def group_at(
    draws: Draws, design: Design, group: Group, course: Course, levels: Indices, picks: Indices | None = None
) -> Array:
    """Return the expected outcome of chosen levels: at the posterior mean [1, L, G], or per chosen draw [S, L, G].

    Varying columns that do not move stay at their mean over the rows of the level.
    """
    return expected(design, *_group_predictor(draws, design, group, course, levels, picks))


def group_shares(draws: Draws, design: Design, group: Group, course: Course, levels: Indices) -> Array:
    """Return the probability of each category of chosen levels along a course, at the posterior mean [C, L, G]."""
    return category_shares(design, *_group_predictor(draws, design, group, course, levels, None))[:, 0]


def _group_predictor(
    draws: Draws, design: Design, group: Group, course: Course, levels: Indices, picks: Indices | None
) -> tuple[Array, dict[str, Array]]:
    """Return linear predictors of chosen levels [1 or S, L, G] and the auxiliaries that go with them."""
    every = np.arange(draws.n_chains * draws.n_draws)
    population = _population_predictor(draws, design, course, every if picks is None else picks)
    auxiliaries = auxiliary_draws(draws, design, every if picks is None else picks)
    if picks is None:
        population = moments.mean(population, axis=0)[None]
        auxiliaries = {name: values.mean(axis=-2, keepdims=True) for name, values in auxiliaries.items()}
        effects = moments.mean(draws.effects[group.factor], axis=(0, 1))[None, levels]
    else:
        effects = chosen_effects(draws, group, picks)[:, levels]
    lines = np.repeat(population[:, None, :], len(levels), axis=1)
    for index, term in enumerate(group.terms):
        held = moments.level_means(group.Z[:, index], group.codes, group.n_levels)[levels]
        z = course.moving[term][None, :] if term in course.moving else held[:, None]
        lines += effects[:, :, index, None] * z
    return lines, auxiliaries


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


def unpooled_estimates(draws: Draws, design: Design, group: Group) -> Array:
    """Return least-squares estimates of every level from its own rows alone [J, M], NaN where these do not suffice.

    Rows count by their weights or precision. The outcome is `Design.linear_outcome`, of families that have one. What
    the other columns and factors contribute is taken off first, at its posterior mean.
    """
    every = np.arange(draws.n_chains * draws.n_draws)
    part = population_part(draws, design, every)
    mean = Population(moments.mean(part.intercept)[None], moments.mean(part.b, axis=0)[None], part.center)
    own = [design.coefficients.index(term) for term in group.terms if term in design.coefficients]
    outcome = design.linear_outcome - mean.at(design.X)[0] + design.X[:, own] @ mean.b[0, own]
    if design.offset is not None:
        outcome = outcome - design.offset
    if INTERCEPT in group.terms:
        outcome = outcome + mean.intercept[0] - mean.b[0] @ mean.center
    for other in design.groups:
        if other.factor != group.factor:
            effects = moments.mean(draws.effects[other.factor], axis=(0, 1))
            outcome = outcome - np.einsum("nm,nm->n", other.Z, effects[other.codes])
    weights = design.weights if design.precision is None else row_precision(design)
    return _least_squares_by_level(group, outcome, np.ones(design.n_rows) if weights is None else weights)


def _least_squares_by_level(group: Group, outcome: Array, weights: Array) -> Array:
    """Solve the normal equations of every level at once, columns centred and scaled by level for accuracy."""
    n_terms, n_levels = len(group.terms), group.n_levels
    Z, root = np.column_stack([group.Z, outcome]), np.sqrt(weights)
    if group.terms[0] == INTERCEPT:
        means = np.column_stack([moments.level_means(column, group.codes, n_levels, weights) for column in Z.T])
        Z = (Z - means[group.codes]) * root[:, None]
        slopes = _solve_by_level(Z[:, 1:n_terms], Z[:, n_terms], group)
        intercept = means[:, n_terms] - np.einsum("jm,jm->j", means[:, 1:n_terms], slopes)
        return np.column_stack([intercept, slopes])
    return _solve_by_level(group.Z * root[:, None], outcome * root, group)


def _solve_by_level(Z: Array, outcome: Array, group: Group) -> Array:
    n_columns = Z.shape[1]
    scale = np.where(Z.std(axis=0) > 0, np.sqrt(np.square(Z).mean(axis=0)), 1.0)
    columns = [*(Z / scale).T, outcome]
    cross = np.empty((group.n_levels, n_columns, n_columns + 1))
    for row in range(n_columns):
        for column in range(n_columns + 1):
            weights = columns[row] * columns[column]
            cross[:, row, column] = np.bincount(group.codes, weights=weights, minlength=group.n_levels)
    estimates = np.full((group.n_levels, n_columns), np.nan)
    gram = cross[:, :, :n_columns]
    if n_columns:
        # Of columns of unit size: a level where some combination of them hardly varies has no estimate of its own.
        rows = group.rows_per_level
        enough = (rows > len(group.terms)) & (np.linalg.eigvalsh(gram)[:, 0] > MIN_SPREAD * rows)
    else:
        enough = np.zeros(group.n_levels, dtype=np.bool_)
    estimates[enough] = np.linalg.solve(gram[enough], cross[enough, :, n_columns:])[:, :, 0] / scale
    return estimates
