"""Terms x Table -> named columns: what `ses * sector + poly(age, 2)` comes to, row by row.

Atoms are evaluated one by one (`design.atoms`), factors coded so that the columns span what the terms say
(`design.coding`), and multiplied: `ses:sector[Private]`, `poly(age, 2)[0]`. Where cells of an interaction have no row,
as in a factor nested in another, its columns without a row, and those that are sums of others for want of rows, are
left out, as lme4 leaves them out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import compress, islice, product

import numpy as np
from numpy.typing import NDArray

from hierfit.data.table import Table
from hierfit.design.atoms import Atom, Coding, LearntAtom, atom_on, evaluate_atom
from hierfit.design.coding import Piece, code_terms
from hierfit.design.levels import in_order, listed
from hierfit.errors import DataError, FormulaError, UsageError, did_you_mean
from hierfit.model.contrasts import NO_CONTRASTS, LevelContrasts
from hierfit.model.grammar import INTERCEPT, column_of
from hierfit.model.term_text import atoms_in, columns_in

Array = NDArray[np.float64]

# A column is a sum of others where less than this share of it is left beside them: R's lm has 1e-7 too.
_NOTHING_LEFT = 1e-7


@dataclass(frozen=True)
class Term:
    """One term with what its evaluation learnt from the rows of a fit.

    Attributes:
        text: as the formula has it.
        atoms: what it multiplies.
        pieces: how its factors are coded, piece by piece.
        kept: which of the columns of its pieces are in the model [p].
    """

    text: str
    atoms: tuple[LearntAtom, ...]
    pieces: tuple[Piece, ...]
    kept: tuple[bool, ...]

    @property
    def columns_read(self) -> tuple[str, ...]:
        """The columns of the CSV that it is made from."""
        return tuple(dict.fromkeys(column for atom in self.atoms for column in atom.columns))

    def columns(self, atoms: Mapping[str, Atom], n_rows: int) -> Array:
        """Return its columns in the model [N, k], given its atoms evaluated, by their texts."""
        values = _columns_of_all(self.pieces, atoms, n_rows).values
        return values if all(self.kept) else values[:, self.kept]


@dataclass(frozen=True)
class Columns:
    """Evaluated terms.

    Attributes:
        names: names of the K coefficients.
        values: the columns [N, K].
        left_out: names of columns that cells without a row leave nothing to.
        references: factor, a column or a call, -> the level that its others are compared with.
        terms: what can be evaluated again.
    """

    names: tuple[str, ...]
    values: Array
    left_out: tuple[str, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)
    terms: tuple[Term, ...] = ()


def columns_on(terms: Sequence[Term], table: Table) -> Array:
    """Return the columns of terms on other rows than those that they learnt from [N, K].

    Raises:
        DataError: the table lacks a column, or holds a level that no row of the fit had.
        FormulaError: a term cannot be evaluated there.
    """
    learnt = {atom.text: atom for term in terms for atom in term.atoms}
    atoms = {text: atom_on(atom, table) for text, atom in learnt.items()}
    return _side_by_side([term.columns(atoms, table.n_rows) for term in terms], table.n_rows)


def evaluate_terms(
    terms: tuple[str, ...],
    table: Table,
    references: Mapping[str, str],
    contrasts: Mapping[str, LevelContrasts] = NO_CONTRASTS,
    *,
    intercept: bool,
) -> Columns:
    """Return the columns of the terms, the intercept's not among them.

    `intercept` says whether there is one beside the terms: without it a text column keeps all its levels. `contrasts`
    are those of columns that are not coded against their references.

    Raises:
        FormulaError: a term cannot be evaluated.
    """
    if INTERCEPT in (column for term in terms for column in columns_in(term)):
        raise FormulaError(f"a predictor cannot be named '{INTERCEPT}'.", hint="rename the column in the file")
    split = [atoms_in(term) for term in terms]
    texts = dict.fromkeys(text for atoms in split for text in atoms)
    atoms = {text: evaluate_atom(text, table, references, contrasts) for text in texts}
    factors = {text for text, atom in atoms.items() if atom.cells is not None}
    pieces = code_terms(split, factors, intercept=intercept)
    blocks = [_columns_of_all(own, atoms, table.n_rows) for own in pieces]
    names = tuple(name for block in blocks for name in block.names)
    values = _side_by_side([block.values for block in blocks], table.n_rows)
    kept = np.ones(len(names), dtype=np.bool_)
    if any(_has_empty_cell([atoms[text] for text in own]) for own in split):
        degrees = np.repeat([sum(text in factors for text in own) for own in split], [len(b.names) for b in blocks])
        kept = _independent(values, degrees, intercept=intercept)
    stay = iter(kept.tolist())
    learnt = [tuple(atoms[text].learnt for text in own) for own in split]
    again = [tuple(islice(stay, len(block.names))) for block in blocks]
    coded = [(text, piece) for own in pieces for piece in own for text in piece.atoms]
    compared = {text: atoms[text].reference for text, piece in coded if text in piece.reduced}
    return Columns(
        tuple(compress(names, kept)),
        values if kept.all() else values[:, kept],
        tuple(compress(names, ~kept)),
        {column_of(text) or text: level for text, level in compared.items() if level is not None},
        tuple(map(Term, terms, learnt, pieces, again)),
    )


def _columns_of_all(pieces: Sequence[Piece], atoms: Mapping[str, Atom], n_rows: int) -> Coding:
    """Return the columns of the pieces of one term, side by side."""
    blocks = [_columns_of(piece, atoms) for piece in pieces]
    names = tuple(name for block in blocks for name in block.names)
    return Coding(names, _side_by_side([block.values for block in blocks], n_rows))


def _side_by_side(values: Sequence[Array], n_rows: int) -> Array:
    """Return blocks of columns [N, .] as an array [N, K]; a single one is not copied."""
    if len(values) == 1:
        return values[0]
    return np.column_stack(values) if values else np.empty((n_rows, 0))


def _columns_of(piece: Piece, atoms: Mapping[str, Atom]) -> Coding:
    """Return the products of the columns of a piece's atoms, those of the last atom side by side."""
    codings = [coding_in(piece, atoms[text]) for text in piece.atoms]
    names = [":".join(parts) for parts in product(*(coding.names for coding in codings))]
    if len(codings) == 1:
        return codings[0]
    columns = [reduce(np.multiply, parts) for parts in product(*(coding.values.T for coding in codings))]
    return Coding(tuple(names), np.column_stack(columns))


