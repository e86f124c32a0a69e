"""Rows -> CSV, Markdown and LaTeX, values -> JSON, as they are shown: each in the form that its readers know.

JSON says unseen letters by its own escapes, and so means the same. CSV has no escapes: on a terminal they stand in it
as everywhere, in a file or a pipe the cells are exactly what they are, as `ls` writes names. What is said beside a
table stands below it in Markdown, and in comments above it in LaTeX.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from hierfit.cli.options.shared import OutputFormat
from hierfit.cli.page import page
from hierfit.cli.show.lines import wrapped
from hierfit.disk.rows import write_rows
from hierfit.told.markup import latex_table, markdown_table, markdown_words
from hierfit.visible import visible, visible_json


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


def document_table(rows: Sequence[Sequence[str]], output: OutputFormat, *said: str) -> str:
    """Return rows, the header first, and paragraphs that speak of them, as Markdown or LaTeX."""
    paragraphs = [text for text in said if text]
    if output is OutputFormat.TEX:
        return latex_table(rows, [line[2:] for text in paragraphs for line in wrapped(text, "% ", "% ")])
    return "\n\n".join([markdown_table(rows), *map(markdown_words, paragraphs)])
