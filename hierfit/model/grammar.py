"""Words of the language of formulas: names that mean something, and how a column is written in one."""

from __future__ import annotations

import re

INTERCEPT = "Intercept"
# Parameters of outcomes' distributions that may have predictors of their own; all auxiliaries of `model.families`.
PREDICTABLE = ("sigma", "nu", "shape", "phi", "zi", "hu")
# What may be made of a column that is an outcome or an offset: numpy's, of one number.
COLUMN_FUNCTIONS = ("log", "log2", "log10", "log1p", "sqrt")
_FUNCTION = re.compile(rf"(?:{'|'.join(COLUMN_FUNCTIONS)})\(.+\)")
_WORD = re.compile(r"(?!(?:True|False|None)$)[A-Za-z][A-Za-z0-9_.]*")


def quoted(column: str) -> str:
    """Return a column's name as a formula has it: in backticks unless it is a plain word."""
    return column if _WORD.fullmatch(column) else f"`{column}`"


def function_or_column(name: str) -> str:
    """Return the name of an outcome or an offset as a formula has it: `log(score)` stands as it is."""
    return name if _FUNCTION.fullmatch(name) else quoted(name)


def column_of(term: str) -> str | None:
    """Return the column that a term consists of, or None where it is more than a column."""
    if _WORD.fullmatch(term):
        return term
    inner = term[1:-1]
    return inner if len(term) > 2 and term[0] == term[-1] == "`" and "`" not in inner else None
