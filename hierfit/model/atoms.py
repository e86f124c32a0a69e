"""One column or call of a formula x Table -> what it comes to, row by row: numbers, or the levels of a factor.

Columns of numbers are taken as they are. Columns of words are factors: their levels stand in alphabetical order, or in
that of `Table.orders`; a reference that the user names goes first. Calls (`poly(age, 2)`, `C(grade)`, `S(sector)`) are
evaluated by formulae, whose names of their columns are kept.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.errors import FormulaError
from hierfit.model.formula import INTERCEPT, column_of
from hierfit.model.formula_text import call_text, columns_in, function_of
from hierfit.model.table import Table
from hierfit.model.term_checks import NUMPY_FUNCTIONS

Array = NDArray[np.float64]

_FUNCTIONS = {name: getattr(np, name) for name in NUMPY_FUNCTIONS}
_TERM_HINT = "terms are columns, interactions a:b, and calls such as poly(x, 2), bs(x, df=4), C(x), log(x)"
_LEVEL_HINT = (
    "levels are words in quotes, as in Treatment('Public'), and numbers where --levels does not state them; or leave "
    "it to --reference COLUMN=LEVEL"
)
_WHOLE = re.compile(r"\[(-?\d+)\.0\]")  # C(x)[2.0], a level of a column of numbers


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
        text: as the formula has it.
        full: its columns; of a factor those that add up to ones, such as an indicator of every level.
        reduced: of a factor, the columns that together with ones span the same; None for numbers.
        cells: of a factor, which of its levels each row has [N]; None for numbers.
        reference: the level that `reduced` leaves out; None for numbers, and for a coding that compares with none.
    """

    text: str
    full: Coding
    reduced: Coding | None = None
    cells: NDArray[np.int64] | None = None
    reference: str | None = None


def evaluate_atom(text: str, table: Table, references: Mapping[str, str]) -> Atom:
    """Return what a column or a call comes to.

    Raises:
        FormulaError: it cannot be evaluated, or is no finite number somewhere.
    """
    column = column_of(text)
    if column is None:
        return _evaluate_call(text, table, references)
    if column in table.numbers:
        return Atom(text, Coding((column,), table.numbers[column][:, np.newaxis]))
    return _factor(text, column, table, references)


def _factor(text: str, column: str, table: Table, references: Mapping[str, str]) -> Atom:
    levels = ordered_levels(column, table, references)
    codes = _codes(column, levels, table)
    indicators = np.zeros((table.n_rows, len(levels)))
    indicators[np.arange(table.n_rows), codes] = 1
    names = tuple(f"{column}[{level}]" for level in levels)
    reduced = Coding(names[1:], indicators[:, 1:])
    return Atom(text, Coding(names, indicators), reduced, codes, levels[0])


def ordered_levels(column: str, table: Table, references: Mapping[str, str]) -> tuple[str, ...]:
    """Return the levels of a text column, the reference first, the others in their order."""
    levels = in_order(column, table)
    reference = references.get(column, levels[0])
    return (reference, *(level for level in levels if level != reference))


def in_order(column: str, table: Table) -> Sequence[str]:
    """Return the levels of a text column in the stated order, or in alphabetical order."""
    return table.orders.get(column) or sorted(table.levels[column])


def _codes(column: str, levels: Sequence[str], table: Table) -> NDArray[np.int64]:
    position = {level: index for index, level in enumerate(levels)}
    return np.array([position[level] for level in table.levels[column]])[table.labels[column]]


def _evaluate_call(text: str, table: Table, references: Mapping[str, str]) -> Atom:
    import pandas as pd

    as_levels = function_of(text) == "C"
    frame = pd.DataFrame({name: _for_formulae(name, table, references, as_levels) for name in columns_in(text)})
    full = _evaluated(f"0 + {text}", text, frame, table)
    if full.kind != "categoric":
        return Atom(text, full.coding)
    reduced = _evaluated(f"1 + {text}", text, frame, table).coding
    _, cells = np.unique(full.coding.values, axis=0, return_inverse=True)
    left = [name for name in full.coding.names if name not in reduced.names]
    reference = left[0][len(text) + 1 : -1] if len(left) == 1 and function_of(text) != "S" else None
    return Atom(text, full.coding, reduced, cells.reshape(-1), reference)


def _for_formulae(column: str, table: Table, references: Mapping[str, str], as_levels: bool) -> object:
    """Return one column for formulae: numbers, whole ones where C() makes levels of them, or ordered categories."""
    import pandas as pd

    if column in table.numbers:
        values = table.numbers[column]
        return values.astype(np.int64) if as_levels and (values == np.round(values)).all() else values
    levels = ordered_levels(column, table, references)
    codes = _codes(column, levels, table)
    # formulae sorts the levels unless they are said to be ordered.
    return pd.Categorical.from_codes(codes.tolist(), categories=pd.Index(levels), ordered=True)


@dataclass(frozen=True, eq=False)
class _Evaluated:
    kind: str
    coding: Coding


def _evaluated(formula: str, text: str, frame: Any, table: Table) -> _Evaluated:
    from formulae import design_matrices

    try:
        # What becomes of log(0) is said below; formulae prints before it raises.
        with np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()), _sample_sd():
            common = design_matrices(formula, frame, extra_namespace=_FUNCTIONS).common
        name, term = next((name, term) for name, term in common.terms.items() if name != INTERCEPT)
        values = np.asarray(common[name], dtype=np.float64).reshape(table.n_rows, -1)
        names = tuple(_label(label, term) for label in term.labels)
        if len(names) != values.shape[1]:
            raise ValueError("it comes to other columns than it names")
    except Exception as error:  # whatever formulae, or a function that the term calls, raises
        said = str(error).strip().strip("'\"")
        raise FormulaError(
            f"the term '{text}' could not be evaluated on {table.path}: {said}.",
            hint=_LEVEL_HINT if "reference not in levels" in said else _TERM_HINT,
        ) from error
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise FormulaError(
            f"'{names[column]}' is no finite number on line {table.lines[row]} of {table.path}.",
            hint="check what the term does to the values there, such as the logarithm of 0",
        )
    return _Evaluated(term.components[0].kind, Coding(names, values))


def _label(name: str, term: Any) -> str:
    """Return formulae's name of a column with the brackets that it lacks, and whole numbers as these."""
    part = term.components[0]
    return _WHOLE.sub(r"[\1]", name.replace(part.name, call_text(part.call)))


@contextlib.contextmanager
def _sample_sd() -> Iterator[None]:
    """Let formulae's scale(x) divide by the sd with n - 1 for a while, as R's does; formulae's own has n."""
    from formulae.transforms import TRANSFORMS, Scale

    class SampleScale(Scale):  # type: ignore[misc]
        def __call__(self, x: Array) -> Array:
            if not self.params_set:
                self.mean, self.std = np.mean(x), np.std(x, ddof=1)
                self.params_set: bool = True
            return np.asarray((x - self.mean) / self.std)

    own = {name: transform for name, transform in TRANSFORMS.items() if transform is Scale}
    TRANSFORMS.update(dict.fromkeys(own, SampleScale))
    try:
        yield
    finally:
        TRANSFORMS.update(own)
