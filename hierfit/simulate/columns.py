"""A Simulation -> the columns beside the outcome, and the Table that a fit would read from their file.

Groups are laid out (`simulate.group_layout`); predictors and the offset are drawn row by row, or once for every level
of a factor; named levels come equally often, in random order. The Table has an outcome too, because a Design needs one:
a placeholder that any value of the family's could stand for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hierfit.data.cells import Text, numbers_in
from hierfit.data.table import Table
from hierfit.model.families import FAMILIES, Family, Support
from hierfit.simulate.checks import ends
from hierfit.simulate.group_layout import Codes, blocks_of, cross, draw_counts, lay_out, level_labels
from hierfit.simulate.predictors import Array
from hierfit.simulate.simulation import TRIALS, Simulation

SOURCE = Path("the simulated data")  # what errors call the file, which is not there yet
CATEGORIES = 5  # of an outcome of ordered categories whose levels are not named
Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class Drawn:
    """The columns beside the outcome.

    Attributes:
        numbers: column -> values [N].
        texts: column -> labels; a group that is a predictor in numbers too stands in both.
        n_rows: N.
        deviates: factor -> standard normal deviates of its levels' effects [J, M], where they are drawn with it.
    """

    numbers: Mapping[str, Array]
    texts: Mapping[str, Text]
    n_rows: int
    deviates: Mapping[str, Array] = field(default_factory=dict)


def draw_columns(simulation: Simulation, rng: np.random.Generator) -> Drawn:
    """Draw the groups, then predictors and offset in the order of the formula, then the trials."""
    drawn = _by_scenario(simulation, rng) if simulation.of_scenario else _by_formula(simulation, rng)
    if simulation.all_trials is None:
        return drawn
    trials = draw_counts(rng, simulation.all_trials, drawn.n_rows).astype(np.float64)
    return replace(drawn, numbers={**drawn.numbers, TRIALS: trials})


def _by_scenario(simulation: Simulation, rng: np.random.Generator) -> Drawn:
    """Draw the first factor and its effects, the predictors row by row, then a second factor and its effects."""
    formula, levels = simulation.formula, simulation.all_levels
    first, *crossed = formula.label_columns
    counts = draw_counts(rng, simulation.all_rows, ends(levels[first])[0])
    codes = {first: np.repeat(np.arange(len(counts)), counts)}
    M = formula.groups[0].intercept + len(formula.groups[0].slopes)
    deviates = {first: rng.normal(size=(len(counts), M))}
    X = simulation.predictors.draw(rng, (len(codes[first]), len(formula.predictors)))
    for name in crossed:
        codes[name] = cross(rng, ends(levels[name])[0], counts)
        deviates[name] = rng.normal(size=(ends(levels[name])[0], 1))
    texts = {name: Text(codes[name], _labels(simulation, name)) for name in codes}
    return Drawn(dict(zip(formula.predictors, X.T, strict=True)), texts, len(X), deviates)


def _by_formula(simulation: Simulation, rng: np.random.Generator) -> Drawn:
    rows, blocks = simulation.all_rows, blocks_of(simulation.formula)
    codes = lay_out(rng, blocks, simulation.all_levels, rows) if blocks else {}
    n_rows = len(next(iter(codes.values()))) if codes else int(draw_counts(rng, rows, 1)[0])
    texts = {name: Text(codes[name], _labels(simulation, name)) for name in codes}
    numbers: dict[str, Array] = {}
    for name in dict.fromkeys((*simulation.formula.predictors, *simulation.number_columns)):
        level, count = _levels(simulation, name, codes, n_rows)
        if name in simulation.number_columns:
            distribution = simulation.distributions.get(name, simulation.predictors)
            numbers[name] = distribution.draw(rng, (count, 1))[level, 0]
        elif name not in texts:
            cells = simulation.all_categories[name]
            texts[name] = Text(rng.permutation(np.resize(np.arange(len(cells)), count))[level], cells)
    for name, text in tuple(texts.items()):
        if name in simulation.formula.predictors and name not in simulation.categories:
            numbers[name] = np.array(numbers_in(text.cells), dtype=np.float64)[text.codes]
            if name not in codes:
                del texts[name]
    return Drawn(numbers, texts, n_rows)


def draw_holes(simulation: Simulation, drawn: Drawn) -> dict[str, Rows]:
    """Return which cells of outcome and predictors are empty [N]; groups are always known."""
    rng = np.random.default_rng([simulation.seed, 1])
    predictors = [name for name in simulation.formula.predictors if name not in simulation.formula.label_columns]
    return {name: rng.random(drawn.n_rows) < simulation.missing for name in (simulation.formula.response, *predictors)}


def table_of(simulation: Simulation, drawn: Drawn, rows: Rows) -> Table:
    """Return what a fit reads of the given rows, with a placeholder as outcome."""
    response, n_rows = simulation.formula.response, int(rows.sum())
    texts = {name: Text(text.codes[rows], text.cells) for name, text in drawn.texts.items()}
    numbers = {name: values[rows] for name, values in drawn.numbers.items()}
    if response in simulation.categories:
        cells = tuple(simulation.categories[response])
        texts[response] = Text(np.resize(np.arange(len(cells)), n_rows), cells)
    else:
        numbers[response] = np.resize(_placeholder(FAMILIES[simulation.family]), n_rows)
    appeared = {name: _by_appearance(text) for name, text in texts.items()}
    return Table(
        path=SOURCE,
        sha256="",
        n_read=drawn.n_rows,
        dropped={},
        numbers=numbers,
        labels={name: text.codes.astype(np.int32) for name, text in appeared.items()},
        levels={name: text.cells for name, text in appeared.items()},
        lines=np.arange(2, drawn.n_rows + 2)[rows],
    )


def _labels(simulation: Simulation, name: str) -> tuple[str, ...]:
    """Return the labels of a group column: those named, or numbers behind a letter, without it for a predictor."""
    if name in simulation.categories:
        return tuple(simulation.categories[name])
    prefix = "" if name in simulation.formula.predictors else simulation.prefixes.get(name, name[0])
    return level_labels(prefix, ends(simulation.all_levels[name])[1])


def _levels(simulation: Simulation, name: str, codes: Mapping[str, Codes], n_rows: int) -> tuple[Codes, int]:
    """Return which of the values drawn for a predictor each row gets [N], and how many are drawn."""
    if name not in simulation.per:
        return np.arange(n_rows), n_rows
    factor = simulation.per[name]
    columns = next((group.columns for group in simulation.formula.groups if group.factor == factor), (factor,))
    combined = np.column_stack([codes[column] for column in columns])
    found, level = np.unique(combined, axis=0, return_inverse=True)
    return level.ravel(), len(found)


def _placeholder(family: Family) -> Sequence[float]:
    """Return values that an outcome of the family can have; of ordered categories, all that it will have."""
    if family.support is Support.CATEGORIES:
        return range(1, CATEGORIES + 1)
    return (0.0, 1.0) if family.is_discrete else (0.25, 0.75)


def _by_appearance(text: Text) -> Text:
    """Return the same column with the cells that occur, in order of first appearance."""
    found, first, inverse = np.unique(text.codes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    return Text(np.argsort(order)[inverse], tuple(text.cells[code] for code in found[order]))
