"""check_priors.png: the prior of each parameter against its posterior, and how far the posterior follows either.

Sensitivities are those of power scaling (`posterior.check.sensitivity`). Parameters with a prior that has a density,
the most sensitive first.
"""

from __future__ import annotations

import numpy as np

from hierfit.model.spec import Parameter
from hierfit.posterior.check.checked import Checked
from hierfit.posterior.check.sensitivity import Sensitivity
from hierfit.posterior.plots.density import density
from hierfit.posterior.plots.material import Material, Plate
from hierfit.posterior.plots.style import (
    ALARM,
    DATA,
    POPULATION,
    QUIET,
    entitle,
    grid_of,
    hide_y,
    mark_truth,
    new_figure,
    styled,
)
from hierfit.posterior.words import elided

MOST, COLUMNS, PANEL = 12, 3, 1.9
PRIOR_REACH = 6.0
POINTS = 200


def pictured(material: Material, checked: Checked) -> list[tuple[Parameter, Sensitivity]]:
    """Return parameters with a prior to draw, and their sensitivities, the most sensitive to the prior first."""
    of = {found.name: found for found in checked.sensitivities}
    pairs = [
        (parameter, of[parameter.name])
        for parameter in material.spec.parameters
        if parameter.name in of and parameter.prior is not None and parameter.prior.has_density
    ]
    return sorted(pairs, key=lambda pair: -pair[1].prior)


@styled
def draw_priors(material: Material, checked: Checked) -> Plate:
    """Draw prior and posterior of parameters."""
    every = pictured(material, checked)
    shown = every[:MOST]
    down, across = grid_of(len(shown), COLUMNS)
    figure = new_figure(height=max(3.2, 1.1 + PANEL * down))
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for ax, (parameter, found) in zip(axes, shown, strict=False):
        index = next(at for at, own in enumerate(material.draws.parameters) if own.name == parameter.name)
        values = material.values(index)
        grid, heights = density(values, *material.support(index))
        low, high = material.limits(index)
        margin = 0.8 * (high - low)
        low, high = max(low - margin, parameter.within[0]), min(high + margin, parameter.within[1])
        x = np.linspace(low, high, POINTS)
        assert parameter.prior is not None
        ax.fill_between(grid, heights, color=POPULATION, alpha=0.3, linewidth=0, label="posterior")
        ax.plot(x, parameter.prior.density(x, within=parameter.within), color=DATA, linewidth=1.5, label="prior")
        truth = material.true_value(parameter.name)
        if truth is not None:
            mark_truth(ax, truth, 0.0)
        wrong = found.conflict or found.weak
        ax.set_title(elided(parameter.name, 34), loc="left", color=ALARM if wrong else "#222222")
        told = f"sensitivity: prior {found.prior:.2f}, data {found.likelihood:.2f}"
        ax.set_xlabel(told, fontsize=7.5, color=ALARM if wrong else QUIET)
        ax.set_xlim(low, high)
        ax.set_ylim(bottom=0)
        ax.locator_params(axis="x", nbins=4)
        hide_y(ax)
    axes[0].legend(loc="upper right", fontsize=7)
    for ax in axes[len(shown) :]:
        ax.set_visible(False)
    follow = sum(found.prior >= 0.05 for _, found in every)
    title = f"{follow} of {len(every)} parameters follow the priors noticeably (sensitivity 0.05 or more)"
    left = f" · {len(every) - MOST} more: --format csv" if len(every) > MOST else ""
    entitle(figure, title, f"grey: prior · blue: posterior; the axis is the posterior's{left}")
    return Plate(figure, f"Priors against posteriors. {title}.")
