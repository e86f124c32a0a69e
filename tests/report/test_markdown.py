"""Markdown: tables keep their shape, and texts do nothing, whatever they say."""

from pathlib import PurePosixPath

import pytest

from hierfit.report.markdown import markdown_text
from hierfit.visible import visible_lines
from tests.report.test_html import of_every_kind


@pytest.mark.parametrize(
    "text", ["a|b", "<b>", "`code`", "```\n# not a heading\n```", "[a](b)", "*x*", "a_b", "\x1b[1m"]
)
def test_texts_do_nothing(text):
    written = markdown_text(of_every_kind(text), PurePosixPath("pictures"))
    lines = written.splitlines()
    assert lines[0].startswith("# ")
    assert [line for line in lines if line.startswith("## ")] == ["## Part"]
    rows = [line for line in lines if line.startswith("| ")]
    assert len(rows) == 5
    assert {line.replace("\\|", "").count("|") for line in rows} == {3}
    fences = [line for line in lines if line.strip("`") == "" and len(line) >= 3]
    assert fences[0] == fences[-1] and fences.count(fences[0]) == 2
    before, code, after = written.split(f"{fences[0]}\n")
    assert code.strip() == visible_lines(text)
    assert "<" not in (before + after).replace("\\<", "")


def test_pictures_are_files_beside_it():
    written = markdown_text(of_every_kind("x"), PurePosixPath("report_pictures"))
    assert "![x](report_pictures/lines.png)" in written
