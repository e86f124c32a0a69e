"""Plain sums of terms: read and evaluated as `formulae` does it, without loading it."""

import itertools
import subprocess
import sys

import pytest

from hierfit.model import formula_text
from hierfit.model.plain_terms import expand_plain, pair_in

PIECES = ("a", "b2", "c_d", "0", "1", "a*b2", "c_d : a", "b2/a", "a:a", "b2*a")
PLAIN = (
    *(" + ".join(pieces) for size in (1, 2, 3) for pieces in itertools.permutations(PIECES, size)),
    *(
        "",
        "a +",
        "+ a",
        "a b2",
        "Intercept",
        "True",
        "a:Intercept",
        "2",
        "a:b2:c_d",
        "-1 + a",
        "a - 1",
        "a.b",
        "log(a)",
    ),
)


def test_plain_sums_are_read_as_formulae_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {text: expand_plain(text) for text in PLAIN}
    answered = {text: terms_of for text, terms_of in found.items() if terms_of is not None}
    assert len(answered) > len(PLAIN) / 4
    monkeypatch.setattr(formula_text, "expand_plain", lambda text: None)
    assert {text: formula_text._expand(text, text) for text in answered} == answered


@pytest.mark.parametrize(
    "text", ["a + a", "a:b + b:a", "a:a", "0 + 1", "a - 1", "log(a)", "Intercept", "None", "x.y", ""]
)
def test_what_is_not_plain_is_left_to_formulae(text: str) -> None:
    assert expand_plain(text) is None


def test_pairs() -> None:
    assert pair_in("a:b") == ("a", "b")
    assert [pair_in(text) for text in ("a", "a:a", "a:b:c", "a*b", "log(a):b", "`a b`:c")] == [None] * 6


def test_words_and_products_take_no_formulae() -> None:
    program = """
import sys
from hierfit.model.formula_text import parse_formula
from hierfit.design.terms import evaluate_terms
from tests.model.cases import table
evaluate_terms(("b", "a:b", "y:g"), table(), {"g": "g0"}, intercept=True)
assert not {"formulae", "scipy", "pandas"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_plain_formulas_load_no_formulae() -> None:
    program = """
import sys
from hierfit.model.term_text import columns_in
from hierfit.model.formula_text import parse_formula
parse_formula("y ~ 1 + a * b + (0 + a | g/h)")
columns_in("a:b")
assert not {"formulae", "scipy", "pandas"} & set(sys.modules)
parse_formula("y ~ log(a)")
assert "formulae" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
