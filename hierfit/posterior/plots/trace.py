"""trace.png: what the chains did: traces, ranks across chains, divergences, for population-level parameters only.

Ranks: were the chains alike, each chain's ranks among all draws would be uniform (Vehtari et al. 2021, section 4.3).
At most `MOST_PARAMETERS` parameters are drawn, sds, correlations and auxiliaries first, then the
coefficients and thresholds with the largest R-hat.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hierfit.model.spec import Kind
from hierfit.posterior.plots.material import Material, Plate
from hierfit.posterior.plots.style import ALARM, CHAINS, QUIET, TRUTH, entitle, new_figure, styled
from hierfit.posterior.words import elided, what_disagrees

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PARAMETERS = 8
MOST_POINTS = 1_000
RANK_BINS, LEAST_REACH = 20, 0.4
LABEL_WIDTH = 34


@styled
def draw_trace(material: Material) -> Plate:
    """Draw trace and rank plot of the population-level parameters."""
    indices = _chosen(material)
    figure = new_figure(max(3.0, 1.15 * len(indices) + 1.0))
    axes = figure.subplots(len(indices), 2, width_ratios=[2.2, 1], squeeze=False)
    for row, index in enumerate(indices):
        _draw_trace(axes[row, 0], material, index)
        _draw_ranks(axes[row, 1], material, index, title=row == 0)
        if row < len(indices) - 1:
            axes[row, 0].set_xticklabels([])
            axes[row, 1].set_xticklabels([])
    axes[-1, 0].set_xlabel("draw")
    axes[-1, 1].set_xlabel("rank among all draws")
    title = _title(material)
    entitle(figure, title, _note(material, len(indices)))
    return Plate(figure, f"Trace and rank plots of {len(indices)} population-level parameters. {title}.")


def _chosen(material: Material) -> list[int]:
    free = material.free()
    rhat = np.nan_to_num(material.convergence.rhat, nan=np.inf)
    if len(free) <= MOST_PARAMETERS:
        return free
    spread = material.free(Kind.SD, Kind.SD_AT_MEAN, Kind.CORRELATION, Kind.AUXILIARY)
    rest = [index for index in free if index not in spread]
    ranked = sorted(spread, key=lambda index: -rhat[index])[: MOST_PARAMETERS - 1]
    ranked += sorted(rest, key=lambda index: -rhat[index])[: MOST_PARAMETERS - len(ranked)]
    return sorted(ranked)


def _title(material: Material) -> str:
    draws, rhat = material.draws, material.convergence.rhat
    chains = f"{draws.n_chains} chain{'s' if draws.n_chains > 1 else ''} of {draws.n_draws:,} draws"
    if not np.isfinite(rhat).any():
        return f"{chains}, without an R-hat"
    worst = int(np.nanargmax(rhat))
    if rhat[worst] > 1.01:
        who = what_disagrees(draws.n_chains).capitalize()
        return f"{who} most on {draws.parameters[worst].name}: R-hat {rhat[worst]:.3f} (want < 1.01)"
    agree = "agree" if draws.n_chains > 1 else "agree in both halves"
    return f"{chains} {agree}: R-hat at most {rhat[worst]:.3f} (want < 1.01)"


def _note(material: Material, shown: int) -> str:
    parts = ["one colour per chain"]
    if material.truth and material.truth.parameters:
        parts.append("dashed: true value")
    if "diverging" in material.draws.stats:
        count = int(np.count_nonzero(material.draws.stats["diverging"]))
        parts.append(f"{count:,} divergent draws" + " (ticks at the bottom)" * bool(count))
    if shown < len(material.free()):
        parts.append(f"{shown} of {len(material.free())} parameters")
    return " · ".join(parts)


def _draw_trace(ax: Axes, material: Material, index: int) -> None:
    draws, name = material.draws, material.draws.parameters[index].name
    step = max(1, draws.n_draws // MOST_POINTS)
    at = np.arange(0, draws.n_draws, step)
    for chain in range(draws.n_chains):
        colour = CHAINS[chain % len(CHAINS)]
        ax.plot(at + 1, draws.values[chain, at, index], color=colour, linewidth=0.5, alpha=0.8, rasterized=True)
    diverging = np.asarray(draws.stats.get("diverging", np.zeros((1, 0))), dtype=bool)
    ticks = np.flatnonzero(diverging.any(axis=0)) + 1
    if len(ticks):
        bottom = ax.get_xaxis_transform()
        ax.plot(ticks, np.zeros(len(ticks)), "|", color=ALARM, transform=bottom, clip_on=False, markersize=6)
    truth = material.true_value(name)
    if truth is not None:
        ax.axhline(truth, color=TRUTH, linewidth=1.2, linestyle="--")
    ax.set_title(elided(name, LABEL_WIDTH), loc="left", pad=2)
    ax.set_xlim(1, max(2, draws.n_draws))
    ax.margins(y=0.08)
    ax.locator_params(axis="y", nbins=4)


def _draw_ranks(ax: Axes, material: Material, index: int, *, title: bool) -> None:
    values = material.draws.values[:, :, index]
    ranks = np.argsort(np.argsort(values, axis=None)).reshape(values.shape)
    edges = np.linspace(0, values.size, RANK_BINS + 1)
    expected = values.shape[1] / RANK_BINS
    shares = np.stack([np.histogram(of_chain, edges)[0] for of_chain in ranks]) / expected
    for chain, share in enumerate(shares):
        ax.stairs(share, edges / values.size, color=CHAINS[chain % len(CHAINS)], linewidth=0.9)
    ax.axhline(1, color=QUIET, linewidth=0.8, linestyle=":")
    reach = max(LEAST_REACH, 1.1 * float(np.abs(shares - 1).max()))
    ax.set_ylim(max(0.0, 1 - reach), 1 + reach)
    ax.locator_params(axis="y", nbins=3)
    ax.set_xlim(0, 1)
    if title:
        ax.set_title("share of ranks; 1: even", loc="left", pad=2)
