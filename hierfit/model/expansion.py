"""Tree of one part of a formula -> its terms: `a * b - a` is `b + a:b`, `(a + b)^2` is `a + b + a:b`.

A term is a tuple of atoms, the texts of columns and calls that it multiplies; the empty one is the intercept. The
operators are those of Wilkinson and Rogers (1973) as R has them: `a / b` is `a + a:b`, `(a + b) / c` is
`a + b + a:b:c`. Terms stand in the order in which they are written, each once; `a:b` and `b:a` are one term.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from hierfit.errors import FormulaError

Term = tuple[str, ...]
ONE: Term = ()
_MOST_TERMS = 4096


@dataclass(frozen=True)
class Terms:
    """The terms of a part of a formula.

    Attributes:
        added: terms in order, each once; `ONE` is the intercept.
        no_intercept: whether a 0 takes the intercept away, where none is added.
    """

    added: tuple[Term, ...]
    no_intercept: bool = False


NOTHING, ZERO = Terms(()), Terms((), no_intercept=True)


def expand(tree: Any, atom: Callable[[Any], str], text: str) -> Terms:
    """Return the terms of a tree of formulae's parser; `atom` gives the text of a column or a call.

    Raises:
        FormulaError: an operator joins what it cannot; `text` is what the message quotes.
    """
    kind = type(tree).__name__
    if kind == "Grouping":
        return expand(tree.expression, atom, text)
    if kind == "Literal":
        return ZERO if tree.value == 0 else Terms((ONE,))
    if kind == "Unary":
        inner = expand(tree.right, atom, text)
        return _sum(NOTHING, inner) if tree.operator.kind == "PLUS" else _less(NOTHING, inner)
    if kind != "Binary":
        return Terms(((atom(tree),),))
    left, operator = expand(tree.left, atom, text), tree.operator.kind
    if operator == "STAR_STAR":
        return _power(left, tree.right, text)
    right = expand(tree.right, atom, text)
    if operator == "PLUS":
        return _sum(left, right)
    if operator == "MINUS":
        return _less(left, right)
    for side in (left, right):
        if side.no_intercept or ONE in side.added:
            number = 0 if side.no_intercept else 1
            raise FormulaError(f"a {number} in '{text}' is multiplied.", hint="write 0 + x for no intercept")
    if operator == "COLON":
        return _unique(_products(left.added, right.added), text)
    if operator == "STAR":
        return _unique([*left.added, *right.added, *_products(left.added, right.added)], text)
    whole = tuple(dict.fromkeys(name for term in left.added for name in term))
    return _unique([*left.added, *_products([whole], right.added)], text)


def _sum(left: Terms, right: Terms) -> Terms:
    kept = [term for term in left.added if not (right.no_intercept and term == ONE)]
    no_intercept = (left.no_intercept and ONE not in right.added) or right.no_intercept
    return Terms(_once([*kept, *right.added]), no_intercept)


def _less(left: Terms, right: Terms) -> Terms:
    """Take terms away; less 1 is plus 0, and less 0 is plus 1."""
    gone = {frozenset(term) for term in right.added}
    kept = tuple(term for term in left.added if frozenset(term) not in gone)
    if right.no_intercept:
        return Terms(_once([*kept, ONE]))
    return Terms(kept, left.no_intercept or ONE in right.added)


def _power(base: Terms, exponent: Any, text: str) -> Terms:
    """Return all products of up to so many different terms, of fewer first."""
    number = getattr(exponent, "value", None)
    if type(exponent).__name__ != "Literal" or type(number) is not int or number < 1:
        raise FormulaError(f"a power in '{text}' is no whole number from 1 on.", hint="write (a + b)^2")
    found: list[Term] = []
    for size in range(1, min(number, len(base.added)) + 1):
        for chosen in combinations(base.added, size):
            found.append(tuple(dict.fromkeys(name for term in chosen for name in term)))
            if len(found) > _MOST_TERMS:
                raise FormulaError(f"'{text}' has more than {_MOST_TERMS:,} terms.", hint="write a lower power")
    return Terms(_once(found), base.no_intercept)


def _products(left: Iterable[Term], right: Iterable[Term]) -> list[Term]:
    others = list(right)
    return [tuple(dict.fromkeys((*one, *other))) for one in left for other in others]


def _unique(terms: list[Term], text: str) -> Terms:
    if len(terms) > _MOST_TERMS:
        raise FormulaError(f"'{text}' has more than {_MOST_TERMS:,} terms.", hint="write fewer factors")
    return Terms(_once(terms))


def _once(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Return the terms without those that have the same atoms as an earlier one."""
    found: dict[frozenset[str], Term] = {}
    for term in terms:
        found.setdefault(frozenset(term), term)
    return tuple(found.values())
