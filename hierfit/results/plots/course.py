"""What lines.png runs along, where its lines pass, and the sentence on what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hierfit.model.design import Group
from hierfit.model.families import Support
from hierfit.results.columns import is_axis, parts
from hierfit.results.digits import decimals, format_number
from hierfit.results.plots.material import SEED, Material, interval_text
from hierfit.results.predict import Along, course_along, group_lines, population_lines
from hierfit.results.scale import expected_words, link_of, ratio_words, shown_outcome, support_of
from hierfit.results.words import counted, in_single

Array = NDArray[np.float64]
FEW_VALUES, SPREAD = 12, 0.12
BAND = 0.08
GRID_POINTS = 40


@dataclass(frozen=True)
class Lines:
    """What the lines run along.

    Attributes:
        column: the predictor on the x axis.
        x: its values [N].
        group: the grouping factor whose lines are drawn.
        grid: points along the column.
        companions: other columns that are made from the predictor and move with it.
    """

    column: str
    x: Array
    group: Group
    grid: Array
    companions: tuple[str, ...] = ()

    @cached_property
    def shown_x(self) -> Array:
        """Where the points are drawn [N]: columns of few values are spread a little, so that points do not pile up."""
        values = np.unique(self.x)
        if not 1 < len(values) <= FEW_VALUES:
            return self.x
        reach = SPREAD * np.diff(values).min()
        return self.x + np.random.default_rng(SEED).uniform(-reach, reach, len(self.x))

    @property
    def slope_varies(self) -> bool:
        """Whether the levels differ in the slope that is drawn."""
        return self.column in self.group.terms


def lines_along(material: Material) -> Lines | None:
    """Return what lines.png runs along: the first varying slope, else the strongest predictor; None without any."""
    design = material.design
    named = dict(zip(design.coefficients, design.X.T, strict=True))
    axes = [name for name, values in named.items() if is_axis(name, values)]
    if not axes or not design.groups:
        return None
    varying = [(term, group) for group in design.groups for term in group.terms if term in axes]
    if varying:
        column, group = varying[0]
    else:
        sizes = [np.abs(material.draws.of(name).mean()) * named[name].std() for name in axes]
        column = axes[int(np.argmax(sizes))]
        group = next((group for group in design.groups if group.rows_per_level.max() > 1), design.groups[0])
    x = named[column]
    grid = np.linspace(x.min(), x.max(), GRID_POINTS)
    moving = course_along(design, column, grid).moving
    return Lines(column, x, group, grid, tuple(name for name in moving if name != column))


def title(material: Material, lines: Lines) -> str:
    """Return what a unit of the predictor does to the outcome, and how much that varies."""
    design, slope = material.design, material.draws.of(lines.column).ravel()
    ratio = ratio_words(design)
    if lines.companions or (ratio is None and design.link != "identity"):
        return _from_end_to_end(material, lines)
    if ratio:
        start = f"{ratio[0].upper()}{ratio[1:]} {interval_text(np.exp(slope))} per unit of {lines.column}"
    else:
        verb = "rises" if slope.mean() > 0 else "falls"
        slope = slope if slope.mean() > 0 else -slope
        start = f"{design.response} {verb} by {interval_text(slope)} per unit of {lines.column}"
    if not lines.slope_varies:
        return f"{start}, the same for all {counted(lines.group.n_levels, lines.group.factor)}"
    deviations = material.draws.effects[lines.group.factor][..., lines.group.terms.index(lines.column)]
    means = material.draws.of(lines.column).mean() + deviations.mean(axis=(0, 1))
    turned = np.exp(means) if ratio else means * np.sign(material.draws.of(lines.column).mean() or 1.0)
    places = decimals(float((np.exp(slope) if ratio else slope).std()))
    low, high = format_number(float(turned.min()), places), format_number(float(turned.max()), places)
    return f"{start}; in {in_single(lines.group.factor)} by {low} to {high}"


def _from_end_to_end(material: Material, lines: Lines) -> str:
    """What is expected at both ends of the predictor, where no one number says what a unit of it does."""
    every = np.arange(material.draws.n_chains * material.draws.n_draws)
    ends = lines.grid[[0, -1]]
    low, high = population_lines(material.draws, material.design, lines.column, ends, every).T
    first, last = (
        f"{interval_text(values)} at {lines.column} = {x:.3g}" for values, x in zip((low, high), ends, strict=True)
    )
    return f"{expected_words(material.design)} is {first} and {last}"


def is_straight(material: Material, lines: Lines) -> bool:
    """Return whether the lines are straight ones."""
    products = all(len(parts(name)) > 1 for name in lines.companions)
    return link_of(material.design) == "identity" and products


def own_curves(material: Material, lines: Lines, levels: NDArray[np.int64]) -> Array:
    """Return the mean line of each level, within the range of its own data [L, points, 2 coordinates]."""
    ends = lines.grid if not is_straight(material, lines) else lines.grid[[0, -1]]
    heights = group_lines(material.draws, material.design, Along(lines.column, lines.group, ends), levels)[0]
    return within_own_data(lines, levels, ends, heights)


def within_own_data(lines: Lines, levels: NDArray[np.int64], ends: Array, heights: Array) -> Array:
    """Cut lines of levels, heights [L, G] at `ends` [G], to the range of their data [L, points, 2 coordinates]."""
    low, high = np.full(lines.group.n_levels, np.inf), np.full(lines.group.n_levels, -np.inf)
    np.minimum.at(low, lines.group.codes, lines.x)
    np.maximum.at(high, lines.group.codes, lines.x)
    share = np.linspace(0, 1, len(ends))
    x = low[levels, None] * (1 - share) + high[levels, None] * share
    at = np.clip((x - ends[0]) / (ends[-1] - ends[0] or 1.0) * (len(ends) - 1), 0, len(ends) - 1)
    left = np.minimum(at.astype(np.int64), len(ends) - 2)
    across = np.take_along_axis(heights, left, 1)
    slope = np.take_along_axis(heights, left + 1, 1) - across
    return np.stack([x, across + slope * (at - left)], axis=2)


def steepness(segments: Array, lines: Lines) -> Array:
    """Return what the levels are ordered by: their slope where it varies, else the height of their line at one x."""
    (x0, y0), (x1, y1) = segments[:, 0].T, segments[:, -1].T
    with np.errstate(all="ignore"):
        slope = np.nan_to_num((y1 - y0) / (x1 - x0))
    return np.asarray(slope if lines.slope_varies else y0 - slope * x0)


def shown_points(material: Material) -> Array:
    """Return where the outcomes are drawn [N]: those of two values in a band beyond either value."""
    y = shown_outcome(material.design)
    if support_of(material.design) is not Support.BINARY:
        return y
    reach = material.rng.uniform(BAND / 4, BAND, len(y))
    return np.where(y == 0, -reach, 1 + reach)
