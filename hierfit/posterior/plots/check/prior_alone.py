"""check_prior.png: outcomes that the priors imply, in their units; nothing of the data is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.model.families import Support
from hierfit.posterior.check.checked import Checked
from hierfit.posterior.digits import format_share
from hierfit.posterior.plots.density import density
from hierfit.posterior.plots.material import Material, Plate
from hierfit.posterior.plots.ppc_discrete import label_categories
from hierfit.posterior.plots.style import POPULATION, entitle, hide_y, log_scale, new_figure, styled
from hierfit.posterior.scale import BOUNDS, event, support_of
from hierfit.posterior.words import elided

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
BINS, LABEL_WIDTH = 40, 40
SPREAD = 30  # times the median
WINDOW = (0.005, 0.995)


@styled
def draw_prior_alone(material: Material, checked: Checked) -> Plate:
    """Draw outcomes of the prior predictive distribution, and expectations beside them."""
    assert checked.implied is not None
    design, found = material.design, checked.implied
    kind, response = support_of(design), elided(material.design.response, LABEL_WIDTH)
    figure = new_figure()
    if kind is Support.CATEGORIES:
        ax = figure.subplots()
        shares = [np.mean(found.outcomes == code, axis=1) for code in range(len(design.categories))]
        line = {"color": POPULATION}
        ax.boxplot(
            shares, positions=range(len(shares)), whis=(2.5, 97.5), showfliers=False,
            boxprops=line, medianprops=line, whiskerprops=line, capprops=line,
        )  # fmt: skip
        label_categories(ax, design.categories)
        ax.set_ylim(0, 1)
        ax.set_ylabel("share of rows in a draw")
        ax.set_xlabel(response)
        note = "box: half of the draws · whiskers: 95 %"
    elif kind in (Support.BINARY, Support.SUCCESSES):
        ax = figure.subplots()
        ax.hist(found.expected.ravel(), bins=BINS, range=(0, 1), color=POPULATION, alpha=0.5)
        ax.set_xlim(0, 1)
        ax.set_xlabel(f"probability of {elided(event(design), LABEL_WIDTH) if kind is Support.BINARY else response}")
        hide_y(ax)
        note = "piles at the ends mean priors that are sure of the outcome before there are data"
    else:
        left, right = figure.subplots(1, 2)
        means = found.expected.mean(axis=1)
        for ax, values, label in ((left, found.outcomes, response), (right, means, f"mean of {response}")):
            _draw(ax, np.asarray(values.ravel(), dtype=np.float64), label, kind)
        note = "left: single outcomes · right: means of all rows; 99 % of either are shown"
    said = checked.checks[-1 if kind is Support.CATEGORIES else 0].says
    title = f"{said[0].upper()}{said[1:]}".partition(": are priors")[0]
    entitle(figure, title, note)
    return Plate(figure, f"Prior predictive distribution of {design.response}. {title}.")


def _draw(ax: Axes, values: Array, label: str, kind: Support) -> None:
    """Draw a distribution, on a logarithmic axis where most of it would be at one end."""
    bounds = BOUNDS.get(kind, (-np.inf, np.inf))
    if bounds[0] == 0:
        some = values[(values > 0) & np.isfinite(values)]
        low, high = np.quantile(some, WINDOW) if len(some) else (0.5, 1.0)
        if high > SPREAD * np.median(some):
            ax.hist(some, bins=np.geomspace(low, high, BINS).tolist(), color=POPULATION, alpha=0.5)
            log_scale(ax, "x")
            none = float(np.mean(values == 0))
            label += f" ({format_share(none)} are 0, not shown)" if none else ""
            ax.set_xlabel(label)
            hide_y(ax)
            return
    low, high = np.quantile(values, WINDOW)
    seen = values[(values >= low) & (values <= high)]
    if kind is Support.COUNT and np.all(seen == np.round(seen)):
        ax.hist(seen, bins=max(1, min(BINS, int(high - low) + 1)), color=POPULATION, alpha=0.5)
    else:
        ax.fill_between(*density(seen, *bounds), color=POPULATION, alpha=0.4, linewidth=0)
    ax.set_xlabel(label)
    ax.set_ylim(bottom=0)
    ax.locator_params(axis="x", nbins=5)
    hide_y(ax)
