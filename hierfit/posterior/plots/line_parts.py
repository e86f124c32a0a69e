"""What lines are drawn over and with: outcomes as points, observed proportions, ribbons, the axis of heights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.model.families import Support
from hierfit.posterior.group_summary import sorted_quantiles
from hierfit.posterior.plots.course import BAND, FEW_VALUES, Lines, shown_points
from hierfit.posterior.plots.material import Material
from hierfit.posterior.plots.style import DATA, RASTERIZE_FROM, TRUTH, root_scale
from hierfit.posterior.scale import is_rescaled, link_of, shown_outcome, support_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
HEXBIN_FROM = 5_000
BINNED_FROM = 100
SKEWED = 4  # times the upper quartile
RIBBONS = ((0.95, 0.14), (0.8, 0.2), (0.5, 0.28))


def draw_ribbons(
    ax: Axes,
    at: Array,
    drawn: Array,
    colour: str,
    ribbons: Sequence[tuple[float, float]] = RIBBONS,
    label: str = "",
) -> None:
    """Draw the median and ribbons of (mass, alpha) of lines [S, G] under draws."""
    bounds = [bound for mass, _ in ribbons for bound in ((1 - mass) / 2, (1 + mass) / 2)]
    middle, *edges = sorted_quantiles(np.array(drawn.T, order="C"), (0.5, *bounds)).T
    for place, (_, alpha) in enumerate(ribbons):
        low, high = edges[2 * place : 2 * place + 2]
        ax.fill_between(at, low, high, color=colour, alpha=alpha, linewidth=0, zorder=3)
    ax.plot(at, middle, color=colour, linewidth=1.9, zorder=4, label=label)


def draw_data(ax: Axes, material: Material, lines: Lines) -> None:
    """Draw the outcomes: points, or where they are many how many there are."""
    n_rows = material.design.n_rows
    y = shown_points(material)
    if support_of(material.design) is Support.BINARY and n_rows > BINNED_FROM:
        draw_proportions(ax, lines.x, material.design.y)
    if n_rows > HEXBIN_FROM:
        ax.hexbin(lines.shown_x, y, gridsize=45, cmap="Greys", mincnt=1, bins="log", linewidths=0, vmin=0.5, alpha=0.55)
        return
    size: Array | float = float(np.clip(6_000 / n_rows, 3, 16)) * dot_sizes(material)
    alpha = float(np.clip(300 / n_rows, 0.25, 0.7))
    rasterize = n_rows > RASTERIZE_FROM
    ax.scatter(lines.shown_x, y, s=size, c=DATA, alpha=alpha, linewidths=0, rasterized=rasterize, zorder=1)


def dot_sizes(material: Material) -> Array | float:
    """Return how large dots are [N], 1 where all say as much: by its offset, where that scales what a row says."""
    offset = material.design.offset
    if offset is None or not is_rescaled(material.design):
        return 1.0
    return np.clip(np.exp(offset - moments.mean(offset)), 0.2, 4.0)


def on_root_axis(material: Material) -> bool:
    """Whether a few large outcomes would squash all others and the lines."""
    kind, y = support_of(material.design), shown_outcome(material.design)
    grows = link_of(material.design) == "log" and kind in (Support.COUNT, Support.POSITIVE)
    return grows and bool(y.max() > SKEWED * np.quantile(y, 0.75))


def draw_proportions(ax: Axes, x: Array, y: Array) -> None:
    """Draw observed proportions of rows in order of x, in bins of equal size; one for each of few values."""
    values = np.unique(x)
    edges = values if len(values) <= FEW_VALUES else np.unique(np.quantile(x, np.linspace(0, 1, FEW_VALUES - 1)[:-1]))
    which = np.searchsorted(edges, x, side="right")
    counts = np.bincount(which)
    used = counts > 0
    middle, share = (np.bincount(which, weights=of)[used] / counts[used] for of in (x, y))
    ax.plot(middle, share, "o", color="white", markeredgecolor=TRUTH, markersize=5, zorder=5)


def fit_height(ax: Axes, material: Material) -> None:
    """Keep curves from squeezing the data: they may leave the axis where the link bends them."""
    kind, y = support_of(material.design), shown_outcome(material.design)
    if kind in (Support.BINARY, Support.SUCCESSES, Support.UNIT):
        margin = 1.6 * BAND if kind is Support.BINARY else 0.02
        ax.set_ylim(-margin, 1 + margin)
    elif link_of(material.design) != "identity":
        low, high = ax.get_ylim()
        ax.set_ylim(max(low, min(0.0, y.min()) - 0.03 * np.ptp(y)), min(high, y.max() + 0.25 * np.ptp(y)))
    if on_root_axis(material):
        root_scale(ax)
