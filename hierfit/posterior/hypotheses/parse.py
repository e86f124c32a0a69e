"""Text -> Tree: an expression over parameters by their printed names. Nothing in it is ever run as a program.

    claim       = claim or claim | claim and claim | not claim | (claim) | quantity sign quantity [sign quantity ...]
    sign        = < > <= >= =
    quantity    = sums, products, powers, parentheses, function(quantity, ...), numbers, names

A name stands in backquotes (or in quotes), or as it is where that has one meaning. `words` says where a name ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from hierfit.errors import UsageError, did_you_mean
from hierfit.posterior.hypotheses.functions import CONSTANTS, FUNCTIONS
from hierfit.posterior.hypotheses.letters import Letters, quoted_start
from hierfit.posterior.hypotheses.names import Names, squeezed
from hierfit.posterior.hypotheses.tree import (
    CLAIMS,
    Call,
    Chain,
    Comparison,
    Joined,
    Name,
    Negative,
    Not,
    Number,
    Power,
    Quantity,
    Tree,
    name_in_text,
    names_in,
)
from hierfit.posterior.hypotheses.words import KEYWORDS, NUMBER, WORD, like_a_name, longest_name, quoted_text

MOST_LETTERS = 10_000
_SIGN = re.compile(r"<=|>=|==|<|>|=|≤|≥")
_PLAIN = {"==": "=", "≤": "<=", "≥": ">="}
_UNEQUAL = re.compile(r"!=|<>|≠|~=")
_MINUS = ("-", "\N{MINUS SIGN}")
_TIMES = {"*": "*", "/": "/", "\N{MULTIPLICATION SIGN}": "*", "·": "*"}
_POWER = re.compile(r"\*\*|\^")
_AND, _OR, _NOT = re.compile(r"and\b(?!\.)|&&?"), re.compile(r"or\b(?!\.)|\|\|?"), re.compile(r"not\b(?!\.)|!(?!=)")
_SHELL = "within double quotes a shell runs what stands in backquotes: put single quotes around the expression"


def parse(text: str, names: Names) -> Tree:
    """Read an expression.

    Raises:
        UsageError: it is none, or names what is no parameter; the message says where.
    """
    text = text.strip()
    if len(text) > MOST_LETTERS:
        raise UsageError(
            f"the expression {quoted_start(text)} has {len(text):,} letters.", hint=f"at most {MOST_LETTERS:,} are read"
        )
    reader = _Reader(text, names)
    tree = reader.whole()
    if next(names_in(tree), None) is None:
        raise UsageError(f"{quoted_start(text)} names no parameter.", hint="hierfit summarize RUN lists the parameters")
    return tree


class _Reader(Letters):
    """Where the reading of an expression stands: `at` is the place of the next letter."""

    def __init__(self, text: str, names: Names, hidden: frozenset[str] = frozenset(), depth: int = 0) -> None:
        super().__init__(text, depth)
        self.names, self.hidden = names, hidden

    def whole(self) -> Tree:
        tree = self.alternatives()
        if self.rest():
            raise self._unexpected()
        return tree

    # Claims.

    def alternatives(self) -> Tree:
        return self._joined("or", _OR, self.conjunction)

    def conjunction(self) -> Tree:
        return self._joined("and", _AND, self.negation)

    def _joined(self, word: str, sign: re.Pattern[str], part: Callable[[], Tree]) -> Tree:
        start, first = self.here(), part()
        parts = [first]
        while self.take(sign):
            self._require_claim(parts[-1], start, word)
            start = self.here()
            parts.append(part())
            self._require_claim(parts[-1], start, word)
        return first if len(parts) == 1 else Joined(word, tuple(parts))  # type: ignore[arg-type]

    def negation(self) -> Tree:
        if not self.take(_NOT):
            return self.comparison()
        with self.nested():
            start = self.here()
            of = self.negation()
        self._require_claim(of, start, "not")
        return Not(of)  # type: ignore[arg-type]

    def _require_claim(self, tree: Tree, start: int, word: str) -> None:
        if not isinstance(tree, CLAIMS):
            raise self.error(f"'{word}' is about comparisons, such as ses > 0", start)

    def comparison(self) -> Tree:
        start = self.here()
        first = self.sum()
        operands, signs = [first], list[str]()
        while sign := self.take(_SIGN):
            self._require_quantity(operands[-1], start)
            start = self.here()
            operands.append(self.sum())
            self._require_quantity(operands[-1], start)
            signs.append(_PLAIN.get(sign, sign))
        if _UNEQUAL.match(self.text, self.here()):
            raise self.error("two numbers that are estimated always differ", hint="compare with > or <, or give --rope")
        if not signs:
            return first
        if "=" in signs and len(signs) > 1:
            raise self.error("= stands in no chain of comparisons", start, hint="join them with and")
        return Comparison(tuple(operands), tuple(signs))  # type: ignore[arg-type]

    def _require_quantity(self, tree: Tree, start: int) -> None:
        if isinstance(tree, CLAIMS):
            raise self.error("a comparison is no number, to be computed or compared with", start)

    # Quantities.

    def sum(self) -> Tree:
        return self._chain(lambda: "+" if self.eat("+") else "-" if self.eat(*_MINUS) else "", self.product)

    def product(self) -> Tree:
        return self._chain(self._times, self.signed)

    def _times(self) -> str:
        if self.text.startswith("**", self.here()):
            return ""
        return _TIMES.get(self.eat(*_TIMES), "")

    def _chain(self, sign: Callable[[], str], part: Callable[[], Tree]) -> Tree:
        start, first = self.here(), part()
        then: list[tuple[str, Quantity]] = []
        while found := sign():
            self._require_quantity(first, start)
            start = self.here()
            further = part()
            self._require_quantity(further, start)
            then.append((found, further))  # type: ignore[arg-type]
        return Chain(first, tuple(then)) if then else first  # type: ignore[arg-type]

    def signed(self) -> Tree:
        if self._known_here() is None:  # a name may begin with a sign
            if self.eat(*_MINUS):
                return Negative(self._signed_part())
            if self.eat("+"):
                return self._signed_part()
        return self.power()

    def _signed_part(self) -> Quantity:
        with self.nested():
            start = self.here()
            of = self.signed()
        self._require_quantity(of, start)
        return of  # type: ignore[return-value]

    def power(self) -> Tree:
        start, base = self.here(), self.operand()
        if not self.take(_POWER):
            return base
        self._require_quantity(base, start)
        return Power(base, self._signed_part())  # type: ignore[arg-type]

    def operand(self) -> Tree:
        start = self.here()
        known = self._known_here()
        if known is not None:
            return self._named(known)
        if (quoted := quoted_text(self.text, start)) is not None:
            return self._quoted(*quoted)
        if self.eat("("):
            with self.nested():
                inner = self.alternatives()
            self._close(start)
            return inner
        if number := NUMBER.match(self.text, start):
            return self._number(number)
        if word := WORD.match(self.text, start):
            return self._word(word)
        raise self._unexpected()

    def _known_here(self) -> str | None:
        """Return the name that stands here, as it is written; None where there is none, or the text goes on."""
        found = longest_name(self.text, self.here(), self.names, self.hidden)
        return found if found and len(found) >= len(like_a_name(self.text, self.at)) else None

    def _named(self, found: str) -> Tree:
        if not WORD.fullmatch(found) and self._is_expression(found):
            raise self.error(
                f"{found} is the name of a parameter, but may also be computed from others",
                hint=f"the parameter: {name_in_text(found)}; what is computed: blanks or parentheses within",
            )
        self.at += len(found)
        return Name(self.names.as_written[found])

    def _is_expression(self, found: str) -> bool:
        """Whether a name could also be read as something that is computed from other parameters."""
        other = _Reader(found, self.names, self.hidden | {self.names.as_written[found]}, self.depth + 1)
        try:
            return next(names_in(other.whole()), None) is not None
        except UsageError:
            return False

    def _find(self, text: str) -> str | None:
        name = self.names.find(text)
        return None if name in self.hidden else name

    def _near(self, text: str) -> str | None:
        return None if self.hidden else self.names.near(text)  # nobody reads what is wrong with a try

    def _quoted(self, inner: str, length: int) -> Tree:
        if length < 0:
            raise self.error(f"the {self.text[self.at]} is not closed", hint=_SHELL)
        name = self._find(inner)
        if name is None:
            raise self._no_parameter(inner)
        self.at += length
        return Name(name)

    def _number(self, found: re.Match[str]) -> Tree:
        if found.end() < len(self.text) and WORD.match(self.text, found.end()):
            rest = like_a_name(self.text, found.end())
            raise self.error(f"a sign is expected after {found[0]}", hint=f"to multiply, write {found[0]} * {rest}")
        value = float(found[0])
        if value == float("inf"):
            raise self.error("the number is too large")
        self.at = found.end()
        return Number(value, found[0])

    def _word(self, word: re.Match[str]) -> Tree:
        start, name = self.at, word[0]
        if name in KEYWORDS:
            raise self._unexpected()
        calls = self.text[word.end() :].lstrip().startswith("(")
        if calls and name in FUNCTIONS:
            self.at = word.end()
            return self._call(name, start)
        like = like_a_name(self.text, start)
        known = self._find(like)
        if known is not None:
            self.at += len(like)
            return Name(known)
        if name in CONSTANTS and like == name:
            self.at += len(name)
            return Number(CONSTANTS[name], name)
        if name in FUNCTIONS and like == name:
            raise self.error(f"{name} is a function: {name}(...)")
        if calls and not any(other.startswith(f"{name}(") for other in self.names.as_written):
            raise self.error(
                f"there is no function {name}.{did_you_mean(name, FUNCTIONS)}",
                hint=f"functions: {', '.join(FUNCTIONS)}",
            )
        raise self._no_parameter(like)

    def _call(self, name: str, start: int) -> Tree:
        self.eat("(")
        arguments: list[Tree] = []
        with self.nested():
            while not arguments or self.eat(","):
                place = self.here()
                arguments.append(self.alternatives())
                self._require_quantity(arguments[-1], place)
        self._close(start)
        several = FUNCTIONS[name].several
        if several != (len(arguments) > 1):
            raise self.error(f"{name} takes {'two quantities or more' if several else 'one quantity'}", start)
        return Call(name, tuple(arguments))  # type: ignore[arg-type]

    # What ends, and what is wrong.

    def _close(self, start: int) -> None:
        if not self.eat(")"):
            if self.rest():
                raise self._unexpected()
            raise self.error("the parenthesis is not closed", self.text.index("(", start))

    def _no_parameter(self, name: str) -> UsageError:
        if squeezed(name) in map(squeezed, self.names.references):
            said = f"`{name}` is the level that the others are compared with: it is no parameter, and 0"
            return self.error(said, hint="compare with 0, or leave it out")
        near = self._near(name)
        there = f"; there is `{near}`" if near else ""
        hint = None if near else "hierfit summarize RUN lists the parameters, with --groups the levels"
        return self.error(f"there is no parameter `{name}`{there}", hint=hint)

    def _unexpected(self) -> UsageError:
        rest = self.rest()
        before = self.text[: self.at].strip()
        if not self.text:
            return UsageError("the expression is empty.", hint=_SHELL)
        if not rest:
            return self.error("a parameter or a number is expected at the end", hint=_SHELL)
        if rest[0] == ")":
            return self.error("this parenthesis closes nothing")
        if rest[0] == ",":
            return self.error("a comma stands only between the quantities of a function", hint="decimals have a point")
        if not before:
            return self.error("a parameter or a number is expected", hint=_SHELL if rest[0] in "<>=*/^" else None)
        wanted = (
            "a parameter or a number" if before[-1] in "<>=+-*/^(,&|!" else "+, -, *, /, ^, a comparison or the end"
        )
        return self.error(f"{wanted} is expected", hint=_SHELL if "  " in self.text else None)
