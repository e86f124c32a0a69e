"""What lines.png runs along, where its lines pass, and the sentence on what it shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.along import Moved
from hierfit.design.axes import Factor, factor_beside, number_axes
from hierfit.design.design import Design, Group
from hierfit.model.families import Support
from hierfit.posterior.digits import decimals, format_number
from hierfit.posterior.lines import Course, Courses, alone, by_level, course, population_at
from hierfit.posterior.plots.material import SEED, Material, interval_text
from hierfit.posterior.predict import population_part
from hierfit.posterior.scale import expected_words, link_of, ratio_words, shown_outcome, support_of
from hierfit.posterior.words import counted, elided, in_single

Array = NDArray[np.float64]
FEW_VALUES, SPREAD = 12, 0.12
BAND = 0.08
GRID_POINTS = 40
MOST_COURSES, MOST_SAID, NAME_WIDTH = 6, 3, 18
LEAST_BEND = 1e-6  # of a column's range, from one point to the next


@dataclass(frozen=True)
class Lines:
    """What the lines run along.

    Attributes:
        column: the predictor on the x axis.
        x: its values [N].
        grid: points along the column [G].
        courses: where the lines of the population and of the levels of one factor pass.
        by: the predictor by whose levels the courses differ; None where there is one course.
    """

    column: str
    x: Array
    grid: Array
    courses: Courses
    by: Factor | None = None

    @property
    def group(self) -> Group:
        """The grouping factor whose lines are drawn."""
        return self.courses.group

    @cached_property
    def shown_x(self) -> Array:
        """Where the points are drawn [N]: columns of few values are spread a little, so that points do not pile up."""
        values = np.unique(self.x)
        if not 1 < len(values) <= FEW_VALUES:
            return self.x
        reach = SPREAD * np.diff(values).min()
        return self.x + np.random.default_rng(SEED).uniform(-reach, reach, len(self.x))

    @property
    def moving(self) -> Moved:
        """The varying columns of the factor along the first course."""
        return self.courses.each[0].Z[self.group.factor]

    @property
    def slope_varies(self) -> bool:
        """Whether the levels differ in what is drawn beyond its height."""
        return bool(self.moving.moves.any())

    @property
    def slope(self) -> str | None:
        """The varying coefficient that is the slope of a level's line; None where none or several make it."""
        (places,) = np.nonzero(self.moving.moves)
        return self.group.terms[places[0]] if len(places) == 1 else None

    @property
    def holds_others(self) -> bool:
        """Whether there are predictors that do not move."""
        return not all(one.moves.all() for one in self.courses.each)

    @cached_property
    def is_straight(self) -> bool:
        """Whether all columns are straight lines along the predictor, and so is the linear predictor."""
        return all(
            _is_straight(values)
            for one in self.courses.each
            for values in (one.X, *(moved.values for moved in one.Z.values()))
        )

    @property
    def names(self) -> tuple[str, ...]:
        """What tells the courses apart: "sector = Public", "Private"; empty where there is one."""
        if self.by is None:
            return ()
        first, *others = (elided(label, NAME_WIDTH) for label in self.by.labels)
        return (f"{elided(self.by.column, NAME_WIDTH)} = {first}", *others)


def _is_straight(values: Array) -> bool:
    bend = np.abs(np.diff(values, n=2, axis=0)).max(axis=0, initial=0.0)
    rounding = 8 * np.finfo(np.float64).eps * np.abs(values).max(axis=0, initial=0.0)
    return bool((bend <= LEAST_BEND * np.ptp(values, axis=0) + rounding).all())


def lines_along(material: Material, *, by_levels: bool = True) -> Lines | None:
    """Return what lines.png runs along: the first varying slope, else the strongest predictor; None without any.

    `by_levels` says whether there is a line for each level of a factor that the predictor is multiplied with.
    """
    design = material.design
    axes = number_axes(design.terms)
    groups = design.of_mean.groups
    if not axes or not groups or design.inputs is None:
        return None
    varying = [(name, group) for group in groups for name in number_axes(group.slopes) if name in axes]
    if varying:
        column, group = varying[0]
    else:
        column = max(axes, key=lambda name: _strength(material, name))
        group = next((group for group in groups if group.rows_per_level.max() > 1), groups[0])
    x = design.inputs.numbers[column]
    by = factor_beside(column, design.terms, design.inputs) if by_levels else None
    by = by if by is not None and len(by.labels) <= MOST_COURSES else None
    grid = np.linspace(x.min(), x.max(), GRID_POINTS)
    return Lines(column, x, grid, courses_along(design, group, column, grid, by), by)


def courses_along(design: Design, group: Group, column: str, grid: Array, by: Factor | None) -> Courses:
    """Return the courses along a predictor, one for each level of another where there is one."""
    if by is None:
        return alone(group, course(design, {column: grid}))
    each = [course(design, {column: grid, **by.at(level, len(grid))}) for level in range(len(by.labels))]
    return by_level(group, each, by.codes)


def _strength(material: Material, column: str) -> float:
    """Return the sd over the rows of what a predictor adds to the linear predictor, about."""
    design = material.design
    assert design.inputs is not None
    at = np.quantile(design.inputs.numbers[column], np.linspace(0, 1, GRID_POINTS))
    b = [float(material.draws.of(name).mean()) for name in design.coefficients]
    return float(np.nan_to_num(moments.sd(course(design, {column: at}).X @ b)))


