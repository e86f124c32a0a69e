"""Reports of a run beside other runs, and of what it says of expressions."""

import shutil
from pathlib import Path

import pytest

from hierfit.errors import UsageError
from hierfit.report.document import Items, Paragraph, Table
from hierfit.report.report import Beside, report
from hierfit.runs.compared import compare_runs
from hierfit.runs.hypotheses import test as answers_to
from hierfit.told.compared import comparison_cells
from hierfit.told.hypotheses import answers_cells

EXPRESSIONS = ("ses > 0", "sd(school) / sigma")


@pytest.fixture(scope="module")
def other(fitted, tmp_path_factory) -> Path:
    return Path(shutil.copytree(fitted, tmp_path_factory.mktemp("other") / "other"))


@pytest.fixture(scope="module")
def sections(fitted, other):
    found = report(fitted, pictures=False, beside=Beside((other,), EXPRESSIONS))
    return {section.name: section for section in found.document.sections}, found


def of_kind(section, kind):
    return [block for block in section.blocks if isinstance(block, kind)]


def rows(section):
    (table,) = of_kind(section, Table)
    return [list(table.header), *(list(row) for _, part in table.sections for row in part)]


def test_numbers_are_those_of_the_commands(sections, fitted, other):
    named, _ = sections
    assert rows(named["hypotheses"]) == answers_cells(answers_to(fitted, EXPRESSIONS))
    assert rows(named["comparison"]) == comparison_cells(compare_runs([fitted, other]), None)
    assert of_kind(named["comparison"], Items)[0].items[0].endswith("(1 + ses | school) (gaussian)")


def test_the_methods_paragraph_says_how_models_were_compared(sections, fitted):
    named, found = sections
    (paragraph,) = of_kind(named["methods"], Paragraph)
    assert paragraph.text.endswith("leave-one-out cross-validation (Vehtari, Gelman & Gabry, 2017).")
    assert any("Practical Bayesian model evaluation" in item for item in of_kind(named["methods"], Items)[0].items)
    assert "Beside other models" in found.html() and "ses &gt; 0" in found.html()
    plain = report(fitted, pictures=False)
    assert not {"hypotheses", "comparison"} & {section.name for section in plain.document.sections}
    assert not any("2017). Practical" in text for text in of_kind(plain.document.sections[-2], Items)[0].items)


def test_what_cannot_be_read_or_compared_is_refused(fitted):
    with pytest.raises(UsageError, match="sse"):
        report(fitted, pictures=False, beside=Beside(expressions=("sse > 0",)))
    with pytest.raises(UsageError):
        report(fitted, pictures=False, beside=Beside((fitted,)))
