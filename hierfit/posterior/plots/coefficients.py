"""coefficients.png: the population-level coefficients side by side, each with its 50 and 95 % interval.

Intercepts are left out. Coefficients are of a unit of their column, or, where these units are too different for one
axis, of an sd of the columns that hold more than two values (Gelman 2008, Statistics in Medicine 27(15), leaves two
values as they are). Those of other parameters than the mean have an axis of their own. Of many, those farthest from 0
in units of their sds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.model.families import auxiliary_of
from hierfit.model.grammar import INTERCEPT
from hierfit.model.spec import INTERCEPT_AT_MEAN, Kind, coefficient_name
from hierfit.posterior.digits import decimals, format_number
from hierfit.posterior.plots.material import INTERVAL, Material, Per, Plate, coverage_sentence, interval_text
from hierfit.posterior.plots.style import (
    DATA,
    POPULATION,
    QUIET,
    ROW,
    entitle,
    interval_bars,
    mark_truth,
    new_figure,
    rows_height,
    styled,
)
from hierfit.posterior.scale import link_words
from hierfit.posterior.words import elided

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
MOST = 50
SCALE_RATIO = 20.0  # of posterior sds, beyond which one axis does not show all
LABEL_WIDTH, LONG_LABEL = 34, 42
QUANTILES = (INTERVAL[0], 0.25, 0.5, 0.75, INTERVAL[1])


@dataclass(frozen=True)
class Coefficient:
    """One coefficient as it is drawn.

    Attributes:
        name: the parameter.
        predictor: the parameter that it is of, None for the mean.
        values: its draws [S], of `scale` units.
        scale: how many units of its column it is of.
        truth: its true value, where it is known, of as many.
    """

    name: str
    predictor: str | None
    values: Array
    scale: float
    truth: float | None

    @property
    def bounds(self) -> tuple[float, float]:
        """The 95 % interval."""
        low, high = np.quantile(self.values, INTERVAL)
        return float(low), float(high)

    @property
    def is_clear(self) -> bool:
        """Whether its 95 % interval excludes 0."""
        low, high = self.bounds
        return low * high > 0

    @property
    def distance(self) -> float:
        """From 0, in sds."""
        return abs(float(moments.mean(self.values))) / (float(moments.sd(self.values)) or 1.0)


def has_coefficients(material: Material) -> bool:
    """Whether there are coefficients beside intercepts."""
    return bool(_indices(material))


@styled
def draw_coefficients(material: Material) -> Plate:
    """Draw the coefficients with their intervals."""
    every, per = _coefficients(material)
    shown = every
    if len(every) > MOST:
        nearest = sorted(every, key=lambda one: one.distance)[: len(every) - MOST]
        left_out = {one.name for one in nearest}
        shown = [one for one in every if one.name not in left_out]
    predictors = list(dict.fromkeys(one.predictor for one in shown))
    panels = [[one for one in shown if one.predictor == predictor] for predictor in predictors]
    figure = new_figure(rows_height(len(shown) + 3 * (len(panels) - 1)) + 0.15)
    ratios = [len(panel) * ROW + 0.3 for panel in panels]
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=ratios)[:, 0]
    for ax, panel in zip(axes, panels, strict=True):
        _draw_panel(ax, panel)
        ax.set_xlabel(_axis_words(material, panel[0].predictor, per))
    title = material.finding(_title(material, every))
    note = "dot: median · thick 50 %, thin 95 % · grey: the 95 % interval includes 0"
    note += " · x: true value" if any(one.truth is not None for one in shown) else ""
    note += f" · {len(shown)} of {len(every)}, those farthest from 0 in sds" if len(shown) < len(every) else ""
    entitle(figure, title, note)
    what = "One coefficient" if len(shown) == 1 else f"{len(shown)} coefficients"
    return Plate(figure, f"{what} with 50 and 95 % intervals. {title}.")


def _indices(material: Material) -> list[int]:
    intercepts = (INTERCEPT, INTERCEPT_AT_MEAN)
    found = material.free(Kind.COEFFICIENT, Kind.DISTRIBUTIONAL)
    parameters = material.draws.parameters
    return [at for at in found if parameters[at].name not in intercepts and parameters[at].term != INTERCEPT]


def _coefficients(material: Material) -> tuple[list[Coefficient], Per]:
    """Return the coefficients, and what they are of."""
    indices, parameters = _indices(material), material.draws.parameters
    columns = _columns(material)
    per = material.choices.per or _fitting(material, indices)
    found = []
    for at in indices:
        name, truth = parameters[at].name, material.true_value(parameters[at].name)
        scale = _sd(columns.get(name)) if per is Per.SD else 1.0
        known = None if truth is None else truth * scale
        found.append(Coefficient(name, parameters[at].predictor, material.values(at) * scale, scale, known))
    return found, per


def _columns(material: Material) -> dict[str, Array]:
    """Return the column of each coefficient [N]."""
    design = material.design
    found = {name: design.X[:, k] for k, name in enumerate(design.coefficients)}
    for own in design.distributional:
        found |= {coefficient_name(own.parameter, name): own.X[:, k] for k, name in enumerate(own.coefficients)}
    return found


def _sd(column: Array | None) -> float:
    """Return by what a coefficient is multiplied to be of an sd: by 1 where its column holds two values at most."""
    if column is None or np.all((column == column.min()) | (column == column.max())):
        return 1.0
    return float(moments.sd(column))


def _fitting(material: Material, indices: list[int]) -> Per:
    spreads = np.array([float(moments.sd(material.values(at))) for at in indices])
    return Per.SD if spreads.max() > SCALE_RATIO * spreads.min() else Per.UNIT


def _title(material: Material, every: list[Coefficient]) -> str:
    if len(every) == 1:
        return _title_of(every[0])
    known = [one for one in every if one.truth is not None]
    if known:
        bounds = np.array([one.bounds for one in known])
        truth = np.array([one.truth for one in known], dtype=np.float64)
        return coverage_sentence(bounds[:, 0], bounds[:, 1], truth, "intervals of coefficients")
    clear = sum(one.is_clear for one in every)
    return f"{clear} of {len(every)} coefficients have a 95 % interval that excludes 0"


def _title_of(one: Coefficient) -> str:
    said = interval_text(one.values / one.scale)
    if one.truth is None:
        return f"The 95 % interval of {one.name} {'excludes' if one.is_clear else 'includes'} 0: {said}"
    verdict = "contains" if one.bounds[0] <= one.truth <= one.bounds[1] else "misses"
    return f"The 95 % interval of {one.name} {verdict} the true value {one.truth / one.scale:g}: {said}"


def _axis_words(material: Material, predictor: str | None, per: Per) -> str:
    if predictor is None:
        what = f"change of {elided(link_words(material.design), LONG_LABEL)}"
    else:
        what = f"change of {auxiliary_of(predictor).linked}"
    return f"{what} per unit" if per is Per.UNIT else f"{what} per sd where one is named, else per unit"


def _draw_panel(ax: Axes, panel: list[Coefficient]) -> None:
    at = -np.arange(len(panel))
    labels = []
    for place, one in zip(at.tolist(), panel, strict=True):
        colour = POPULATION if one.is_clear else QUIET
        interval_bars(ax, np.quantile(one.values, QUANTILES), place, colour)
        if one.truth is not None:
            mark_truth(ax, one.truth, place)
        label = elided(one.name, LABEL_WIDTH)
        labels.append(label if one.scale == 1 else f"{label}  (sd {format_number(one.scale, decimals(one.scale))})")
    ax.axvline(0, color=DATA, linewidth=0.8, zorder=0)
    ax.set_yticks(at, labels)
    ax.set_ylim(-len(panel) + 0.4, 0.6)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
