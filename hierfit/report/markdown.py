"""Document -> Markdown, its pictures files beside it, its equations TeX between dollars."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from hierfit.report.document import Block, Code, Document, Equations, Items, Paragraph, Picture, Table, Verdict
from hierfit.report.equation import tex
from hierfit.told.markup import markdown_table, markdown_words, tex_words
from hierfit.visible import visible, visible_lines

_MARKS = re.compile("`+")


def markdown_text(document: Document, pictures: PurePosixPath) -> str:
    """Return the text; `pictures` is the folder of the pictures, seen from its own."""
    parts = [f"# {markdown_words(document.title)}", markdown_words(document.lead)]
    for section in document.sections:
        parts.append(f"## {section.title}")
        for block in section.blocks:
            parts += _block(block, pictures)
    return "\n\n".join(parts) + "\n"


def _block(block: Block, pictures: PurePosixPath) -> Iterator[str]:
    match block:
        case Paragraph(text, label):
            yield (f"**{markdown_words(label)}** " if label else "") + markdown_words(text)
        case Verdict(_, text):
            yield f"**Checks: {markdown_words(text)}**"
        case Items(items):
            yield "\n".join(f"- {markdown_words(item)}" for item in items)
        case Code(text):
            fence = "`" * max(3, 1 + max(map(len, _MARKS.findall(text)), default=0))
            yield f"{fence}\n{visible_lines(text)}\n{fence}"
        case Equations(lines):
            yield f"$$\n{tex(lines, tex_words)}\n$$"
        case Table():
            yield f"*{markdown_words(block.caption)}*"
            yield markdown_table(_rows(block))
        case Picture(stem, _, _, _, alt, caption):
            yield f"![{markdown_words(visible(alt))}]({pictures / f'{stem}.png'})"
            yield f"*{markdown_words(caption)}*"


def _rows(table: Table) -> list[list[str]]:
    rows = [list(table.header)]
    for title, section in table.sections:
        if title:
            rows.append([title, *[""] * (len(table.header) - 1)])
        rows += [list(row) for row in section]
    return rows
