"""Expressions as frozen trees: numbers and names, what is computed of them, what is claimed of that.

A tree is a `Quantity`, a number in every draw, or a `Claim`, true or false in every draw. Sums and products of any
length are one node, so that a tree is as deep as its text is nested.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WORD = re.compile(r"[^\W\d][\w.]*")


@dataclass(frozen=True)
class Number:
    """A number, as it was written."""

    value: float
    written: str


@dataclass(frozen=True)
class Name:
    """A parameter, or an effect of a level, by its name."""

    name: str


@dataclass(frozen=True)
class Negative:
    """Minus something."""

    of: Quantity


@dataclass(frozen=True)
class Chain:
    """A sum (+, -) or a product (*, /), computed from left to right."""

    first: Quantity
    then: tuple[tuple[str, Quantity], ...]


@dataclass(frozen=True)
class Power:
    """A base and its exponent."""

    base: Quantity
    exponent: Quantity


@dataclass(frozen=True)
class Call:
    """A function of one quantity or several."""

    function: str
    arguments: tuple[Quantity, ...]


@dataclass(frozen=True)
class Comparison:
    """Quantities, and the signs between them: `0 < ses < 2` has three and two."""

    operands: tuple[Quantity, ...]
    signs: tuple[str, ...]


@dataclass(frozen=True)
class Joined:
    """Claims joined by `and` or by `or`."""

    word: str
    parts: tuple[Claim, ...]


@dataclass(frozen=True)
class Not:
    """That a claim is false."""

    of: Claim


Quantity = Number | Name | Negative | Chain | Power | Call
Claim = Comparison | Joined | Not
Tree = Quantity | Claim
CLAIMS = (Comparison, Joined, Not)
_TIGHTNESS = {"+": 1, "-": 1, "*": 2, "/": 2}
_NEGATIVE, _POWER, _WHOLE = 3, 4, 5


def parts_of(tree: Tree) -> tuple[Tree, ...]:
    """Return what a tree consists of."""
    match tree:
        case Negative(of) | Not(of):
            return (of,)
        case Chain(first, then):
            return (first, *(part for _, part in then))
        case Power(base, exponent):
            return (base, exponent)
        case Call(_, parts) | Comparison(parts) | Joined(_, parts):
            return parts
        case _:
            return ()


def names_in(tree: Tree) -> Iterator[str]:
    """Yield the names in a tree, from left to right, as often as they stand there."""
    if isinstance(tree, Name):
        yield tree.name
    for part in parts_of(tree):
        yield from names_in(part)


def written(tree: Tree) -> str:
    """Return a tree as text that is read as the same tree: names in backquotes unless they are plain words."""
    match tree:
        case Number(_, text):
            return text
        case Name(name):
            return name_in_text(name)
        case Negative(of):
            return f"-{_within(of, _NEGATIVE)}"
        case Chain(first, then):
            tight = _tightness(tree)
            return " ".join([_within(first, tight), *(f"{sign} {_within(part, tight + 1)}" for sign, part in then)])
        case Power(base, exponent):
            return f"{_within(base, _WHOLE)}^{_within(exponent, _NEGATIVE)}"
        case Call(function, arguments):
            return f"{function}({', '.join(map(written, arguments))})"
        case Comparison(operands, signs):
            pairs = zip(signs, map(written, operands[1:]), strict=True)
            return " ".join([written(operands[0]), *(f"{sign} {other}" for sign, other in pairs)])
        case Joined(word, parts):
            return f" {word} ".join(f"({written(part)})" for part in parts)
        case Not(of):
            return f"not ({written(of)})"


def name_in_text(name: str) -> str:
    """Return a name as an expression has it."""
    plain = _WORD.fullmatch(name) and name not in ("and", "or", "not")
    return name if plain else "`" + name.replace("`", "``") + "`"


def _tightness(tree: Tree) -> int:
    match tree:
        case Chain(_, then):
            return _TIGHTNESS[then[0][0]]
        case Negative():
            return _NEGATIVE
        case Power():
            return _POWER
        case _:
            return _WHOLE


def _within(tree: Tree, least: int) -> str:
    """Return a part as text, in parentheses where it would be torn apart."""
    return written(tree) if _tightness(tree) >= least else f"({written(tree)})"
