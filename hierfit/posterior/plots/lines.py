"""lines.png: the regression lines of the groups over the data, with the population's line and its ribbon.

Up to 12 levels: one panel each. Up to 60: all lines, three of them named. Up to 300: 100 of them. Beyond: the data's
density under the population's line, and beside it the joint density of the levels' coefficients. Lines end where the
level's data end; the other predictors stay at their means. Where every row is a level of its own: 5 random rows, each
its point and 100 lines of the posterior.

Lines are of the expected outcome: curves where the link or a function of the predictor bends them; one for each level
of a text column that the predictor is multiplied with; proportions of successes; probabilities over outcomes of two
values, which are spread a little around 0 and 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.design import Group
from hierfit.model.families import Support
from hierfit.model.grammar import INTERCEPT
from hierfit.posterior.group_summary import population_values
from hierfit.posterior.lines import group_at, population_at, typical_at
from hierfit.posterior.plots.course import (
    Lines,
    courses_along,
    is_straight,
    lines_along,
    own_curves,
    rank_of_lines,
    shown_points,
)
from hierfit.posterior.plots.course_words import title
from hierfit.posterior.plots.line_parts import (
    BINNED_FROM,
    RIBBONS,
    dot_sizes,
    draw_data,
    draw_ribbons,
    fit_height,
    on_root_axis,
)
from hierfit.posterior.plots.material import Material, Plate, evenly
from hierfit.posterior.plots.style import (
    CHAINS,
    DATA,
    GROUP,
    HEIGHT,
    POPULATION,
    TRUTH,
    entitle,
    grid_of,
    halo,
    new_figure,
    styled,
    wrapped,
)
from hierfit.posterior.predict import pick_draws
from hierfit.posterior.scale import (
    link_of,
    offset_words,
    outcome_words,
    scale_words,
    support_of,
)
from hierfit.posterior.words import counted, elided, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
FACETS_TO, SPAGHETTI_TO, SAMPLED_TO = 12, 60, 300
SAMPLED_LINES = 100
RIBBON_DRAWS = 4_000  # of fewer, the ribbon of a straight line has kinks
ONE_ROW_LEVELS = 5
ONE_ROW_LINES = 100
LABEL_WIDTH = 28
FACET_CHARACTERS = 11.5  # for each inch of a panel's title
COURSES = (POPULATION, "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#B8A800")


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
    said = material.finding(title(material, lines))
    entitle(figure, said, note + _held(material, lines))
    return Plate(figure, f"{material.design.response} against {lines.column}, with fitted lines. {said}.")


def _held(material: Material, lines: Lines) -> str:
    """What else is to be known of lines and points."""
    at = offset_words(material.design)
    parts = ["other predictors at their mean"] * lines.holds_others
    parts += [f"{elided(material.design.response, LABEL_WIDTH)} {at}, dot size: offset"] * bool(at)
    parts += ["square root axis"] * on_root_axis(material)
    return "".join(f" · {part}" for part in parts)


def _population_words(material: Material, group: Group) -> str:
    """What the line without group effects is: where the link bends, not the population's mean."""
    return "population" if link_of(material.design) == "identity" else f"typical {elided(group.factor, LABEL_WIDTH)}"


def _ribbon_words(material: Material, lines: Lines) -> str:
    typical = _population_words(material, lines.group)
    if lines.by is None:
        return f"blue: {typical} with 50, 80, 95 % ribbon"
    return f"thick: {typical} by {elided(lines.by.column, LABEL_WIDTH)} with 95 % ribbon"


def _draw_population(ax: Axes, material: Material, lines: Lines) -> None:
    picks = pick_draws(material.draws, RIBBON_DRAWS, material.rng)
    for one, colour, name in zip(lines.courses.each, COURSES, lines.names or ("",), strict=False):
        drawn = population_at(material.draws, material.design, one, picks)
        draw_ribbons(ax, lines.grid, drawn, colour, RIBBONS if lines.by is None else RIBBONS[:1], label=name)
    if lines.by is not None:
        ax.legend(frameon=False, fontsize=7.5, loc="best").set_zorder(6)


