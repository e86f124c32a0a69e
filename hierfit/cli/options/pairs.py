"""Texts such as `ses=2`, `sector=Public` and `2-5`, as options have them -> values by name, numbers, ranges."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hierfit.errors import UsageError


def numbers(option: str, texts: Sequence[str] | None, example: str) -> dict[str, float]:
    """Read NAME=number texts; names may hold brackets, commas and equals signs.

    Raises:
        UsageError: a text is none of these, or a name is given twice.
    """
    found: dict[str, float] = {}
    for text in texts or ():
        name, _, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            name = ""
        _refuse(option, text, name.strip(), found, example)
        found[name.strip()] = value
    return found


def pairs(option: str, texts: Sequence[str] | None, example: str) -> dict[str, str]:
    """Read NAME=text texts, the text as it stands.

    Raises:
        UsageError: a text is none of these, or a name is given twice.
    """
    found: dict[str, str] = {}
    for text in texts or ():
        name, _, value = text.partition("=")
        _refuse(option, text, name.strip() if value.strip() else "", found, example)
        found[name.strip()] = value
    return found


def _refuse(option: str, text: str, name: str, found: dict[str, float] | dict[str, str], example: str) -> None:
    if not name:
        raise UsageError(f"{option} {text} could not be read.", hint=f"for example {option} {example}")
    if name in found:
        raise UsageError(f"{option} gives '{name}' more than once.", hint="leave one out")


def number_or_range(option: str, text: str | None, shown: str | None = None) -> int | tuple[int, int] | None:
    """Read 20 or 2-5; None where nothing is given.

    Raises:
        UsageError: the text is neither.
    """
    if text is None:
        return None
    low, dash, high = text.partition("-")
    if not low.strip().isdecimal() or (dash and not high.strip().isdecimal()):
        what = re.findall(r"[a-z]+", option)[0]
        raise UsageError(f"{option} {shown or text} is not a number of {what}.", hint="for example 20, or 2-5")
    return (int(low), int(high)) if dash else int(low)
