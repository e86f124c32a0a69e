"""Orders of levels: read as typed, written so that they are read again, and checked against the data."""

from dataclasses import replace

import numpy as np
import pytest

from hierfit.data.table import Table
from hierfit.design.levels import check_columns, check_levels, levels_text, listed, parse_levels
from hierfit.errors import UsageError
from hierfit.model.roles import Roles
from tests.model.cases import table


@pytest.mark.parametrize(
    ("text", "column", "levels"),
    [
        ("dose=low,mid,high", "dose", ("low", "mid", "high")),
        ("dose=low, mid,  high", "dose", ("low", "mid", "high")),
        ('dose="1,5 mg",3 mg', "dose", ("1,5 mg", "3 mg")),
        ('dose=" low",high', "dose", (" low", "high")),
        ('said="""no""",yes', "said", ('"no"', "yes")),
        ("a b=x=1,x=2", "a b", ("x=1", "x=2")),
        ("size=<5,5-9,10+;?", "size", ("<5", "5-9", "10+;?")),
    ],
)
def test_text_is_read(text: str, column: str, levels: tuple[str, ...]) -> None:
    assert parse_levels(text) == (column, levels)
    assert parse_levels(levels_text(column, levels)) == (column, levels)


@pytest.mark.parametrize(
    "text",
    ["dose", "dose=", "=low,high", "dose=low", "dose=low;mid", "dose=low<high", "dose=low,,high", 'dose="low,high'],
)
def test_what_cannot_be_read_shows_the_form(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_levels(text)
    assert caught.value.message == f"--levels {text} could not be read: expected COLUMN=LEVEL,LEVEL,..."
    assert "--levels dose=low,mid,high" in str(caught.value.hint) and "double quotes" in str(caught.value.hint)


def test_a_level_named_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="names 'low' twice"):
        parse_levels("dose=low,high, low")


def doses(*levels: str) -> Table:
    source = table(12, 4)
    codes = (np.arange(12) % len(levels)).astype(np.int32)
    return replace(source, labels={**source.labels, "dose": codes}, levels={**source.levels, "dose": levels})


def test_the_levels_of_the_column_in_any_order_are_accepted() -> None:
    check_levels(doses("mid", "high", "low"), "dose", ("low", "mid", "high"))


@pytest.mark.parametrize(
    ("stated", "message", "hint"),
    [
        (("low", "mid", "hihg"), "no row holds 'hihg'. Did you mean 'high'?", "rows that are used: high, low, mid"),
        (("low", "MID", "high"), "no row holds 'MID'. Did you mean 'mid'?", "rows that are used"),
        (("low ", "mid", "high"), "no row holds 'low '. Did you mean 'low'?", "rows that are used"),
        # the nearest match is one that is still missing, not `high`, which is there already
        (("low", "mid", "high", "higher"), "no row holds 'higher'.", "rows that are used"),
        (("low", "high"), "line 2 of case.csv holds 'mid', which is not among these.", "every level: low, high, mid"),
        (("mid", "high"), "line 4 of case.csv holds 'low', which is not among these.", "every level: mid, high, low"),
    ],
)
def test_other_levels_are_refused(stated: tuple[str, ...], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_levels(doses("mid", "high", "low"), "dose", stated)
    assert caught.value.message == f"--levels {levels_text('dose', stated)}: {message}"
    assert hint in str(caught.value.hint)


def test_levels_with_commas_are_shown_as_they_must_be_typed() -> None:
    with pytest.raises(UsageError) as caught:
        check_levels(doses("3 mg", "1,5 mg"), "dose", ("1", "5 mg", "3 mg"))
    assert str(caught.value.hint).endswith('"1,5 mg", 3 mg')


def test_only_the_outcome_and_predictors_have_an_order() -> None:
    check_columns(Roles(levels={"y": ("a", "b"), "dose": ("a", "b")}), "y", ("x", "dose"))
    with pytest.raises(UsageError, match=r"--levels dos=a,b: 'dos' is neither .* Did you mean 'dose'\?") as caught:
        check_columns(Roles(levels={"dos": ("a", "b")}), "y", ("x", "dose"))
    assert caught.value.hint == "outcome and predictors: y, x, dose"
    with pytest.raises(UsageError, match="'x' is used as a number too"):
        check_columns(Roles(weights="x", levels={"x": ("1", "2")}), "y", ("x", "dose"))


def test_of_many_levels_the_first_are_listed() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(i) for i in range(50)]).endswith("18, 19, ...")
