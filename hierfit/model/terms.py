"""Terms x Table -> named columns: what `ses * sector + poly(age, 2)` comes to, row by row.

Columns that hold numbers are taken as they are. Text columns become indicators of their levels but the first, the
reference. Levels stand in alphabetical order or in that of `Table.orders`; a reference that the user names goes first.
Everything but columns of numbers and products of two is evaluated by `formulae`, whose names (`sector[Private]`,
`ses:sector[Private]`, `poly(age, 2)[0]`) are the names of the coefficients.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.errors import DataError, FormulaError, UsageError, did_you_mean
from hierfit.model.formula import INTERCEPT, column_of, quoted
from hierfit.model.formula_text import NUMPY_FUNCTIONS, call_text, columns_in
from hierfit.model.levels import listed
from hierfit.model.plain_terms import pair_in
from hierfit.model.table import Table

Array = NDArray[np.float64]

_FUNCTIONS = {name: getattr(np, name) for name in NUMPY_FUNCTIONS}
_TERM_HINT = "terms are columns, interactions a:b, and calls such as poly(x, 2), bs(x, df=4), C(x), log(x)"
_LEVEL_HINT = (
    "levels are words in quotes, as in Treatment('Public'), and numbers where --levels does not state them; or leave "
    "it to --reference COLUMN=LEVEL"
)
_WHOLE = re.compile(r"\[(-?\d+)\.0\]")  # C(x)[2.0], a level of a column of numbers


@dataclass(frozen=True)
class Columns:
    """Evaluated terms.

    Attributes:
        names: names of the K coefficients.
        values: the columns [N, K].
    """

    names: tuple[str, ...]
    values: Array


def evaluate_terms(terms: tuple[str, ...], table: Table, references: Mapping[str, str], *, intercept: bool) -> Columns:
    """Return the columns of the terms, the intercept's not among them.

    `intercept` says whether there is one beside the terms: without it a text column keeps all its levels.

    Raises:
        FormulaError: a term cannot be evaluated.
    """
    if INTERCEPT in (column for term in terms for column in columns_in(term)):
        raise FormulaError(f"a predictor cannot be named '{INTERCEPT}'.", hint="rename the column in the file")
    plain = [_number_columns(term, table) for term in terms]
    if all(plain):
        names = tuple(":".join(columns) for columns in plain)
        values = [reduce(np.multiply, [table.numbers[name] for name in columns]) for columns in plain]
        return Columns(names, _side_by_side(values, table.n_rows))
    return _evaluate(terms, table, references, intercept=intercept)


def _side_by_side(values: Sequence[Array], n_rows: int) -> Array:
    """Return columns [N] as an array [N, K]; a single one is not copied."""
    if len(values) == 1:
        return values[0][:, np.newaxis]
    return np.column_stack(values) if values else np.empty((n_rows, 0))


def _number_columns(term: str, table: Table) -> tuple[str, ...]:
    """Return the column of numbers that a term is, or the two whose product it is; nothing for any other term."""
    column = column_of(term)
    columns = (pair_in(term) or ()) if column is None else (column,)
    return columns if all(name in table.numbers for name in columns) else ()


def _evaluate(terms: tuple[str, ...], table: Table, references: Mapping[str, str], *, intercept: bool) -> Columns:
    import pandas as pd
    from formulae import design_matrices

    columns = dict.fromkeys(column for term in terms for column in columns_in(term))
    frame = pd.DataFrame({name: _values(name, terms, table, references) for name in columns})
    text = f"{int(intercept)} + {' + '.join(terms)}"
    try:
        # What becomes of log(0) is said below; formulae prints before it raises.
        with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
            common = design_matrices(text, frame, extra_namespace=_FUNCTIONS).common
        names = [_label(name, term) for term in common.terms.values() for name in term.labels]
        values = np.asarray(common.design_matrix, dtype=np.float64)
    except Exception as error:  # whatever formulae, or a function that the term calls, raises
        said = str(error).strip().strip("'\"")
        raise FormulaError(
            f"the terms '{' + '.join(terms)}' could not be evaluated on {table.path}: {said}.",
            hint=_LEVEL_HINT if "reference not in levels" in said else _TERM_HINT,
        ) from error
    kept = [index for index, name in enumerate(names) if name != INTERCEPT]
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise FormulaError(
            f"'{names[column]}' is no finite number on line {table.lines[row]} of {table.path}.",
            hint="check what the term does to the values there, such as the logarithm of 0",
        )
    return Columns(tuple(names[index] for index in kept), values[:, kept])


def _label(name: str, term: Any) -> str:
    """Return formulae's name of a column with the brackets that it lacks, and whole numbers as these."""
    for part in getattr(term, "components", ()):
        if hasattr(part, "call"):
            name = name.replace(part.name, call_text(part.call))
    return _WHOLE.sub(r"[\1]", name)


def _values(name: str, terms: Sequence[str], table: Table, references: Mapping[str, str]) -> object:
    """Return one column for formulae: numbers, whole ones where C() makes levels of them, or ordered categories."""
    import pandas as pd

    if name in table.numbers:
        values = table.numbers[name]
        as_levels = any(f"C({quoted(name)}" in term for term in terms)
        return values.astype(np.int64) if as_levels and (values == np.round(values)).all() else values
    levels = _in_order(name, table)
    reference = references.get(name, levels[0])
    ordered = [reference, *(level for level in levels if level != reference)]
    position = {level: index for index, level in enumerate(ordered)}
    codes = np.array([position[level] for level in table.levels[name]])[table.labels[name]]
    # formulae sorts the levels unless they are said to be ordered.
    return pd.Categorical.from_codes(codes.tolist(), categories=pd.Index(ordered), ordered=True)


def _in_order(name: str, table: Table) -> Sequence[str]:
    """Return the levels of a text column in the stated order, or in alphabetical order."""
    return table.orders.get(name) or sorted(table.levels[name])


def compared_levels(references: Mapping[str, str], names: Iterable[Sequence[str]]) -> dict[str, str]:
    """Return the references that coefficients are compared with, in one at least of several sets of coefficients.

    Where a formula has no intercept it may keep all levels, and with `S(x)` or `T(x, 'level')` it names the coding.
    """

    def is_compared(start: str, level: str, among: Sequence[str]) -> bool:
        written = [name for name in among if f"{start}[" in name]
        return bool(written) and not any(f"{start}[{level}]" in name for name in written)

    sets = [tuple(among) for among in names]
    return {
        column: level
        for column, level in references.items()
        if any(is_compared(start, level, among) for start in (column, f"C({column})") for among in sets)
    }


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
            levels = _in_order(name, table)
            raise UsageError(
                f"--reference {name}={level}: the column has no level '{level}'.{did_you_mean(level, levels)}",
                hint=f"levels: {listed(levels)}",
            )
    return {name: wanted.get(name, _in_order(name, table)[0]) for name in text}
