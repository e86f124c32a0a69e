"""check_residuals.png: residuals against what is fitted and each predictor, with their mean and spread in bins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hierfit.model.families import Support
from hierfit.posterior.check.checked import FITTED, Checked
from hierfit.posterior.check.residuals import Against
from hierfit.posterior.check.verdicts import Verdict
from hierfit.posterior.plots.material import Material, Plate
from hierfit.posterior.plots.style import ALARM, DATA, GROUP, POPULATION, entitle, grid_of, new_figure, styled
from hierfit.posterior.scale import link_words, support_of
from hierfit.posterior.words import elided

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST, COLUMNS, PANEL = 9, 3, 2.5
HEXAGONS_FROM = 4_000
LABEL_WIDTH, LEVEL_WIDTH = 34, 12


@styled
def draw_residuals(material: Material, checked: Checked) -> Plate:
    """Draw residuals; of many predictors those with the smallest p values."""
    verdicts = {check.name: check.verdict for check in checked.checks}
    ranked = sorted(checked.residuals, key=lambda found: (found.name != FITTED, min(found.p_level, found.p_spread)))
    shown = ranked[:MOST]
    down, across = grid_of(len(shown), COLUMNS if len(shown) > 2 else 2)
    figure = new_figure(height=max(3.6, 1.1 + PANEL * down))
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for ax, found in zip(axes, shown, strict=False):
        wrong = verdicts.get(f"residuals: {found.name}", Verdict.OK) is not Verdict.OK
        _draw(ax, found, POPULATION if not wrong else ALARM)
        name = link_words(material.design) if found.name == FITTED else found.name
        ax.set_xlabel(f"{elided(name, LABEL_WIDTH)}{' (fitted)' if found.name == FITTED else ''}")
        ax.set_ylabel("residual (sd)" if found.of == "rows" else f"residual of {elided(found.of, 16)} (sd)")
    for ax in axes[len(shown) :]:
        ax.set_visible(False)
    flagged = [found.name for found in ranked if verdicts.get(f"residuals: {found.name}") not in (None, Verdict.OK)]
    title = f"Residuals differ along {', '.join(elided(name, 30) for name in flagged[:3])}"
    title = title if flagged else f"Residuals are alike along {_all_of(ranked)}"
    binary = support_of(material.design) is Support.BINARY
    kind = "distance from the predicted probability over its sd" if binary else "normal quantile of the row's place"
    left = f" · {len(ranked) - MOST} predictors not shown" if len(ranked) > MOST else ""
    entitle(figure, title, f"residual: {kind}, predicted without the row · bars: mean of a bin, 95 %{left}")
    return Plate(figure, f"Residuals. {title}.")


def _all_of(found: list[Against]) -> str:
    parts = ["what is fitted"] if any(own.name == FITTED for own in found) else []
    count = len(found) - len(parts)
    names = [elided(found[-1].name, 40) if count == 1 else "every predictor"] if count else []
    return " and ".join([*parts, *names])


def _draw(ax: Axes, found: Against, colour: str) -> None:
    known = found.bins >= 0
    place = [float(np.median(found.x[found.bins == at])) for at in range(len(found.count))]
    if found.levels:
        rng = np.random.default_rng(1)
        x, place = found.bins + rng.uniform(-0.25, 0.25, len(found.bins)), list(range(len(found.count)))
    else:
        x = found.x
    if np.sum(known) > HEXAGONS_FROM and not found.levels:
        ax.hexbin(x[known], found.residuals[known], gridsize=40, cmap="Greys", bins="log", linewidths=0, mincnt=1)
    else:
        alpha = float(np.clip(60 / len(known), 0.15, 0.6))
        ax.scatter(x[known], found.residuals[known], s=7, c=GROUP, alpha=alpha, linewidths=0, rasterized=True)
    ax.axhline(0, color=DATA, linewidth=0.8)
    reach = 1.96 / np.sqrt(found.count)
    ax.errorbar(place, found.mean, yerr=reach, fmt="o", color=colour, markersize=4, linewidth=1.4, zorder=4)
    if found.levels:
        names = [found.levels[int(found.x[found.bins == at][0])] for at in range(len(found.count))]
        ax.set_xticks(place, [elided(name, LEVEL_WIDTH) for name in names], rotation=30 if len(names) > 3 else 0)
    else:
        ax.locator_params(axis="x", nbins=5)
