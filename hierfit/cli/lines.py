"""Labelled lines of a report, wrapped to a width that fits a terminal, a log and a page."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

WIDTH, LABEL = 96, 9


def joined(label: str, parts: Sequence[str]) -> list[str]:
    """Return "Label    part · part · part", broken between parts where that is too wide."""
    lines = [f"{label:<{LABEL}}{parts[0]}"]
    for part in parts[1:]:
        if len(lines[-1]) + 3 + len(part) <= WIDTH:
            lines[-1] += f" · {part}"
        else:
            lines.append(" " * LABEL + part)
    return lines


def paragraph(label: str, text: str) -> list[str]:
    """Return "Label    text", broken between words where that is too wide."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"{label:<{LABEL}}",
        subsequent_indent=" " * LABEL,
        break_long_words=False,
        break_on_hyphens=False,
    )


def duration(seconds: float) -> str:
    """Return "2.1 s", "38 s" or "3 min 20 s"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 120 else f"{whole // 60:,} min {whole % 60} s"
