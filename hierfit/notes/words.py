"""Numbers and names -> the words of a note: "lines 12, 40 and 3 more", "1 row", "blanks or case"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST_LINES = 3


def lines_text(lines: NDArray[np.int64], word: str = "line") -> str:
    """Return "line 12", "lines 12 and 40" or "lines 12, 40, 51 and 7 more"; rows of a DataFrame as `word` says."""
    shown = [str(line) for line in lines[:MOST_LINES].tolist()]
    if len(lines) > MOST_LINES:
        shown.append(f"{len(lines) - MOST_LINES:,} more")
    return f"{word}{'s' if len(lines) > 1 else ''} {both(shown)}"


def rows_text(count: int) -> str:
    """Return "1 row" or "1,203 rows"."""
    return f"{count:,} row{'' if count == 1 else 's'}"


def both(names: Sequence[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return _listed(names, "and")


def either(names: Sequence[str]) -> str:
    """Return "a", "a or b" or "a, b or c"."""
    return _listed(names, "or")


def _listed(names: Sequence[str], word: str) -> str:
    return " ".join([", ".join(names[:-1]), word, names[-1]]) if len(names) > 1 else names[0]
