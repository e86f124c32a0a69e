"""Terms x rows of a fit -> their columns where some of the user's columns move and all else stays as it is on average.

What moves is given by column of the CSV: numbers, or levels of words. A term that holds none of it stays at the mean of
its columns over the rows; of a product, what does not move is taken at its mean: `ses:sector[Private]` along ses is ses
times the share of Private. Letters: G points, N rows, K columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.data.table import Table
from hierfit.design import moments
from hierfit.design.atoms import Atom, LearntAtom, atom_along, atom_on
from hierfit.design.coding import Piece
from hierfit.design.terms import Term, coding_in

Array = NDArray[np.float64]
Setting = Mapping[str, Sequence[str] | Array]
_LETTERS = "abcdefghijklm"


@dataclass(frozen=True)
class Moved:
    """Columns along a setting.

    Attributes:
        values: the columns [G, K].
        moves: which of them move [K].
    """

    values: Array
    moves: NDArray[np.bool_]


def columns_along(terms: Sequence[Term], means: Array, rows: Table, setting: Setting) -> Moved:
    """Return the columns of terms at the points of a setting, given their means over the rows [K]."""
    grid = _grid(rows, setting)
    values, moves = np.repeat(means[np.newaxis], grid.n_rows, axis=0), np.zeros(len(means), dtype=np.bool_)
    still: dict[str, Atom] = {}
    start = 0
    for term in terms:
        stop = start + sum(term.kept)
        moving = {atom.text: atom_along(atom, grid) for atom in term.atoms if moves_with(atom, setting)}
        if moving:
            rest = [atom for atom in term.atoms if atom.text not in moving and atom.text not in still]
            still |= {atom.text: atom_on(atom, rows) for atom in rest}
            blocks = [_along_piece(piece, moving, still, grid.n_rows) for piece in term.pieces]
            none = np.empty((grid.n_rows, 0))  # a term that others span has no column
            values[:, start:stop] = np.concatenate([none, *blocks], axis=1)[:, term.kept]
            moves[start:stop] = True
        start = stop
    return Moved(values, moves)


def moves_with(atom: LearntAtom, setting: Setting) -> bool:
    """Whether an atom reads a column of a setting."""
    return any(column in setting for column in atom.columns)


def _grid(rows: Table, setting: Setting) -> Table:
    """Return a table of the points: what is not set is at its mean, or at the first level."""
    n_points = len(next(iter(setting.values())))
    numbers = {name: np.full(n_points, moments.mean(values)) for name, values in rows.numbers.items()}
    labels = {name: np.zeros(n_points, dtype=np.int32) for name in rows.labels}
    levels = {name: rows.levels[name][:1] for name in rows.labels}
    for name, values in setting.items():
        if name in numbers:
            numbers[name] = np.asarray(values, dtype=np.float64)
        else:
            levels[name] = tuple(dict.fromkeys(map(str, values)))
            labels[name] = np.array([levels[name].index(str(value)) for value in values], dtype=np.int32)
    return replace(rows, numbers=numbers, labels=labels, levels=levels, lines=np.arange(n_points))


def _along_piece(piece: Piece, moving: Mapping[str, Atom], still: Mapping[str, Atom], n_points: int) -> Array:
    """Return the columns of one piece of a term [G, p]: products of what moves with the mean product of the rest."""
    axes = dict(zip(piece.atoms, _LETTERS, strict=False))
    shown = {text: coding_in(piece, moving[text]).values for text in piece.atoms if text in moving}
    held = {text: coding_in(piece, still[text]).values for text in piece.atoms if text in still and text not in moving}
    mean = np.ones(())
    if held:
        n_rows = len(next(iter(held.values())))
        inside = ",".join(f"n{axes[text]}" for text in held)
        mean = np.einsum(f"{inside}->{''.join(axes[text] for text in held)}", *held.values()) / n_rows
    if not shown:
        return np.repeat(mean.reshape(1, -1), n_points, axis=0)
    inside = ",".join([*(f"g{axes[text]}" for text in shown), "".join(axes[text] for text in held)])
    columns = np.einsum(f"{inside}->g{''.join(axes.values())}", *shown.values(), mean)
    return np.asarray(columns.reshape(n_points, -1))
