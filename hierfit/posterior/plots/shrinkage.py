"""shrinkage.png: what pooling did: from each level's own least-squares estimate to its posterior mean.

Two varying coefficients: arrows in their plane. One: own estimate against posterior mean, with the identity (no
pooling) and the population (complete pooling).
From 300 levels, and where the outcome's mean is not linear so that levels have no least-squares estimate: the pooling
factor (see `group_summary`) against rows, or trials, per level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Group
from hierfit.model.families import FAMILIES
from hierfit.model.grammar import INTERCEPT
from hierfit.model.spec import sd_name
from hierfit.posterior.group_summary import GroupTable
from hierfit.posterior.plots.material import Material, Plate
from hierfit.posterior.plots.style import DATA, GROUP, HEIGHT, POPULATION, entitle, new_figure, styled
from hierfit.posterior.unpooled import unpooled_estimates
from hierfit.posterior.words import coefficients, counted, elided

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
NAMES_TO, ARROWS_TO, MANY_ARROWS = 12, 300, 60
MOST_CELLS = 50
LABEL_WIDTH = 24


@styled
def draw_shrinkage(material: Material, group: Group) -> Plate:
    """Draw how far the levels of one factor were pulled towards the population."""
    group = group.of_mean
    table = material.group_summary.table(group.factor)
    shown = min(2, len(group.terms))
    if group.n_levels > ARROWS_TO or FAMILIES[material.spec.family].linear is None:
        figure = new_figure()
        for index, ax in enumerate(figure.subplots(1, shown, squeeze=False)[0]):
            _draw_factors(ax, material, table, _information(material, group), index)
        note = "how much of a level's own deviation pooling takes away (1: all of it)"
    else:
        figure = new_figure(HEIGHT + 0.5)
        own = unpooled_estimates(material.draws, material.design, group)
        ax = figure.subplots()
        if shown == 2:
            _draw_arrows(ax, table, own)
            note = "arrows: from own least-squares estimate (grey dot) to posterior mean (tip) · blue: population"
        else:
            _draw_identity(ax, table, own)
            note = "grey line: no pooling · blue line: complete pooling · dot size: rows"
    known = [index for index in range(shown) if np.isfinite(table.shrunk_by[:, index]).any()]
    parts = [f"{coefficients(group.terms[i])} by {100 * np.nanmean(table.shrunk_by[:, i]):.0f} %" for i in known]
    title = f"Pooling {counted(group.n_levels, group.factor)} shrinks {' and '.join(parts)} on average"
    entitle(figure, title, note)
    return Plate(figure, f"Shrinkage of the {group.factor} estimates. {title}.")


def _label(group_term: str) -> str:
    return "intercept" if group_term == INTERCEPT else f"slope of {elided(group_term, LABEL_WIDTH)}"


def _draw_arrows(ax: Axes, table: GroupTable, own: Array) -> None:
    known = np.flatnonzero(np.isfinite(own[:, :2]).all(axis=1))
    start, end = own[known, :2], table.mean[known, :2]
    alpha = float(np.clip(40 / max(1, len(known)), 0.3, 0.9))
    size = 1.0 if len(known) <= MANY_ARROWS else 0.7
    ax.scatter(start[:, 0], start[:, 1], s=9 * size, c=DATA, linewidths=0, alpha=alpha, zorder=2)
    rest = np.setdiff1d(np.arange(len(table.mean)), known)
    ax.scatter(table.mean[rest, 0], table.mean[rest, 1], s=14 * size, c=GROUP, linewidths=0, zorder=3)
    ax.quiver(  # above the dots: a head that its dot hides is none
        start[:, 0], start[:, 1], end[:, 0] - start[:, 0], end[:, 1] - start[:, 1], angles="xy", scale_units="xy",
        scale=1, units="inches", width=0.013 * size, headwidth=6.5, headlength=8, headaxislength=7, minlength=0.1,
        color=GROUP, edgecolor="white", linewidth=0.2, alpha=max(alpha, 0.6), zorder=3,
    )  # fmt: skip
    ax.plot(*table.population[:2], "o", color=POPULATION, markersize=9, markeredgecolor="white", zorder=4)
    if len(table.labels) <= NAMES_TO:
        for level in known:
            ax.annotate(
                elided(table.labels[level], 14),
                (own[level, 0], own[level, 1]),
                xytext=(4, 3),
                textcoords="offset points",
                fontsize=7,
            )
    ax.set_xlabel(_label(table.terms[0]))
    ax.set_ylabel(_label(table.terms[1]))
    ax.margins(0.06)


def _draw_identity(ax: Axes, table: GroupTable, own: Array) -> None:
    known = np.isfinite(own[:, 0])
    x, y = own[known, 0], table.mean[known, 0]
    ends = np.array([np.min([x.min(), y.min()]), np.max([x.max(), y.max()])]) if known.any() else np.array([0.0, 1.0])
    ax.plot(ends, ends, color=DATA, linewidth=1, zorder=1)
    ax.axhline(table.population[0], color=POPULATION, linewidth=1.4, zorder=1)
    sizes = 10 + 60 * table.rows[known] / table.rows.max()
    ax.scatter(x, y, s=sizes, c=GROUP, alpha=0.8, linewidths=0.5, edgecolors="white", zorder=2)
    if len(table.labels) <= NAMES_TO:
        for level in np.flatnonzero(known):
            at = (own[level, 0], table.mean[level, 0])
            ax.annotate(elided(table.labels[level], 14), at, xytext=(6, -8), textcoords="offset points", fontsize=7)
    ax.set_xlabel(f"{_label(table.terms[0])}: own least-squares estimate")
    ax.set_ylabel("posterior mean")


def _information(material: Material, group: Group) -> Array:
    """How much of the data each level has: its rows, or its trials where the outcome counts successes [J]."""
    trials = material.design.trials
    return np.bincount(group.codes, weights=trials, minlength=group.n_levels).astype(np.float64)


def _draw_factors(ax: Axes, material: Material, table: GroupTable, amounts: Array, index: int) -> None:
    known = np.isfinite(table.shrunk_by[:, index])
    size, factors = amounts[known], table.shrunk_by[known, index]
    if not len(size) or np.ptp(size) == 0:
        ax.hist(factors, bins=40, range=(0, 1), color=GROUP, alpha=0.8)
        ax.set_xlabel(f"pooling factor, {_label(table.terms[index])}")
        ax.set_ylabel("levels")
        return
    if len(size) > ARROWS_TO:
        edges = np.linspace(size.min() - 0.5, size.max() + 0.5, min(MOST_CELLS, int(np.ptp(size)) + 1) + 1)
        counts, _, heights = np.histogram2d(size, factors, bins=(edges, np.linspace(0, 1, MOST_CELLS + 1)))
        ax.pcolormesh(edges, heights, np.ma.masked_equal(counts.T, 0), cmap="Oranges", norm="log", rasterized=True)
    else:
        ax.scatter(size, factors, s=22, c=GROUP, alpha=0.8, linewidths=0.5, edgecolors="white", zorder=2)
        if len(table.labels) <= NAMES_TO:
            for level in np.flatnonzero(known):
                at = (amounts[level], table.shrunk_by[level, index])
                ax.annotate(elided(table.labels[level], 14), at, xytext=(5, 3), textcoords="offset points", fontsize=7)
    unit = "rows" if material.design.trials is None else "trials"
    ax.set_xlabel(f"{unit} per {elided(table.factor, LABEL_WIDTH)}")
    ax.locator_params(axis="x", integer=True)
    ax.set_ylabel(f"pooling factor, {_label(table.terms[index])}")
    ax.set_ylim(0, 1.02)
    design = material.design
    one_sigma = FAMILIES[design.family].collapsible and not design.distributional and design.precision is None
    if table.terms == (INTERCEPT,) and one_sigma and len(design.groups) == 1:
        _draw_theory(ax, material, table, size)


def _draw_theory(ax: Axes, material: Material, table: GroupTable, size: Array) -> None:
    """Pooling of a normal varying intercept with known sds."""
    grid = np.linspace(size.min(), size.max(), 200)
    noise = np.median(material.draws.of("sigma")) ** 2 / grid
    between = np.median(material.draws.of(sd_name(table.factor, INTERCEPT))) ** 2
    ax.plot(grid, noise / (noise + between), color=POPULATION, linewidth=1.6)
