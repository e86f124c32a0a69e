"""Names that say a function of a column: an outcome `log(score)`, an offset `log(minutes)`.

A name such as `log(minutes)` is the column of that name where the file has it, and the logarithm of `minutes` where it
has not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hierfit.model.grammar import COLUMN_FUNCTIONS, column_of

_CALL = re.compile(rf"({'|'.join(COLUMN_FUNCTIONS)})\((.+)\)")


@dataclass(frozen=True)
class Derived:
    """A function of a column.

    Attributes:
        name: what the column that comes of it is called, `log(minutes)`.
        function: one of `COLUMN_FUNCTIONS`.
        column: the column of the file.
    """

    name: str
    function: str
    column: str


def derived_from(name: str) -> Derived | None:
    """Return the function of a column that a name says, or None where it says none."""
    call = _CALL.fullmatch(name.strip())
    column = column_of(call[2].strip()) if call else None
    return Derived(name, call[1], column) if call and column else None
