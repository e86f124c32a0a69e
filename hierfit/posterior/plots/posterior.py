"""posterior.png: every population-level parameter: density, bars, median, prior and true value.

Up to `MOST_PANELS` parameters each has a panel with its own axis. With more, the coefficients share one axis, a row
each, as long as their scales are within a factor of `SCALE_RATIO`; so do thresholds, and so do the coefficients of log
sigma. The rest keep their panels. Thresholds and intercepts at x = 0 have no prior where it speaks of the mean of X.
"""

from __future__ import annotations

from itertools import accumulate
from math import lgamma
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.model.distributions import logarithm
from hierfit.model.families import auxiliary_of
from hierfit.model.grammar import INTERCEPT
from hierfit.model.priors import DISTRIBUTIONS
from hierfit.model.spec import (
    POSITIVE,
    GroupCoefficients,
    Kind,
    Parameter,
    below_diagonal,
    cor_name,
    pairs,
    threshold_name,
)
from hierfit.posterior.digits import format_number
from hierfit.posterior.plots.material import INTERVAL, Material, Plate, coverage_sentence, interval_text
from hierfit.posterior.plots.style import (
    DATA,
    QUIET,
    entitle,
    grid_of,
    half_eye,
    hide_y,
    mark_truth,
    new_figure,
    rows_height,
    styled,
)
from hierfit.posterior.scale import link_words, ratio_words, scale_words
from hierfit.posterior.truth import Truth
from hierfit.posterior.words import elided

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
INTERCEPTS = ("Intercept", "Intercept_at_mean")
MOST_PANELS = 16
PANEL_COLUMNS = 3
SCALE_RATIO = 10.0
PANEL_HEIGHT = 1.25
EDGE = 1 - 1e-9
BARS_BELOW = 0.13  # of the density's peak: clear of a flat prior
LABEL_WIDTH = 30
INTERVAL_WIDTH = 40


@styled
def draw_posterior(material: Material) -> Plate:
    """Draw all population-level parameters."""
    parameters = material.draws.parameters
    indices = list(range(len(parameters)))
    blocks = _sharing_an_axis(material) if len(indices) > MOST_PANELS else {}
    panels = [index for index in indices if not any(index in block for block in blocks.values())]
    down, across = grid_of(len(panels), PANEL_COLUMNS + (len(panels) > MOST_PANELS))
    heights = [rows_height(len(block)) - 0.6 for block in blocks.values()] + [down * PANEL_HEIGHT] * bool(panels)
    figure = new_figure(float(np.clip(sum(heights) + 0.8, 3.0, 14.0 + 4.0 * (len(blocks) > 1))))
    parts: list[Any] = [figure]
    if blocks:
        parts = [*np.ravel(np.asarray(figure.subfigures(len(heights), 1, height_ratios=heights)))]
        for part, (kind, block) in zip(parts, blocks.items(), strict=False):
            _draw_rows(part.subplots(), material, block, kind)
    axes = list(np.atleast_1d(parts[-1].subplots(down, across)).ravel()) if panels else []
    for ax, index in zip(axes, panels, strict=False):
        _draw_panel(ax, material, index, across)
    for ax in axes[len(panels) :]:
        ax.set_visible(False)
    title = material.finding(_title(material))
    scale = scale_words(material.design)
    note = "dot median · thick bar 50 % · thin bar 95 % · dashed: prior" + _truth_note(material)
    entitle(figure, title, note + (f" · coefficients and sds: {scale}" if scale else ""))
    what = "Prior" if material.spec.prior_only else "Posterior"
    return Plate(figure, f"{what} of the {len(indices)} population-level parameters. {title}.")


def _title(material: Material) -> str:
    free = material.free()
    if material.truth and any(material.draws.parameters[i].name in material.truth.parameters for i in free):
        bounds = np.array([np.quantile(material.values(index), INTERVAL) for index in free])
        truth = np.array([_inner_truth(material.draws.parameters[index], material.truth) for index in free])
        return coverage_sentence(bounds[:, 0], bounds[:, 1], truth)
    slopes = _slopes(material)
    clear = [index for index in slopes if np.prod(np.quantile(material.values(index), INTERVAL)) > 0]
    if len(slopes) == 1:
        name, verdict = material.draws.parameters[slopes[0]].name, "excludes" if clear else "includes"
        values, ratio = material.values(slopes[0]), ratio_words(material.design)
        said = f"The 95 % interval of {name} {verdict} 0: {interval_text(values)}"
        return f"{said}; {ratio} {interval_text(np.exp(values))}{_per_unit(material, name)}" if ratio else said
    if slopes:
        return f"{len(clear)} of {len(slopes)} coefficients have a 95 % interval that excludes 0"
    return f"{material.design.response}: the population-level parameters"


