"""Column names in sentences."""

import pytest

from hierfit.model.spec import Block, GroupCoefficients
from hierfit.posterior.words import all_in_words, coefficients, counted, elided, listed, plural, spread


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        ("school", "schools"),
        ("class", "classes"),
        ("country", "countries"),
        ("day", "days"),
        ("Subject", "Subjects"),
        ("batch", "batches"),
        ("child", "children"),
        ("Person", "People"),
        ("school_id", "levels of school_id"),
        ("id", "levels of id"),
        ("g2", "levels of g2"),
        ("schools", "levels of schools"),
        ("école", "levels of école"),
    ],
)
def test_plural(factor, text):
    assert plural(factor) == text


def test_counted():
    assert counted(1, "school") == "1 school"
    assert counted(1, "school_id") == "1 level of school_id"
    assert counted(7185, "school") == "7,185 schools"


def test_coefficients():
    assert (coefficients("Intercept"), coefficients("ses")) == ("intercepts", "slopes of ses")


def test_listed():
    assert listed(["a", "b"]) == "a, b"
    assert listed(list("abcdef"), most=2) == "a, b and 4 more"


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [("short", 5, "short"), ("abcdefghij", 7, "abcd…ij"), ("abcdef", 3, "ab…"), ("sd(x)", 30, "sd(x)")],
)
def test_elided_never_exceeds_the_width(text, width, shown):
    assert elided(text, width) == shown
    assert len(elided(text, width)) <= width


def test_spread():
    assert (spread([2, 5, 3]), spread([4, 4])) == ("2 to 5", "4")


def test_what_varies_of_another_parameter_is_not_called_a_slope():
    terms, parameters = ("Intercept", "ses", "sigma_Intercept", "sigma_ses"), (None, None, "sigma", "sigma")
    named = GroupCoefficients("school", terms, True, parameters, (Block(2, True),))
    words = ["intercepts", "slopes of ses", "intercepts of sigma", "slopes of sigma_ses"]
    assert [all_in_words(named, m) for m in range(4)] == words
