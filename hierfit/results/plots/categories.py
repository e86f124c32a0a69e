"""lines.png where no predictor is a number: the expected outcome by category, of the population and of the levels.

The reference category comes first, as the formula leaves it out, unless the user stated an order; the other predictors
stay at their means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.model.design import Design, Group
from hierfit.model.families import Support
from hierfit.results.columns import base, is_category, moving_over
from hierfit.results.plots.course import BAND, shown_points
from hierfit.results.plots.material import INTERVAL, Material, Plate, interval_text
from hierfit.results.plots.style import DATA, GROUP, POPULATION, RASTERIZE_FROM, entitle, new_figure, styled
from hierfit.results.predict import Course, course_through, group_at, named_columns, pick_draws, population_at
from hierfit.results.scale import expected_words, outcome_words, support_of
from hierfit.results.words import elided

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
REFERENCE = "reference"
POPULATION_DRAWS = 1_000
SAMPLED_LEVELS = 100
MOST_POINTS = 5_000
SPREAD = 0.18
LABEL_WIDTH = 18


@dataclass(frozen=True)
class Categories:
    """One categorical predictor.

    Attributes:
        variable: its name.
        labels: its C categories, in the stated order or the reference first.
        codes: category of each row [N].
        course: the points that the categories are in the design.
    """

    variable: str
    labels: tuple[str, ...]
    codes: NDArray[np.int64]
    course: Course


def categories_along(material: Material) -> Categories | None:
    """Return the first categorical predictor, None without any or without groups."""
    design = material.design
    named = dict(zip(design.coefficients, design.X.T, strict=True))
    of_rows = [name for name, column in named.items() if is_category(name, column)]
    if not of_rows or not design.groups:
        return None
    variable = base(of_rows[0])
    names = [name for name in of_rows if base(name) == variable]
    indicators = np.column_stack([named[name] for name in names])
    column = variable[2:-1] if variable.startswith("C(") else variable
    codes = (indicators @ np.arange(1, len(names) + 1)).astype(np.int64)
    complete = bool((indicators.sum(axis=1) == 1).all())  # without an intercept there is no reference
    labels = [design.references.get(column, REFERENCE), *(name[len(variable) + 1 : -1] for name in names)][complete:]
    order = _stated_order(labels, design.levels.get(column, ()))
    moving = {name: values[complete:][order] for name, values in moving_over(named_columns(design), names).items()}
    course = course_through(design, moving)
    return Categories(variable, tuple(labels[i] for i in order), np.argsort(order)[codes - complete], course)


def _stated_order(labels: Sequence[str], stated: Sequence[str]) -> NDArray[np.int64]:
    """Return the positions of the labels in the stated order; as they are where none was stated."""
    complete = sorted(labels) == sorted(stated)
    return np.array([labels.index(level) for level in stated] if complete else range(len(labels)), dtype=np.int64)


@styled
def draw_categories(material: Material) -> Plate:
    """Draw the expected outcome by category."""
    categories = categories_along(material)
    assert categories is not None, "applies only where there is a categorical predictor and a group"
    design, group = material.design, group_of(material.design, categories)
    figure = new_figure()
    ax = figure.subplots()
    _draw_points(ax, material, categories)
    shown = _draw_levels(ax, material, categories, group)
    picks = pick_draws(material.draws, POPULATION_DRAWS, material.rng)
    drawn = population_at(material.draws, design, categories.course, picks)
    at = np.arange(len(categories.labels))
    low, lower, middle, upper, high = np.quantile(drawn, (INTERVAL[0], 0.25, 0.5, 0.75, INTERVAL[1]), axis=0)
    ax.vlines(at, low, high, color=POPULATION, linewidth=1.6, zorder=4)
    ax.vlines(at, lower, upper, color=POPULATION, linewidth=5, zorder=4)
    ax.plot(at, middle, "o", color=POPULATION, markersize=7, markeredgecolor="white", zorder=5)
    ax.set_xticks(at, [elided(label, LABEL_WIDTH) for label in categories.labels])
    ax.set_xlim(-0.5, len(at) - 0.5)
    ax.set_xlabel(elided(categories.variable, LABEL_WIDTH))
    ax.set_ylabel(elided(outcome_words(design), 2 * LABEL_WIDTH))
    ends = [int(np.argmin(middle)), int(np.argmax(middle))]
    said = [f"{interval_text(drawn[:, end])} for {categories.labels[end]}" for end in ends]
    title = material.finding(f"{expected_words(design)} by {categories.variable}: from {said[0]} to {said[1]}")
    blue = "blue: population, thick 50 %, thin 95 % · other predictors at their mean"
    entitle(figure, title, f"orange: {shown} · {blue}")
    return Plate(figure, f"{design.response} by {categories.variable}. {title}.")


def group_of(design: Design, categories: Categories) -> Group:
    """Return the factor in which the predictor varies, else the first."""
    varying = (group for group in design.groups if any(term in categories.course.moving for term in group.terms))
    return next(varying, design.groups[0])


def _draw_levels(ax: Axes, material: Material, categories: Categories, group: Group) -> str:
    from matplotlib.collections import LineCollection

    levels = np.arange(group.n_levels)
    if len(levels) > SAMPLED_LEVELS:
        levels = np.sort(material.rng.choice(levels, SAMPLED_LEVELS, replace=False))
    heights = group_at(material.draws, material.design, group, categories.course, levels)[0]
    at = np.broadcast_to(np.arange(len(categories.labels)), heights.shape)
    lines = LineCollection(list(np.stack([at, heights], axis=2)), colors=GROUP, linewidths=0.9, alpha=0.5, zorder=2)
    ax.add_collection(lines)
    which = f"{len(levels)} of {group.n_levels:,}" if len(levels) < group.n_levels else f"{group.n_levels:,}"
    return f"{which} {elided(group.factor, LABEL_WIDTH)} means"


def _draw_points(ax: Axes, material: Material, categories: Categories) -> None:
    rng, y = material.rng, shown_points(material)
    rows = np.sort(rng.choice(len(y), min(len(y), MOST_POINTS), replace=False))
    x = categories.codes[rows] + rng.uniform(-SPREAD, SPREAD, len(rows))
    alpha = float(np.clip(300 / len(rows), 0.15, 0.6))
    ax.scatter(x, y[rows], s=9, c=DATA, alpha=alpha, linewidths=0, zorder=1, rasterized=len(rows) > RASTERIZE_FROM)
    if support_of(material.design) is Support.BINARY:
        ax.set_ylim(-1.6 * BAND, 1 + 1.6 * BAND)