def _per_unit(material: Material, name: str) -> str:
    """Return " per unit" of a coefficient that has more than one step: that of a level is against the reference."""
    column = material.design.X[:, material.design.coefficients.index(name)]
    return "" if np.isin(column, (0, 1)).all() else " per unit"


def _slopes(material: Material) -> list[int]:
    """Coefficients other than the intercepts."""
    names = [parameter.name for parameter in material.draws.parameters]
    return [index for index in material.free(Kind.COEFFICIENT) if names[index] not in INTERCEPTS]


def _inner_truth(parameter: Parameter, truth: Truth) -> float:
    """Return the true value, NaN for an sd of exactly 0: no equal-tailed interval contains the end of its range."""
    value = truth.parameters.get(parameter.name, np.nan)
    positive = parameter.kind in POSITIVE
    return np.nan if positive and value == 0 else value


def _truth_note(material: Material) -> str:
    return " · black cross: true value" if material.truth and material.truth.parameters else ""


def _sharing_an_axis(material: Material) -> dict[Kind, list[int]]:
    """Parameters of one kind whose scales are comparable, the intercepts left out."""
    parameters = material.draws.parameters
    distributional = [i for i in material.free(Kind.DISTRIBUTIONAL) if parameters[i].term != INTERCEPT]
    if len({parameters[i].predictor for i in distributional}) > 1:  # their links differ
        distributional = []
    kinds = {
        Kind.COEFFICIENT: _slopes(material),
        Kind.THRESHOLD: material.free(Kind.THRESHOLD),
        Kind.DISTRIBUTIONAL: distributional,
    }
    return {
        kind: chosen
        for kind, chosen in kinds.items()
        if len(chosen) > 1 and (kind is Kind.THRESHOLD or _are_comparable(material, chosen))
    }


def _are_comparable(material: Material, chosen: list[int]) -> bool:
    sizes = np.array([np.sqrt(np.square(material.values(index)).mean()) for index in chosen])
    spreads = np.array([moments.sd(material.values(index)) for index in chosen])
    return bool(sizes.max() < SCALE_RATIO * spreads.max() * 3 and spreads.max() < SCALE_RATIO * spreads.min())


def _draw_rows(ax: Axes, material: Material, indices: list[int], kind: Kind) -> None:
    names = [material.draws.parameters[index].name for index in indices]
    for row, index in enumerate(indices):
        half_eye(ax, material.values(index), bounds=(-np.inf, np.inf), base=-row, height=0.75)
        truth = material.true_value(names[row])
        if truth is not None:
            mark_truth(ax, truth, -row)
    ax.axvline(0, color=DATA, linewidth=0.8, zorder=0)
    ax.set_yticks(-np.arange(len(indices)), [elided(name, LABEL_WIDTH) for name in names])
    ax.set_ylim(-len(indices) + 0.4, 1)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    labels = {
        Kind.COEFFICIENT: f"change of {elided(link_words(material.design), LABEL_WIDTH)} per unit",
        Kind.THRESHOLD: f"threshold ({scale_words(material.design)})",
    }
    predictor = material.draws.parameters[indices[0]].predictor
    ax.set_xlabel(f"coefficient of {auxiliary_of(predictor).linked}" if predictor else labels[kind])


