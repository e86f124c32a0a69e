"""ppc_groups.png: would the model have produced groups like these: their means against predictive intervals.

The mean of a group's outcomes is compared with the means of replications of its rows under its own effects. The rows
were fitted too, so that more than 95 % lie inside is expected; many outside are not. Of two values and of successes it
is the proportion; of ordered categories, numbered from 1, the mean number.

Up to 60 levels: a row each. Up to 300: in order. Beyond: 300 evenly spaced ones, and the histogram of the places of all
observed means among the replicated ones (PIT). Levels beyond `MOST_ROWS` rows are left to chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.model.families import FAMILIES, Support
from hierfit.posterior.plots.material import INTERVAL, Material, Plate, evenly
from hierfit.posterior.plots.style import (
    ALARM,
    DATA,
    GROUP,
    POPULATION,
    RASTERIZE_FROM,
    ROW,
    TRUTH,
    entitle,
    new_figure,
    rows_height,
    styled,
)
from hierfit.posterior.predict import pick_draws, replicate_under, trials_of
from hierfit.posterior.scale import event, support_of
from hierfit.posterior.words import counted, elided, in_single, listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
REPLICATES = 400
MOST_ROWS, LEAST_LEVELS, BLOCK = 50_000, 20, 5_000
NAMED_TO, RANKED_TO = 60, 300
PIT_BINS, PER_BIN = 20, 10
LABEL_WIDTH, LONG_LABEL, NAMED = 26, 40, 3


@dataclass(frozen=True)
class Means:
    """Means of the outcomes of levels, observed and replicated.

    Attributes:
        levels: which of the factor's [L].
        n_rows: how many rows were looked at.
        observed: [L].
        replicated: [S, L].
    """

    levels: Indices
    n_rows: int
    observed: Array
    replicated: Array

    @cached_property
    def quantiles(self) -> Array:
        """Lower and upper bound of 95 %, of 50 %, and the median, in increasing order [5, L]."""
        return np.asarray(np.quantile(self.replicated, (INTERVAL[0], 0.25, 0.5, 0.75, INTERVAL[1]), axis=0))

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Whether the observed mean lies in its 95 % interval [L]."""
        return np.asarray((self.quantiles[0] <= self.observed) & (self.observed <= self.quantiles[-1]))

    @property
    def order(self) -> Indices:
        """The levels by the median of their replications."""
        return np.argsort(self.quantiles[2], kind="stable")

    def places(self, rng: np.random.Generator) -> Array:
        """Return the place of each observed mean among the replicated ones, between 0 and 1 [L]."""
        below, ties = (self.replicated < self.observed).sum(axis=0), (self.replicated == self.observed).sum(axis=0)
        return np.asarray((below + (ties + 1) * rng.random(len(self.levels))) / (len(self.replicated) + 1))

    @property
    def farthest(self) -> Indices:
        """Those outside, the farthest first, in units of half their interval [at most L]."""
        reach = (self.quantiles[-1] - self.quantiles[0]) / 2
        away = np.abs(self.observed - self.quantiles[2]) / np.where(reach > 0, reach, 1.0)
        outside = np.flatnonzero(~self.inside)
        return outside[np.argsort(-away[outside], kind="stable")]


@styled
def draw_ppc_groups(material: Material, group: Group) -> Plate:
    """Draw the means of the levels of one factor against their predictive intervals."""
    means = means_of(material, group)
    count = len(means.levels)
    if count <= NAMED_TO:
        figure = _draw_named(material, group, means)
        note = f"black: data · blue: replications of each {group.factor}, thick 50 %, thin 95 %"
    elif count <= RANKED_TO:
        figure = new_figure()
        _draw_ranked(figure.subplots(), material, group, means)
        note = f"black: data · blue: 95 % of the replications of each {group.factor}"
    else:
        figure = new_figure()
        left, right = figure.subplots(1, 2, width_ratios=[2, 1])
        _draw_ranked(left, material, group, means)
        _draw_places(right, means.places(material.rng), group)
        note = f"left: {RANKED_TO} of {count:,} · right: places of all; a hump is expected, piles at the ends are not"
    inside = int(means.inside.sum())
    said = f"{inside:,} of {count:,} means of {in_single(group.factor)} lie in their 95 % predictive interval"
    title = material.finding(said)
    outside = [group.labels[level] for level in means.levels[means.farthest]]
    if outside and count > NAMED_TO:
        note += f" · farthest outside: {listed([elided(label, LABEL_WIDTH) for label in outside], NAMED)}"
    note += f" · {counted(count, group.factor)} of {group.n_levels:,}, at random" if count < group.n_levels else ""
    entitle(figure, title, note)
    return Plate(figure, f"Means of {material.design.response} by {group.factor}, and their replications. {title}.")


