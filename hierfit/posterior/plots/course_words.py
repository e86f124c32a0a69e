"""Lines -> the sentence on what a predictor does to the outcome: for each unit of it, or from one end to the other."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.posterior.digits import decimals, format_number
from hierfit.posterior.lines import Course, population_at
from hierfit.posterior.plots.course import Lines, courses_along
from hierfit.posterior.plots.material import INTERVAL, Material, interval_text
from hierfit.posterior.predict import population_part
from hierfit.posterior.scale import expected_words, ratio_words
from hierfit.posterior.words import counted, in_single

Array = NDArray[np.float64]
MOST_SAID = 3
ENDS = (0.05, 0.95)  # between which a predictor is said to run: its extremes may be two odd rows


def title(material: Material, lines: Lines) -> str:
    """Return what a unit of the predictor does to the outcome, and how much that varies."""
    design, ratio = material.design, ratio_words(material.design)
    products = lines.by is None and lines.courses.each[0].moves.sum() > 1
    if products or not lines.is_straight or (ratio is None and design.link != "identity"):
        return _from_end_to_end(material, lines)
    slopes = [_slope(material, lines, one) for one in lines.courses.each]
    if lines.by is not None:
        words = f"{ratio[0].upper()}{ratio[1:]}" if ratio else f"{design.response} changes by"
        texts = [interval_text(np.exp(slope) if ratio else slope) for slope in slopes]
        return f"{words} " + _listed(
            f"{text}{_per(lines) if at == 0 else ''} for {name}"
            for at, (text, name) in enumerate(zip(texts, lines.names, strict=True))
        )
    (slope,) = slopes
    if ratio:
        start = f"{ratio[0].upper()}{ratio[1:]} {interval_text(np.exp(slope))}{_per(lines)}"
    else:
        start = f"{design.response} {_changes_by(slope)}{_per(lines)}"
    if not lines.slope_varies:
        return f"{start}, the same for all {counted(lines.group.n_levels, lines.group.factor)}"
    effects = moments.mean(material.draws.effects_of(lines.group), axis=(0, 1))
    means = slope.mean() + effects @ _per_unit(lines.moving.values, lines)
    shown = np.exp(means) if ratio else means
    places = decimals(float((np.exp(slope) if ratio else slope).std()))
    low, high = format_number(float(shown.min()), places), format_number(float(shown.max()), places)
    single = in_single(lines.group.factor)
    return f"{start}; " + (f"in {single} by {low} to {high}" if ratio else f"slopes of {single} from {low} to {high}")


def _per(lines: Lines) -> str:
    """Return " per unit of ses"; of a column of 0 and 1, which has one step, " from treated = 0 to 1"."""
    if np.isin(lines.x, (0, 1)).all():
        return f" from {lines.column} = 0 to 1"
    return f" per unit of {lines.column}"


def _changes_by(slope: Array) -> str:
    """Return "rises by 2.08 (1.83 to 2.34)" for draws of a slope [S]; "changes" where its sign is not certain."""
    low, high = np.quantile(slope, INTERVAL)
    if low <= 0 <= high:
        return f"changes by {interval_text(slope)}"
    return f"rises by {interval_text(slope)}" if low > 0 else f"falls by {interval_text(-slope)}"


def _slope(material: Material, lines: Lines, one: Course) -> Array:
    """Return what a unit of the predictor adds to the population's linear predictor [S], where that is straight."""
    every = np.arange(material.draws.n_chains * material.draws.n_draws)
    return np.asarray(population_part(material.draws, material.design, every).b @ _per_unit(one.X, lines))


def _per_unit(values: Array, lines: Lines) -> Array:
    """Return how columns [G, K] rise for each unit of the predictor, where they are straight [K]."""
    return np.asarray((values[-1] - values[0]) / (lines.grid[-1] - lines.grid[0]))


def _from_end_to_end(material: Material, lines: Lines) -> str:
    """What is expected towards both ends of the predictor, where no one number says what a unit of it does."""
    every = np.arange(material.draws.n_chains * material.draws.n_draws)
    at = usual_ends(lines.x)
    courses = courses_along(material.design, lines.group, lines.column, at, lines.by)
    each = [population_at(material.draws, material.design, one, every) for one in courses.each]
    ends = [[interval_text(heights[:, end]) for end in (0, 1)] for heights in each]
    words, where = expected_words(material.design), ends_words(lines.x)
    if lines.by is None:
        ((first, last),) = ends
        return f"{words} is {first} and {last} at {lines.column} = {where}"
    said = [f"{first} and {last} for {name}" for (first, last), name in zip(ends, lines.names, strict=True)]
    return f"{words} at {lines.column} = {where}: {_listed(said)}"


def usual_ends(x: Array) -> Array:
    """Return the 5th and the 95th percentile of a predictor, values that it takes; its ends where these are one [2]."""
    ends = np.quantile(x, ENDS, method="inverted_cdf")
    return ends if ends[0] < ends[1] else np.array([x.min(), x.max()])


def ends_words(x: Array) -> str:
    """Return "-1.33 and 1.19 (5th and 95th percentile)" for a predictor, both with the same decimals."""
    low, high = usual_ends(x)
    places = max(0, 2 - int(np.floor(np.log10(high - low)))) if high > low else 0
    texts = [f"{end:.{places}f}" for end in (low, high)]
    while "." in texts[0] and all(text.endswith(("0", ".")) for text in texts):
        texts = [text[:-1] for text in texts]
    ends = "" if (low, high) == (x.min(), x.max()) else " (5th and 95th percentile)"
    return f"{texts[0]} and {texts[1]}{ends}"


def _listed(parts: Iterable[str]) -> str:
    """Join what is said of several courses; of many, of the first."""
    first, *others = parts
    shown = [first, *others[: MOST_SAID - 1]]
    return "; ".join(shown) + (f" and {len(others) + 1 - MOST_SAID} more" if len(others) >= MOST_SAID else "")