def _draw_panel(ax: Axes, material: Material, index: int, across: int) -> None:
    parameter, values = material.draws.parameters[index], material.values(index)
    narrow = across > PANEL_COLUMNS
    size, name = (7.2 if narrow else 8.5), elided(parameter.name, LABEL_WIDTH - 6 * narrow)
    hide_y(ax)
    if index not in material.free():
        fixed = bool(material.convergence.fixed[index])
        what = f"fixed at {format_number(float(values[0]), None)}" if fixed else "not finite"
        ax.set_title(f"{name}\n{what}", loc="left", fontsize=size)
        ax.set_xticks([])
        return
    ax.set_title(f"{name}\n{elided(interval_text(values), INTERVAL_WIDTH)}", loc="left", fontsize=size)
    peak = half_eye(ax, values, bounds=material.support(index), height=0.0, below=BARS_BELOW)
    low, high = material.limits(index)
    prior = _prior_density(material, parameter, np.linspace(low, high, 200))
    if prior is not None:
        ax.plot(
            np.linspace(low, high, 200), np.minimum(prior, 1.15 * peak), color=QUIET, linewidth=1, linestyle=(0, (4, 2))
        )
    truth = material.true_value(parameter.name)
    if truth is not None:
        mark_truth(ax, truth, -BARS_BELOW * peak)
        low, high = min(low, truth), max(high, truth)
    ax.set_xlim(low, high)
    ax.set_ylim(-2 * BARS_BELOW * peak, 1.15 * peak)
    ax.locator_params(axis="x", nbins=4 if narrow else 5)


def _prior_density(material: Material, parameter: Parameter, grid: Array) -> Array | None:
    """The prior's density on a grid, None where there is none to draw (flat, constant, or on another parameter)."""
    if parameter.kind is Kind.CORRELATION:
        return _lkj_density(material, parameter, grid)
    if parameter.kind is Kind.THRESHOLD:
        return _threshold_density(material, parameter, grid)
    if material.spec.speaks_of_mean(parameter):
        return None
    known = next(known for known in material.spec.parameters if known.name == parameter.name)
    prior = known.prior
    if prior is None or prior.distribution in ("flat", "constant"):
        return None
    heights = prior.density(grid, within=known.within)
    return np.where(np.isfinite(heights), heights, np.nan) if np.nansum(heights) > 0 else None


def _threshold_density(material: Material, parameter: Parameter, grid: Array) -> Array | None:
    """The density of one of Q ordered numbers of the same prior: its rank's order statistic."""
    names = [threshold_name(between) for between in material.spec.thresholds]
    prior, rank = material.spec.priors[parameter.name], names.index(parameter.name)
    alike = all(material.spec.priors[name].arguments == prior.arguments for name in names)
    alike = alike and all(material.spec.priors[name].distribution == prior.distribution for name in names)
    make = DISTRIBUTIONS[prior.distribution].make
    if not alike or make is None or np.any(material.design.x_mean != 0):
        return None
    distribution, above = make(*prior.arguments), len(names) - 1 - rank
    ways = lgamma(len(names) + 1) - lgamma(rank + 1) - lgamma(above + 1)
    below, beyond = logarithm(distribution.probability_below(grid)), logarithm(distribution.probability_above(grid))
    logs = ways + rank * below + above * beyond + distribution.log_density(grid)
    return np.asarray(np.exp(logs))


def _size_of_block(group: GroupCoefficients, pair: str) -> int:
    """Return how many coefficients vary together with those of a correlation."""
    high, _ = list(below_diagonal(group))[list(pairs(group)).index(pair)]
    ends = accumulate(block.size for block in group.blocks)
    return next(block.size for block, end in zip(group.blocks, ends, strict=True) if high < end)


def _lkj_density(material: Material, parameter: Parameter, grid: Array) -> Array | None:
    """One correlation's marginal under LKJ(eta) in M dimensions: Beta(a, a) on [-1, 1], a = eta + M / 2 - 1."""
    prior = material.spec.priors.get(cor_name(str(parameter.group)))
    group = next(group for group in material.spec.groups if group.factor == parameter.group)
    if prior is None or (material.spec.has_two_sds(group) and str(parameter.term).startswith(f"{INTERCEPT}, ")):
        return None  # the prior is of those at the mean
    a = prior.arguments[0] + _size_of_block(group, str(parameter.term)) / 2 - 1
    logs = (a - 1) * np.log1p(-np.square(np.clip(grid, -EDGE, EDGE)))
    return np.asarray(np.exp(logs + lgamma(2 * a) - 2 * lgamma(a) - (2 * a - 1) * np.log(2)))
