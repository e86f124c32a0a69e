"""Rows -> their predictions, unit by unit: as much as fits into a processor's cache at a time, several side by side.

What is random follows from the seed and the number of a row's unit, or from the label of a new level, and so neither
from how many rows come together nor from which thread was first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.rows import Rows
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict.draws_of import every_draw
from hierfit.posterior.predict.new_levels import NewEffects
from hierfit.posterior.predict.quantities import Asked, Quantity, quantities, values
from hierfit.posterior.predict.summaries import Column, column_names, columns, of_words

Array = NDArray[np.float64]

UNIT = 64  # rows, times 4,000 draws of 8 bytes: 2 MB
_OUTCOMES = 1  # tells the randomness of outcomes from that of new levels


@dataclass(frozen=True, eq=False)
class Predicting:
    """A question to a fit, for any rows.

    Attributes:
        draws, design: the fit; without groups where these are to be left out.
        asked: what is asked of every row.
        ci: probability of intervals.
        seed: what outcomes and effects of new levels follow from.
        new: how effects of levels that the fit had not are drawn; None where they are 0.
    """

    draws: Draws
    design: Design
    asked: Asked
    ci: float
    seed: int
    new: NewEffects | None = None

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        """What the answer consists of."""
        return quantities(self.design, self.asked)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the columns that tell it."""
        return column_names(self.quantities)

    @property
    def of_words(self) -> tuple[bool, ...]:
        """Which of these columns hold words."""
        return of_words(self.quantities)

    def columns(self, rows: Rows, first: int = 0) -> list[Column]:
        """Return the columns that tell the answer of rows, of which the first is that number among all, from 0."""
        units = list(_units(rows, first))
        asked = self.quantities
        workers = min(len(units), os.cpu_count() or 1)
        with ThreadPoolExecutor(workers) as pool:
            parts = list(pool.map(lambda unit: columns(asked, self.values(*unit), self.ci), units))
        return [[cell for part in column for cell in part] for column in zip(*parts, strict=True)]

    def values(self, rows: Rows, unit: int) -> list[Array]:
        """Return the values of the quantities of the rows of a unit under all draws [S, R]."""
        rng = np.random.default_rng([self.seed, _OUTCOMES, unit])
        return values(self.draws, self.design, rows, every_draw(self.draws), self.asked, rng, self.new)


def _units(rows: Rows, first: int) -> Iterator[tuple[Rows, int]]:
    """Yield the units of rows with their numbers; `first` begins one."""
    assert first % UNIT == 0
    for start in range(0, len(rows.lines), UNIT):
        yield rows.at(slice(start, start + UNIT)), (first + start) // UNIT