def _name_axes(ax: Axes, material: Material, lines: Lines) -> None:
    ax.set_xlabel(elided(lines.column, LABEL_WIDTH))
    ax.set_ylabel(elided(outcome_words(material.design), LABEL_WIDTH))
    fit_height(ax, material)


def _draw_facets(material: Material, lines: Lines) -> tuple[Figure, str]:
    group = lines.group
    down, across = grid_of(group.n_levels, 4 if group.n_levels > 6 else 3)
    figure = new_figure(max(HEIGHT, 1.9 * down + 1.0))
    axes = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    picks = pick_draws(material.draws, RIBBON_DRAWS, material.rng)
    levels = np.arange(group.n_levels)
    every = group_at(material.draws, material.design, lines.courses, levels, picks)
    typical = np.median(typical_at(material.draws, material.design, lines.courses, levels, picks), axis=0)
    y, sizes = shown_points(material), np.broadcast_to(12 * dot_sizes(material), len(lines.x))
    room = int(7.0 / across * FACET_CHARACTERS)
    for level, ax in zip(levels, axes.ravel(), strict=False):
        rows = group.codes == level
        ax.scatter(lines.shown_x[rows], y[rows], s=sizes[rows], c=DATA, alpha=0.75, linewidths=0)
        draw_ribbons(ax, lines.grid, every[:, level], GROUP)
        ax.plot(lines.grid, typical[level], color=POPULATION, linewidth=1.2, linestyle="--")
        ax.set_title(wrapped(group.labels[level], room, last=f"({rows.sum():,} rows)"), loc="left")
    for ax in axes.ravel()[group.n_levels :]:
        ax.set_visible(False)
    for ax in axes.ravel()[max(0, group.n_levels - across) : group.n_levels]:
        ax.tick_params(labelbottom=True)
    fit_height(axes[0, 0], material)
    figure.supxlabel(elided(lines.column, LABEL_WIDTH), fontsize=8.5)
    figure.supylabel(elided(outcome_words(material.design), LABEL_WIDTH), fontsize=8.5)
    centre = _population_words(material, group)
    return figure, f"orange: each {group.factor} with 50, 80, 95 % ribbon · blue dashed: {centre}"


def _draw_spaghetti(material: Material, lines: Lines) -> tuple[Figure, str]:
    from matplotlib.collections import LineCollection

    group, n_levels = lines.group, lines.group.n_levels
    figure = new_figure()
    ax = figure.subplots()
    draw_data(ax, material, lines)
    heights = group_at(material.draws, material.design, lines.courses, np.arange(n_levels))[0]
    segments = own_curves(material, lines, np.arange(n_levels), heights)
    many = n_levels > SPAGHETTI_TO
    ranked, by = rank_of_lines(material, lines, heights)
    order = np.argsort(ranked, kind="stable").tolist()
    shown = sorted(material.rng.choice(n_levels, SAMPLED_LINES, replace=False)) if n_levels > SAMPLED_LINES else order
    alpha, width = (0.3, 0.9) if many else (0.5, 0.9)
    ax.add_collection(LineCollection(list(segments[shown]), colors=GROUP, linewidths=width, alpha=alpha, zorder=2))
    _draw_population(ax, material, lines)
    if not many:
        for level in evenly(order, 3):
            ax.plot(*segments[level].T, color="#B35900", linewidth=1.8, zorder=5)
            ax.annotate(
                elided(group.labels[level], 14), segments[level, -1], xytext=(3, 0), textcoords="offset points",
                va="center", fontsize=7.5, color="#B35900", fontweight="bold", zorder=6, path_effects=halo(),
            )  # fmt: skip
    _name_axes(ax, material, lines)
    which = f"{len(shown)} of {n_levels:,}" if len(shown) < n_levels else f"{n_levels:,}"
    named = "" if many else f", named: lowest, middle and highest {by}"
    observed = support_of(material.design) is Support.BINARY and material.design.n_rows > BINNED_FROM
    circles = " · circles: observed proportions" if observed else ""
    return figure, f"orange: {which} {group.factor} lines{named} · {_ribbon_words(material, lines)}{circles}"


