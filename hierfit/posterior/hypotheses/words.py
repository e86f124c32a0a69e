"""Where a name, a number or a word ends in the text of an expression."""

from __future__ import annotations

import re
from collections.abc import Collection

from hierfit.posterior.hypotheses.names import Names

NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
WORD = re.compile(r"[^\W\d][\w.]*")
KEYWORDS = ("and", "or", "not")
_WORDLY = re.compile(r"[\w.]")
_CLOSING = {"[": "]", "(": ")"}
_QUOTES = "`'\""


def longest_name(text: str, at: int, names: Names, hidden: Collection[str] = ()) -> str | None:
    """Return the longest name that stands at a place, as it is written there; numbers and keywords are none.

    A name ends where a word ends. What is `hidden` is not looked for.
    """
    for length in names.lengths:
        part = text[at : at + length]
        known = names.as_written.get(part) if len(part) == length else None
        if known is not None and known not in hidden and not _goes_on(text, at + length):
            return None if part in KEYWORDS or NUMBER.fullmatch(part) else part
    return None


def _goes_on(text: str, end: int) -> bool:
    """Whether a word that ends at a place has another letter there."""
    return bool(_WORDLY.match(text[end - 1]) and _WORDLY.match(text, end))


def like_a_name(text: str, at: int) -> str:
    """Return what at a place looks like one name: `sector[Private]`, `ses:sector[Private]`, `sd(school: ses)`."""
    end = at
    while word := WORD.match(text, end):
        end = word.end()
        while (closed := _bracketed(text, end)) is not None:
            end = closed
        if text[end : end + 1] == ":" and WORD.match(text, end + 1):
            end += 1
        else:
            break
    return text[at:end]


def _bracketed(text: str, at: int) -> int | None:
    """Return where the bracket that opens at a place is closed; None where none opens, or it is never closed."""
    if text[at : at + 1] not in _CLOSING:
        return None
    open_ones: list[str] = []
    for place in range(at, len(text)):
        letter = text[place]
        if letter in _CLOSING:
            open_ones.append(_CLOSING[letter])
        elif open_ones[-1] == letter:
            open_ones.pop()
            if not open_ones:
                return place + 1
    return None


def quoted_text(text: str, at: int) -> tuple[str, int] | None:
    """Return what stands in quotes at a place, and how long it is with them: -1 where they are not closed.

    A quote within is written twice.
    """
    if text[at : at + 1] not in _QUOTES or at >= len(text):
        return None
    mark, place, inner = text[at], at + 1, ""
    while place < len(text):
        if text[place] != mark:
            inner += text[place]
            place += 1
        elif text[place + 1 : place + 2] == mark:
            inner += mark
            place += 2
        else:
            return inner, place + 1 - at
    return inner, -1
