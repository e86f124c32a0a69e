"""lines.png for ordered categories: the probability of each along a predictor, of the population and of the levels.

One panel for each category, so that nothing is said of how far apart they are; of many, `MOST_PANELS` evenly spaced.
The predictor is the one that `course` and `categories` choose: a number, else a text column. White circles are observed
proportions: of rows with about that value of the predictor, or in that of its categories.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.design.axes import Factor
from hierfit.design.design import Group
from hierfit.posterior.lines import Course, Courses, group_shares, population_shares
from hierfit.posterior.plots.categories import categories_along
from hierfit.posterior.plots.course import Lines, courses_along, lines_along, within_own_data
from hierfit.posterior.plots.course_words import ends_words, title, usual_ends
from hierfit.posterior.plots.line_parts import BINNED_FROM, draw_proportions, draw_ribbons
from hierfit.posterior.plots.lines import FACET_CHARACTERS, RIBBON_DRAWS
from hierfit.posterior.plots.material import INTERVAL, Material, Plate, evenly, interval_text
from hierfit.posterior.plots.ppc_discrete import label_categories
from hierfit.posterior.plots.style import GROUP, POPULATION, TRUTH, entitle, grid_of, new_figure, styled, wrapped
from hierfit.posterior.predict import pick_draws
from hierfit.posterior.scale import ratio_words
from hierfit.posterior.words import elided

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
MOST_PANELS, PANEL_COLUMNS = 12, 4
FEW_LEVELS, FAINT_FROM, SAMPLED_LEVELS = 12, 60, 100
PANEL_HEIGHT, LEAST_HEIGHT = 2.0, 3.8
LABEL_WIDTH = 28


@dataclass(frozen=True)
class Axis:
    """What the panels run along.

    Attributes:
        name: the predictor.
        at: points on the x axis [G].
        courses: the same points in the design, for the population and the levels of one factor.
        lines: the numeric predictor, or None.
        factor: the predictor of levels, or None.
    """

    name: str
    at: Array
    courses: Courses
    lines: Lines | None = None
    factor: Factor | None = None

    @property
    def group(self) -> Group:
        """The factor whose levels are drawn."""
        return self.courses.group

    @property
    def course(self) -> Course:
        """The points of the population's line."""
        return self.courses.each[0]


def axis_along(material: Material) -> Axis:
    """Return the numeric predictor that lines run along, or else the first predictor of levels.

    One line in each panel: other predictors stay at their mean, those that it is multiplied with too.
    """
    lines = lines_along(material, by_levels=False)
    if lines is not None:
        return Axis(lines.column, lines.grid, lines.courses, lines=lines)
    categories = categories_along(material)
    assert categories is not None, "applies only where there is a predictor and a group"
    factor = categories.factor
    return Axis(factor.column, np.arange(len(factor.labels), dtype=np.float64), categories.courses, factor=factor)


@styled
def draw_ordered(material: Material) -> Plate:
    """Draw the probability of every category."""
    design, axis = material.design, axis_along(material)
    picks = pick_draws(material.draws, RIBBON_DRAWS, material.rng)
    population = population_shares(material.draws, design, axis.course, picks)
    levels = _drawn_levels(material, axis)
    of_levels = group_shares(material.draws, design, axis.courses, levels)
    shown = evenly(range(len(design.categories)), MOST_PANELS)
    down, across = grid_of(len(shown), PANEL_COLUMNS)
    figure = new_figure(max(LEAST_HEIGHT, PANEL_HEIGHT * down + 1.0))
    axes = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
    for ax, code in zip(axes, shown, strict=False):
        _draw_levels(ax, axis, levels, of_levels[code])
        if axis.lines:
            draw_ribbons(ax, axis.at, population[code], POPULATION)
        else:
            _draw_bars(ax, axis.at, population[code])
        _draw_observed(ax, axis, design.y == code)
        rows = int((design.y == code).sum())
        room = int(7.0 / across * FACET_CHARACTERS)
        ax.set_title(wrapped(design.categories[code], room, last=f"({rows:,} rows)"), loc="left")
        if axis.factor:
            label_categories(ax, axis.factor.labels)
    for ax in axes[len(shown) :]:
        ax.set_visible(False)
    for ax in axes[max(0, len(shown) - across) : len(shown)]:
        ax.tick_params(labelbottom=True)
    seen = [float(np.max(line.get_ydata())) for ax in axes for line in ax.lines]  # medians and observed proportions
    top = min(1.0, 1.08 * max(*seen, of_levels[shown].max(initial=0.0)))
    axes[0].set_ylim(-0.02 * top, 1.02 * top)
    figure.supxlabel(elided(axis.name, LABEL_WIDTH), fontsize=8.5)
    figure.supylabel(f"P({elided(design.response, LABEL_WIDTH)} = category)", fontsize=8.5)
    said = material.finding(_title(material, axis))
    entitle(figure, said, _note(material, axis, len(levels), len(shown)))
    return Plate(figure, f"Probability of each category of {design.response} against {axis.name}. {said}.")


