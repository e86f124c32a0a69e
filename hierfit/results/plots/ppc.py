"""ppc.png: would the model have produced data like these: densities of replicated outcomes over the outcome's own.

Beside it the histogram of each row's place in its own predictive distribution (PIT; Gabry et al. 2019, JRSS A 182(2),
section 4). The rows were also fitted, so a hump in the middle is expected; a slope, or piles at the ends, are not.
At most `MOST_ROWS` random rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.results.plots.density import density
from hierfit.results.plots.material import INTERVAL, Material, Plate
from hierfit.results.plots.style import DATA, GROUP, POPULATION, TRUTH, entitle, hide_y, new_figure, styled
from hierfit.results.predict import linear_predictor, pick_draws, replicate
from hierfit.results.words import elided

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
REPLICATES = 50
PIT_DRAWS = 100
MOST_ROWS = 10_000
PIT_BINS = 20
ROWS_PER_BIN = 10
LABEL_WIDTH = 40


@styled
def draw_ppc(material: Material) -> Plate:
    """Draw the posterior predictive check of a gaussian model."""
    design, rng = material.design, material.rng
    rows = np.arange(design.n_rows)
    if design.n_rows > MOST_ROWS:
        rows = np.sort(rng.choice(design.n_rows, MOST_ROWS, replace=False))
    figure = new_figure()
    left, right = figure.subplots(1, 2, width_ratios=[2, 1])
    for replicated in replicate(material.draws, design, rng, REPLICATES, rows):
        left.plot(*density(replicated), color=POPULATION, linewidth=0.6, alpha=0.35)
    left.plot([], [], color=POPULATION, linewidth=1, label=f"{REPLICATES} replications")
    left.plot(*density(design.y[rows]), color=TRUTH, linewidth=1.8, label="data")
    left.legend(loc="upper right")
    left.set_ylim(bottom=0)
    left.set_xlabel(elided(design.response, LABEL_WIDTH))
    hide_y(left)
    pit = predictive_ranks(material, rows)
    _draw_pit(right, pit)
    inside = float(np.mean((pit >= INTERVAL[0]) & (pit <= INTERVAL[1])))
    title = f"{100 * inside:.1f} % of the {design.response} values lie in their 95 % predictive interval"
    sampled = f" · {len(rows):,} of {design.n_rows:,} rows" if len(rows) < design.n_rows else ""
    note = f"left: data and replications · right: a slope or piles at the ends would mean misfit{sampled}"
    entitle(figure, title, note)
    return Plate(figure, f"Posterior predictive check of {design.response}. {title}.")


def predictive_ranks(material: Material, rows: NDArray[np.int64]) -> Array:
    """Return the probability that a gaussian prediction lies below the outcome, averaged over draws [R]."""
    from scipy.special import ndtr

    picks = pick_draws(material.draws, PIT_DRAWS, material.rng)
    sigma = material.draws.of("sigma").ravel()[picks]
    total = np.zeros(len(rows))
    for draw in range(len(picks)):
        predictor = linear_predictor(material.draws, material.design, rows, picks[draw : draw + 1])[0]
        total += ndtr((material.design.y[rows] - predictor) / sigma[draw])
    return total / len(picks)


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