def _draw_densities(material: Material, lines: Lines) -> tuple[Figure, str]:
    figure = new_figure()
    left, right = figure.subplots(1, 2, width_ratios=[1.35, 1])
    draw_data(left, material, lines)
    _draw_population(left, material, lines)
    _name_axes(left, material, lines)
    group, scale = lines.group, scale_words(material.design)
    scale = f" ({scale})" if scale else ""
    means = moments.mean(material.draws.effects_of(group), axis=(0, 1))
    means = means + moments.mean(population_values(material.draws, group.terms), axis=0)
    if INTERCEPT in group.terms and lines.slope is not None:
        index = group.terms.index(lines.slope)
        right.hexbin(means[:, 0], means[:, index], gridsize=30, cmap="Oranges", mincnt=1, linewidths=0)
        right.set_xlabel(f"intercept of {elided(group.factor, LABEL_WIDTH)}{scale}")
        right.set_ylabel(f"slope of {elided(lines.slope, LABEL_WIDTH)}{scale}")
        middle = moments.mean(population_values(material.draws, (INTERCEPT, lines.slope)), axis=0)
        right.plot(*middle, "o", color=POPULATION, markersize=7, markeredgecolor="white")
    else:
        right.hist(means[:, 0], bins=60, color=GROUP, alpha=0.8)
        name = "intercept" if group.terms[0] == INTERCEPT else f"slope of {group.terms[0]}"
        right.set_xlabel(f"{name} of {elided(group.factor, LABEL_WIDTH)}{scale}")
        right.set_ylabel("levels")
        middle = moments.mean(population_values(material.draws, group.terms), axis=0)
        right.axvline(middle[0], color=POPULATION, linewidth=2)
    centre = _population_words(material, group)
    return figure, f"left: data and {centre} · right: posterior means of {counted(group.n_levels, group.factor)}"


def _draw_one_row_each(material: Material, lines: Lines) -> tuple[Figure, str]:
    """Five random rows, each with its data point and 100 posterior lines, over all points."""
    from matplotlib.collections import LineCollection

    group, rng = lines.group, material.rng
    figure = new_figure()
    ax = figure.subplots()
    y = shown_points(material)
    ax.scatter(lines.x, y, s=10, c=DATA, alpha=0.6, linewidths=0, zorder=1)
    chosen = np.sort(rng.choice(group.n_levels, min(ONE_ROW_LEVELS, group.n_levels), replace=False))
    picks = pick_draws(material.draws, ONE_ROW_LINES, rng)
    grid, courses = lines.grid, lines.courses
    if is_straight(material, lines):
        grid = np.array([min(0.0, lines.x.min()), lines.x.max()])
        courses = courses_along(material.design, group, lines.column, grid, lines.by)
    drawn = group_at(material.draws, material.design, courses, chosen, picks)
    row_of = {int(code): row for row, code in enumerate(group.codes)}
    for order, level in enumerate(chosen):
        colour = CHAINS[(0, 2, 4, 5, 6)[order]]
        segments = [list(zip(grid, line, strict=True)) for line in drawn[:, order]]
        ax.add_collection(LineCollection(segments, colors=colour, linewidths=0.5, alpha=0.12, zorder=2))
        row = row_of[int(level)]
        ax.plot(lines.x[row], y[row], "o", color=colour, markeredgecolor=TRUTH, markersize=7, zorder=4)
        ax.annotate(
            elided(group.labels[level], 14), (lines.x[row], y[row]), xytext=(6, -8),
            textcoords="offset points", fontsize=7.5, fontweight="bold", color=colour, zorder=5, path_effects=halo(),
        )  # fmt: skip
    ax.autoscale_view()
    _name_axes(ax, material, lines)
    return (
        figure,
        f"{len(chosen)} random {plural(group.factor)}: the data point and {len(picks)} posterior lines",
    )