def means_of(material: Material, group: Group) -> Means:
    """Return observed and replicated means of the levels of a factor, of some levels where there are many rows."""
    design, rng = material.design, material.rng
    levels = _chosen_levels(group, rng)
    place = np.full(group.n_levels, -1)
    place[levels] = np.arange(len(levels))
    rows = np.flatnonzero(place[group.codes] >= 0)
    if len(rows) > 2 * MOST_ROWS:  # a few levels of very many rows
        rows = np.sort(rng.choice(rows, 2 * MOST_ROWS, replace=False))
    picks = pick_draws(material.draws, REPLICATES, rng)
    shift = float(FAMILIES[design.family].has_thresholds)  # categories are numbered from 1
    observed, replicated = np.zeros(len(levels)), np.zeros((len(picks), len(levels)))
    counts = np.bincount(place[group.codes[rows]], weights=trials_of(design, rows), minlength=len(levels))
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        at = place[group.codes[block]]
        observed += np.bincount(at, weights=design.y[block], minlength=len(levels))
        drawn = replicate_under(material.draws, design, rng, picks, block)
        order = np.argsort(at, kind="stable")
        own, starts = np.unique(at[order], return_index=True)
        replicated[:, own] += np.add.reduceat(drawn[:, order], starts, axis=1)
    seen = counts > 0
    return Means(
        levels[seen], len(rows), observed[seen] / counts[seen] + shift, replicated[:, seen] / counts[seen] + shift
    )


def _chosen_levels(group: Group, rng: np.random.Generator) -> Indices:
    counts = group.rows_per_level
    if counts.sum() <= MOST_ROWS:
        return np.arange(group.n_levels)
    order = rng.permutation(group.n_levels)
    enough = int(np.searchsorted(np.cumsum(counts[order]), MOST_ROWS))
    return np.sort(order[: max(LEAST_LEVELS, enough)])


def _words(design: Design) -> str:
    """Return what the means are of."""
    kind = support_of(design)
    if kind is Support.BINARY:
        return f"proportion of {event(design)}"
    if kind is Support.SUCCESSES:
        return f"proportion of {design.response}"
    if kind is Support.CATEGORIES:
        first, last = (elided(label, LABEL_WIDTH // 2) for label in (design.categories[0], design.categories[-1]))
        return f"mean {elided(design.response, LABEL_WIDTH)} (1 = {first}, {len(design.categories)} = {last})"
    return f"mean of {design.response}"


def _draw_named(material: Material, group: Group, means: Means) -> Figure:
    order, low, lower, middle, upper, high = means.order, *means.quantiles
    figure = new_figure(rows_height(len(order), ROW if len(order) > 12 else 1.2 * ROW))
    ax = figure.subplots()
    at = np.arange(len(order))
    ax.hlines(at, low[order], high[order], color=POPULATION, linewidth=1.1)
    ax.hlines(at, lower[order], upper[order], color=POPULATION, linewidth=3.6, alpha=0.55)
    ax.plot(middle[order], at, "|", color=POPULATION, markersize=7)
    _draw_observed(ax, means.observed[order], at, means.inside[order], swapped=True)
    ax.set_yticks(at, [elided(group.labels[level], LABEL_WIDTH) for level in means.levels[order]])
    ax.set_ylim(-0.7, len(order) - 0.3)
    ax.set_xlabel(elided(_words(material.design), 2 * LONG_LABEL))
    ax.set_ylabel(elided(group.factor, LONG_LABEL))
    return figure


def _draw_ranked(ax: Axes, material: Material, group: Group, means: Means) -> None:
    chosen = np.array(evenly(means.order.tolist(), RANKED_TO), dtype=np.int64)
    at, (low, *_, high) = np.arange(len(chosen)), means.quantiles
    ax.vlines(at, low[chosen], high[chosen], color=POPULATION, linewidth=1.1, alpha=0.6)
    _draw_observed(ax, means.observed[chosen], at, means.inside[chosen], swapped=False)
    ax.set_xlabel(f"{elided(group.factor, LABEL_WIDTH)}, in order of its predicted mean")
    ax.set_ylabel(elided(_words(material.design), LONG_LABEL))
    ax.set_xlim(-2, len(at) + 1)
    ax.set_xticks([])


def _draw_observed(ax: Axes, observed: Array, at: Indices, inside: NDArray[np.bool_], *, swapped: bool) -> None:
    size = 16 if len(at) <= NAMED_TO else 7
    for which, colour in ((inside, TRUTH), (~inside, ALARM)):
        x, y = (observed[which], at[which]) if swapped else (at[which], observed[which])
        ax.scatter(x, y, s=size, c=colour, zorder=4, linewidths=0, rasterized=len(at) > RASTERIZE_FROM)


def _draw_places(ax: Axes, places: Array, group: Group) -> None:
    bins = int(np.clip(len(places) / PER_BIN, 4, PIT_BINS))
    ax.hist(places, bins=bins, range=(0, 1), color=GROUP, alpha=0.75)
    expected = len(places) / bins
    reach = 1.96 * np.sqrt(expected * (1 - 1 / bins))
    ax.axhspan(max(0, expected - reach), expected + reach, color=DATA, alpha=0.25, linewidth=0)
    ax.axhline(expected, color=DATA, linewidth=1)
    ax.set_xlim(0, 1)
    ax.set_xlabel("share of replications below")
    ax.set_ylabel(counted(2, group.factor).removeprefix("2 "))
