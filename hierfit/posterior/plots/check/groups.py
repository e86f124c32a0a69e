"""check_groups.png: means of groups, in order, among those that new groups with the same rows would have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hierfit.model.families import Support
from hierfit.posterior.check.checked import Checked
from hierfit.posterior.check.coverage import GroupMeans
from hierfit.posterior.plots.material import Material, Plate
from hierfit.posterior.plots.style import (
    ALARM,
    HEIGHT,
    POPULATION,
    TRUTH,
    entitle,
    new_figure,
    rows_height,
    styled,
)
from hierfit.posterior.scale import event, support_of
from hierfit.posterior.words import counted, elided, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMED, NAMES, LABEL_WIDTH = 60, 5, 24
APART = 0.04  # of the axis, so that names do not run into each other


@styled
def draw_group_means(material: Material, checked: Checked) -> Plate:
    """Draw the means of the groups of every factor."""
    count = len(checked.groups)
    several = count > 1
    rows = max(len(means.levels) for means in checked.groups)
    height = HEIGHT * (0.75 * count if several else 1) if several or rows > NAMED else rows_height(rows)
    figure = new_figure(height=min(14.0, height))
    axes = figure.subplots(count, 1, squeeze=False)[:, 0]
    said = []
    for ax, means in zip(axes, checked.groups, strict=True):
        named = not several and len(means.levels) <= NAMED
        (_draw_named if named else _draw_ranked)(ax, means)
        label = f"mean {_words(material)}"
        (ax.set_xlabel if named else ax.set_ylabel)(label)
        said.append(f"{int(means.inside.sum())} of {counted(len(means.levels), means.group.factor)}")
    title = f"{', '.join(said)} have a mean that lies in the 95 % interval of a new group"
    entitle(figure, title, "point: mean of the group's rows · line: 95 % of new groups with the same rows")
    return Plate(figure, f"Group means of {material.design.response}. {title}.")


def _words(material: Material) -> str:
    design = material.design
    kind = support_of(design)
    if kind is Support.BINARY:
        return f"share of {elided(event(design), LABEL_WIDTH)}"
    if kind is Support.CATEGORIES:
        return f"rank of {elided(design.response, LABEL_WIDTH)} (0 to {len(design.categories) - 1})"
    return elided(design.response, LABEL_WIDTH)


def _draw_named(ax: Axes, means: GroupMeans) -> None:
    order, at = np.argsort(means.observed, kind="stable"), np.arange(len(means.levels))
    ax.hlines(at, means.lower[order], means.upper[order], color=POPULATION, linewidth=3, alpha=0.35)
    ax.plot(means.middle[order], at, "|", color=POPULATION, markersize=6)
    _points(ax, means.observed[order], at, means.inside[order])
    ax.set_yticks(at, [elided(means.group.labels[means.levels[level]], LABEL_WIDTH) for level in order])
    ax.set_ylim(-0.7, len(at) - 0.3)


def _draw_ranked(ax: Axes, means: GroupMeans) -> None:
    order, at = np.argsort(means.observed, kind="stable"), np.arange(len(means.levels)) + 1
    ax.vlines(
        at, means.lower[order], means.upper[order], color=POPULATION, alpha=0.35,
        linewidth=float(np.clip(250 / len(at), 0.5, 3)), rasterized=len(at) > 2_000,
    )  # fmt: skip
    size = float(np.clip(300 / len(at), 1.5, 16))
    _points(ax, at, means.observed[order], means.inside[order], size)
    away = np.minimum(means.pit, 1 - means.pit)
    named: list[int] = []
    for level in np.argsort(away, kind="stable")[: 2 * NAMES]:
        place = int(np.flatnonzero(order == level)[0])
        apart = all(abs(place - other) > APART * len(at) for other in named)
        if not means.inside[level] and apart and len(named) < NAMES:
            named.append(place)
            ax.annotate(
                elided(means.group.labels[means.levels[level]], LABEL_WIDTH), (at[place], means.observed[level]),
                xytext=(4, 4), textcoords="offset points", fontsize=7, color=ALARM,
            )  # fmt: skip
    ax.set_xlabel(f"{plural(means.group.factor)} in order of their means")


def _points(ax: Axes, x: np.ndarray, y: np.ndarray, inside: np.ndarray, size: float = 16) -> None:
    ax.scatter(x[inside], y[inside], s=size, c=TRUTH, zorder=3, linewidths=0)
    ax.scatter(x[~inside], y[~inside], s=max(size, 6), c=ALARM, zorder=4, linewidths=0)
