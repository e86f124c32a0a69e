"""Terms x rows of a fit -> the user's own predictors, along which a picture or a table may run.

A number that a term reads as such is one, and so is every column whose levels are coded: words, and numbers in C().
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.data.table import Table
from hierfit.design.along import Setting
from hierfit.design.atoms import LearntAtom
from hierfit.design.terms import Term
from hierfit.model.contrasts import LevelContrasts

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Factor:
    """A predictor of levels.

    Attributes:
        column: of the CSV.
        labels: its L levels, in the stated order or the reference first.
        values: the same as cells of the column: words, or numbers.
        codes: level of each row [N].
    """

    column: str
    labels: tuple[str, ...]
    values: Sequence[str] | Array
    codes: NDArray[np.int64]

    @property
    def setting(self) -> Setting:
        """What moves where each level is a point."""
        return {self.column: self.values}

    def at(self, level: int, n_points: int) -> Setting:
        """What moves where one level is held over so many points."""
        return {self.column: [self.values[level]] * n_points}


def number_axes(terms: Sequence[Term]) -> tuple[str, ...]:
    """Return the columns of numbers that terms read as such, in the order of the terms."""
    atoms = [atom for term in terms for atom in term.atoms if not is_factor(atom)]
    return tuple(dict.fromkeys(column for atom in atoms for column in atom.columns if column not in atom.words))


def factors(terms: Sequence[Term], rows: Table) -> tuple[Factor, ...]:
    """Return the predictors of levels, in the order of the terms."""
    found: dict[str, Factor] = {}
    for atom in (atom for term in terms for atom in term.atoms):
        for column, labels, values in _levels(atom, rows.orders):
            if column not in found:
                found[column] = Factor(column, labels, values, _codes(column, values, rows))
    return tuple(found.values())


def factor_beside(column: str, terms: Sequence[Term], rows: Table) -> Factor | None:
    """Return the first predictor of levels that a term multiplies with a column of numbers; None without one."""
    shared = [term for term in terms if any(column in atom.columns and not is_factor(atom) for atom in term.atoms)]
    return next((factor for factor in factors(shared, rows) if factor.column != column), None)


def contrasts_of(terms: Iterable[Term]) -> dict[str, tuple[LevelContrasts, tuple[str, ...]]]:
    """Return the columns whose levels have contrasts of the user's choice: which, and the levels in order.

    Those with a coefficient for each level, as without an intercept, have none.
    """
    return {
        column: (atom.contrasts, levels)
        for term in terms
        for atom in term.atoms
        if atom.contrasts is not None and any(atom.text in piece.reduced for piece in term.pieces)
        for column, levels in atom.words.items()
    }


def is_factor(atom: LearntAtom) -> bool:
    """Whether the levels of an atom are coded."""
    return bool(atom.call.levels) if atom.call is not None else bool(atom.words)


def _levels(
    atom: LearntAtom, orders: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, tuple[str, ...], Sequence[str] | Array]]:
    """Yield the columns whose levels an atom reads: their labels, and what cells hold."""
    for column, levels in atom.words.items():
        ordered = tuple(orders.get(column, levels))
        yield column, ordered, ordered
    if atom.call is not None and atom.call.levels and not atom.words and len(atom.columns) == 1:
        values = np.array(atom.call.levels, dtype=np.float64)
        yield atom.columns[0], tuple(f"{value:.15g}" for value in values), values


def _codes(column: str, values: Sequence[str] | Array, rows: Table) -> NDArray[np.int64]:
    if column in rows.numbers:
        return np.searchsorted(np.asarray(values, dtype=np.float64), rows.numbers[column])
    place = {level: index for index, level in enumerate(values)}
    return np.array([place[level] for level in rows.levels[column]], dtype=np.int64)[rows.labels[column]]
