"""checks.png: may the draws be used: R-hat and ESS of every parameter, the effects of groups too, and the energies.

Of R-hat and ESS the share of parameters up to each value, beside the values at which the checks warn and fail.
Thousands of group effects are screened by split R-hat and batch means, as `convergence` says. Energies, where the
sampler has them: what they are like (around their mean) and how they change from draw to draw; much narrower changes
mean that a chain creeps through its energies (Betancourt 2016, arXiv:1604.00695).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.posterior.convergence import energy_bfmi
from hierfit.posterior.digits import format_count
from hierfit.posterior.plots.material import Material, Plate
from hierfit.posterior.plots.style import (
    ALARM,
    CHAINS,
    DATA,
    GROUP,
    POPULATION,
    QUIET,
    entitle,
    legend_label,
    log_scale,
    new_figure,
    styled,
)
from hierfit.posterior.verdict import THRESHOLDS, ess_wanted
from hierfit.posterior.words import elided, listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
ENERGY = "energy"
LABEL_WIDTH = 22
LEAST_RHAT = 1.015
MARGIN = 1.25
_TICKS = [first * 10.0**power for power in range(7) for first in (1, 4)]


@dataclass(frozen=True)
class Curve:
    """Convergence numbers of some parameters, NaN where they have none.

    Attributes:
        name: of the parameters.
        rhat: [P].
        ess: that of the bulk or that of the tails, the smaller [P]; of group effects that of the bulk.
        colour: of the curve.
    """

    name: str
    rhat: Array
    ess: Array
    colour: str


@styled
def draw_checks(material: Material) -> Plate:
    """Draw convergence numbers of all parameters, and energies."""
    curves, wanted = _curves(material), ess_wanted(material.draws.n_chains)
    energy = material.draws.stats.get(ENERGY)
    panels = 2 if energy is None else 3
    figure = new_figure(3.6)
    axes = figure.subplots(1, panels, squeeze=False)[0]
    _draw_rhat(axes[0], curves)
    _draw_ess(axes[1], curves, wanted)
    axes[0].set_ylabel("share of parameters up to there")
    said = _title(curves, wanted)
    if energy is not None:
        bfmi = _draw_energy(axes[2], np.asarray(energy, dtype=np.float64))
        low = np.flatnonzero(bfmi < THRESHOLDS["ebfmi"].warn) + 1
        if len(low):
            said += f"; E-BFMI is low in {'chain' if len(low) == 1 else 'chains'} {listed([str(at) for at in low])}"
    title = material.finding(said)
    screened = not all(screen.exact for screen in material.screens.values())
    note = "dashed grey: wanted · dashed red: not to be used beyond"
    note += " · of group effects split R-hat and batch means, those of the worst exact" if screened else ""
    entitle(figure, title, note)
    return Plate(figure, f"R-hat and ESS of all parameters{'' if energy is None else ', and energies'}. {title}.")


def _curves(material: Material) -> list[Curve]:
    known = material.convergence
    found = [Curve("population level", known.rhat, np.fmin(known.ess_bulk, known.ess_tail), POPULATION)]
    colours = (GROUP, *CHAINS[3:])
    for at, (factor, screen) in enumerate(material.screens.items()):
        name = legend_label(f"effects of {elided(factor, LABEL_WIDTH)}")
        found.append(Curve(name, screen.rhat.ravel(), screen.ess.ravel(), colours[at % len(colours)]))
    return [curve for curve in found if np.isfinite(curve.rhat).any()]


def _title(curves: list[Curve], wanted: float) -> str:
    rhat, ess = (np.concatenate([getattr(curve, name) for curve in curves]) for name in ("rhat", "ess"))
    known = np.isfinite(rhat) & np.isfinite(ess)
    most = THRESHOLDS["rhat"].warn
    bad = known & ((rhat >= most) | (ess < wanted))
    if not bad.any():
        return (
            f"R-hat is at most {float(rhat[known].max()):.3f} and ESS at least "
            f"{format_count(float(ess[known].min()))} for all {known.sum():,} parameters"
        )
    one = bad.sum() == 1
    return (
        f"{bad.sum():,} of {known.sum():,} parameters {'has' if one else 'have'} an R-hat of {most:g} or more, or an "
        f"ESS under {format_count(wanted)}"
    )


def _draw_rhat(ax: Axes, curves: list[Curve]) -> None:
    highest = LEAST_RHAT
    for curve in curves:
        values = np.sort(curve.rhat[np.isfinite(curve.rhat)])
        _step(ax, values, curve)
        highest = max(highest, 1 + 1.15 * (float(values[-1]) - 1))
    _mark(ax, THRESHOLDS["rhat"].warn, THRESHOLDS["rhat"].fail)
    ax.set_xlim(min(0.999, *ax.get_xlim()), highest)
    ax.set_xlabel("R-hat")
    ax.locator_params(axis="x", nbins=4)
    ax.legend(loc="lower right", fontsize=7)


def _draw_ess(ax: Axes, curves: list[Curve], wanted: float) -> None:
    every = np.concatenate([curve.ess for curve in curves])
    every = every[np.isfinite(every)]
    for curve in curves:
        _step(ax, np.sort(curve.ess[np.isfinite(curve.ess)]), curve)
    log_scale(ax, "x")
    _mark(ax, wanted, THRESHOLDS["ess"].fail)
    low, high = min(wanted, float(every.min())) / MARGIN, max(wanted, float(every.max())) * MARGIN
    ticks = [tick for tick in _TICKS if low <= tick <= high]
    ax.set_xticks(ticks, [format_count(tick) for tick in ticks])
    ax.set_xticks([], minor=True)
    ax.set_xlim(low, high)
    ax.set_xlabel("effective sample size")


def _step(ax: Axes, values: Array, curve: Curve) -> None:
    if not len(values):
        return
    share = np.arange(1, len(values) + 1) / len(values)
    x, y = np.concatenate([values[:1], values]), np.concatenate([[0.0], share])
    ax.step(x, y, where="post", color=curve.colour, linewidth=1.6, label=curve.name)
    ax.set_ylim(0, 1.03)


def _mark(ax: Axes, warns: float, fails: float) -> None:
    for value, colour in ((warns, QUIET), (fails, ALARM)):
        ax.axvline(value, color=colour, linewidth=1, linestyle=(0, (4, 2)), zorder=0)


def _draw_energy(ax: Axes, energy: Array) -> Array:
    """Draw energies around their mean and their changes; return the E-BFMI of each chain."""
    own = (energy - moments.mean(energy, axis=1)[:, None]).ravel()
    changes = np.diff(energy, axis=1).ravel()
    own, changes = own[np.isfinite(own)], changes[np.isfinite(changes)]
    bfmi = energy_bfmi(energy)
    if not len(changes) or np.ptp(own) == 0:
        return bfmi
    reach = float(np.quantile(np.abs(np.concatenate([own, changes])), 0.999))
    edges = list(np.linspace(-reach, reach, 41))
    ax.hist(own, bins=edges, density=True, color=DATA, alpha=0.6, label="energies")
    ax.hist(changes, bins=edges, density=True, histtype="step", color=POPULATION, linewidth=1.4, label="changes")
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(_of_bfmi(bfmi))
    ax.locator_params(axis="x", nbins=4)
    ax.legend(loc="upper right", fontsize=7, handlelength=1.2)
    return bfmi


def _of_bfmi(bfmi: Array) -> str:
    known = bfmi[np.isfinite(bfmi)]
    if not len(known):
        return "energy"
    return f"energy around its mean\nE-BFMI at least {known.min():.2f} (want {THRESHOLDS['ebfmi'].warn:g})"
