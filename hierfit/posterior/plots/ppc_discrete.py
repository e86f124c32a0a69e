"""Panels of ppc.png for discrete outcomes: frequencies of counts and of categories, calibration of proportions.

Bands hold all bins at once (`bands`). Each drawing says how many bins leave theirs, and of how many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.posterior.plots.bands import band
from hierfit.posterior.plots.material import Material
from hierfit.posterior.plots.ppc_rows import Predicted
from hierfit.posterior.plots.style import ALARM, DATA, GROUP, POPULATION, TRUTH, legend_label, root_scale
from hierfit.posterior.predict import trials_of
from hierfit.posterior.scale import event
from hierfit.posterior.words import elided

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
BAND_LABEL = "95 % band"
MOST_BARS = 30
MOST_BINS, ROWS_PER_BIN = 10, 10
LABEL_WIDTH = 32
CATEGORY_CHARACTERS = 44


def draw_frequencies(ax: Axes, material: Material, rows: Indices, replicated: Array) -> tuple[int, int]:
    """Draw how often each value of a count occurs, in the data and in the replications [K, R]."""
    y = material.design.y[rows]
    top = max(y.max(), min(np.quantile(replicated, 0.999), 2 * y.max() + 5))
    start = min(y.min(), np.quantile(replicated, 0.001))
    width = max(1, int(np.ceil((top - start + 1) / MOST_BARS)))
    edges = np.arange(start - 0.5, top + width + 0.5, width)
    middle = (edges[:-1] + edges[1:]) / 2
    counts = np.stack([np.histogram(outcome, edges)[0] for outcome in replicated])
    (low, high), centre, observed = band(counts), np.median(counts, axis=0), np.histogram(y, edges)[0]
    outside = (observed < low) | (observed > high)
    ax.bar(middle, observed, width=0.86 * width, color=DATA, alpha=0.55, linewidth=0, label="data")
    ax.vlines(middle, low, high, color=POPULATION, linewidth=2, alpha=0.75, label=BAND_LABEL)
    ax.plot(middle, centre, ".", color=POPULATION, markersize=5)
    ax.plot(middle[outside], observed[outside], "_", color=ALARM, markersize=9, markeredgewidth=2.5, zorder=4)
    root_scale(ax)
    ax.locator_params(axis="x", integer=True)
    ax.set_xlabel(elided(material.design.response, LABEL_WIDTH))
    ax.set_ylabel("rows")
    ax.legend(loc="upper right")
    return int(outside.sum()), len(observed)


def draw_category_counts(ax: Axes, material: Material, rows: Indices, replicated: Array) -> tuple[int, int]:
    """Draw how often each category occurs, in the data and in the replications [K, R]."""
    design, at = material.design, np.arange(len(material.design.categories))
    drawn = np.stack([(replicated == code).sum(axis=1) for code in at], axis=1)
    (low, high), centre = band(drawn), np.median(drawn, axis=0)
    observed = np.bincount(design.y[rows].astype(np.int64), minlength=len(at))
    ax.bar(at, observed, width=0.8, color=DATA, alpha=0.55, linewidth=0, label="data")
    ax.vlines(at, low, high, color=POPULATION, linewidth=3, alpha=0.75, label=BAND_LABEL)
    ax.plot(at, centre, "o", color=POPULATION, markersize=5, markeredgecolor="white")
    label_categories(ax, design.categories)
    ax.set_ylim(0, 1.18 * max(high.max(), observed.max()))
    ax.set_xlabel(elided(design.response, LABEL_WIDTH))
    ax.set_ylabel("rows")
    ax.legend(loc="upper left", ncols=2)
    return int(((observed < low) | (observed > high)).sum()), len(at)


def label_categories(ax: Axes, categories: Sequence[str]) -> None:
    """Name the categories, which stand at 0, 1, ..., on the x axis; slanted where they would run into each other."""
    width = max(4, CATEGORY_CHARACTERS // len(categories))
    long = max(map(len, categories)) > width
    ax.set_xticks(np.arange(len(categories)), [elided(category, LABEL_WIDTH // 2) for category in categories])
    if long:
        for label in ax.get_xticklabels():
            label.set(rotation=35, horizontalalignment="right", rotation_mode="anchor")
    ax.set_xlim(-0.6, len(categories) - 0.4)


def calibration_bins(predicted: Array) -> list[Indices]:
    """Return rows in order of their predicted proportion, in bins of about equal size."""
    order = np.argsort(predicted, kind="stable")
    count = int(np.clip(len(order) // ROWS_PER_BIN, 1, MOST_BINS))
    return [np.asarray(part) for part in np.array_split(order, count)]


def draw_calibration(ax: Axes, material: Material, rows: Indices, predicted: Predicted) -> tuple[int, int]:
    """Draw observed against predicted proportions by bins of what was predicted of rows without them."""
    design = material.design
    trials, bins = trials_of(design, rows), calibration_bins(predicted.expected)
    sizes = np.array([trials[rows_in].sum() for rows_in in bins])
    x = np.array([(predicted.expected * trials)[rows_in].sum() for rows_in in bins]) / sizes
    observed = np.array([design.y[rows][rows_in].sum() for rows_in in bins]) / sizes
    drawn = np.stack([predicted.left_out[:, rows_in].sum(axis=1) for rows_in in bins], axis=1) / sizes
    low, high = band(drawn, counts=False)
    inside = (low <= observed) & (observed <= high)
    ends = np.array([min(x.min(), low.min(), observed.min()), max(x.max(), high.max(), observed.max())])
    ax.plot(ends, ends, color=DATA, linewidth=1, zorder=1)
    ax.vlines(x, low, high, color=POPULATION, linewidth=4, alpha=0.35, label=BAND_LABEL, zorder=2)
    ax.scatter(x[inside], observed[inside], s=26, c=TRUTH, zorder=3, label="data")
    ax.scatter(x[~inside], observed[~inside], s=26, c=ALARM, zorder=3)
    words = elided(event(design) if design.trials is None else design.response, LABEL_WIDTH)
    ax.set_xlabel(f"predicted proportion of {words}")
    ax.set_ylabel(f"observed proportion of {words}")
    ax.legend(loc="upper left")
    return int((~inside).sum()), len(bins)


def draw_probabilities(ax: Axes, material: Material, rows: Indices, predicted: Array) -> None:
    """Draw the predicted probabilities of the rows with either outcome."""
    y, design = material.design.y[rows], material.design
    other = f"{design.response} = {design.categories[0] if len(design.categories) == 2 else '0'}"
    edges = np.linspace(0, 1, 21)
    for value, colour, name in ((0, DATA, other), (1, GROUP, event(design))):
        ax.hist(predicted[y == value], bins=list(edges), color=colour, alpha=0.65, label=legend_label(elided(name, 22)))
    ax.set_xlim(0, 1)
    ax.set_xlabel("predicted probability")
    ax.set_ylabel("rows")
    ax.legend(loc="best")
