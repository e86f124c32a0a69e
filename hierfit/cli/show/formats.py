"""Rows -> CSV and Markdown, values -> JSON, as they are shown: each in the form that its readers know.

JSON says unseen letters by its own escapes, and so means the same. CSV has no escapes: on a terminal they stand in it
as everywhere, in a file or a pipe the cells are exactly what they are, as `ls` writes names.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from hierfit.cli.page import in_lines, page
from hierfit.disk.rows import write_rows
from hierfit.visible import visible, visible_json

# What Markdown would take for more than a letter; not `_` within a word, and brackets only where they make a link.
_MARKS = re.compile(r"[\\<`*]|(?<!\w)_|_(?!\w)|(?<=\])\(")


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV."""
    buffer = io.StringIO()
    if page().terminal:
        rows = ([visible(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    write_rows(buffer, rows)
    return buffer.getvalue().removesuffix("\n")


def json_text(value: Any) -> str:
    """Return a value as JSON."""
    return visible_json(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def markdown_words(text: str) -> str:
    """Return a text that Markdown shows letter by letter."""
    return _MARKS.sub(r"\\\g<0>", visible(text))


def markdown_code(text: str) -> str:
    """Return a text as Markdown shows code, backticks within it or not."""
    marks = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    room = " " if "`" in text else ""
    return f"{marks}{room}{visible(text)}{room}{marks}"


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows, the header first, as a Markdown table: text left, numbers right."""
    rows = [[markdown_words(cell).replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rule = [":" + "-" * max(1, widths[0] - 1), *("-" * max(1, width - 1) + ":" for width in widths[1:])]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cells[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)),
        ]
        return "| " + " | ".join(padded) + " |"

    return in_lines([line(rows[0]), line(rule), *(line(row) for row in rows[1:])])
