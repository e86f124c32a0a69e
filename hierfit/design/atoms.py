"""One column or call of a formula x Table -> what it comes to, row by row: numbers, or the levels of a factor.

Columns of numbers are taken as they are. Columns of words are factors: their levels stand in alphabetical order, or in
that of `Table.orders`; a reference that the user names goes first. Where the user chose contrasts of a column, these
stand for its levels beside an intercept (`design.contrasts`). Calls (`poly(age, 2)`, `C(grade)`, `S(sector)`) are
evaluated by formulae (`design.calls`). What an atom learnt from the rows of a fit is a plain value, from which its
columns on other rows follow: `atom_on`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.data.table import Table
from hierfit.design.calls import Contrasts, Learnt, evaluate, learn
from hierfit.design.contrasts import contrast_columns
from hierfit.design.levels import codes_in, listed, ordered_levels
from hierfit.errors import DataError, FormulaError, did_you_mean
from hierfit.model.contrasts import NO_CONTRASTS, ContrastKind, LevelContrasts
from hierfit.model.grammar import column_of
from hierfit.model.term_text import columns_in, function_of
from hierfit.plain import Later

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

_TERM_HINT = "terms are columns, interactions a:b, and calls such as poly(x, 2), bs(x, df=4), C(x), log(x)"
_LEVEL_HINT = (
    "levels are words in quotes, as in Treatment('Public'), and numbers where --levels does not state them; or leave "
    "it to --reference COLUMN=LEVEL"
)
_WHOLE = re.compile(r"\[(-?\d+)\.0\]$")  # C(x)[2.0], a level of a column of numbers in C(x)


@dataclass(frozen=True)
class LearntAtom:
    """A column or a call with what evaluation learnt from the rows of a fit.

    Attributes:
        text: as the formula has it.
        columns: of the CSV that it is made from.
        words: those of them that hold words, with their levels in the order of their codes.
        call: what a call learnt; None for a column.
        contrasts: of a column of words, what its coefficients compare; None where that is each level with the first.
    """

    text: str
    columns: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]]
    call: Learnt | None = None
    contrasts: Later[LevelContrasts | None] = None


@dataclass(frozen=True, eq=False)
class Coding:
    """Columns of an atom.

    Attributes:
        names: their names [p].
        values: the columns [N, p].
    """

    names: tuple[str, ...]
    values: Array


@dataclass(frozen=True, eq=False)
class Atom:
    """A column or a call, evaluated.

    Attributes:
        learnt: what it is, and what it learnt.
        full: its columns; of a factor those that add up to ones, such as an indicator of every level.
        reduced: of a factor, the columns that together with ones span the same; None for numbers.
        cells: of a factor, which of its levels each row has [N]; None for numbers.
        reference: the level that `reduced` leaves out; None for numbers, and for a coding that compares with none.
    """

    learnt: LearntAtom
    full: Coding
    reduced: Coding | None = None
    cells: Codes | None = None
    reference: str | None = None

    @property
    def text(self) -> str:
        """The atom as the formula has it."""
        return self.learnt.text


def evaluate_atom(
    text: str, table: Table, references: Mapping[str, str], contrasts: Mapping[str, LevelContrasts] = NO_CONTRASTS
) -> Atom:
    """Return what a column or a call comes to on the rows of a fit.

    Raises:
        FormulaError: it cannot be evaluated, or is no finite number somewhere.
    """
    column = column_of(text)
    columns = columns_in(text) if column is None else (column,)
    words = {name: ordered_levels(name, table, references) for name in columns if name not in table.numbers}
    atom = LearntAtom(text, columns, words)
    if column is not None:
        own = contrasts.get(column)
        compares = own is None or own.kind is ContrastKind.TREATMENT
        return _made(atom if compares else replace(atom, contrasts=own), _column(atom, table))
    frame = _frame(atom, table, first=True)
    try:
        call, found = learn(text, frame)
    except Exception as error:  # whatever formulae, or a function that the term calls, raises
        raise _not_evaluated(text, table, error) from error
    return _checked(_made(LearntAtom(text, columns, words, call), found), table)


def atom_on(learnt: LearntAtom, table: Table) -> Atom:
    """Return what a column or a call comes to on other rows than those that it learnt from.

    Raises:
        DataError: the table lacks a column, or holds a level that no row of the fit had.
        FormulaError: it cannot be evaluated, or is no finite number somewhere.
    """
    return _checked(atom_along(learnt, table), table)


def atom_along(learnt: LearntAtom, table: Table) -> Atom:
    """Return the same as `atom_on`, where it is no finite number too: between the rows of a fit, as 1 / x at 0."""
    _check_columns(learnt, table)
    if learnt.call is None:
        return _made(learnt, _column(learnt, table))
    try:
        found = evaluate(learnt.call, _frame(learnt, table, first=False))
    except Exception as error:  # as above
        raise _not_evaluated(learnt.text, table, error) from error
    if learnt.call.levels and (found < 0).any():
        row = int(np.argmax(found < 0))
        raise DataError(
            f"{table.path}, {table.place(row)}: {learnt.text} has a level there that no row of the fit had.",
            hint=f"levels: {listed(tuple(map(str, learnt.call.levels)))}",
        )
    return _made(learnt, found)


def _made(learnt: LearntAtom, found: Array | Codes) -> Atom:
    """Return the atom that comes to these columns of numbers, or to these codes of levels."""
    if learnt.call is None and not learnt.words:
        return Atom(learnt, Coding(learnt.columns, np.asarray(found, dtype=np.float64)))
    if learnt.call is not None and not learnt.call.levels:
        name, size = learnt.call.name, found.shape[1]
        names = (name,) if size == 1 else tuple(f"{name}[{place}]" for place in range(size))
        return Atom(learnt, Coding(names, np.asarray(found, dtype=np.float64)))
    codes = found.astype(np.int64, copy=False)
    if learnt.call is None:
        (column,) = learnt.columns
        levels = learnt.words[column]
        names = tuple(f"{column}[{level}]" for level in levels)
        indicators = np.zeros((len(codes), len(levels)))
        indicators[np.arange(len(codes)), codes] = 1
        full = Coding(names, indicators)
        if learnt.contrasts is None:
            return Atom(learnt, full, Coding(names[1:], indicators[:, 1:]), codes, levels[0])
        labels, values = contrast_columns(learnt.contrasts, levels)
        return Atom(learnt, full, Coding(tuple(f"{column}[{label}]" for label in labels), values[codes]), codes)
    assert learnt.call.full is not None and learnt.call.reduced is not None
    full, reduced = (_coded(learnt.call.name, how, codes) for how in (learnt.call.full, learnt.call.reduced))
    left = [name for name in full.names if name not in reduced.names]
    compares = len(left) == 1 and function_of(learnt.text) != "S"
    reference = left[0][len(learnt.call.name) + 1 : -1] if compares else None
    return Atom(learnt, full, reduced, codes, reference)


def _coded(name: str, how: Contrasts, codes: Codes) -> Coding:
    names = tuple(_WHOLE.sub(r"[\1]", f"{name}[{label}]") for label in how.labels)
    return Coding(names, np.array(how.matrix, dtype=np.float64).reshape(len(how.matrix), len(names))[codes])


def _column(learnt: LearntAtom, table: Table) -> Array | Codes:
    """Return a column of numbers [N, 1], or the codes of a column of words [N]."""
    (column,) = learnt.columns
    if not learnt.words:
        return table.numbers[column][:, np.newaxis]
    return codes_in(column, learnt.words[column], table)


def _check_columns(learnt: LearntAtom, table: Table) -> None:
    """Refuse a table that lacks a column, or holds a level that no row of the fit had."""
    for column in learnt.columns:
        if column not in table.numbers and column not in table.levels:
            raise DataError(
                f"{table.path} has no column '{column}', which the model has a term of.",
                hint=f"columns: {listed((*table.numbers, *table.levels))}",
            )
    for column, levels in learnt.words.items():
        unknown = [level for level in table.levels[column] if level not in levels]
        if unknown:
            code = table.levels[column].index(unknown[0])
            where = table.place(int(np.argmax(table.labels[column] == code)))
            raise DataError(
                f"{table.path}, column '{column}', {where}: no row of the fit had the level '{unknown[0]}'."
                f"{did_you_mean(unknown[0], levels)}",
                hint=f"levels: {listed(levels)}",
            )


def _frame(learnt: LearntAtom, table: Table, *, first: bool) -> object:
    """Return the columns of a call for formulae: numbers, whole ones where C() makes levels of them, or words.

    formulae sorts the levels unless they are said to be ordered, which is for the `first` rows to say.
    """
    import pandas as pd

    as_levels = function_of(learnt.text) == "C"
    columns: dict[str, object] = {}
    for name in learnt.columns:
        if name in table.numbers:
            values = table.numbers[name]
            columns[name] = values.astype(np.int64) if as_levels and (values == np.round(values)).all() else values
        else:
            levels = learnt.words[name]
            codes = codes_in(name, levels, table)
            ordered = pd.Categorical.from_codes(codes.tolist(), categories=pd.Index(levels), ordered=True)
            columns[name] = ordered if first else np.array(levels, dtype=object)[codes]
    return pd.DataFrame(columns)


def _not_evaluated(text: str, table: Table, error: Exception) -> FormulaError:
    said = str(error).strip().strip("'\"")
    return FormulaError(
        f"the term '{text}' could not be evaluated on {table.path}: {said}.",
        hint=_LEVEL_HINT if "reference not in levels" in said else _TERM_HINT,
    )


def _checked(atom: Atom, table: Table) -> Atom:
    """Return the atom, whose columns are finite numbers."""
    values = atom.full.values
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise FormulaError(
            f"'{atom.full.names[column]}' is no finite number on {table.place(row)} of {table.path}.",
            hint="check what the term does to the values there, such as the logarithm of 0",
        )
    return atom
