"""check_outcomes.png: outcomes of the data against replications of all rows.

Densities of a continuous outcome; of counts how often each occurs, on a square root axis (rootogram: Kleiber, Zeileis
2016); of categories bars; of two values, and of successes among trials, observed against predicted shares in bins of
what is fitted without group effects, which does not hang on single rows. Predicted shares are those of rows left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.model.families import Support
from hierfit.posterior.check.checked import Checked
from hierfit.posterior.check.replicated import Replicated
from hierfit.posterior.plots.density import density
from hierfit.posterior.plots.material import INTERVAL, Material, Plate
from hierfit.posterior.plots.ppc_discrete import label_categories
from hierfit.posterior.plots.style import (
    ALARM,
    DATA,
    POPULATION,
    TRUTH,
    entitle,
    hide_y,
    new_figure,
    styled,
)
from hierfit.posterior.predict import trials_of
from hierfit.posterior.scale import BOUNDS, event, support_of
from hierfit.posterior.words import elided

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
CURVES, MOST_BARS, LABEL_WIDTH = 50, 40, 40
MOST_BINS, ROWS_PER_BIN = 10, 15
REACH = 3.0


@styled
def draw_outcomes(material: Material, checked: Checked) -> Plate:
    """Draw replicated outcomes against those of the data."""
    assert checked.replicated is not None
    kind, found, y = support_of(material.design), checked.replicated, checked.sample.y
    figure = new_figure()
    ax = figure.subplots()
    response = elided(material.design.response, LABEL_WIDTH)
    if kind in (Support.BINARY, Support.SUCCESSES):
        title = _draw_shares(ax, material, checked)
        note = "rows in order of what is fitted without group effects; predicted without the row"
    elif kind is Support.CATEGORIES:
        title = _draw_bars(ax, material, found)
        note = "bars: data · points and lines: replications, 95 %"
    elif kind is Support.COUNT:
        title = _draw_rootogram(ax, y, found.kept, response)
        note = "bars: data · points and lines: replications, 95 %, value by value; square root axis"
    else:
        title = _draw_densities(ax, y, found.kept, BOUNDS.get(kind, (-np.inf, np.inf)), response)
        note = f"black: data · blue: {CURVES} replications"
    part = f" · {checked.sample.part}" if len(checked.sample.rows) < checked.sample.n_rows else ""
    entitle(figure, title, note + part)
    return Plate(figure, f"Replicated outcomes of {material.design.response}. {title}.")


def _draw_densities(ax: Axes, y: Array, kept: NDArray[np.float32], bounds: tuple[float, float], response: str) -> str:
    # Replications of heavy tails would leave the data a sliver of the axis.
    margin = 0.5 * float(np.ptp(y)) or 1.0
    window = max(bounds[0], float(y.min()) - margin), min(bounds[1], float(y.max()) + margin)
    beyond = []
    for replicated in kept[:: max(1, len(kept) // CURVES)][:CURVES].astype(np.float64):
        seen = replicated[(replicated >= window[0]) & (replicated <= window[1])]
        beyond.append(1 - len(seen) / len(replicated))
        if len(seen) > 1:
            grid, heights = density(seen, *bounds)
            ax.plot(grid, heights * len(seen) / len(replicated), color=POPULATION, linewidth=0.6, alpha=0.35)
    ax.plot(*density(y, *bounds), color=TRUTH, linewidth=1.8)
    ax.set_xlim(*window)
    ax.set_ylim(bottom=0)
    ax.set_xlabel(response)
    hide_y(ax)
    quantiles = np.quantile(kept, INTERVAL)
    inside = float(np.mean((y >= quantiles[0]) & (y <= quantiles[1])))
    more = f"; {100 * np.mean(beyond):.1f} % of the replications lie beyond the axis" if np.mean(beyond) > 0.001 else ""
    return f"{100 * inside:.1f} % of the {response} values lie where 95 % of the replications do{more}"


def _draw_rootogram(ax: Axes, y: Array, kept: NDArray[np.float32], response: str) -> str:
    top = float(max(y.max(), min(np.quantile(kept, 0.999), 2 * y.max() + 5)))
    start = float(min(y.min(), np.quantile(kept, 0.001)))
    width = max(1, int(np.ceil((top - start + 1) / MOST_BARS)))
    edges = np.arange(start - 0.5, top + width + 0.5, width)
    middle = (edges[:-1] + edges[1:]) / 2
    counts = np.stack([np.histogram(outcome, edges)[0] for outcome in kept])
    observed = np.histogram(y, edges)[0]
    low, centre, high = np.quantile(counts, (INTERVAL[0], 0.5, INTERVAL[1]), axis=0)
    outside = (observed < low) | (observed > high)
    for some, colour in ((~outside, DATA), (outside, ALARM)):
        ax.bar(middle[some], observed[some], width=0.86 * width, color=colour, alpha=0.55, linewidth=0)
    ax.vlines(middle, low, high, color=POPULATION, linewidth=2, alpha=0.75)
    ax.plot(middle, centre, ".", color=POPULATION, markersize=5)
    ax.set_yscale("function", functions=(lambda count: np.sqrt(np.maximum(count, 0)), np.square))
    ax.set_ylim(bottom=0)
    ax.locator_params(axis="x", integer=True)
    ax.set_xlabel(response)
    ax.set_ylabel("rows")
    values = "values" if width == 1 else f"bins of {width} values"
    agree = f"{(~outside).sum()} of {len(observed)} {values} of {response} are as frequent as predicted"
    return f"{agree} (expect {0.95 * len(observed):.0f})"


def _draw_bars(ax: Axes, material: Material, found: Replicated) -> str:
    counts, names = found.categories, material.design.categories
    low, centre, high = np.quantile(counts[1:], (INTERVAL[0], 0.5, INTERVAL[1]), axis=0)
    at, observed = np.arange(len(names)), counts[0]
    outside = (observed < low) | (observed > high)
    ax.bar(at, observed, width=0.8, color=np.where(outside, ALARM, DATA).tolist(), alpha=0.55, linewidth=0)
    ax.vlines(at, low, high, color=POPULATION, linewidth=3, alpha=0.75)
    ax.plot(at, centre, "o", color=POPULATION, markersize=5, markeredgecolor="white")
    label_categories(ax, names)
    ax.set_ylim(0, 1.1 * max(high.max(), observed.max()))
    ax.set_xlabel(elided(material.design.response, LABEL_WIDTH))
    ax.set_ylabel("rows")
    response = elided(material.design.response, LABEL_WIDTH)
    return f"{(~outside).sum()} of {len(names)} categories of {response} are as frequent as predicted"


def _draw_shares(ax: Axes, material: Material, checked: Checked) -> str:
    sample, places = checked.sample, checked.places
    assert places is not None
    trials, order = np.maximum(trials_of(sample.design, sample.rows), 1), np.argsort(checked.fitted, kind="stable")
    bins = np.array_split(order, int(np.clip(len(order) // ROWS_PER_BIN, 1, MOST_BINS)))
    sizes = np.array([trials[own].sum() for own in bins])
    x = np.array([places.mean[own].sum() for own in bins]) / sizes
    observed = np.array([sample.y[own].sum() for own in bins]) / sizes
    sd = np.sqrt([np.sum(places.sd[own] ** 2) for own in bins]) / sizes
    low, high = np.clip(x - 1.96 * sd, 0, 1), np.clip(x + 1.96 * sd, 0, 1)
    inside = (low <= observed) & (observed <= high)
    ends = [min(x.min(), low.min(), observed.min()), max(x.max(), high.max(), observed.max())]
    ax.plot(ends, ends, color=DATA, linewidth=1, zorder=1)
    ax.vlines(x, low, high, color=POPULATION, linewidth=4, alpha=0.35, zorder=2, label="95 % of predictions")
    ax.scatter(x[inside], observed[inside], s=26, c=TRUTH, zorder=3, label="data")
    ax.scatter(x[~inside], observed[~inside], s=26, c=ALARM, zorder=3)
    binary = support_of(material.design) is Support.BINARY
    words = elided(event(material.design) if binary else material.design.response, LABEL_WIDTH)
    ax.set_xlabel(f"predicted share of {words}")
    ax.set_ylabel(f"observed share of {words}")
    ax.legend(loc="upper left")
    return f"{inside.sum()} of {len(bins)} observed shares of {words} lie where 95 % of the predictions do"
