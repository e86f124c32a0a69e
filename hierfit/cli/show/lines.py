"""Labelled lines of a report, wrapped to the width of the page."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from hierfit.cli.page import page
from hierfit.visible import visible

LABEL = 9


def joined(label: str, parts: Sequence[str]) -> list[str]:
    """Return "Label    part · part · part", broken between parts where that is too wide, and within a wide part."""
    first, *others = map(visible, parts)
    lines = [f"{label:<{LABEL}}{first}"]
    for part in others:
        if len(lines[-1]) + 3 + len(part) <= page().width:
            lines[-1] += f" · {part}"
        else:
            lines.append(" " * LABEL + part)
    return [piece for line in lines for piece in _narrowed(line)]


def _narrowed(line: str) -> list[str]:
    if len(line) <= page().width:
        return [line]
    return wrapped(line[LABEL:], line[:LABEL], " " * (LABEL + 2))


def paragraph(label: str, text: str) -> list[str]:
    """Return "Label    text", broken between words where that is too wide."""
    return wrapped(text, f"{label:<{LABEL}}", " " * LABEL)


def wrapped(text: str, first: str = "", later: str = "") -> list[str]:
    """Return the text broken between words, its first line after `first`, the others after `later`."""
    return textwrap.wrap(
        visible(text),
        page().width,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )
