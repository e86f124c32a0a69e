"""Texts of options: values by name, numbers, ranges; what is said twice is refused."""

from collections.abc import Callable
from typing import Any

import pytest

from hierfit.cli.options.pairs import number_or_range, numbers, pairs
from hierfit.errors import UsageError


def test_numbers_by_name() -> None:
    texts = ["ses = -2", "cor(a: x, y)=0.3", "C(a == 1)=1e3"]
    assert numbers("--true", texts, "") == {"ses": -2.0, "cor(a: x, y)": 0.3, "C(a == 1)": 1000.0}
    assert numbers("--true", None, "") == {}


def test_texts_by_name_stand_as_they_are() -> None:
    assert pairs("--reference", ["sector = a=b", "x=y "], "") == {"sector": " a=b", "x": "y "}


def test_numbers_and_ranges() -> None:
    assert [number_or_range("--rows", text) for text in (None, "20", "2-5", "2 - 5")] == [None, 20, (2, 5), (2, 5)]


@pytest.mark.parametrize(
    ("read", "texts", "says"),
    [
        (numbers, ["ses"], "--x ses could not be read."),
        (numbers, ["=2"], "--x =2 could not be read."),
        (numbers, ["ses=two"], "--x ses=two could not be read."),
        (numbers, ["ses=1", " ses=2"], "--x gives 'ses' more than once."),
        (pairs, ["ses"], "--x ses could not be read."),
        (pairs, ["=a"], "--x =a could not be read."),
        (pairs, ["ses= "], "--x ses=  could not be read."),
        (pairs, ["ses=1", "ses=1"], "--x gives 'ses' more than once."),
    ],
)
def test_refusals(read: Callable[..., Any], texts: list[str], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        read("--x", texts, "ses=2")
    assert caught.value.message == says and caught.value.hint


@pytest.mark.parametrize("text", ["few", "", "2-", "-2", "2-x", "1.5"])
def test_no_numbers(text: str) -> None:
    with pytest.raises(UsageError, match="is not a number of rows"):
        number_or_range("--rows", text)
