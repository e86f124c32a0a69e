"""ppc.png: would the model have produced data like these: replicated outcomes over the outcome's own.

Left: densities of a continuous outcome; of counts, how often each occurs (a rootogram: Kleiber, Zeileis 2016, American
Statistician 70(3)), and of ordered categories; of two values, and of successes among trials, observed against predicted
proportions.
Right: the histogram of each row's place in its own predictive distribution (PIT; Gabry et al. 2019, JRSS A 182(2),
section 4), randomised within ties where the outcome is discrete (Czado, Gneiting, Held 2009, Biometrics 65(4)); of two
values, which have no place, the predicted probabilities by outcome. The rows were also fitted, so a hump in the middle
is expected; a slope, or piles at the ends, are not. At most `MOST_ROWS` random rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.model.families import Support
from hierfit.posterior.plots.density import density
from hierfit.posterior.plots.material import INTERVAL, Material, Plate
from hierfit.posterior.plots.ppc_discrete import (
    draw_calibration,
    draw_category_counts,
    draw_frequencies,
    draw_probabilities,
)
from hierfit.posterior.plots.style import DATA, GROUP, POPULATION, TRUTH, entitle, hide_y, new_figure, styled
from hierfit.posterior.predict import expected_rows, pick_draws, replicate
from hierfit.posterior.scale import BOUNDS, event, support_of
from hierfit.posterior.words import elided

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
REPLICATES = 50
PIT_DRAWS = 200
MOST_ROWS = 10_000
PIT_BINS = 20
ROWS_PER_BIN = 10
LABEL_WIDTH = 40


@styled
def draw_ppc(material: Material) -> Plate:
    """Draw the posterior predictive check."""
    design, rng = material.design, material.rng
    rows = np.arange(design.n_rows)
    if design.n_rows > MOST_ROWS:
        rows = np.sort(rng.choice(design.n_rows, MOST_ROWS, replace=False))
    sampled = f" · {len(rows):,} of {design.n_rows:,} rows" if len(rows) < design.n_rows else ""
    kind = support_of(design)
    figure = new_figure()
    left, right = figure.subplots(1, 2, width_ratios=[2, 1])
    if kind is Support.BINARY:
        picks = pick_draws(material.draws, PIT_DRAWS, rng)
        predicted = expected_rows(material.draws, design, rows, picks)
        inside, bins = draw_calibration(left, material, rows, predicted)
        draw_probabilities(right, material, rows, predicted)
        title = f"{inside} of {bins} observed proportions of {event(design)} lie in their 95 % predictive interval"
        note = "left: rows in order of their predicted probability · right: predicted probabilities by outcome"
    else:
        title, note = _draw_left(left, material, rows)
        pit = predictive_ranks(material, rows)
        _draw_pit(right, pit)
        share = float(np.mean((pit >= INTERVAL[0]) & (pit <= INTERVAL[1])))
        title = title or f"{100 * share:.1f} % of the {design.response} values lie in their 95 % predictive interval"
        note = f"left: {note} · right: a slope or piles at the ends would mean misfit"
    entitle(figure, title, note + sampled)
    return Plate(figure, f"Posterior predictive check of {design.response}. {title}.")


def _draw_left(ax: Axes, material: Material, rows: NDArray[np.int64]) -> tuple[str, str]:
    """Draw the outcome against its replications; return what that says, if it says it best, and how to read it."""
    design, kind = material.design, support_of(material.design)
    if kind is Support.SUCCESSES:
        picks = pick_draws(material.draws, PIT_DRAWS, material.rng)
        draw_calibration(ax, material, rows, expected_rows(material.draws, design, rows, picks))
        return "", "observed against predicted proportions"
    if kind is Support.CATEGORIES:
        inside, count = draw_category_counts(ax, material, rows)
        title = f"{inside} of {count} categories of {design.response} are as frequent as predicted (95 % intervals)"
        return title, "how often each category occurs"
    if kind is Support.COUNT:
        draw_frequencies(ax, material, rows)
        return "", "how often each value occurs, on a square root axis"
    _draw_densities(ax, material, rows)
    return "", "data and replications"


def _draw_densities(ax: Axes, material: Material, rows: NDArray[np.int64]) -> None:
    y = material.design.y[rows]
    lower, upper = BOUNDS.get(support_of(material.design), (-np.inf, np.inf))
    # Replications of heavy tails would leave the data a sliver of the axis.
    window = max(lower, y.min() - np.ptp(y)), min(upper, y.max() + np.ptp(y))
    for replicated in replicate(material.draws, material.design, material.rng, REPLICATES, rows):
        seen = replicated[(replicated >= window[0]) & (replicated <= window[1])]
        if len(seen) > 1:
            grid, heights = density(seen, lower, upper)
            ax.plot(grid, heights * len(seen) / len(replicated), color=POPULATION, linewidth=0.6, alpha=0.35)
    ax.plot([], [], color=POPULATION, linewidth=1, label=f"{REPLICATES} replications")
    ax.plot(*density(y, lower, upper), color=TRUTH, linewidth=1.8, label="data")
    ax.legend(loc="upper right")
    ax.set_ylim(bottom=0)
    ax.set_xlabel(elided(material.design.response, LABEL_WIDTH))
    hide_y(ax)


def predictive_ranks(material: Material, rows: NDArray[np.int64]) -> Array:
    """Return the place of each outcome among replications of its row, between 0 and 1, at random within ties [R]."""
    y, rng = material.design.y[rows], material.rng
    replicated = replicate(material.draws, material.design, rng, PIT_DRAWS, rows)
    below, ties = (replicated < y).sum(axis=0), (replicated == y).sum(axis=0)
    return np.asarray((below + (ties + 1) * rng.random(len(rows))) / (len(replicated) + 1))


def _draw_pit(ax: Axes, pit: Array) -> None:
    bins = int(np.clip(len(pit) / ROWS_PER_BIN, 4, PIT_BINS))
    ax.hist(pit, bins=bins, range=(0, 1), color=GROUP, alpha=0.75)
    expected = len(pit) / bins
    reach = 1.96 * np.sqrt(expected * (1 - 1 / bins))
    ax.axhspan(max(0, expected - reach), expected + reach, color=DATA, alpha=0.25, linewidth=0)
    ax.axhline(expected, color=DATA, linewidth=1)
    ax.set_xlim(0, 1)
    ax.set_xlabel("share of predictions below")
    ax.set_ylabel("rows")
