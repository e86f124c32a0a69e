"""check_prior.png: outcomes that the priors imply, in their units; nothing of the data is in it."""

from __future__ import annotations

import numpy as np

from hierfit.model.families import Support
from hierfit.posterior.check.checked import Checked
from hierfit.posterior.plots.density import density
from hierfit.posterior.plots.material import Material, Plate
from hierfit.posterior.plots.ppc_discrete import label_categories
from hierfit.posterior.plots.style import POPULATION, entitle, hide_y, new_figure, styled
from hierfit.posterior.scale import BOUNDS, event, support_of
from hierfit.posterior.words import elided

BINS, LABEL_WIDTH = 40, 40
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
        ax.boxplot(shares, positions=range(len(shares)), whis=(2.5, 97.5), showfliers=False)
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
        bounds = BOUNDS.get(kind, (-np.inf, np.inf))
        for ax, values, label in (
            (left, found.outcomes, response),
            (right, found.expected.mean(axis=1), f"mean of {response}"),
        ):
            low, high = np.quantile(values, WINDOW)
            seen = np.asarray(values[(values >= low) & (values <= high)], dtype=np.float64)
            if kind is Support.COUNT and ax is left:
                ax.hist(seen, bins=min(BINS, int(high - low) + 1), color=POPULATION, alpha=0.5)
            else:
                ax.fill_between(*density(seen, *bounds), color=POPULATION, alpha=0.4, linewidth=0)
            ax.set_xlabel(label)
            ax.set_ylim(bottom=0)
            ax.locator_params(axis="x", nbins=5)
            hide_y(ax)
        note = "left: single outcomes · right: means of all rows; 99 % of either are shown"
    title = f"{checked.checks[0].says[0].upper()}{checked.checks[0].says[1:]}"
    entitle(figure, title, note)
    return Plate(figure, f"Prior predictive distribution of {design.response}. {title}.")
