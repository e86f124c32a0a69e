"""Sums of columns and of pairs of columns, such as `1 + ses * sector + age:sex`, read without `formulae`.

Most formulas hold nothing else, and importing `formulae` takes longer than all else of a small fit before sampling.
What is not that plain is left to it. Where this answers, it says what `formulae` would; the tests compare them.
"""

from __future__ import annotations

import re

from hierfit.model.grammar import INTERCEPT

_COLUMN = rf"(?!(?:True|False|None|{INTERCEPT})\b)[A-Za-z][A-Za-z0-9_]*"
_PLAIN = re.compile(rf"({_COLUMN})(?:\s*([:*/])\s*({_COLUMN}))?", re.ASCII)


def expand_plain(part: str) -> tuple[tuple[str, ...], bool] | None:
    """Return the terms of one part of a formula and whether it has an intercept; None where it is not that plain."""
    pieces = [piece.strip() for piece in part.split("+")]
    numbers = [piece for piece in pieces if piece in ("0", "1")]
    found = [_PLAIN.fullmatch(piece) for piece in pieces if piece not in numbers]
    if len(numbers) > 1 or None in found:
        return None
    terms = [term for match in found if match for term in _terms(*match.groups())]
    different = {frozenset(term) for term in terms}
    if len(different) < len(terms) or any(len(set(term)) < len(term) for term in terms):
        return None  # a + a, a:b + b:a, a:a
    return tuple(":".join(term) for term in terms), numbers != ["0"]


def pair_in(term: str) -> tuple[str, ...] | None:
    """Return the two columns of a term such as `ses:sector`; None for any other term."""
    found = _PLAIN.fullmatch(term)
    return (found[1], found[3]) if found and found[2] == ":" and found[1] != found[3] else None


def _terms(first: str, operator: str | None, second: str | None) -> list[tuple[str, ...]]:
    """Return the columns of each term that `first`, `first:second`, `first * second` or `first / second` makes."""
    if operator is None or second is None:
        return [(first,)]
    alone = {":": (), "*": (first, second), "/": (first,)}[operator]
    return [*((column,) for column in alone), (first, second)]
