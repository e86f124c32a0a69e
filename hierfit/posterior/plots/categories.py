"""lines.png where no predictor is a number: the expected outcome by category, of the population and of the levels.

The other predictors stay at their means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.design.axes import Factor, factors
from hierfit.model.families import Support
from hierfit.posterior.lines import Course, Courses, alone, course, group_at, population_at
from hierfit.posterior.plots.course import BAND, shown_points
from hierfit.posterior.plots.material import INTERVAL, Material, Plate, interval_text
from hierfit.posterior.plots.style import DATA, GROUP, POPULATION, RASTERIZE_FROM, entitle, new_figure, styled
from hierfit.posterior.predict import pick_draws
from hierfit.posterior.scale import expected_words, outcome_words, support_of
from hierfit.posterior.words import elided

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
POPULATION_DRAWS = 1_000
SAMPLED_LEVELS = 100
MOST_POINTS = 5_000
SPREAD = 0.18
LABEL_WIDTH = 18


@dataclass(frozen=True)
class Categories:
    """One predictor of levels, and where these are in the design.

    Attributes:
        factor: the predictor.
        courses: its levels as points.
    """

    factor: Factor
    courses: Courses

    @property
    def course(self) -> Course:
        """The points."""
        return self.courses.each[0]


def categories_along(material: Material) -> Categories | None:
    """Return the first predictor of levels, or that which the user has chosen; None without it or without groups."""
    design, wanted = material.design, material.choices.column
    groups = design.of_mean.groups
    if not groups or design.inputs is None:
        return None
    known = factors(design.terms, design.inputs)
    factor = next((factor for factor in known if wanted in (None, factor.column)), None)
    if factor is None:
        return None
    points = course(design, factor.setting)
    varying = (group for group in groups if points.Z[group.factor].moves.any())
    return Categories(factor, alone(next(varying, groups[0]), points))


@styled
def draw_categories(material: Material) -> Plate:
    """Draw the expected outcome by category."""
    categories = categories_along(material)
    assert categories is not None, "applies only where there is a categorical predictor and a group"
    design = material.design
    figure = new_figure()
    ax = figure.subplots()
    _draw_points(ax, material, categories)
    shown = _draw_levels(ax, material, categories)
    picks = pick_draws(material.draws, POPULATION_DRAWS, material.rng)
    drawn = population_at(material.draws, design, categories.course, picks)
    at = np.arange(len(categories.factor.labels))
    low, lower, middle, upper, high = np.quantile(drawn, (INTERVAL[0], 0.25, 0.5, 0.75, INTERVAL[1]), axis=0)
    ax.vlines(at, low, high, color=POPULATION, linewidth=1.6, zorder=4)
    ax.vlines(at, lower, upper, color=POPULATION, linewidth=5, zorder=4)
    ax.plot(at, middle, "o", color=POPULATION, markersize=7, markeredgecolor="white", zorder=5)
    ax.set_xticks(at, [elided(label, LABEL_WIDTH) for label in categories.factor.labels])
    ax.set_xlim(-0.5, len(at) - 0.5)
    ax.set_xlabel(elided(categories.factor.column, LABEL_WIDTH))
    ax.set_ylabel(elided(outcome_words(design), 2 * LABEL_WIDTH))
    ends = [int(np.argmin(middle)), int(np.argmax(middle))]
    said = [f"{interval_text(drawn[:, end])} for {categories.factor.labels[end]}" for end in ends]
    title = material.finding(f"{expected_words(design)} by {categories.factor.column}: from {said[0]} to {said[1]}")
    blue = "blue: population, thick 50 %, thin 95 %"
    blue += "" if categories.course.moves.all() else " · other predictors at their mean"
    entitle(figure, title, f"orange: {shown} · {blue}")
    return Plate(figure, f"{design.response} by {categories.factor.column}. {title}.")


def _draw_levels(ax: Axes, material: Material, categories: Categories) -> str:
    from matplotlib.collections import LineCollection

    group = categories.courses.group
    levels = np.arange(group.n_levels)
    if len(levels) > SAMPLED_LEVELS:
        levels = np.sort(material.rng.choice(levels, SAMPLED_LEVELS, replace=False))
    heights = group_at(material.draws, material.design, categories.courses, levels)[0]
    at = np.broadcast_to(np.arange(len(categories.factor.labels)), heights.shape)
    lines = LineCollection(list(np.stack([at, heights], axis=2)), colors=GROUP, linewidths=0.9, alpha=0.5, zorder=2)
    ax.add_collection(lines)
    which = f"{len(levels)} of {group.n_levels:,}" if len(levels) < group.n_levels else f"{group.n_levels:,}"
    return f"{which} {elided(group.factor, LABEL_WIDTH)} means"


def _draw_points(ax: Axes, material: Material, categories: Categories) -> None:
    rng, y = material.rng, shown_points(material)
    rows = np.sort(rng.choice(len(y), min(len(y), MOST_POINTS), replace=False))
    x = categories.factor.codes[rows] + rng.uniform(-SPREAD, SPREAD, len(rows))
    alpha = float(np.clip(300 / len(rows), 0.15, 0.6))
    ax.scatter(x, y[rows], s=9, c=DATA, alpha=alpha, linewidths=0, zorder=1, rasterized=len(rows) > RASTERIZE_FROM)
    if support_of(material.design) is Support.BINARY:
        ax.set_ylim(-1.6 * BAND, 1 + 1.6 * BAND)