def coding_in(piece: Piece, atom: Atom) -> Coding:
    """Return the columns that an atom has in a piece."""
    return atom.reduced if atom.reduced is not None and atom.text in piece.reduced else atom.full


def _has_empty_cell(atoms: Sequence[Atom]) -> bool:
    """Whether some combination of the levels of two or more factors has no row."""
    cells = [atom.cells for atom in atoms if atom.cells is not None]
    if len(cells) < 2:
        return False
    shape = [int(codes.max()) + 1 for codes in cells]
    return len(np.unique(np.ravel_multi_index(cells, shape))) < int(np.prod(shape))


def _independent(values: Array, degrees: NDArray[np.int64], *, intercept: bool) -> NDArray[np.bool_]:
    """Return which columns stay: those of interactions that are sums of others do not.

    `degrees` are the numbers of factors of the columns' terms; those of fewer stay before those of more.
    """
    basis = [np.full(len(values), len(values) ** -0.5)] if intercept else []
    kept = np.ones(values.shape[1], dtype=np.bool_)
    for index in np.argsort(degrees, kind="stable"):
        left = column = values[:, index]
        for _ in range(2):  # once more for what rounding left
            for direction in basis:
                left = left - direction * (direction @ left)
        size, whole = np.linalg.norm(left), np.linalg.norm(column)
        if size > _NOTHING_LEFT * whole:
            basis.append(left / size)
        elif degrees[index] > 1:
            kept[index] = False
    return kept


def reference_levels(table: Table, predictors: tuple[str, ...], wanted: Mapping[str, str]) -> dict[str, str]:
    """Return the reference level of every text predictor: the wanted one, or the first.

    Raises:
        UsageError: a wanted reference is of no text predictor, or no level of it.
        DataError: a text predictor has one level only.
    """
    text = [name for name in predictors if name not in table.numbers]
    for name in text:
        if len(table.levels[name]) == 1:
            raise DataError(
                f"{table.path}, column '{name}': all {table.n_rows:,} rows hold '{table.levels[name][0]}'; "
                "there is nothing to compare.",
                hint=f"leave out '{name}'",
            )
    for name, level in wanted.items():
        if name not in text:
            number = f"; for a column of numbers write C({name}, Treatment({level}))" if name in table.numbers else ""
            raise UsageError(
                f"--reference {name}={level}: '{name}' is not a text column among the predictors."
                f"{did_you_mean(name, text)}",
                hint=f"text predictors: {', '.join(text) or 'none'}{number}",
            )
        if level not in table.levels[name]:
            levels = in_order(name, table)
            raise UsageError(
                f"--reference {name}={level}: the column has no level '{level}'.{did_you_mean(level, levels)}",
                hint=f"levels: {listed(levels)}",
            )
    return {name: wanted.get(name, in_order(name, table)[0]) for name in text}
