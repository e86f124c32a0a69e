"""Predictors -> questions whose answers are curves: averages over the rows where a predictor is held at each of points.

A column of numbers is held at its values where they are few, else at points from its smallest to its largest; a
predictor of levels at each. Where a term multiplies it with another, so is that one: at its levels, or at its mean and
an sd to either side. The numbers are those of `hierfit effects RUN --marginal --at`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.data.table import Table
from hierfit.design import moments
from hierfit.design.axes import Factor, factors, is_factor, number_axes
from hierfit.design.design import Design
from hierfit.posterior.draws import Draws
from hierfit.posterior.effects.answer import Answered, answered
from hierfit.posterior.effects.averages import averaging
from hierfit.posterior.effects.questions import EffectScale, Groups, Question
from hierfit.posterior.lines import course
from hierfit.posterior.predict.draws_of import n_draws
from hierfit.posterior.predict.quantities import Asked

Array = NDArray[np.float64]
Value = float | str
FEW_VALUES, MOST_POINTS, LEAST_POINTS = 12, 25, 9
MOST_BESIDE = 6
WORK = 2e8  # rows x draws x points, of all curves together: beyond, there are fewer points


@dataclass(frozen=True)
class Axis:
    """What a set of curves runs along.

    Attributes:
        column: the predictor.
        points: its values, or levels.
        beside: the predictor that it is multiplied with; None without one.
        held: values of that one, each of which has a curve; empty without one.
        n_beside: how many values that one has.
        between: whether the column has values between the points.
    """

    column: str
    points: tuple[Value, ...]
    beside: str | None = None
    held: tuple[Value, ...] = ()
    n_beside: int = 0
    between: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it is a column of numbers."""
        return not isinstance(self.points[0], str)

    @property
    def question(self) -> Question:
        """What is asked: lines for each held value, and within it for each point."""
        at: dict[str, Sequence[Value]] = {} if self.beside is None else {self.beside: self.held}
        return Question(at={**at, self.column: self.points}, marginal=True)


@dataclass(frozen=True, eq=False)
class Curves:
    """The answer along one predictor.

    Attributes:
        axis: what it runs along.
        each: held value -> point -> category -> the answer there.
    """

    axis: Axis
    each: tuple[tuple[tuple[Answered, ...], ...], ...]


def predictors(design: Design) -> tuple[str, ...]:
    """Return the columns that terms of the mean read."""
    if design.inputs is None:
        return ()
    of_levels = (factor.column for factor in factors(design.terms, design.inputs))
    return tuple(dict.fromkeys((*number_axes(design.terms), *of_levels)))


def axes_of(draws: Draws, design: Design, columns: Sequence[str]) -> list[Axis]:
    """Return what curves of columns run along, with fewer points where they take long."""
    assert design.inputs is not None
    n_points, whole = MOST_POINTS, len(columns) * MOST_POINTS * design.n_rows * n_draws(draws)
    if not averaging(draws, design, Asked(), Groups.OWN).is_linear:
        n_points = int(np.clip(MOST_POINTS * WORK / whole, LEAST_POINTS, MOST_POINTS))
    return [_axis(design, design.inputs, column, n_points) for column in columns]


def curves_of(draws: Draws, design: Design, axis: Axis, groups: Groups = Groups.OWN) -> Curves:
    """Return what is expected of the outcome along a predictor, on average over the rows of the fit."""
    found = answered(draws, design, axis.question, EffectScale.RESPONSE, groups).lines
    n_held, n_points = max(1, len(axis.held)), len(axis.points)
    n_categories = len(found) // (n_held * n_points)
    lines = iter(found)
    each = tuple(tuple(tuple(next(lines) for _ in range(n_categories)) for _ in range(n_points)) for _ in range(n_held))
    return Curves(axis, each)


def strongest(draws: Draws, design: Design, columns: Sequence[str], most: int) -> list[str]:
    """Return at most so many columns, those that move the linear predictor most, in their order."""
    if len(columns) <= most:
        return list(columns)
    assert design.inputs is not None
    known = {factor.column: factor for factor in factors(design.terms, design.inputs)}
    b = np.array([float(moments.mean(draws.of(name).ravel())) for name in design.coefficients])
    reach = {}
    for column in columns:
        ends = known[column].setting if column in known else {column: _inner_range(design.inputs.numbers[column])}
        reach[column] = float(np.ptp(course(design, ends).X @ b))
    kept = set(sorted(columns, key=lambda column: -np.nan_to_num(reach[column]))[:most])
    return [column for column in columns if column in kept]


def _inner_range(values: Array) -> Array:
    return np.asarray(np.quantile(values, np.linspace(0.05, 0.95, 9)))


def _axis(design: Design, rows: Table, column: str, n_points: int) -> Axis:
    known = {factor.column: factor for factor in factors(design.terms, rows)}
    own, between = known.get(column), False
    points: tuple[Value, ...]
    if own is None:
        points, between = _points(rows.numbers[column], n_points)
    else:
        points = own.labels
    beside = _beside(design, column, known, of_levels=own is not None)
    if beside is None:
        return Axis(column, points, between=between)
    other = known.get(beside)
    if other is None:
        return Axis(column, points, beside, _around_mean(rows.numbers[beside]), 3, between)
    return Axis(column, points, beside, _most_frequent(other), len(other.labels), between)


def _points(values: Array, most: int) -> tuple[tuple[Value, ...], bool]:
    """Return points of a column, and whether it has values between them."""
    own = np.unique(values)
    few = len(own) <= FEW_VALUES
    return tuple((own if few else np.linspace(own[0], own[-1], most)).tolist()), not few


def _beside(design: Design, column: str, known: dict[str, Factor], *, of_levels: bool) -> str | None:
    """Return what a term multiplies a column with: a predictor of levels if any, else, of a number, a number."""
    found: list[str] = []
    for term in design.terms:
        if any(column in atom.columns and is_factor(atom) == of_levels for atom in term.atoms):
            found += [other for atom in term.atoms for other in atom.columns if other != column]
    levels = [other for other in found if other in known]
    numbers = [] if of_levels else [other for other in found if other not in known]
    return next(iter((*levels, *numbers)), None)


def _around_mean(values: Array) -> tuple[float, ...]:
    """Return mean and an sd to either side, to three digits of the sd."""
    mean, sd = float(moments.mean(values)), float(moments.sd(values))
    places = 2 - int(np.floor(np.log10(sd))) if sd > 0 else 0
    return tuple(round(mean + step * sd, places) for step in (-1, 0, 1))


def _most_frequent(factor: Factor) -> tuple[str, ...]:
    """Return the levels, those with most rows where they are many, in their order."""
    counts = np.bincount(factor.codes, minlength=len(factor.labels))
    kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_BESIDE])
    return tuple(factor.labels[at] for at in kept)
