"""Draws x Design -> lines: what is expected along the user's predictors, of the population and of single levels.

Letters: S chosen draws, G points of a course, B courses, L chosen levels. Lines are of the expected outcome, on its own
scale; of one trial where it counts successes; of ordered categories, C in number, they are of the probability of each.
What a course does not move stays at its mean (`design.along`), and so does the offset; the effects of other factors are
0. Where several courses differ in the level of a predictor, a group's line is of the levels that its own rows have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.along import Moved, Setting, columns_along
from hierfit.design.design import Design, Group
from hierfit.errors import UsageError
from hierfit.model.grammar import INTERCEPT
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict import (
    auxiliary_draws,
    category_shares,
    chosen_effects,
    expected,
    population_part,
)

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Course:
    """The points that lines run through.

    Attributes:
        X: population columns [G, K].
        Z: factor -> the columns that its slopes multiply [G, M], the intercept's among them, and which of them move.
        moves: whether each column of X does [K].
    """

    X: Array
    Z: Mapping[str, Moved]
    moves: NDArray[np.bool_]


@dataclass(frozen=True)
class Courses:
    """Courses side by side, and how much each level of a factor is of each.

    Attributes:
        group: the grouping factor.
        each: the B courses.
        shares: of a level's rows, those that are of each course [J, B].
    """

    group: Group
    each: tuple[Course, ...]
    shares: Array


def course(design: Design, setting: Setting) -> Course:
    """Return the points of a setting in the columns of a design.

    Raises:
        UsageError: no term reads a column of the setting.
    """
    assert design.inputs is not None
    known = (*design.inputs.numbers, *design.inputs.levels)
    for name in setting:
        if name not in known:
            raise UsageError(f"no term is made from '{name}'.", hint=f"predictors: {', '.join(known) or 'none'}")
    X = columns_along(design.terms, moments.column_means(design.X), design.inputs, setting)
    return Course(
        X.values, {group.factor: _varying(group, design, setting) for group in design.of_mean.groups}, X.moves
    )


def _varying(group: Group, design: Design, setting: Setting) -> Moved:
    first = int(group.terms[:1] == (INTERCEPT,))
    assert design.inputs is not None
    slopes = columns_along(group.slopes, moments.column_means(group.Z)[first:], design.inputs, setting)
    ones = np.ones((len(slopes.values), first))
    return Moved(
        np.concatenate([ones, slopes.values], axis=1), np.concatenate([np.zeros(first, np.bool_), slopes.moves])
    )


def alone(group: Group, one: Course) -> Courses:
    """Return one course, which all levels of a factor take."""
    return Courses(group, (one,), np.ones((group.n_levels, 1)))


def by_level(group: Group, each: Sequence[Course], codes: NDArray[np.int64]) -> Courses:
    """Return courses of which each row takes one, by its code [N]."""
    counts = np.zeros((group.n_levels, len(each)))
    np.add.at(counts, (group.codes, codes), 1)
    return Courses(group, tuple(each), counts / counts.sum(axis=1, keepdims=True))


def population_at(draws: Draws, design: Design, one: Course, picks: Indices) -> Array:
    """Return the expected outcome at the points of a course, all group effects 0, under chosen draws [S, G]."""
    return expected(design, population_predictor(draws, design, one, picks), auxiliary_draws(draws, design, picks))


def population_shares(draws: Draws, design: Design, one: Course, picks: Indices) -> Array:
    """Return the probability of each category along a course, all group effects 0, under chosen draws [C, S, G]."""
    predictor = population_predictor(draws, design, one, picks)
    return category_shares(design, predictor, auxiliary_draws(draws, design, picks))


def population_predictor(draws: Draws, design: Design, one: Course, picks: Indices) -> Array:
    """Return the linear predictor at the points of a course, all group effects 0, under chosen draws [S, G]."""
    predictor = population_part(draws, design, picks).at(one.X)
    return predictor if design.offset is None else predictor + moments.mean(design.offset)


def typical_at(draws: Draws, design: Design, courses: Courses, levels: Indices, picks: Indices) -> Array:
    """Return what is expected of the population on the courses that chosen levels take [S, L, G]."""
    return expected(design, _mixed(draws, design, courses, levels, picks), auxiliary_draws(draws, design, picks))


def group_at(draws: Draws, design: Design, courses: Courses, levels: Indices, picks: Indices | None = None) -> Array:
    """Return the expected outcome of chosen levels: at the posterior mean [1, L, G], or per chosen draw [S, L, G].

    Varying columns that do not move stay at their mean over the rows of the level.
    """
    return expected(design, *_group_predictor(draws, design, courses, levels, picks))


def group_shares(draws: Draws, design: Design, courses: Courses, levels: Indices) -> Array:
    """Return the probability of each category of chosen levels along courses, at the posterior mean [C, L, G]."""
    return category_shares(design, *_group_predictor(draws, design, courses, levels, None))[:, 0]


def _mixed(draws: Draws, design: Design, courses: Courses, levels: Indices, picks: Indices) -> Array:
    """Return linear predictors of the population on the courses that chosen levels take [S, L, G]."""
    each = np.stack([population_predictor(draws, design, one, picks) for one in courses.each])
    return np.asarray(np.einsum("lb,bsg->slg", courses.shares[levels], each))


def _group_predictor(
    draws: Draws, design: Design, courses: Courses, levels: Indices, picks: Indices | None
) -> tuple[Array, dict[str, Array]]:
    """Return linear predictors of chosen levels [1 or S, L, G] and the auxiliaries that go with them."""
    every = np.arange(draws.n_chains * draws.n_draws)
    group, shares = courses.group, courses.shares[levels]
    auxiliaries = auxiliary_draws(draws, design, every if picks is None else picks)
    if picks is None:
        auxiliaries = {name: values.mean(axis=-2, keepdims=True) for name, values in auxiliaries.items()}
        means = [moments.mean(population_predictor(draws, design, one, every), axis=0) for one in courses.each]
        lines = np.einsum("lb,bg->lg", shares, np.stack(means))[None]
        effects = moments.mean(draws.effects_of(group), axis=(0, 1))[None, levels]
    else:
        lines = _mixed(draws, design, courses, levels, picks)
        effects = chosen_effects(draws, group, picks)[:, levels]
    moves = courses.each[0].Z[group.factor].moves
    Z = np.stack([one.Z[group.factor].values for one in courses.each])
    for m in range(len(group.terms)):
        if moves[m]:
            z = np.einsum("lb,bg->lg", shares, Z[:, :, m])
        else:
            z = moments.level_means(group.Z[:, m], group.codes, group.n_levels)[levels, None]
        lines = lines + effects[:, :, m, None] * z
    return lines, auxiliaries
