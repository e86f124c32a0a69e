"""Names in backticks and texts in quotes, masked while a formula is read, and back.

They may hold any letters, `~` and `|` among them. A mask is a word that every scanner takes for a name.
"""

from __future__ import annotations

import re

from hierfit.errors import FormulaError
from hierfit.model.grammar import quoted

_HIDDEN = re.compile(r"""`(?P<name>[^`]+)`|(?P<quote>['"])(?P<words>.*?)(?P=quote)|(?<![\w.])(?P<plain>_[\w.]*)""")
_MASKED = re.compile("ǁ([0-9a-f]*)ǁ|ǂ([0-9a-f]*)ǂ")  # letters of which no column is likely to have two


def mask(text: str) -> str:
    """Write names in backticks, names that begin with `_`, and texts in quotes as plain words."""

    def plain_word(hidden: re.Match[str]) -> str:
        name, words = hidden["name"] or hidden["plain"], hidden["words"]
        return f"ǁ{name.encode().hex()}ǁ" if name else f"'ǂ{words.encode().hex()}ǂ'"

    masked = _HIDDEN.sub(plain_word, text)
    for mark, name in (("`", "backtick"), ("'", "quote"), ('"', "quote")):
        if mark in _MASKED.sub("", masked).replace("''", ""):
            raise FormulaError(f"a {name} ({mark}) in '{text}' is never closed.", hint="names and texts need two")
    return masked.replace("^", "**")


def unmask(text: str) -> str:
    """Return the text as it was, names in backticks where they need them."""
    return _MASKED.sub(lambda found: quoted(plain_name(found[0])) if found[0][0] == "ǁ" else plain_name(found[0]), text)


def plain_name(name: str) -> str:
    """Return what a mask stands for, and any other name as it is."""
    found = _MASKED.fullmatch(name)
    return name if found is None else bytes.fromhex(found[1] or found[2] or "").decode()
