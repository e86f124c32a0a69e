"""khat.png: how much hangs on single rows: the Pareto k of leaving each out, row by row, the worst ones named.

The numbers are those of `hierfit compare` (`posterior.compare`). Above the threshold the draws cannot tell what the
model would say without the row: it is hard to predict, or it alone holds an effect in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.posterior.compare.left_out import MIN_WEIGHTS, LeftOut, relative_efficiency
from hierfit.posterior.compare.parts import leave_rows_out
from hierfit.posterior.log_likelihood import LogLikelihood
from hierfit.posterior.plots.material import Material, Plate
from hierfit.posterior.plots.style import (
    ALARM,
    DATA,
    POPULATION,
    QUIET,
    RASTERIZE_FROM,
    entitle,
    halo,
    new_figure,
    styled,
)
from hierfit.posterior.predict.draws_of import n_draws
from hierfit.posterior.verdict import THRESHOLDS
from hierfit.posterior.words import elided, listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
NAMED, IN_TITLE = 8, 3
LABEL_WIDTH = 18
LOWEST, HIGHEST = -0.3, 1.6


def has_khat(material: Material) -> bool:
    """Whether rows can be left out: there are draws enough, which have seen the data, and effects of all groups."""
    kept = all(group.factor in material.draws.effects for group in material.design.groups)
    return kept and not material.spec.prior_only and n_draws(material.draws) >= MIN_WEIGHTS


@styled
def draw_khat(material: Material) -> Plate:
    """Draw the Pareto k of each row."""
    draws, design = material.draws, material.design
    efficiency = relative_efficiency(material.convergence.ess_bulk, n_draws(draws))
    found = leave_rows_out(LogLikelihood(draws, design), efficiency)
    figure = new_figure()
    ax = figure.subplots()
    _draw_rows(ax, design, found)
    doubtful, limit = found.doubtful, f"{found.threshold:.2f}"
    if len(doubtful):
        worst = listed([row_name(design, int(row)) for row in doubtful], IN_TITLE)
        one = len(doubtful) == 1
        title = (
            f"{len(doubtful):,} of {design.n_rows:,} rows {'has' if one else 'have'} a Pareto k above {limit}: {worst}"
        )
    else:
        worst = row_name(design, int(np.nanargmax(found.k))) if np.isfinite(found.k).any() else ""
        title = f"None of {design.n_rows:,} rows has a Pareto k above {limit}" + (
            f"; largest: {worst}" if worst else ""
        )
    note = "above the dashed line the draws cannot say what the model would be without the row"
    entitle(figure, title, note)
    return Plate(figure, f"Pareto k of leaving out each row. {title}.")


def row_name(design: Design, row: int) -> str:
    """Return a row as it is called: "line 17 (school 3)"."""
    labels = [
        f"{elided(group.factor, LABEL_WIDTH)} {elided(group.labels[group.codes[row]], LABEL_WIDTH)}"
        for group in design.groups
    ]
    return f"line {design.lines[row]}" + (f" ({', '.join(labels)})" if labels else "")


def _draw_rows(ax: Axes, design: Design, found: LeftOut) -> None:
    shown = np.clip(np.nan_to_num(found.k, nan=LOWEST, posinf=HIGHEST), LOWEST, HIGHEST)
    doubtful = np.isin(np.arange(len(shown)), found.doubtful)
    size = float(np.clip(8_000 / len(shown), 2.5, 14))
    for which, colour, alpha in ((~doubtful, POPULATION, 0.6), (doubtful, ALARM, 0.95)):
        ax.scatter(
            design.lines[which], shown[which], s=size if colour == POPULATION else max(size, 9), c=colour, alpha=alpha,
            linewidths=0, rasterized=len(shown) > RASTERIZE_FROM, zorder=3 if colour == ALARM else 2,
        )  # fmt: skip
    ax.axhline(found.threshold, color=ALARM, linewidth=1, linestyle=(0, (4, 2)))
    ax.axhline(0, color=DATA, linewidth=0.6, zorder=0)
    if shown.max() > THRESHOLDS["pareto_k"].fail:
        ax.axhline(THRESHOLDS["pareto_k"].fail, color=QUIET, linewidth=0.8, linestyle=(0, (1, 2)))
    _name(ax, design, found, shown)
    ax.set_ylim(min(-0.12, float(shown.min()) - 0.05), max(found.threshold + 0.12, float(shown.max()) + 0.12))
    ax.set_xlabel(f"line of {elided(design.source.name, 40)}")
    ax.set_ylabel("Pareto k")


def _name(ax: Axes, design: Design, found: LeftOut, shown: Array) -> None:
    """Name the worst rows, those beside one another above one another."""
    middle, reach = design.lines.mean(), np.ptp(design.lines) or 1
    taken: list[tuple[float, float]] = []
    for row in found.doubtful[:NAMED]:
        x, y = float(design.lines[row]), float(shown[row])
        if any(abs(x - other) < 0.3 * reach and abs(y - height) < 0.045 for other, height in taken):
            continue
        taken.append((x, y))
        left = x < middle
        ax.annotate(
            row_name(design, int(row)), (x, y), xytext=(5 if left else -5, 0), textcoords="offset points", va="center",
            ha="left" if left else "right", fontsize=7, color="#8A3A00", zorder=5, path_effects=halo(),
        )  # fmt: skip
