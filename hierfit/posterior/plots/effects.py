"""effects.png: what is expected of the outcome along each predictor, in its own units, averaged over the rows.

Curves of columns of numbers, points of predictors of levels, with 50 and 95 % intervals; one for each level of a
predictor that it is multiplied with; of ordered categories one for each category. All panels have one axis of outcomes.
Numbers are those of `hierfit effects RUN --marginal --at`, on one road with predictions (`effects.curves`).
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.model.families import FAMILIES
from hierfit.posterior.effects.answer import Answered
from hierfit.posterior.effects.curves import Axis, Curves, Value, axes_of, curves_of, predictors, strongest
from hierfit.posterior.plots.lines import COURSES
from hierfit.posterior.plots.material import CI, Material, Plate, interval_text
from hierfit.posterior.plots.style import DATA, HEIGHT, HIGHEST, entitle, legend_label, new_figure, styled
from hierfit.posterior.scale import expected_words, outcome_words
from hierfit.posterior.words import elided

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
MOST_PANELS, PANEL_COLUMNS, PANEL_HEIGHT = 9, 3, 2.3
FEW_LEVELS, UPRIGHT_FROM, FEW_LETTERS = 6, 12, 24
RUG, FINE = 60, 120
LABEL_WIDTH, LONG_LABEL, SERIES_WIDTH, LEVEL_WIDTH, LONG_LEVEL = 28, 46, 18, 20, 30
INNER = 0.5
DODGE, LEAST_WRAP = 0.55, 8


@dataclass(frozen=True)
class Series:
    """One curve, or one set of points.

    Attributes:
        name: what tells it from the others; empty where it is alone.
        answers: at each point.
        ci: probability of the interval.
    """

    name: str
    answers: tuple[Answered, ...]
    ci: float = CI

    @property
    def mean(self) -> Array:
        """Posterior means [G]."""
        return np.array([one.mean for one in self.answers])

    def bounds(self, ci: float) -> tuple[Array, Array]:
        """Ends of intervals, each [G]."""
        lower, upper = np.array([one.bounds(ci) for one in self.answers]).T
        return lower, upper


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        column: what is on its x axis.
        points: where on it.
        series: what is drawn.
        heading: what holds for all of it; empty where there is nothing to say.
        legend: what the series differ in; empty where there is one.
        between: whether there is something between the points.
    """

    column: str
    points: tuple[Value, ...]
    series: tuple[Series, ...]
    heading: str = ""
    legend: str = ""
    between: bool = False

    @property
    def is_number(self) -> bool:
        """Whether x is a number."""
        return not isinstance(self.points[0], str)

    @property
    def is_smooth(self) -> bool:
        """Whether points are some of a column of many values, and not all of few."""
        return self.is_number and self.between

    @property
    def is_wide(self) -> bool:
        """Whether its labels take the width of the figure."""
        return not self.is_number and len(self.points) > FEW_LEVELS


def has_effects(material: Material) -> bool:
    """Whether there are predictors, and effects of all groups."""
    kept = all(group.factor in material.draws.effects for group in material.design.groups)
    return kept and bool(predictors(material.design))


@styled
def draw_effects(material: Material) -> Plate:
    """Draw the expected outcome along each predictor, or along the one that the user has chosen."""
    draws, design = material.draws, material.design
    every = predictors(design)
    chosen = [material.choices.column] if material.choices.column else strongest(draws, design, every, MOST_PANELS)
    curves = [curves_of(draws, design, axis) for axis in axes_of(draws, design, chosen)]
    panels = [panel for one in curves for panel in _panels(design, one)]
    figure = _draw_panels(material, panels)
    title = material.finding(_title(design, curves, len(every)))
    own = "with the effects of their own groups, " if design.groups else ""
    note = (
        f"averages over the {design.n_rows:,} rows of the data, {own}all else as it is · ribbons and bars: 50 and 95 %"
    )
    note += f" · {len(chosen)} of {len(every)} predictors, the strongest" if 1 < len(chosen) < len(every) else ""
    note += _left_out([one.axis for one in curves])
    entitle(figure, title, note)
    return Plate(
        figure,
        f"{expected_words(design)} along {len(chosen)} predictors. {title}.".replace("1 predictors", "one predictor"),
    )


def _left_out(axes: list[Axis]) -> str:
    some = {axis.beside: axis for axis in axes if len(axis.held) < axis.n_beside}
    return "".join(
        f" · {len(axis.held)} of {axis.n_beside} levels of {elided(str(name), LABEL_WIDTH)}"
        for name, axis in some.items()
    )


