"""Document -> one HTML file: no script, nothing loaded; for light and dark, narrow and wide screens, and paper."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from html import escape
from importlib.resources import files
from typing import Any

from hierfit.report.document import (
    Block,
    Code,
    Document,
    Equations,
    Items,
    Paragraph,
    Picture,
    Section,
    Table,
    Verdict,
)
from hierfit.report.equation import mathml
from hierfit.visible import visible, visible_lines

# Whatever a name in the data says, the page runs nothing and fetches nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def html_text(document: Document) -> str:
    """Return the page."""
    return "\n".join(_page(document)) + "\n"


def _page(document: Document) -> Iterator[str]:
    title = _safe(document.title)
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="color-scheme" content="light dark">'
    yield f"<title>{title} · hierfit report</title>"
    yield f"<style>\n{files('hierfit.report').joinpath('report.css').read_text(encoding='utf-8')}</style>"
    yield "</head>"
    yield "<body>"
    yield f"<header><h1>{title}</h1>\n<p>{_safe(document.lead)}</p></header>"
    yield '<nav aria-label="Contents"><ul>'
    yield from (f'<li><a href="#{part.name}">{_safe(part.title)}</a></li>' for part in document.sections)
    yield "</ul></nav>"
    yield "<main>"
    for part in document.sections:
        yield from _section(part)
    yield "</main>"
    yield "</body>"
    yield "</html>"


def _section(part: Section) -> Iterator[str]:
    yield f'<section id="{part.name}" aria-labelledby="{part.name}-title">'
    yield f'<h2 id="{part.name}-title">{_safe(part.title)}</h2>'
    for block in part.blocks:
        yield _WRITERS[type(block)](block)
    yield "</section>"


def _paragraph(block: Paragraph) -> str:
    label = f"<strong>{_safe(block.label)}</strong> " if block.label else ""
    return f"<p>{label}{_safe(block.text)}</p>"


def _verdict(block: Verdict) -> str:
    return f'<p class="verdict {block.level}">{_safe(block.text)}</p>'


def _items(block: Items) -> str:
    return "<ul>" + "".join(f"<li>{_safe(item)}</li>" for item in block.items) + "</ul>"


def _code(block: Code) -> str:
    return f"<pre><code>{escape(visible_lines(block.text))}</code></pre>"


def _equations(block: Equations) -> str:
    return (
        f'<div class="scroll" tabindex="0" role="math" aria-label="{_safe(block.spoken)}">'
        f"{mathml(block.lines, _safe)}</div>"
    )


def _table(block: Table) -> str:
    caption, sides = _safe(block.caption), [' class="word"' if word else "" for word in block.words]
    cells = zip(block.header, sides, strict=True)
    head = "".join(f'<th scope="col"{side}>{_safe(title)}</th>' if title else "<td></td>" for title, side in cells)
    bodies = []
    for title, rows in block.sections:
        lines = []
        if title:
            lines.append(f'<tr><th scope="rowgroup" colspan="{len(block.header)}">{_safe(title)}</th></tr>')
        for name, *numbers in rows:
            tail = "".join(f"<td{side}>{_safe(cell)}</td>" for cell, side in zip(numbers, sides[1:], strict=True))
            lines.append(f'<tr><th scope="row"{sides[0]}>{_safe(name)}</th>{tail}</tr>')
        bodies.append("<tbody>" + "\n".join(lines) + "</tbody>")
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{caption}"><table><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead>\n{''.join(bodies)}</table></div>"
    )


def _picture(block: Picture) -> str:
    data = base64.b64encode(block.png).decode("ascii")
    return (
        f'<figure id="picture-{_safe(block.stem)}"><img src="data:image/png;base64,{data}" width="{block.width}" '
        f'height="{block.height}" alt="{_safe(block.alt)}"><figcaption>{_safe(block.caption)}</figcaption></figure>'
    )


def _safe(text: str) -> str:
    return escape(visible(text))


_WRITERS: dict[type[Block], Callable[[Any], str]] = {
    Paragraph: _paragraph,
    Verdict: _verdict,
    Items: _items,
    Code: _code,
    Equations: _equations,
    Table: _table,
    Picture: _picture,
}
