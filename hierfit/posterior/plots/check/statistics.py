"""check_statistics.png: test statistics of the data, a line, among those of the replications."""

from __future__ import annotations

import numpy as np

from hierfit.posterior.check.checked import Checked
from hierfit.posterior.check.verdicts import Verdict
from hierfit.posterior.digits import format_number
from hierfit.posterior.plots.material import Material, Plate
from hierfit.posterior.plots.style import ALARM, POPULATION, QUIET, TRUTH, entitle, grid_of, hide_y, new_figure, styled
from hierfit.posterior.words import elided

BINS, COLUMNS, PANEL = 30, 3, 1.9
TAIL = 0.002


@styled
def draw_statistics(material: Material, checked: Checked) -> Plate:
    """Draw each statistic of the data among its replications."""
    found = {check.name: check for check in checked.checks if check.name in checked.statistics}
    down, across = grid_of(len(found), COLUMNS)
    figure = new_figure(height=1.1 + PANEL * down)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for ax, (name, check) in zip(axes, found.items(), strict=False):
        values = checked.statistics[name]
        replicated = values[1:][np.isfinite(values[1:])]
        low, high = np.quantile(replicated, (TAIL, 1 - TAIL))
        low, high = min(low, values[0]), max(high, values[0])
        margin = 0.05 * (high - low) or 0.5
        whole = bool(np.all(replicated == np.round(replicated))) and high - low < BINS
        bins = np.arange(np.floor(low) - 0.5, high + 1.5) if whole else np.linspace(low, high, BINS + 1)
        ax.hist(np.clip(replicated, low, high), bins=bins.tolist(), color=POPULATION, alpha=0.45)
        right = check.verdict is Verdict.OK
        ax.axvline(values[0], color=TRUTH if right else ALARM, linewidth=2)
        ax.set_xlim(low - margin, high + margin)
        ax.set_title(elided(name, 34), loc="left", color="#222222" if right else ALARM)
        told = f"data {format_number(float(values[0]), None)} · p {check.p:.2g}"
        ax.set_xlabel(told, fontsize=7.5, color=QUIET)
        ax.locator_params(axis="x", nbins=4)
        hide_y(ax)
    for ax in axes[len(found) :]:
        ax.set_visible(False)
    agree = sum(check.verdict is Verdict.OK for check in found.values())
    title = f"{agree} of {len(found)} statistics of {elided(material.design.response, 40)} are as the model predicts"
    entitle(figure, title, "line: data · bars: replications with the groups' own effects")
    return Plate(figure, f"Test statistics. {title}.")