def _drawn_levels(material: Material, axis: Axis) -> NDArray[np.int64]:
    """At most `SAMPLED_LEVELS` levels; none where every row is one, whose line would be a point."""
    levels = np.arange(axis.group.n_levels)
    if axis.lines and axis.group.rows_per_level.max() == 1:
        return levels[:0]
    return levels if len(levels) <= SAMPLED_LEVELS else np.sort(material.rng.choice(levels, SAMPLED_LEVELS, False))


def _draw_levels(ax: Axes, axis: Axis, levels: NDArray[np.int64], heights: Array) -> None:
    from matplotlib.collections import LineCollection

    if axis.lines:
        segments = within_own_data(axis.lines, levels, axis.at, heights)
    else:
        segments = np.stack([np.broadcast_to(axis.at, heights.shape), heights], axis=2)
    few = len(levels) <= FEW_LEVELS  # above the ribbon, which would hide the little there is
    alpha = 0.95 if few else 0.55 if len(levels) <= FAINT_FROM else 0.3
    width, order = (1.6, 5) if few else (0.9, 2)
    ax.add_collection(LineCollection(list(segments), colors=GROUP, linewidths=width, alpha=alpha, zorder=order))


def _draw_bars(ax: Axes, at: Array, drawn: Array) -> None:
    low, lower, middle, upper, high = np.quantile(drawn, (INTERVAL[0], 0.25, 0.5, 0.75, INTERVAL[1]), axis=0)
    ax.vlines(at, low, high, color=POPULATION, linewidth=1.4, zorder=4)
    ax.vlines(at, lower, upper, color=POPULATION, linewidth=4, zorder=4)
    ax.plot(at, middle, "o", color=POPULATION, markersize=6, markeredgecolor="white", zorder=5)


def _draw_observed(ax: Axes, axis: Axis, is_category: NDArray[np.bool_]) -> None:
    if axis.lines:
        if len(is_category) > BINNED_FROM:
            draw_proportions(ax, axis.lines.x, is_category.astype(np.float64))
        return
    assert axis.factor is not None
    counts = np.bincount(axis.factor.codes, minlength=len(axis.at))
    share = np.bincount(axis.factor.codes, weights=is_category, minlength=len(axis.at)) / np.maximum(counts, 1)
    used = counts > 0
    ax.plot(axis.at[used] + 0.16, share[used], "o", color="white", markeredgecolor=TRUTH, markersize=5, zorder=5)


def _title(material: Material, axis: Axis) -> str:
    """What the predictor does to the odds of a higher category, or to the probability of the highest one."""
    design = material.design
    if axis.lines and axis.lines.is_straight and axis.course.moves.sum() == 1 and ratio_words(design):
        return title(material, axis.lines)
    every = np.arange(material.draws.n_chains * material.draws.n_draws)
    subject = f"P({design.response} = {design.categories[-1]})"
    if axis.lines:
        courses = courses_along(design, axis.group, axis.name, usual_ends(axis.lines.x), None)
        ends = population_shares(material.draws, design, courses.each[0], every)[-1]
        first, last = (interval_text(ends[:, i]) for i in (0, 1))
        return f"{subject} is {first} and {last} at {axis.name} = {ends_words(axis.lines.x)}"
    ends = population_shares(material.draws, design, axis.course, every)[-1]
    assert axis.factor is not None
    middle = np.median(ends, axis=0)
    first, last = (
        f"{interval_text(ends[:, i])} for {axis.factor.labels[i]}" for i in (middle.argmin(), middle.argmax())
    )
    return f"{subject} by {axis.name}: from {first} to {last}"


def _note(material: Material, axis: Axis, n_levels: int, n_panels: int) -> str:
    factor, design = elided(axis.group.factor, LABEL_WIDTH), material.design
    which = f"{n_levels} of {axis.group.n_levels:,}" if n_levels < axis.group.n_levels else f"{n_levels:,}"
    parts = [f"orange: {which} {factor} lines"] * bool(n_levels)
    parts.append(f"blue: typical {factor}, 50{', 80' if axis.lines else ' and'}{',' * bool(axis.lines)} 95 %")
    if not axis.lines or design.n_rows > BINNED_FROM:
        parts.append("circles: observed proportions")
    if not axis.course.moves.all():
        parts.append("other predictors at their mean")
    if n_panels < len(design.categories):
        parts.append(f"{n_panels} of {len(design.categories)} categories")
    return " · ".join(parts)
