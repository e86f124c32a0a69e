"""ppc.png: would the model have produced data like these: replicated outcomes over the outcome's own.

Left: densities of a continuous outcome; of counts, how often each occurs (a rootogram: Kleiber, Zeileis 2016, American
Statistician 70(3)), and of ordered categories; of two values, and of successes among trials, observed against predicted
proportions.
Right: the histogram of each row's place in its predictive distribution without the row (LOO-PIT; Gabry et al. 2019,
JRSS A 182(2), section 4), randomised within ties where the outcome is discrete (Czado, Gneiting, Held 2009, Biometrics
65(4)); of two values, which have no place, the predicted probabilities by outcome. At most `MOST_ROWS` random rows.

All bands hold the data of a fitting model in all bins at once with 95 % (`bands`), and what is counted are bins that
leave theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.model.families import Support
from hierfit.posterior.plots.bands import uniform_band
from hierfit.posterior.plots.density import density
from hierfit.posterior.plots.material import INTERVAL, Material, Plate
from hierfit.posterior.plots.ppc_discrete import (
    draw_calibration,
    draw_category_counts,
    draw_frequencies,
    draw_probabilities,
)
from hierfit.posterior.plots.ppc_rows import Predicted, predict_rows
from hierfit.posterior.plots.style import ALARM, GROUP, POPULATION, QUIET, TRUTH, entitle, hide_y, new_figure, styled
from hierfit.posterior.scale import BOUNDS, event, support_of
from hierfit.posterior.words import elided

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
CURVES = 50
MOST_ROWS = 5_000
PIT_BINS = 20
ROWS_PER_BIN = 10
LABEL_WIDTH = 40
MOST_LEFT = {
    Support.SUCCESSES: "observed proportions",
    Support.CATEGORIES: "categories",
    Support.COUNT: "bars",
}


@styled
def draw_ppc(material: Material) -> Plate:
    """Draw the posterior predictive check."""
    design, rng = material.design, material.rng
    rows = np.arange(design.n_rows)
    if design.n_rows > MOST_ROWS:
        rows = np.sort(rng.choice(design.n_rows, MOST_ROWS, replace=False))
    predicted = predict_rows(material, rows)
    figure = new_figure()
    left, right = figure.subplots(1, 2, width_ratios=[2, 1])
    if support_of(design) is Support.BINARY:
        outside, bins = draw_calibration(left, material, rows, predicted)
        draw_probabilities(right, material, rows, predicted.expected)
        title = _verdict(f"observed proportions of {event(design)}", outside, bins)
        notes = ["left: bins of the predicted probability without the row", "right: that probability by outcome"]
    else:
        outside, bins, what = _draw_left(left, material, rows, predicted)
        beyond, bars = _draw_places(right, predicted.places)
        if outside:
            title = _verdict(f"{what} of {design.response}", outside, bins)
        elif beyond:
            title = _verdict(f"bars of places of {design.response} among its predictions", beyond, bars)
        else:
            title = _share_inside(material, predicted.places)
        notes = ["right: places among predictions without the row, even where the model fits; dashed: band of 95 %"]
    notes += [f"alone in {', '.join(predicted.alone)}: as in a new one"] * bool(predicted.alone)
    notes += [f"{len(rows):,} of {design.n_rows:,} rows"] * (len(rows) < design.n_rows)
    entitle(figure, title, " · ".join(notes))
    return Plate(figure, f"Posterior predictive check of {design.response}. {title}.")


def _verdict(what: str, outside: int, bins: int) -> str:
    """Say how many of some things lie where a fitting model hardly ever has one."""
    if outside:
        return f"Misfit: {outside} of {bins} {what} leave the 95 % band that holds all of a fitting model"
    return f"All {bins} {what} lie in the band that holds all of a fitting model with 95 %"


def _share_inside(material: Material, places: Array) -> str:
    share = float(np.mean((places >= INTERVAL[0]) & (places <= INTERVAL[1])))
    name = material.design.response
    return (
        f"{100 * share:.1f} % of the {name} values lie in the 95 % interval predicted without them; no misfit is seen"
    )


def _draw_left(ax: Axes, material: Material, rows: NDArray[np.int64], predicted: Predicted) -> tuple[int, int, str]:
    """Draw the outcome against its replications; return how many things leave their band, of how many, and what."""
    kind = support_of(material.design)
    if kind is Support.SUCCESSES:
        found = draw_calibration(ax, material, rows, predicted)
    elif kind is Support.CATEGORIES:
        found = draw_category_counts(ax, material, rows, predicted.replicated)
    elif kind is Support.COUNT:
        found = draw_frequencies(ax, material, rows, predicted.replicated)
    else:
        _draw_densities(ax, material, rows, predicted.replicated)
        return 0, 0, ""
    return *found, MOST_LEFT[kind]


def _draw_densities(ax: Axes, material: Material, rows: NDArray[np.int64], replicated: Array) -> None:
    y = material.design.y[rows]
    lower, upper = BOUNDS.get(support_of(material.design), (-np.inf, np.inf))
    # Replications of heavy tails would leave the data a sliver of the axis.
    window = max(lower, y.min() - np.ptp(y)), min(upper, y.max() + np.ptp(y))
    curves = replicated[:: max(1, len(replicated) // CURVES)][:CURVES]
    for outcome in curves:
        seen = outcome[(outcome >= window[0]) & (outcome <= window[1])]
        if len(seen) > 1:
            grid, heights = density(seen, lower, upper)
            ax.plot(grid, heights * len(seen) / len(outcome), color=POPULATION, linewidth=0.6, alpha=0.35)
    ax.plot([], [], color=POPULATION, linewidth=1, label=f"{len(curves)} replications")
    ax.plot(*density(y, lower, upper), color=TRUTH, linewidth=1.8, label="data")
    ax.legend(loc="upper right")
    ax.set_ylim(bottom=0)
    ax.set_xlabel(elided(material.design.response, LABEL_WIDTH))
    hide_y(ax)


def _draw_places(ax: Axes, places: Array) -> tuple[int, int]:
    """Draw the histogram of places; return how many bars leave the band, and of how many."""
    bins = int(np.clip(len(places) / ROWS_PER_BIN, 4, PIT_BINS))
    counts, edges = np.histogram(places, bins, (0, 1))
    low, high = uniform_band(len(places), bins)
    outside = (counts < low) | (counts > high)
    colours = [ALARM if out else GROUP for out in outside]
    ax.bar(edges[:-1], counts, width=1 / bins, align="edge", color=colours, alpha=0.75, linewidth=0)
    for bound in (low, high):
        ax.axhline(bound, color=QUIET, linewidth=1, linestyle="--")
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.08 * max(high, counts.max()))
    ax.set_xlabel("share of predictions below")
    ax.set_ylabel("rows")
    return int(outside.sum()), bins
