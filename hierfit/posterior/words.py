"""Names of columns -> the words of a sentence: "160 schools", "slope of ses", "s1, s2, s3 and 4 more"."""

from __future__ import annotations

from collections.abc import Sequence

from hierfit.model.grammar import INTERCEPT
from hierfit.model.spec import GroupCoefficients
from hierfit.visible import visible

IRREGULAR = {"child": "children", "person": "people", "man": "men", "woman": "women", "mouse": "mice"}
PLURAL_ES = ("ss", "x", "z", "ch", "sh")
SHORTEST_WORD = 3


def plural(factor: str) -> str:
    """Return the plural of a factor that is a singular word, "levels of school_id" for any other name."""
    is_word = factor.isalpha() and factor.isascii() and factor[1:].islower() and len(factor) >= SHORTEST_WORD
    if not is_word or factor == "row" or (factor.endswith("s") and not factor.endswith("ss")):
        return f"levels of {factor}"
    if factor.lower() in IRREGULAR:
        return factor[0] + IRREGULAR[factor.lower()][1:]
    if factor.endswith("y") and factor[-2:-1] not in "aeiou":
        return f"{factor[:-1]}ies"
    return f"{factor}es" if factor.endswith(PLURAL_ES) else f"{factor}s"


def counted(count: int, factor: str) -> str:
    """Return "160 schools", "1 school" or "160 levels of school_id"."""
    if count == 1:
        single = plural(factor)
        return f"1 level of {factor}" if single.startswith("levels of ") else f"1 {factor}"
    return f"{count:,} {plural(factor)}"


def coefficients(term: str) -> str:
    """Return "intercepts" or "slopes of ses"."""
    return "intercepts" if term == INTERCEPT else f"slopes of {term}"


def in_words(named: GroupCoefficients, m: int) -> str:
    """Return a varying coefficient: "intercept", "slope of ses", "intercept of sigma", "slope of sigma_ses"."""
    parameter = named.of_parameters[m]
    if not named.is_intercept[m]:
        return f"slope of {named.terms[m]}"
    return "intercept" if parameter is None else f"intercept of {parameter}"


def all_in_words(named: GroupCoefficients, m: int) -> str:
    """Return the same of many levels: "intercepts", "slopes of ses"."""
    what, *of = in_words(named, m).partition(" ")
    return "".join([f"{what}s", *of])


def in_single(factor: str) -> str:
    """Return "single schools" or "single levels of school_id"."""
    return f"single {plural(factor)}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """Return the first names joined by commas, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def elided(text: str, width: int) -> str:
    """Return the text as it is shown, its middle replaced by an ellipsis where it is longer than `width`."""
    text = visible(text)
    if len(text) <= width:
        return text
    tail = (width - 1) // 3
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :] if tail else ''}"


def spread(numbers: Sequence[int]) -> str:
    """Return "2 to 5" or, where all are the same, "2"."""
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def what_disagrees(n_chains: int) -> str:
    """Return what a high R-hat says: it holds chains, and of each its halves, against each other."""
    return "the chains disagree" if n_chains > 1 else "the halves of the chain disagree"
