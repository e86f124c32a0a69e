"""Text that others wrote -> text that can be shown: letters that would not be seen, but do something, as escapes.

Labels, names of columns and files, and formulas may hold anything: an escape sequence that repaints the terminal, a
line break that makes a line of its own, a mark that turns the order of letters round, a letter of no width that makes
two labels look the same. On screen and in pictures each is shown as Python writes it, `\\x1b`, `\\u202e`. What is
stored, and what machines read, is exactly as in the data.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

# Beside control characters, surrogates (bytes of a path that are no text) and line separators: marks of direction,
# letters without width, fillers that look like a blank, and tags. Signs of Arabic and Syriac numbers are seen.
_UNSEEN = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b\\u200e\\u200f"
    "\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ud800-\\udfff\\ufeff\\uffa0\\ufff0-\\ufffb\\U00013430-\\U0001345f"
    "\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a\\U000e0000-\\U000e0fff]"
    # Joiners join letters of scripts that have them, and parts of emoji; elsewhere they hide.
    "|(?<![\\u0600-\\U0001ffff])[\\u200c\\u200d]|[\\u200c\\u200d](?![\\u0600-\\U0001ffff])"
)


def visible(text: str) -> str:
    """Return the text with escapes in the place of what would not be seen, line breaks among it; once is enough."""
    return text if text.isascii() and text.isprintable() else _UNSEEN.sub(_escape, text)


def visible_lines(text: str) -> str:
    """Return a text of lines with escapes in the place of what would not be seen, its line breaks kept."""
    return "\n".join(map(visible, text.split("\n")))


def visible_json(text: str) -> str:
    """Return JSON that says the same, with JSON's own escapes in the place of what would not be seen."""
    return re.sub(_UNSEEN.pattern.replace("\\x00-\\x1f", ""), _json_escape, text)


def shell_word(text: str) -> str:
    """Return what a shell takes for this text, to be copied from the screen: with escapes where it needs them."""
    if visible(text) == text:
        return shlex.quote(text)
    words = visible(text.replace("\\", "\\\\").replace("'", "\\'"))
    return "$'" + re.sub(r"\\udc([89a-f][0-9a-f])", r"\\x\1", words) + "'"


def shell_words(texts: Iterable[str]) -> str:
    """Return several words as a shell takes them."""
    return " ".join(map(shell_word, texts))


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _json_escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[start : start + 4]}" for start in range(0, len(units), 4))
