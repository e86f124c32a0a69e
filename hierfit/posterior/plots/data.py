"""data.png: the data alone, as they were before any model; with the lines they were made from, where these are known.

The outcome against the predictor that lines.png runs along, or the chosen one, or, without any, by group: up to 12
levels a panel each, else all rows in one, those of a few levels in colour. Of simulated data the true lines of the
levels and of the population go through the points: the true values are one draw, on one road with all other lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.axes import factors, number_axes
from hierfit.design.design import Group
from hierfit.model.families import FAMILIES, Support
from hierfit.model.spec import Kind
from hierfit.posterior.draws import Draws
from hierfit.posterior.lines import alone, course, group_at, population_at
from hierfit.posterior.plots.course import BAND, lines_along, shown_points
from hierfit.posterior.plots.material import Material, Plate, evenly
from hierfit.posterior.plots.ppc_discrete import label_categories
from hierfit.posterior.plots.style import (
    CHAINS,
    DATA,
    GROUP,
    HEIGHT,
    RASTERIZE_FROM,
    TRUTH,
    entitle,
    grid_of,
    legend_label,
    new_figure,
    styled,
)
from hierfit.posterior.scale import event, outcome_words, shown_outcome, support_of
from hierfit.posterior.words import counted, elided

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
FACETS_TO, NAMED, LINES_TO, HEXBIN_FROM = 12, 5, 100, 5_000
GRID_POINTS = 40
SPREAD = 0.2
_OF_ROWS = (Kind.COEFFICIENT, Kind.THRESHOLD, Kind.DISTRIBUTIONAL, Kind.AUXILIARY)
LABEL_WIDTH, LONG_LABEL = 22, 42


@dataclass(frozen=True)
class Scatter:
    """What the points are.

    Attributes:
        column: on the x axis; None where that is the place of a group.
        labels: of places on the x axis; empty where it has numbers.
        x: where each row is drawn [N].
        y: where on the y axis [N].
        group: the factor whose levels are told apart; None without one.
    """

    column: str | None
    labels: tuple[str, ...]
    x: Array
    y: Array
    group: Group | None


@styled
def draw_data(material: Material) -> Plate:
    """Draw the data, with the true lines where they are known."""
    design = material.design
    scatter = _scatter(material)
    group, truth = scatter.group, true_lines(material, scatter)
    if group is not None and 1 < group.n_levels <= FACETS_TO and scatter.column is not None:
        figure, note = _draw_facets(material, scatter, group, truth)
    else:
        figure, note = _draw_together(material, scatter, truth)
    groups = "".join(f", {counted(own.n_levels, own.factor)}" for own in design.groups)
    y = shown_outcome(design)
    title = f"{design.n_rows:,} rows{groups}: {_outcome_range(material, y)}"
    entitle(figure, title, note)
    against = f" against {scatter.column}" if scatter.column else ""
    return Plate(figure, f"The data: {design.response}{against}. {title}.")


def _outcome_range(material: Material, y: Array) -> str:
    design = material.design
    kind = support_of(design)
    if kind is Support.BINARY:
        return f"{100 * moments.mean(y):.1f} % with {event(design)}"
    if kind is Support.CATEGORIES:
        counts = np.bincount(y.astype(np.int64), minlength=len(design.categories))
        most = int(np.argmax(counts))
        return (
            f"{design.response} is most often {design.categories[most]}, in {100 * counts[most] / len(y):.1f} % of them"
        )
    middle = f"{np.median(y):.4g}"
    return f"{outcome_words(design)} from {y.min():.4g} to {y.max():.4g}, half of them at most {middle}"


def _scatter(material: Material) -> Scatter:
    """Return what is drawn against what."""
    design, wanted = material.design, material.choices.column
    groups = [group for group in design.groups if group.rows_per_level.max() > 1] or list(design.groups)
    group = groups[0] if groups else None
    rng, y = material.rng, shown_points(material)
    if support_of(design) is Support.CATEGORIES:
        y = y + rng.uniform(-SPREAD, SPREAD, len(y))
    numbers = number_axes(design.all_terms)
    known = {} if design.inputs is None else {own.column: own for own in factors(design.all_terms, design.inputs)}
    lines = None if wanted else lines_along(material)
    column = lines.column if lines else wanted or next(iter((*numbers, *known)), None)
    jitter = rng.uniform(-SPREAD, SPREAD, design.n_rows)
    if column is not None and column in known:
        return Scatter(column, known[column].labels, known[column].codes + jitter, y, group)
    if column is not None and design.inputs is not None:
        return Scatter(column, (), design.inputs.numbers[column], y, group)
    if group is None:
        return Scatter(None, ("all rows",), jitter, y, None)
    order = np.argsort(moments.level_means(design.y, group.codes, group.n_levels), kind="stable")
    rank = np.empty(group.n_levels)
    rank[order] = np.arange(group.n_levels)
    labels = tuple(group.labels[level] for level in order)
    return Scatter(None, labels, rank[group.codes] + jitter, y, group)


def true_draw(material: Material) -> Draws | None:
    """Return the true values as if they were the only draw; None where they are not known, or not all."""
    truth, draws, design = material.truth, material.draws, material.design
    if truth is None:
        return None
    needed = [own for own in draws.parameters if own.kind in _OF_ROWS and not own.is_at_mean]
    known = [own for own in draws.parameters if own.name in truth.parameters]
    effects = {factor: values[None, None] for factor, values in truth.effects.items()}
    whole = all(group.factor in effects and np.isfinite(effects[group.factor]).all() for group in design.groups)
    if not whole or any(own not in known for own in needed):
        return None
    values = np.array([truth.parameters[own.name] for own in known])[None, None]
    return Draws(tuple(known), values, effects, {}, 0)


@dataclass(frozen=True)
class TrueLines:
    """Where the data come from, along a predictor.

    Attributes:
        grid: points on it [G].
        population: what is expected without group effects [G].
        levels: and of each level of the factor [J, G]; None without one.
    """

    grid: Array
    population: Array
    levels: Array | None


def true_lines(material: Material, scatter: Scatter) -> TrueLines | None:
    """Return the true lines; None where they are not known, or the picture has no place for them."""
    design, only = material.design, np.zeros(1, dtype=np.int64)
    truth = true_draw(material)
    if truth is None or scatter.column is None or scatter.labels or FAMILIES[design.family].has_thresholds:
        return None
    grid = np.linspace(scatter.x.min(), scatter.x.max(), GRID_POINTS)
    one = course(design, {scatter.column: grid})
    population = population_at(truth, design, one, only)[0]
    own = next(
        (group for group in design.of_mean.groups if scatter.group and group.factor == scatter.group.factor), None
    )
    if own is None:
        return TrueLines(grid, population, None)
    levels = group_at(truth, design, alone(own, one), np.arange(own.n_levels), only)[0]
    return TrueLines(grid, population, levels)


def _draw_facets(material: Material, scatter: Scatter, group: Group, truth: TrueLines | None) -> tuple[Figure, str]:
    down, across = grid_of(group.n_levels, 4 if group.n_levels > 6 else 3)
    figure = new_figure(max(HEIGHT, 1.9 * down + 1.0))
    axes = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).ravel()
    for level, ax in enumerate(axes[: group.n_levels]):
        rows = group.codes == level
        ax.scatter(scatter.x[rows], scatter.y[rows], s=12, c=DATA, alpha=0.75, linewidths=0)
        if truth is not None:
            low, high = scatter.x[rows].min(), scatter.x[rows].max()
            if truth.levels is not None:
                inside = (truth.grid >= low) & (truth.grid <= high)
                ax.plot(truth.grid[inside], truth.levels[level][inside], color=GROUP, linewidth=1.8)
            ax.plot(truth.grid, truth.population, color=TRUTH, linewidth=1.1, linestyle="--")
        ax.set_title(f"{elided(group.labels[level], LABEL_WIDTH)}  ({rows.sum():,} rows)", loc="left")
    for ax in axes[group.n_levels :]:
        ax.set_visible(False)
    _name(axes[0], material, scatter)
    axes[0].set(xlabel="", ylabel="")
    figure.supxlabel(elided(scatter.column or group.factor, LONG_LABEL), fontsize=8.5)
    figure.supylabel(elided(outcome_words(material.design), LONG_LABEL), fontsize=8.5)
    return figure, f"each {group.factor} by itself" + _of_truth(truth, group)


def _of_truth(truth: TrueLines | None, group: Group | None) -> str:
    if truth is None:
        return ""
    of_levels = (
        f"orange: the true line of each {group.factor} · " if group is not None and truth.levels is not None else ""
    )
    return f" · {of_levels}black dashed: the true one without group effects"


def _draw_together(material: Material, scatter: Scatter, truth: TrueLines | None) -> tuple[Figure, str]:
    figure = new_figure()
    ax = figure.subplots()
    n, group = material.design.n_rows, scatter.group
    dense = n > HEXBIN_FROM and not scatter.labels
    note = "grey: all rows"
    if dense:
        ax.hexbin(
            scatter.x, scatter.y, gridsize=45, cmap="Greys", mincnt=1, bins="log", linewidths=0, vmin=0.5, alpha=0.7
        )
        note = "grey: how many rows lie there"
    else:
        size, alpha = float(np.clip(6_000 / n, 3, 16)), float(np.clip(300 / n, 0.25, 0.7))
        ax.scatter(scatter.x, scatter.y, s=size, c=DATA, alpha=alpha, linewidths=0, rasterized=n > RASTERIZE_FROM)
    named = _named(material, group) if group is not None and scatter.column is not None and truth is None else []
    for level, colour in zip(named, (CHAINS[0], *CHAINS[2:]), strict=False):
        assert group is not None
        rows = group.codes == level
        name = legend_label(elided(group.labels[level], LABEL_WIDTH))
        ax.scatter(scatter.x[rows], scatter.y[rows], s=16, c=colour, linewidths=0, label=name, zorder=3)
    if named and group is not None:
        ax.legend(title=elided(group.factor, LABEL_WIDTH), title_fontsize=7.5)
        note += (
            f" · colours: {len(named)} of {counted(group.n_levels, group.factor)}, from the lowest mean to the highest"
        )
    if truth is not None:
        _draw_true_lines(ax, scatter, truth)
    _name(ax, material, scatter)
    return figure, note + _of_truth(truth, group)


def _draw_true_lines(ax: Axes, scatter: Scatter, truth: TrueLines) -> None:
    from matplotlib.collections import LineCollection

    if truth.levels is not None and scatter.group is not None:
        chosen = np.array(evenly(list(range(len(truth.levels))), LINES_TO))
        lines = [np.column_stack([truth.grid, truth.levels[level]]) for level in chosen]
        ax.add_collection(LineCollection(lines, colors=GROUP, linewidths=0.9, alpha=0.5, zorder=2))
    ax.plot(truth.grid, truth.population, color=TRUTH, linewidth=1.6, linestyle="--", zorder=4)


def _named(material: Material, group: Group) -> list[int]:
    """Return levels of the most rows, evenly spaced by their means."""
    many = np.flatnonzero(group.rows_per_level >= np.median(group.rows_per_level))
    means = moments.level_means(material.design.y, group.codes, group.n_levels)
    order = many[np.argsort(means[many], kind="stable")].tolist()
    return evenly(order, NAMED) if group.n_levels > 1 else []


def _name(ax: Axes, material: Material, scatter: Scatter) -> None:
    design = material.design
    kind = support_of(design)
    ax.set_xlabel(
        elided(scatter.column or (f"{scatter.group.factor}, by its mean" if scatter.group else ""), LONG_LABEL)
    )
    ax.set_ylabel(elided(outcome_words(design), LONG_LABEL))
    if kind is Support.CATEGORIES:
        ax.set_yticks(
            np.arange(len(design.categories)), [elided(label, LABEL_WIDTH // 2) for label in design.categories]
        )
        ax.set_ylabel(elided(design.response, LONG_LABEL))
    elif kind is Support.BINARY:
        ax.set_ylim(-1.6 * BAND, 1 + 1.6 * BAND)
    if 0 < len(scatter.labels) <= FACETS_TO * 2:
        label_categories(ax, scatter.labels)
    elif scatter.labels:
        ax.set_xticks([])
