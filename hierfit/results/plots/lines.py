"""lines.png: the regression lines of the groups over the data, with the population's line and its ribbon.

Up to 12 levels: one panel each. Up to 60: all lines, three of them named. Up to 300: 100 of them. Beyond: the data's
density under the population's line, and beside it the joint density of the levels' coefficients. Lines end where the
level's data end; the other predictors stay at their means. Where every row is a level of its own: 5 random rows, each
its point and 100 lines of the posterior.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.model.design import Group
from hierfit.model.formula import INTERCEPT
from hierfit.results.digits import decimals, format_number
from hierfit.results.group_summary import population_values
from hierfit.results.plots.material import SEED, Material, Plate, evenly, interval_text
from hierfit.results.plots.style import (
    CHAINS,
    DATA,
    GROUP,
    HEIGHT,
    POPULATION,
    RASTERIZE_FROM,
    TRUTH,
    entitle,
    grid_of,
    halo,
    new_figure,
    styled,
)
from hierfit.results.predict import Along, group_lines, pick_draws, population_lines
from hierfit.results.words import counted, elided, in_single, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
FACETS_TO, SPAGHETTI_TO, SAMPLED_TO = 12, 60, 300
SAMPLED_LINES = 100
RIBBON_DRAWS = 400
ONE_ROW_LEVELS = 5
ONE_ROW_LINES = 100
HEXBIN_FROM = 5_000
FEW_VALUES, SPREAD = 12, 0.12
GRID_POINTS = 40
LABEL_WIDTH = 28
RIBBONS = ((0.95, 0.14), (0.8, 0.2), (0.5, 0.28))


@dataclass(frozen=True)
class Lines:
    """What the lines run along.

    Attributes:
        column: the predictor on the x axis.
        x: its values [N].
        group: the grouping factor whose lines are drawn.
        grid: points along the column.
    """

    column: str
    x: Array
    group: Group
    grid: Array

    @cached_property
    def shown_x(self) -> Array:
        """Where the points are drawn [N]: columns of few values are spread a little, so that points do not pile up."""
        values = np.unique(self.x)
        if not 1 < len(values) <= FEW_VALUES:
            return self.x
        reach = SPREAD * np.diff(values).min()
        return self.x + np.random.default_rng(SEED).uniform(-reach, reach, len(self.x))

    @property
    def slope_varies(self) -> bool:
        """Whether the levels differ in the slope that is drawn."""
        return self.column in self.group.terms


def lines_along(material: Material) -> Lines | None:
    """Return what lines.png runs along: the first varying slope, else the strongest predictor; None without any."""
    design = material.design
    if not design.coefficients or not design.groups:
        return None
    varying = [(term, group) for group in design.groups for term in group.terms if term in design.coefficients]
    if varying:
        column, group = varying[0]
    else:
        means = [np.abs(material.draws.of(name).mean()) for name in design.coefficients]
        column = design.coefficients[int(np.argmax(np.array(means) * design.X.std(axis=0)))]
        group = design.groups[0]
    x = design.X[:, design.coefficients.index(column)]
    return Lines(column, x, group, np.linspace(x.min(), x.max(), GRID_POINTS))


@styled
def draw_lines(material: Material) -> Plate:
    """Draw the lines of the population and of the levels of one factor over the data."""
    lines = lines_along(material)
    assert lines is not None, "applies only where there is a predictor and a group"
    n_levels = lines.group.n_levels
    if lines.group.rows_per_level.max() == 1:
        figure, note = _draw_one_row_each(material, lines)
    elif n_levels <= FACETS_TO:
        figure, note = _draw_facets(material, lines)
    elif n_levels <= SAMPLED_TO:
        figure, note = _draw_spaghetti(material, lines)
    else:
        figure, note = _draw_densities(material, lines)
    title = _title(material, lines)
    others = len(material.design.coefficients) > 1
    entitle(figure, title, note + (" · other predictors at their mean" if others else ""))
    return Plate(figure, f"{material.design.response} against {lines.column}, with fitted lines. {title}.")


def _title(material: Material, lines: Lines) -> str:
    slope = material.draws.of(lines.column).ravel()
    verb = "rises" if slope.mean() > 0 else "falls"
    shown = interval_text(slope if slope.mean() > 0 else -slope)
    start = f"{material.design.response} {verb} by {shown} per unit of {lines.column}"
    if not lines.slope_varies:
        return f"{start}, the same for all {counted(lines.group.n_levels, lines.group.factor)}"
    index = lines.group.terms.index(lines.column)
    means = slope.mean() + material.draws.effects[lines.group.factor][..., index].mean(axis=(0, 1))
    places = decimals(float(slope.std()))
    turned = means if slope.mean() > 0 else -means
    low, high = format_number(float(turned.min()), places), format_number(float(turned.max()), places)
    return f"{start}; in {in_single(lines.group.factor)} by {low} to {high}"


def _own_segments(material: Material, lines: Lines, levels: NDArray[np.int64]) -> Array:
    """Ends of the mean line of each level, within the range of its own data [L, 2 ends, 2 coordinates]."""
    ends = np.array([lines.grid[0], lines.grid[-1]])
    heights = group_lines(material.draws, material.design, Along(lines.column, lines.group, ends), levels)[0]
    slope = (heights[:, 1] - heights[:, 0]) / (ends[1] - ends[0] or 1.0)
    low, high = np.full(lines.group.n_levels, np.inf), np.full(lines.group.n_levels, -np.inf)
    np.minimum.at(low, lines.group.codes, lines.x)
    np.maximum.at(high, lines.group.codes, lines.x)
    x = np.stack([low[levels], high[levels]], axis=1)
    return np.stack([x, heights[:, :1] + slope[:, None] * (x - ends[0])], axis=2)


def _draw_population(ax: Axes, material: Material, lines: Lines) -> None:
    picks = pick_draws(material.draws, RIBBON_DRAWS, material.rng)
    drawn = population_lines(material.draws, material.design, lines.column, lines.grid, picks)
    for mass, alpha in RIBBONS:
        low, high = np.quantile(drawn, ((1 - mass) / 2, (1 + mass) / 2), axis=0)
        ax.fill_between(lines.grid, low, high, color=POPULATION, alpha=alpha, linewidth=0, zorder=3)
    ax.plot(lines.grid, np.median(drawn, axis=0), color=POPULATION, linewidth=2, zorder=4)


def _draw_data(ax: Axes, material: Material, lines: Lines) -> None:
    y, n_rows = material.design.y, material.design.n_rows
    if n_rows > HEXBIN_FROM:
        ax.hexbin(lines.shown_x, y, gridsize=45, cmap="Greys", mincnt=1, bins="log", linewidths=0, vmin=0.5, alpha=0.55)
        return
    size = float(np.clip(6_000 / n_rows, 3, 16))
    alpha = float(np.clip(300 / n_rows, 0.25, 0.7))
    rasterize = n_rows > RASTERIZE_FROM
    ax.scatter(lines.shown_x, y, s=size, c=DATA, alpha=alpha, linewidths=0, rasterized=rasterize, zorder=1)


def _name_axes(ax: Axes, material: Material, lines: Lines) -> None:
    ax.set_xlabel(elided(lines.column, LABEL_WIDTH))
    ax.set_ylabel(elided(material.design.response, LABEL_WIDTH))


def _draw_facets(material: Material, lines: Lines) -> tuple[Figure, str]:
    group = lines.group
    down, across = grid_of(group.n_levels, 4 if group.n_levels > 6 else 3)
    figure = new_figure(max(HEIGHT, 1.9 * down + 1.0))
    axes = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    picks = pick_draws(material.draws, RIBBON_DRAWS, material.rng)
    levels = np.arange(group.n_levels)
    every = group_lines(material.draws, material.design, Along(lines.column, group, lines.grid), levels, picks)
    population = population_lines(material.draws, material.design, lines.column, lines.grid, picks)
    for level, ax in zip(levels, axes.ravel(), strict=False):
        rows = group.codes == level
        ax.scatter(lines.shown_x[rows], material.design.y[rows], s=12, c=DATA, alpha=0.75, linewidths=0)
        for mass, alpha in RIBBONS:
            low, high = np.quantile(every[:, level], ((1 - mass) / 2, (1 + mass) / 2), axis=0)
            ax.fill_between(lines.grid, low, high, color=GROUP, alpha=alpha, linewidth=0)
        ax.plot(lines.grid, np.median(every[:, level], axis=0), color=GROUP, linewidth=1.8)
        ax.plot(lines.grid, np.median(population, axis=0), color=POPULATION, linewidth=1.2, linestyle="--")
        ax.set_title(f"{elided(group.labels[level], 20)}  ({rows.sum():,} rows)", loc="left")
    for ax in axes.ravel()[group.n_levels :]:
        ax.set_visible(False)
    for ax in axes.ravel()[max(0, group.n_levels - across) : group.n_levels]:
        ax.tick_params(labelbottom=True)
    figure.supxlabel(elided(lines.column, LABEL_WIDTH), fontsize=8.5)
    figure.supylabel(elided(material.design.response, LABEL_WIDTH), fontsize=8.5)
    return figure, f"orange: each {group.factor} with 50, 80, 95 % ribbon · blue dashed: population"


def _draw_spaghetti(material: Material, lines: Lines) -> tuple[Figure, str]:
    from matplotlib.collections import LineCollection

    group, n_levels = lines.group, lines.group.n_levels
    figure = new_figure()
    ax = figure.subplots()
    _draw_data(ax, material, lines)
    segments = _own_segments(material, lines, np.arange(n_levels))
    many = n_levels > SPAGHETTI_TO
    order = np.argsort(_steepness(segments, lines), kind="stable").tolist()
    shown = sorted(material.rng.choice(n_levels, SAMPLED_LINES, replace=False)) if n_levels > SAMPLED_LINES else order
    alpha, width = (0.3, 0.9) if many else (0.5, 0.9)
    ax.add_collection(LineCollection(list(segments[shown]), colors=GROUP, linewidths=width, alpha=alpha, zorder=2))
    _draw_population(ax, material, lines)
    if not many:
        for level in evenly(order, 3):
            (x0, y0), (x1, y1) = segments[level]
            ax.plot([x0, x1], [y0, y1], color="#B35900", linewidth=1.8, zorder=5)
            ax.annotate(
                elided(group.labels[level], 14), (x1, y1), xytext=(3, 0), textcoords="offset points",
                va="center", fontsize=7.5, color="#B35900", fontweight="bold", zorder=6, path_effects=halo(),
            )  # fmt: skip
    _name_axes(ax, material, lines)
    which = f"{len(shown)} of {n_levels:,}" if len(shown) < n_levels else f"{n_levels:,}"
    named = "" if many else ", the extremes and the middle named"
    return figure, f"orange: {which} {group.factor} lines{named} · blue: population with 50, 80, 95 % ribbon"


def _steepness(segments: Array, lines: Lines) -> Array:
    """What the levels are ordered by: their slope where it varies, else the height of their line at one x."""
    (x0, y0), (x1, y1) = segments[:, 0].T, segments[:, 1].T
    with np.errstate(all="ignore"):
        slope = np.nan_to_num((y1 - y0) / (x1 - x0))
    return np.asarray(slope if lines.slope_varies else y0 - slope * x0)


def _draw_densities(material: Material, lines: Lines) -> tuple[Figure, str]:
    figure = new_figure()
    left, right = figure.subplots(1, 2, width_ratios=[1.35, 1])
    _draw_data(left, material, lines)
    _draw_population(left, material, lines)
    _name_axes(left, material, lines)
    group = lines.group
    means = material.draws.effects[group.factor].mean(axis=(0, 1))
    means = means + population_values(material.draws, group.terms).mean(axis=0)
    if INTERCEPT in group.terms and lines.slope_varies:
        index = group.terms.index(lines.column)
        right.hexbin(means[:, 0], means[:, index], gridsize=30, cmap="Oranges", mincnt=1, linewidths=0)
        right.set_xlabel(f"intercept of {elided(group.factor, LABEL_WIDTH)}")
        right.set_ylabel(f"slope of {elided(lines.column, LABEL_WIDTH)}")
        centre = population_values(material.draws, (INTERCEPT, lines.column)).mean(axis=0)
        right.plot(*centre, "o", color=POPULATION, markersize=7, markeredgecolor="white")
    else:
        right.hist(means[:, 0], bins=60, color=GROUP, alpha=0.8)
        name = "intercept" if group.terms[0] == INTERCEPT else f"slope of {group.terms[0]}"
        right.set_xlabel(f"{name} of {elided(group.factor, LABEL_WIDTH)}")
        right.set_ylabel("levels")
        right.axvline(population_values(material.draws, group.terms)[:, 0].mean(), color=POPULATION, linewidth=2)
    return figure, f"left: data and population · right: posterior means of {counted(group.n_levels, group.factor)}"


def _draw_one_row_each(material: Material, lines: Lines) -> tuple[Figure, str]:
    """Five random rows, each with its data point and 100 posterior lines, over all points."""
    from matplotlib.collections import LineCollection

    group, rng = lines.group, material.rng
    figure = new_figure()
    ax = figure.subplots()
    ax.scatter(lines.x, material.design.y, s=10, c=DATA, alpha=0.6, linewidths=0, zorder=1)
    chosen = np.sort(rng.choice(group.n_levels, min(ONE_ROW_LEVELS, group.n_levels), replace=False))
    picks = pick_draws(material.draws, ONE_ROW_LINES, rng)
    grid = np.array([min(0.0, lines.x.min()), lines.x.max()])
    drawn = group_lines(material.draws, material.design, Along(lines.column, group, grid), chosen, picks)
    row_of = {int(code): row for row, code in enumerate(group.codes)}
    for order, level in enumerate(chosen):
        colour = CHAINS[(0, 2, 4, 5, 6)[order]]
        segments = [list(zip(grid, line, strict=True)) for line in drawn[:, order]]
        ax.add_collection(LineCollection(segments, colors=colour, linewidths=0.5, alpha=0.12, zorder=2))
        row = row_of[int(level)]
        ax.plot(lines.x[row], material.design.y[row], "o", color=colour, markeredgecolor=TRUTH, markersize=7, zorder=4)
        ax.annotate(
            elided(group.labels[level], 14), (lines.x[row], material.design.y[row]), xytext=(6, -8),
            textcoords="offset points", fontsize=7.5, fontweight="bold", color=colour, zorder=5, path_effects=halo(),
        )  # fmt: skip
    ax.autoscale_view()
    _name_axes(ax, material, lines)
    return (
        figure,
        f"{len(chosen)} random {plural(group.factor)}: the data point and {len(picks)} posterior lines",
    )
