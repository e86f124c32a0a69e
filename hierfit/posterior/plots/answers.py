"""The answer of `hierfit effects` as a picture: what its table says, line by line.

Averages at three values of a column of numbers or more are curves along it, one for each of what else is held or looked
at. Everything else, differences and averages at levels, is points with intervals, a row for each line of the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hierfit.design.moved_rows import Held
from hierfit.posterior.digits import decimals, format_number
from hierfit.posterior.effects.answer import Answered, line_name
from hierfit.posterior.plots.effects import INNER, Panel, Series, draw_panel
from hierfit.posterior.plots.material import Plate
from hierfit.posterior.plots.style import (
    DATA,
    POPULATION,
    QUIET,
    entitle,
    interval_bars,
    new_figure,
    rows_height,
    styled,
)
from hierfit.posterior.words import elided

LEAST_POINTS, MOST_SERIES, MOST_ROWS = 3, 8, 60
LABEL_WIDTH, LONG_LABEL = 44, 70


@dataclass(frozen=True)
class Told:
    """What the picture says of the whole answer.

    Attributes:
        quantity: what the numbers are of: "score", "odds ratio of passed = yes".
        about: over which rows, with which groups.
        ci: probability of the intervals.
        nothing: what a difference is of which nothing comes: 0, or 1 of ratios; None for averages.
    """

    quantity: str
    about: str
    ci: float
    nothing: float | None


@styled
def draw_answer(found: Sequence[Answered], told: Told) -> Plate:
    """Draw the lines of an answer."""
    panel = _curves(found, told)
    if panel is not None:
        figure = new_figure()
        ax = figure.subplots()
        draw_panel(ax, panel)
        ax.set_ylabel(elided(told.quantity, LONG_LABEL))
        note = f"{told.about} · ribbons: {100 * INNER:.0f} and {100 * told.ci:g} %"
    else:
        shown = list(found[:MOST_ROWS])
        figure = new_figure(rows_height(len(shown)))
        ax = figure.subplots()
        at = -np.arange(len(shown))
        ends = ((1 - told.ci) / 2, 0.25, 0.5, 0.75, (1 + told.ci) / 2)
        for place, one in zip(at.tolist(), shown, strict=True):
            colour = QUIET if _includes(one, told) else POPULATION
            interval_bars(ax, np.quantile(one.values, ends), place, colour)
        if told.nothing is not None:
            ax.axvline(told.nothing, color=DATA, linewidth=0.8, zorder=0)
        ax.set_yticks(at, [elided(line_name(one.line, one.category), LABEL_WIDTH) for one in shown])
        ax.set_ylim(-len(shown) + 0.4, 0.6)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel(elided(told.quantity, LONG_LABEL))
        note = f"{told.about} · dot: median · thick 50 %, thin {100 * told.ci:g} %"
        note += "" if told.nothing is None else f" · grey: includes {told.nothing:g}"
        note += f" · the first {len(shown)} of {len(found)} lines" if len(shown) < len(found) else ""
    title = _title(found, told)
    entitle(figure, title, note)
    return Plate(figure, f"{title}. {told.about[0].upper()}{told.about[1:]}.")


def _includes(one: Answered, told: Told) -> bool:
    if told.nothing is None:
        return False
    lower, upper = one.bounds(told.ci)
    return lower <= told.nothing <= upper


def _title(found: Sequence[Answered], told: Told) -> str:
    if told.nothing is not None:
        if len(found) == 1:
            verdict = "includes" if _includes(found[0], told) else "excludes"
            name = line_name(found[0].line, found[0].category)
            return f"{name}: the {100 * told.ci:g} % interval {verdict} {told.nothing:g}, {_text(found[0], told)}"
        clear = sum(not _includes(one, told) for one in found)
        return f"{clear} of {len(found)} effects have a {100 * told.ci:g} % interval that excludes {told.nothing:g}"
    if len(found) == 1:
        return f"Average {told.quantity}: {_text(found[0], told)}"
    low, high = min(found, key=lambda one: one.mean), max(found, key=lambda one: one.mean)
    ends = [f"{_text(one, told)} at {elided(line_name(one.line, one.category), LABEL_WIDTH)}" for one in (low, high)]
    return f"Average {told.quantity} goes from {ends[0]} to {ends[1]}"


def _text(one: Answered, told: Told) -> str:
    places = decimals(float(one.values.std(ddof=1)))
    mean, lower, upper = (format_number(value, places) for value in (one.mean, *one.bounds(told.ci)))
    return f"{mean} ({lower} to {upper})"


def _curves(found: Sequence[Answered], told: Told) -> Panel | None:
    """Return the answer as curves along the column of numbers that is held at most values; None where it is none."""
    if told.nothing is not None:
        return None
    values: dict[str, set[float]] = {}
    for one in found:
        for name in one.line.at:
            change = one.line.plus[name]
            if isinstance(change, Held) and isinstance(change.value, float):
                values.setdefault(name, set()).add(change.value)
    if not values:
        return None
    column = max(values, key=lambda name: len(values[name]))
    if len(values[column]) < LEAST_POINTS:
        return None
    series: dict[str, dict[float, Answered]] = {}
    for one in found:
        change = one.line.plus[column]
        assert isinstance(change, Held) and isinstance(change.value, float)
        series.setdefault(line_name(one.line, one.category, without=column), {})[change.value] = one
    if len(series) > MOST_SERIES:
        return None
    points = tuple(sorted(values[column]))
    drawn = tuple(Series(name, tuple(own[x] for x in points), told.ci) for name, own in series.items())
    return Panel(column, points, drawn)
