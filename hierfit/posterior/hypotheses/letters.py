"""The text of an expression as it is read, letter by letter; what is wrong with it is said with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from hierfit.errors import UsageError

MOST_NESTED = 40
_SHOWN = 24


class Letters:
    """Where the reading stands.

    Attributes:
        text: the expression.
        at: place of the next letter, from 0.
        depth: within how many parentheses, functions and signs it is.
    """

    def __init__(self, text: str, depth: int = 0) -> None:
        self.text, self.at, self.depth = text, 0, depth

    def here(self) -> int:
        """Return the place of the next letter that is no blank."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.at

    def rest(self) -> str:
        """Return what has not been read."""
        return self.text[self.here() :]

    def eat(self, *signs: str) -> str:
        """Read one of several signs; return it, or nothing where none of them is next."""
        here = self.here()
        for sign in signs:
            if self.text.startswith(sign, here):
                self.at += len(sign)
                return sign
        return ""

    def take(self, sign: re.Pattern[str]) -> str:
        """Read what a pattern matches; return it, or nothing."""
        found = sign.match(self.text, self.here())
        if found is None:
            return ""
        self.at = found.end()
        return found[0]

    @contextmanager
    def nested(self) -> Iterator[None]:
        """Read something within something else.

        Raises:
            UsageError: that is too deep.
        """
        self.depth += 1
        if self.depth > MOST_NESTED:
            raise self.error(f"more than {MOST_NESTED} parentheses, functions or signs within one another")
        yield
        self.depth -= 1

    def error(self, wrong: str, at: int | None = None, *, hint: str | None = None) -> UsageError:
        """Return what is wrong, where: the place is marked by what stands there, and by its number."""
        place = self.at if at is None else at
        rest = self.text[place:].rstrip()
        where = f"at {quoted_start(rest)} (letter {place + 1})" if rest else "at its end"
        return UsageError(f"{quoted_start(self.text, 3 * _SHOWN)}, {where}: {wrong}.", hint=hint)


def quoted_start(text: str, most: int = _SHOWN) -> str:
    """Return the text in quotes, its start where it is long."""
    return f'"{text}"' if len(text) <= most else f'"{text[:most].rstrip()}…"'
