"""The page: whatever texts say, it has the elements that it has, and shows the texts letter by letter."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given

from hierfit.model.roles import NO_ROLES
from hierfit.model.spec import GroupCoefficients
from hierfit.report.document import (
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
from hierfit.report.equation import equations, plain
from hierfit.report.html import html_text
from hierfit.visible import visible
from tests.hostile import PROFILE, TEXTS
from tests.report.test_equation import spec

ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "p", "nav", "ul", "li", "a", "main",
    "section", "strong", "pre", "code", "div", "table", "caption", "thead", "tbody", "tr", "th", "td", "figure", "img",
    "figcaption", "math", "mtable", "mtr", "mtd", "mrow", "msub", "msubsup", "mi", "mo", "mn", "mtext",
}  # fmt: skip
VOID = {"meta", "img"}


class Seen(HTMLParser):
    """Elements, attributes and texts of a page; tags that do not close as they open are an error."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.texts, self._open = set(), [], [], []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def of_every_kind(text):
    model = spec("y ~ x + (1 | g)", coefficients=(text,), groups=(GroupCoefficients(text, ("Intercept", text), True),))
    lines = equations(model, NO_ROLES, {text: 3})
    blocks = (
        Paragraph(text, text),
        Verdict("ok", text),
        Items((text,)),
        Code(text),
        Equations(lines, plain(lines)),
        Table(text, ("", text), (("", ((text, text),)), (text, ((text, text),)))),
        Picture("lines", b"\x89PNG", 10, 20, text, text),
    )
    return Document(text, text, (Section("part", "Part", blocks),))


@PROFILE
@given(TEXTS)
def test_texts_are_texts_and_nothing_else(text):
    seen = Seen(html_text(of_every_kind(text)))
    assert seen.tags <= ALLOWED
    assert not [name for name, _ in seen.attributes if name.startswith("on") or name == "srcdoc"]
    assert {value for name, value in seen.attributes if name == "alt"} == {visible(text)}
    if visible(text):
        assert seen.texts.count(visible(text)) >= 10


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style>", "&lt;"])
def test_what_would_run_is_shown(text):
    page = html_text(of_every_kind(text))
    assert Seen(page).tags <= ALLOWED
    assert text in Seen(page).texts


def test_nothing_is_loaded_and_nothing_may_run():
    page = html_text(of_every_kind("x"))
    assert "default-src 'none'" in page
    sources = [value for name, value in Seen(page).attributes if name in ("src", "href")]
    assert all(value.startswith(("data:image/png;base64,", "#")) for value in sources)
    assert not re.search(r"url\(|@import|https?:", page)


def test_links_lead_somewhere_and_no_name_is_there_twice():
    attributes = Seen(html_text(of_every_kind("x"))).attributes
    names = [value for name, value in attributes if name == "id"]
    assert len(set(names)) == len(names)
    targets = {value.removeprefix("#") for name, value in attributes if name in ("href", "aria-labelledby")}
    assert targets <= set(names)
