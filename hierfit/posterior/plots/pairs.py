"""pairs.png: sds, correlations and auxiliaries against each other, divergent draws on top: where the sampler got stuck.

Sds that come near 0 are on a log axis, which is where a funnel shows (Betancourt, Girolami 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.model.spec import Kind
from hierfit.posterior.diagnostics import where_divergent
from hierfit.posterior.plots.density import density
from hierfit.posterior.plots.material import Material, Plate
from hierfit.posterior.plots.style import (
    ALARM,
    POPULATION,
    RASTERIZE_FROM,
    TRUTH,
    entitle,
    hide_y,
    log_scale,
    new_figure,
    styled,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
MOST_PARAMETERS = 5
MOST_POINTS = 1_500
LINE_WIDTH = 20
NEAR_ZERO = 0.1


def pair_indices(material: Material) -> list[int]:
    """Return the parameters that pairs.png shows: sds, auxiliaries, correlations, those of other predictors; some."""
    kinds = (Kind.SD, Kind.AUXILIARY, Kind.CORRELATION, Kind.DISTRIBUTIONAL)
    ranked = [index for kind in kinds for index in material.free(kind)]
    return sorted(ranked[:MOST_PARAMETERS])


@styled
def draw_pairs(material: Material) -> Plate:
    """Draw the hyperparameters pairwise."""
    indices = pair_indices(material)
    count = len(indices)
    diverging = np.asarray(material.draws.stats.get("diverging", np.zeros(1)), dtype=bool).ravel()
    total = material.draws.n_chains * material.draws.n_draws
    marked = np.flatnonzero(diverging) if diverging.size == total else np.zeros(0, dtype=np.int64)
    shown = np.sort(material.rng.choice(total, min(total, MOST_POINTS), replace=False))
    figure = new_figure(max(4.5, 1.5 * count + 0.6))
    axes = figure.subplots(count, count, squeeze=False)
    for row in range(count):
        for column in range(count):
            ax = axes[row, column]
            if column > row:
                ax.set_visible(False)
            elif column == row:
                _draw_margin(ax, material, indices[row])
            else:
                _draw_pair(ax, material, (indices[column], indices[row]), shown, marked)
            _name_panel(ax, material, indices, row, column)
    figure.align_labels()
    knows = diverging.size == total
    title = _divergences(material, diverging) if knows and diverging.any() else _correlation(material, indices)
    title += "; no draw is divergent" if knows and not diverging.any() else ""
    notes = ["orange-red: divergent draws"] * bool(len(marked)) + ["black cross: true value"] * bool(material.truth)
    entitle(figure, title, " · ".join(notes))
    what = "sds, correlations and other parameters of spread"
    return Plate(figure, f"Pairs of {count} {what}. {title}.")


def _divergences(material: Material, diverging: NDArray[np.bool_]) -> str:
    """Say how many draws are divergent, and where."""
    shape = material.draws.values.shape[:2]
    where = where_divergent(material.draws, diverging.reshape(shape))
    count = f"{np.count_nonzero(diverging):,} of {diverging.size:,} draws are divergent"
    return count + (f", most with {where[1]}" if where else "")


def _correlation(material: Material, indices: Sequence[int]) -> str:
    """Say which two are most correlated, of draws by a sampler that knows no divergences."""
    if len(indices) < 2:
        return "One parameter of spread"
    correlation = np.tril(np.corrcoef([material.values(index) for index in indices]), -1)
    two = np.unravel_index(np.abs(correlation).argmax(), correlation.shape)
    second, first = (material.draws.parameters[indices[int(at)]].name for at in two)
    return f"The largest correlation is {correlation[two]:.2f}, of {first} and {second}"


def _draw_pair(
    ax: Axes, material: Material, pair: tuple[int, int], shown: NDArray[np.int64], marked: NDArray[np.int64]
) -> None:
    x, y = material.values(pair[0]), material.values(pair[1])
    ax.scatter(x[shown], y[shown], s=3, c=POPULATION, alpha=0.3, linewidths=0, rasterized=len(shown) > RASTERIZE_FROM)
    ax.scatter(x[marked], y[marked], s=9, c=ALARM, alpha=0.9, linewidths=0.3, edgecolors="white", zorder=3)
    names = [material.draws.parameters[index].name for index in pair]
    truth = [material.true_value(name) for name in names]
    if truth[0] is not None and truth[1] is not None:
        ax.plot(truth[0], truth[1], "x", color=TRUTH, markersize=7, markeredgewidth=1.6, zorder=4)
    if _on_log_axis(material, pair[0]):
        log_scale(ax, "x")
    if _on_log_axis(material, pair[1]):
        log_scale(ax, "y")
    ax.set_xlim(_limits(material, pair[0]))
    ax.set_ylim(_limits(material, pair[1]))


def _draw_margin(ax: Axes, material: Material, index: int) -> None:
    values = material.values(index)
    if _on_log_axis(material, index):
        grid, heights = density(np.log(values[values > 0]))
        grid = np.exp(grid)
        log_scale(ax, "x")
    else:
        grid, heights = density(values, *material.support(index))
    ax.fill_between(grid, 0, heights, color=POPULATION, alpha=0.3, linewidth=0)
    ax.set_xlim(_limits(material, index))
    ax.set_ylim(bottom=0)
    hide_y(ax)


def _limits(material: Material, index: int) -> tuple[float, float]:
    """The range of one parameter's axis, the same in every panel."""
    values = material.values(index)
    if _on_log_axis(material, index):
        return float(values.min()) / 1.3, float(values.max()) * 1.3
    low, high = material.limits(index)
    truth = material.true_value(material.draws.parameters[index].name)
    return (low, high) if truth is None else (min(low, truth), max(high, truth))


def _on_log_axis(material: Material, index: int) -> bool:
    values = material.values(index)
    if material.support(index) != (0.0, np.inf) or values.min() <= 0:
        return False
    return bool(np.quantile(values, 0.01) < NEAR_ZERO * np.median(values))


def _name_panel(ax: Axes, material: Material, indices: list[int], row: int, column: int) -> None:
    """Names on the left and bottom edges only."""
    names = [wrapped(material.draws.parameters[index].name, LINE_WIDTH) for index in indices]
    if row == len(indices) - 1:
        ax.set_xlabel(names[column], fontsize=7)
    elif row > column:
        ax.tick_params(labelbottom=False)
    if row == column:
        ax.set_title(names[row], loc="left", fontsize=7.5)
    if column == 0 and row > 0:
        ax.set_ylabel(names[row], fontsize=7)
    elif row > column:
        ax.tick_params(labelleft=False)
