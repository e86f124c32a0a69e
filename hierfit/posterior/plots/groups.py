"""groups.png: the coefficients of every level of one factor (population + deviation) in order, against the population.

Up to 60 levels: one named row each (with densities up to 12). Beyond: rank on the x axis, every level a thin vertical
interval, the extreme levels named; from 300 levels also how normal the deviations are. Levels whose
95 % interval, as drawn, excludes the population value are dark orange: these differ from the population.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.design import Group
from hierfit.posterior.group_summary import level_quantiles, population_values
from hierfit.posterior.plots.density import density
from hierfit.posterior.plots.material import INTERVAL, Material, Plate, coverage_sentence
from hierfit.posterior.plots.style import (
    DATA,
    GROUP,
    HEIGHT,
    POPULATION,
    RASTERIZE_FROM,
    TRUTH,
    entitle,
    mark_truth,
    new_figure,
    rows_height,
    styled,
    wrapped,
)
from hierfit.posterior.scale import scale_words
from hierfit.posterior.words import all_in_words, counted, elided, in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[np.float64]
HALF_EYES_TO, NAMES_TO, PLAIN_TO = 12, 60, 300
MOST_TERMS = 4
NAMED_ENDS = 5
LABEL_WIDTH, WRAPPED_WIDTH = 26, 26
PROBABILITIES = (0.025, 0.25, 0.5, 0.75, 0.975)
DIFFERS = "#B35900"


@dataclass(frozen=True)
class Caterpillar:
    """One varying coefficient of all levels.

    Attributes:
        group: the grouping factor.
        index: which of its terms.
        quantiles: 2.5, 25, 50, 75, 97.5 % of population + deviation [J, 5].
        population: mean of the population value, as in the tables, between its 2.5 and 97.5 % [3].
        truth: true coefficients [J], or None.
        scale: the scale of the coefficients, such as "log odds"; empty on the outcome's own.
    """

    group: Group
    index: int
    quantiles: Array
    population: Array
    truth: Array | None
    scale: str = ""

    @property
    def term(self) -> str:
        """Name of the coefficient."""
        return self.group.terms[self.index]

    @property
    def axis_label(self) -> str:
        """What the axis of the coefficient says."""
        return f"{self.term_label} ({self.scale})" if self.scale else self.term_label

    @property
    def term_label(self) -> str:
        """The coefficient in words."""
        return elided(in_words(self.group.named, self.index), LABEL_WIDTH + len("slope of "))

    @property
    def order(self) -> NDArray[np.int64]:
        """Levels from the lowest to the highest median."""
        return np.argsort(self.quantiles[:, 2], kind="stable")

    @property
    def differs(self) -> NDArray[np.bool_]:
        """Whether the 95 % interval excludes the population value, as both are drawn [J]."""
        value = self.population[1]
        return np.asarray((self.quantiles[:, 0] > value) | (self.quantiles[:, 4] < value))

    @property
    def finding(self) -> str:
        """How many levels differ, and how many contain the truth where it is known."""
        name = all_in_words(self.group.named, self.index)
        if self.truth is not None:
            low, high = self.quantiles[:, 0], self.quantiles[:, 4]
            return coverage_sentence(low, high, self.truth, f"{self.group.factor} {name}")
        count = int(self.differs.sum())
        return f"{count:,} of {len(self.differs):,} {self.group.factor} {name} differ from the population"


def caterpillars(material: Material, group: Group) -> list[Caterpillar]:
    """Return every varying coefficient of a factor, at most `MOST_TERMS`."""
    quantiles = level_quantiles(material.draws, group, PROBABILITIES)
    values = population_values(material.draws, group.terms)
    low, high = np.quantile(values, INTERVAL, axis=0)
    population = np.stack([low, moments.mean(values, axis=0), high])
    truth = material.truth
    return [
        Caterpillar(
            group,
            index,
            quantiles[:, index],
            population[:, index],
            truth.levels(group, index) if truth else None,
            scale_words(material.design) if group.named.of_parameters[index] is None else "",
        )
        for index in range(min(MOST_TERMS, len(group.terms)))
    ]


@styled
def draw_groups(material: Material, group: Group) -> Plate:
    """Draw the ranked coefficients of all levels of one factor."""
    terms = caterpillars(material, group)
    if group.n_levels <= NAMES_TO:
        figure = new_figure(rows_height(group.n_levels, 0.34 if group.n_levels <= HALF_EYES_TO else 0.22))
        for ax, caterpillar in zip(figure.subplots(1, len(terms), squeeze=False)[0], terms, strict=True):
            _draw_named(ax, material, caterpillar, order=terms[0].order)
    else:
        figure = new_figure(max(HEIGHT, 2.6 * len(terms) + 0.8))
        with_qq = group.n_levels > PLAIN_TO
        axes = figure.subplots(len(terms), 1 + with_qq, squeeze=False, width_ratios=[3.2, 1][: 1 + with_qq])
        for row, caterpillar in zip(axes, terms, strict=True):
            _draw_ranked(row[0], caterpillar)
            if with_qq:
                _draw_qq(row[1], caterpillar)
    title = material.finding("; ".join(caterpillar.finding for caterpillar in terms[:2]))
    many = group.n_levels > NAMES_TO
    bars = "median, 95 % interval" if many else "dot median · thick 50 % · thin 95 %"
    note = f"{bars} · blue: population and its 95 % interval · dark: differs from it"
    mark = "black dots: truth" if group.n_levels > PLAIN_TO else "black crosses: truth"
    note += f" · {mark}" if terms[0].truth is not None else ""
    hidden = len(group.terms) - len(terms)
    entitle(figure, title, note + (f" · {hidden} more not shown" if hidden else ""))
    scale = f" ({terms[0].scale})" if terms[0].scale else ""
    return Plate(figure, f"Coefficients of {counted(group.n_levels, group.factor)}, in order{scale}. {title}.")


def _colours(caterpillar: Caterpillar) -> list[str]:
    return [DIFFERS if differs else GROUP for differs in caterpillar.differs]


def _draw_named(ax: Axes, material: Material, caterpillar: Caterpillar, order: NDArray[np.int64]) -> None:
    from matplotlib.collections import LineCollection

    rows = np.arange(len(order), dtype=np.float64)
    quantiles, colours = caterpillar.quantiles[order], np.array(_colours(caterpillar))[order].tolist()
    for low, high, width in ((0, 4, 1.1), (1, 3, 3.0)):
        segments = [[(q[low], row), (q[high], row)] for row, q in zip(rows, quantiles, strict=True)]
        ax.add_collection(LineCollection(segments, colors=colours, linewidths=width, capstyle="butt"))
    ax.scatter(quantiles[:, 2], rows, s=14, c=colours, zorder=4, edgecolors="white", linewidths=0.5)
    if len(order) <= HALF_EYES_TO:
        _draw_densities(ax, material, caterpillar, order, colours)
    low, middle, high = caterpillar.population
    ax.axvspan(low, high, color=POPULATION, alpha=0.1, linewidth=0, zorder=0)
    ax.axvline(middle, color=POPULATION, linewidth=1.4, zorder=1)
    if caterpillar.truth is not None:
        mark_truth(ax, caterpillar.truth[order], rows, size=4.5)
    first = caterpillar.index == 0
    width = LABEL_WIDTH if caterpillar.group.n_levels > HALF_EYES_TO else WRAPPED_WIDTH
    lines = 1 if caterpillar.group.n_levels > HALF_EYES_TO else 2
    labels = [wrapped(caterpillar.group.labels[level], width, lines) for level in order]
    ax.set_yticks(rows, labels if first else [""] * len(rows))
    ax.set_ylim(-0.7, len(order) - 0.1 if len(order) <= HALF_EYES_TO else len(order) - 0.3)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="y", color="#EEEEEE", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_xlabel(caterpillar.axis_label)
    if first:
        ax.set_ylabel(elided(caterpillar.group.factor, LABEL_WIDTH))


def _draw_densities(
    ax: Axes, material: Material, caterpillar: Caterpillar, order: NDArray[np.int64], colours: list[str]
) -> None:
    population = population_values(material.draws, caterpillar.group.terms)[:, caterpillar.index]
    effects = material.draws.effects_of(caterpillar.group)[..., caterpillar.index]
    for row, level in enumerate(order):
        grid, heights = density(effects[:, :, level].ravel() + population)
        ax.fill_between(grid, row, row + 0.72 * heights / heights.max(), color=colours[row], alpha=0.3, linewidth=0)


def _draw_ranked(ax: Axes, caterpillar: Caterpillar) -> None:
    from matplotlib.collections import LineCollection

    order = caterpillar.order
    rank = np.arange(1, len(order) + 1)
    quantiles = caterpillar.quantiles[order]
    many = len(order) > PLAIN_TO
    colours = np.array(_colours(caterpillar))[order].tolist()
    segments = np.stack([np.stack([rank, quantiles[:, 0]], 1), np.stack([rank, quantiles[:, 4]], 1)], 1)
    width = float(np.clip(200 / len(order), 0.25, 1.2))
    rasterize = len(order) > RASTERIZE_FROM
    lines = LineCollection(
        list(segments), colors=colours, linewidths=width, alpha=0.55 if many else 0.75, capstyle="butt"
    )
    lines.set_rasterized(rasterize)
    ax.add_collection(lines)
    if caterpillar.truth is not None:
        size, marker = (1.5, ".") if many else (10, "x")
        ax.scatter(
            rank, caterpillar.truth[order], s=size, c=TRUTH, marker=marker, linewidths=0.8 if marker == "x" else 0,
            alpha=0.5 if many else 0.9, zorder=3, rasterized=rasterize,
        )  # fmt: skip
    if many:
        ax.plot(rank, quantiles[:, 2], color="white", linewidth=2.4, zorder=4)
        ax.plot(rank, quantiles[:, 2], color=DIFFERS, linewidth=1.2, zorder=4)
    else:
        ax.scatter(rank, quantiles[:, 2], s=11, c=colours, zorder=4, edgecolors="white", linewidths=0.4)
    low, middle, high = caterpillar.population
    ax.axhspan(low, high, color=POPULATION, alpha=0.12, linewidth=0, zorder=0)
    ax.axhline(middle, color=POPULATION, linewidth=1.4, zorder=3)
    ax.set_xlim(-0.01 * len(order), 1.01 * len(order) + 1)
    ax.autoscale_view(scalex=False)
    ax.set_ylabel(caterpillar.axis_label)
    ax.set_xlabel(f"{elided(caterpillar.group.factor, LABEL_WIDTH)}, ranked by {caterpillar.term_label}")
    _name_ends(ax, caterpillar)


def _name_ends(ax: Axes, caterpillar: Caterpillar) -> None:
    """Name the lowest levels above where they stand, on the left, and the highest below, on the right.

    These are the corners that a rising curve leaves free.
    """
    labels = [elided(caterpillar.group.labels[level], 12) for level in caterpillar.order]
    low, high = ", ".join(labels[:NAMED_ENDS]), ", ".join(labels[-NAMED_ENDS:])
    ax.text(0.01, 0.98, f"lowest, from the left: {low}, …", transform=ax.transAxes, va="top", ha="left", fontsize=7)
    ax.text(
        0.99, 0.02, f"highest, up to the right: …, {high}", transform=ax.transAxes, va="bottom", ha="right", fontsize=7
    )


def _draw_qq(ax: Axes, caterpillar: Caterpillar) -> None:
    """Medians against normal quantiles: a straight line where the levels are normal, as the model says."""
    from scipy.special import ndtri

    medians = np.sort(caterpillar.quantiles[:, 2])
    positions = ndtri((np.arange(len(medians)) + 0.5) / len(medians))
    centre, spread = medians.mean(), medians.std()
    ax.plot(positions, centre + spread * positions, color=DATA, linewidth=1)
    ax.plot(positions, medians, ".", color=GROUP, markersize=2.5, rasterized=len(medians) > RASTERIZE_FROM)
    ax.set_xlabel("normal quantile")
    ax.set_ylabel("median")
