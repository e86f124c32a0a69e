"""What lines.png runs along, where its lines pass, and which levels are lowest and highest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.along import Moved
from hierfit.design.axes import Factor, factor_beside, number_axes
from hierfit.design.design import Design, Group
from hierfit.model.families import Support
from hierfit.posterior.lines import Courses, alone, by_level, course
from hierfit.posterior.plots.material import SEED, Material
from hierfit.posterior.scale import link_of, shown_outcome, support_of
from hierfit.posterior.words import elided

Array = NDArray[np.float64]
FEW_VALUES, SPREAD = 12, 0.12
BAND = 0.08
GRID_POINTS = 40
MOST_COURSES, NAME_WIDTH = 6, 18
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

    Or what the user has chosen; None where that is no column of numbers.

    `by_levels` says whether there is a line for each level of a factor that the predictor is multiplied with.
    """
    return material.once(("lines", by_levels), lambda: _lines_along(material, by_levels=by_levels))


def _lines_along(material: Material, *, by_levels: bool) -> Lines | None:
    design = material.design
    axes = number_axes(design.terms)
    groups = design.of_mean.groups
    if not axes or not groups or design.inputs is None:
        return None
    wanted = material.choices.column
    if wanted is not None and wanted not in axes:
        return None
    varying = [(name, group) for group in groups for name in number_axes(group.slopes) if name in axes]
    varying = [(name, group) for name, group in varying if wanted in (None, name)]
    if varying:
        column, group = varying[0]
    else:
        column = wanted or max(axes, key=lambda name: _strength(material, name))
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


def rank_of_lines(material: Material, lines: Lines, heights: Array) -> tuple[Array, str]:
    """Return what the lines of levels [L, G] are ordered by [L], and what that is in words.

    Straight lines whose slopes vary by these; all others by their height at the median of the predictor, where the
    data are: a slope between the ends of a curve is one of neither.
    """
    if lines.slope_varies and is_straight(material, lines):
        return heights[:, -1] - heights[:, 0], "slope"
    at = np.median(lines.x)
    share = (at - lines.grid[0]) / (lines.grid[-1] - lines.grid[0] or 1.0)
    return np.nan_to_num(heights[:, round(share * (len(lines.grid) - 1))]), f"line at the median of {lines.column}"


def shown_points(material: Material) -> Array:
    """Return where the outcomes are drawn [N]: those of two values in a band beyond either value."""
    y = shown_outcome(material.design)
    if support_of(material.design) is not Support.BINARY:
        return y
    reach = material.rng.uniform(BAND / 4, BAND, len(y))
    return np.where(y == 0, -reach, 1 + reach)