def title(material: Material, lines: Lines) -> str:
    """Return what a unit of the predictor does to the outcome, and how much that varies."""
    design, ratio = material.design, ratio_words(material.design)
    products = lines.by is None and lines.courses.each[0].moves.sum() > 1
    if products or not lines.is_straight or (ratio is None and design.link != "identity"):
        return _from_end_to_end(material, lines)
    slopes = [_slope(material, lines, one) for one in lines.courses.each]
    if lines.by is not None:
        words = f"{ratio[0].upper()}{ratio[1:]}" if ratio else f"{design.response} changes by"
        texts = [interval_text(np.exp(slope) if ratio else slope) for slope in slopes]
        return f"{words} " + _listed(
            f"{text}{f' per unit of {lines.column}' if at == 0 else ''} for {name}"
            for at, (text, name) in enumerate(zip(texts, lines.names, strict=True))
        )
    (slope,) = slopes
    rises = slope.mean() > 0
    if ratio:
        start = f"{ratio[0].upper()}{ratio[1:]} {interval_text(np.exp(slope))} per unit of {lines.column}"
    else:
        signed = interval_text(slope if rises else -slope)
        start = f"{design.response} {'rises' if rises else 'falls'} by {signed} per unit of {lines.column}"
    if not lines.slope_varies:
        return f"{start}, the same for all {counted(lines.group.n_levels, lines.group.factor)}"
    effects = material.draws.effects_of(lines.group).mean(axis=(0, 1))
    means = slope.mean() + effects @ _per_unit(lines.moving.values, lines)
    turned = np.exp(means) if ratio else means if rises else -means
    places = decimals(float((np.exp(slope) if ratio else slope).std()))
    low, high = format_number(float(turned.min()), places), format_number(float(turned.max()), places)
    return f"{start}; in {in_single(lines.group.factor)} by {low} to {high}"


def _slope(material: Material, lines: Lines, one: Course) -> Array:
    """Return what a unit of the predictor adds to the population's linear predictor [S], where that is straight."""
    every = np.arange(material.draws.n_chains * material.draws.n_draws)
    return np.asarray(population_part(material.draws, material.design, every).b @ _per_unit(one.X, lines))


def _per_unit(values: Array, lines: Lines) -> Array:
    """Return how columns [G, K] rise for each unit of the predictor, where they are straight [K]."""
    return np.asarray((values[-1] - values[0]) / (lines.grid[-1] - lines.grid[0]))


def _from_end_to_end(material: Material, lines: Lines) -> str:
    """What is expected at both ends of the predictor, where no one number says what a unit of it does."""
    every = np.arange(material.draws.n_chains * material.draws.n_draws)
    each = [population_at(material.draws, material.design, one, every) for one in lines.courses.each]
    ends = [[interval_text(heights[:, end]) for end in (0, -1)] for heights in each]
    (low, high), words = (f"{x:.3g}" for x in lines.grid[[0, -1]]), expected_words(material.design)
    if lines.by is None:
        ((first, last),) = ends
        return f"{words} is {first} at {lines.column} = {low} and {last} at {lines.column} = {high}"
    said = [f"{first} and {last} for {name}" for (first, last), name in zip(ends, lines.names, strict=True)]
    return f"{words} at {lines.column} = {low} and {high}: {_listed(said)}"


def _listed(parts: Iterable[str]) -> str:
    """Join what is said of several courses; of many, of the first."""
    first, *others = parts
    shown = [first, *others[: MOST_SAID - 1]]
    return "; ".join(shown) + (f" and {len(others) + 1 - MOST_SAID} more" if len(others) >= MOST_SAID else "")


def is_straight(material: Material, lines: Lines) -> bool:
    """Return whether the lines that are drawn are straight ones."""
    return link_of(material.design) == "identity" and lines.is_straight


def own_curves(material: Material, lines: Lines, levels: NDArray[np.int64], heights: Array) -> Array:
    """Return the line of each level, heights [L, G], within the range of its own data [L, points, 2 coordinates]."""
    ends = [0, -1] if is_straight(material, lines) else slice(None)
    return within_own_data(lines, levels, lines.grid[ends], heights[:, ends])


def within_own_data(lines: Lines, levels: NDArray[np.int64], ends: Array, heights: Array) -> Array:
    """Cut lines of levels, heights [L, G] at `ends` [G], to the range of their data [L, points, 2 coordinates]."""
    low, high = np.full(lines.group.n_levels, np.inf), np.full(lines.group.n_levels, -np.inf)
    np.minimum.at(low, lines.group.codes, lines.x)
    np.maximum.at(high, lines.group.codes, lines.x)
    share = np.linspace(0, 1, len(ends))
    x = low[levels, None] * (1 - share) + high[levels, None] * share
    at = np.clip((x - ends[0]) / (ends[-1] - ends[0] or 1.0) * (len(ends) - 1), 0, len(ends) - 1)
    left = np.minimum(at.astype(np.int64), len(ends) - 2)
    across = np.take_along_axis(heights, left, 1)
    slope = np.take_along_axis(heights, left + 1, 1) - across
    return np.stack([x, across + slope * (at - left)], axis=2)


def steepness(heights: Array, lines: Lines) -> Array:
    """Return what the levels are ordered by: how far their lines [L, G] rise where slopes vary, else their height."""
    slopes = lines.slope_varies or lines.by is not None
    return np.nan_to_num(heights[:, -1] - heights[:, 0] if slopes else heights[:, heights.shape[1] // 2])


def shown_points(material: Material) -> Array:
    """Return where the outcomes are drawn [N]: those of two values in a band beyond either value."""
    y = shown_outcome(material.design)
    if support_of(material.design) is not Support.BINARY:
        return y
    reach = material.rng.uniform(BAND / 4, BAND, len(y))
    return np.where(y == 0, -reach, 1 + reach)