def value_text(value: Value) -> str:
    """Return a value of a predictor as it is written."""
    return elided(value, LEVEL_WIDTH) if isinstance(value, str) else f"{value:.4g}"


def _panels(design: Design, curves: Curves) -> list[Panel]:
    """Return the panels of one predictor: one, or of ordered categories one for each level beside it."""
    axis, beside = curves.axis, curves.axis.beside
    held = [value_text(value) for value in axis.held] or [""]
    categories = design.categories if FAMILIES[design.family].has_thresholds else ("",)
    if len(categories) == 1:
        series = tuple(
            Series(elided(name, SERIES_WIDTH), tuple(point[0] for point in points))
            for name, points in zip(held, curves.each, strict=True)
        )
        return [Panel(axis.column, axis.points, series, legend=beside or "", between=axis.between)]
    found = []
    for name, points in zip(held, curves.each, strict=True):
        series = tuple(
            Series(elided(category, SERIES_WIDTH), tuple(point[at] for point in points))
            for at, category in enumerate(categories)
        )
        heading = f"{elided(beside, SERIES_WIDTH)} = {name}" if beside else ""
        found.append(Panel(axis.column, axis.points, series, heading, design.response, axis.between))
    return found


def _draw_panels(material: Material, panels: list[Panel]) -> Figure:
    rows = _rows(panels)
    across = max(map(len, rows))
    heights = [PANEL_HEIGHT + 0.7 * any(panel.is_wide for panel in row) for row in rows]
    figure = new_figure(HEIGHT if len(rows) == 1 else min(HIGHEST, sum(heights) + 0.9))
    grid = figure.add_gridspec(len(rows), across, height_ratios=heights)
    first: Axes | None = None
    words = elided(outcome_words(material.design), LONG_LABEL)
    if FAMILIES[material.design.family].has_thresholds:
        words = "probability"
    shown: set[str] = set()
    for at, row in enumerate(rows):
        for place, panel in enumerate(row):
            cell = grid[at, :] if len(row) == 1 and (panel.is_wide or across == 1) else grid[at, place]
            ax = figure.add_subplot(cell, sharey=first)
            first = first or ax
            draw_panel(ax, panel, legend=panel.legend not in shown or panel.legend != material.design.response)
            shown.add(panel.legend)
            _draw_rug(ax, material, panel)
            if place == 0:
                ax.set_ylabel(words)
            else:
                ax.tick_params(labelleft=False)
    return figure


def _rows(panels: list[Panel]) -> list[list[Panel]]:
    """Return panels row by row, wide ones alone."""
    narrow = [panel for panel in panels if not panel.is_wide]
    across = min(PANEL_COLUMNS, len(narrow)) if len(narrow) != 4 else 2
    rows = [narrow[start : start + across] for start in range(0, len(narrow), across)] if narrow else []
    return rows + [[panel] for panel in panels if panel.is_wide]


def colours_of(count: int, *, ordered: bool) -> list[str]:
    """Return so many colours; of what is ordered from dark to light."""
    if not ordered:
        return [COURSES[at % len(COURSES)] for at in range(count)]
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(colormaps["viridis"](share)) for share in np.linspace(0.05, 0.9, count)]


def draw_panel(ax: Axes, panel: Panel, *, legend: bool = True) -> None:
    """Draw curves, or points, with their intervals."""
    ordered = bool(panel.series[0].answers[0].category)
    colours = colours_of(len(panel.series), ordered=ordered)
    for at, (series, colour) in enumerate(zip(panel.series, colours, strict=True)):
        if panel.is_number:
            _draw_curve(ax, panel, series, colour)
        else:
            _draw_points(ax, series, colour, (at - (len(panel.series) - 1) / 2) * DODGE / len(panel.series))
    if panel.is_number:
        ax.set_xlabel(elided(panel.column, LABEL_WIDTH))
    else:
        _label_levels(ax, panel)
    if panel.heading:
        ax.set_title(panel.heading, loc="left", fontsize=8)
    if len(panel.series) > 1 and legend:
        ax.legend(title=elided(panel.legend, SERIES_WIDTH), fontsize=7, title_fontsize=7, loc="best")


def _draw_curve(ax: Axes, panel: Panel, series: Series, colour: str) -> None:
    x = np.array(panel.points, dtype=np.float64)
    fine = np.union1d(x, np.linspace(x[0], x[-1], FINE)) if panel.is_smooth else x
    for ci, alpha in ((series.ci, 0.16), (INNER, 0.26)):
        lower, upper = (_through(x, bound, fine) for bound in series.bounds(ci))
        ax.fill_between(fine, lower, upper, color=colour, alpha=alpha, linewidth=0)
    ax.plot(fine, _through(x, series.mean, fine), color=colour, linewidth=1.8, label=legend_label(series.name))
    if not panel.is_smooth:
        ax.plot(x, series.mean, "o", color=colour, markersize=3)


