"""Two designs -> the first thing that keeps their models from being compared: another outcome, row or weight.

elpd is a sum over rows, so that models can be compared where they were fitted to the same rows and say something of the
same outcome. The files may differ, as they do where a column was added since.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.data.source import place
from hierfit.design.design import Design
from hierfit.model.families import FAMILIES


@dataclass(frozen=True)
class Unlike:
    """Why two models cannot be compared: what differs, and what to try."""

    what: str
    hint: str


def first_difference(first: str, one: Design, second: str, other: Design) -> Unlike | None:
    """Return what keeps models, called `first` and `second`, from being compared; None where nothing does."""
    return (
        _other_data(first, one, second, other)
        or _other_rows(first, one, second, other)
        or _other_values(first, one, second, other)
        or _other_measure(first, one, second, other)
    )


def _other_data(first: str, one: Design, second: str, other: Design) -> Unlike | None:
    """Find what has nothing in common: neither the name of the outcome nor the file."""
    if one.response == other.response or one.source == other.source:
        return None
    return Unlike(
        f"{first} and {second} have different outcomes: {one.response} of {one.source}, {other.response} of "
        f"{other.source}.",
        "compare fits of the same outcome to the same file",
    )


def _other_rows(first: str, one: Design, second: str, other: Design) -> Unlike | None:
    if np.array_equal(one.lines, other.lines):
        return None
    line = int(min(np.setxor1d(one.lines, other.lines)))
    has, lacks, source = (first, second, one.source) if line in one.lines else (second, first, other.source)
    sizes = f"{first} has {one.n_rows:,} rows, {second} {other.n_rows:,}"
    return Unlike(
        f"{first} and {second} were fitted to different rows: {place(source, line)} of {source} is one of {has} and "
        f"not of {lacks} ({sizes}).",
        "fit both to a file without the rows that lack a value in a column that either uses",
    )


def _other_values(first: str, one: Design, second: str, other: Design) -> Unlike | None:
    columns = (
        ("outcomes", one.response, other.response, _outcome(one), _outcome(other)),
        ("numbers of trials", "trials", "trials", _column(one, one.trials), _column(other, other.trials)),
        ("weights", "the weight", "the weight", _column(one, one.weights), _column(other, other.weights)),
    )
    for what, name, other_name, values, other_values in columns:
        differs = np.flatnonzero(values != other_values)
        if len(differs):
            row = int(differs[0])
            line, where = int(one.lines[row]), f"{one.source}"
            elsewhere = "" if one.source == other.source else f", {place(other.source, line)} of {other.source}"
            return Unlike(
                f"{first} and {second} have different {what}: on {place(one.source, line)} of {where} {name} is "
                f"{_shown(values[row])} for {first}; {other_name} is {_shown(other_values[row])} for {second}"
                f"{elsewhere}.",
                "compare fits of the same outcome, on the same scale: for log(y) ~ x, fit y ~ x --family lognormal"
                if name != other_name
                else "fit both to the same file, in the same way",
            )
    return None


def _outcome(design: Design) -> NDArray[np.str_] | NDArray[np.float64]:
    """Return the outcome of each row [N], its label where it has categories."""
    return np.array(design.categories)[design.y.astype(np.int64)] if design.categories else design.y


def _column(design: Design, values: NDArray[np.float64] | None) -> NDArray[np.float64]:
    return np.ones(design.n_rows) if values is None else values


def _shown(value: object) -> str:
    return f"{value:.15g}" if isinstance(value, float) else f"'{value}'"


def _other_measure(first: str, one: Design, second: str, other: Design) -> Unlike | None:
    if FAMILIES[one.family].is_discrete == FAMILIES[other.family].is_discrete:
        return None
    discrete = first if FAMILIES[one.family].is_discrete else second
    dense = second if discrete == first else first
    return Unlike(
        f"{discrete} gives outcomes probabilities and {dense} densities ({one.family}, {other.family}), which are in "
        "different units.",
        "compare families of whole numbers with one another, and families of any number with one another",
    )
