"""What a notebook shows of a run."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

import hierfit
from hierfit.api.html import run_html

EVIL = "<script>alert('x')</script>"


class Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(html: str) -> Parser:
    parser = Parser()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


def test_it_holds_the_numbers_of_the_table(run: hierfit.Run) -> None:
    page = parsed(run._repr_html_())
    table = [line.split() for line in repr(run).splitlines() if re.match(r"  (ses|sigma|sd\(school\)) ", line)]
    assert len(table) == 3
    for _, *numbers in table:
        assert all(number in page.text for number in numbers)
    assert "Checks: OK · R-hat max" in page.text and run.formula in page.text


def test_names_are_escaped(sampled: Path, frame: pd.DataFrame) -> None:
    data = frame.rename(columns={"ses": EVIL, "school": "a&b"})
    run = hierfit.fit(data, f"score ~ `{EVIL}` + (1 | `a&b`)", seed=1)
    page = parsed(run._repr_html_())
    assert EVIL in page.text and "sd(a&b)" in page.text
    assert page.tags == {"div", "code", "b", "table", "thead", "tbody", "tr", "th", "td"}


@pytest.mark.parametrize("status", ["ok", "warn", "fail"])
def test_the_verdict_is_said(run: hierfit.Run, status: str) -> None:
    from dataclasses import replace

    from hierfit.posterior.verdict import Level
    from hierfit.told.checks import VERDICTS

    stored = run._stored
    page = parsed(run_html(stored.record, stored.summary, replace(stored.diagnosis, status=Level(status))))
    assert f"Checks: {VERDICTS[Level(status)]} ·" in page.text