def _through(x: Array, y: Array, at: Array) -> Array:
    """Return a curve through points that turns where they do (Fritsch, Carlson 1980, SIAM J. Numer. Anal. 17(2))."""
    if len(at) == len(x):
        return y
    from scipy.interpolate import PchipInterpolator

    return np.asarray(PchipInterpolator(x, y)(at))


def _draw_points(ax: Axes, series: Series, colour: str, shift: float) -> None:
    at = np.arange(len(series.answers)) + shift
    ax.vlines(at, *series.bounds(series.ci), color=colour, linewidth=1.1)
    ax.vlines(at, *series.bounds(INNER), color=colour, linewidth=3.2)
    size = 5 if len(at) <= UPRIGHT_FROM else 3.5
    name = legend_label(series.name)
    ax.plot(
        at, series.mean, "o", color=colour, markersize=size, markeredgecolor="white", markeredgewidth=0.6, label=name
    )


def _label_levels(ax: Axes, panel: Panel) -> None:
    upright = len(panel.points) > UPRIGHT_FROM
    labels = [elided(str(label), LONG_LEVEL if upright else LEVEL_WIDTH) for label in panel.points]
    room = FEW_LETTERS * (3 if panel.is_wide else 1)
    if len(labels) <= FEW_LEVELS and sum(map(len, labels)) > room:
        labels = ["\n".join(textwrap.wrap(label, max(LEAST_WRAP, room // len(labels)))) for label in labels]
    ax.set_xticks(np.arange(len(labels)), labels)
    ax.set_xlim(-0.6, len(labels) - 0.4)
    ax.set_xlabel(elided(panel.column, LABEL_WIDTH))
    if upright:
        ax.tick_params(axis="x", rotation=90, labelsize=6.5)
    elif len(labels) > FEW_LEVELS and sum(map(len, labels)) > room:
        for text in ax.get_xticklabels():
            text.set(rotation=30, horizontalalignment="right", rotation_mode="anchor", fontsize=7)


def _draw_rug(ax: Axes, material: Material, panel: Panel) -> None:
    inputs = material.design.inputs
    if panel.is_number and inputs is not None:
        at = np.quantile(inputs.numbers[panel.column], np.linspace(0, 1, RUG))
        ax.plot(at, np.full(RUG, 0.015), "|", color=DATA, markersize=4, alpha=0.6, transform=ax.get_xaxis_transform())


@dataclass(frozen=True)
class Move:
    """How far the average moves along one curve.

    Attributes:
        column: the predictor.
        category: of the outcome, None where it has none.
        held: what else tells the curve: "sector = Public"; empty where nothing does.
        start, end: where it is lowest and highest, in the order of the points, and the answers there.
    """

    column: str
    category: str | None
    held: str
    start: tuple[Value, Answered]
    end: tuple[Value, Answered]

    @property
    def size(self) -> float:
        """By how much."""
        return abs(self.end[1].mean - self.start[1].mean)


def moves(curves: Curves) -> list[Move]:
    """Return how far the average moves along each of the curves of a predictor."""
    axis, found = curves.axis, []
    names = [f"{axis.beside} = {value_text(value)}" for value in axis.held] or [""]
    for name, points in zip(names, curves.each, strict=True):
        for answers in zip(*points, strict=True):
            means = [one.mean for one in answers]
            first, last = sorted((int(np.argmin(means)), int(np.argmax(means))))
            ends = (axis.points[first], answers[first]), (axis.points[last], answers[last])
            found.append(Move(axis.column, answers[0].category, name, *ends))
    return found


def _title(design: Design, curves: list[Curves], n_predictors: int) -> str:
    most = max((move for one in curves for move in moves(one)), key=lambda move: move.size)
    what = outcome_words(design) if most.category is None else f"P({design.response} = {most.category})"
    held = f" where {most.held}" if most.held else ""
    (x_start, start), (x_end, end) = most.start, most.end
    between = (
        f"from {interval_text(start.values.ravel())} at {most.column} = {value_text(x_start)} to "
        f"{interval_text(end.values.ravel())} at {most.column} = {value_text(x_end)}"
    )
    if len(curves) == 1:
        return f"Average {what}{held} goes {between}"
    return (
        f"{most.column} moves average {what} most of {n_predictors} predictors:{f'{held},' if held else ''} {between}"
    )
