"""Degrees and numbers of columns that no curve has are refused where the formula is read."""

import pytest

from hierfit.errors import FormulaError
from hierfit.model.formula_text import parse_formula

ABSURD = [
    "poly(x, 0)", "poly(x, -1)", "poly(x, 1000000)", "poly(x, 2.5)", "poly(x, 'a')", "poly(x, z)", "poly(x, degree=0)",
    "poly(x, 2 * 3)", "bs(x, df=0)", "bs(x, 0)", "bs(x, df=-1)", "bs(x, df=1000000000)", "bs(x, df=4, degree=-1)",
    "bs(x, df=4, degree=9)", "bs(x, 4, None, 9)", "log(poly(x, 0))", "C(g):poly(x, 0)",
]  # fmt: skip


@pytest.mark.parametrize("term", ABSURD)
@pytest.mark.parametrize("form", ["y ~ {}", "y ~ x * {} + (1 | g)", "y ~ x + ({} | g)", "y ~ x; sigma ~ {}"])
def test_absurd_arguments(term: str, form: str) -> None:
    with pytest.raises(FormulaError, match="must be a whole number from"):
        parse_formula(form.format(term))


@pytest.mark.parametrize("term", ["poly(x, 2)", "poly(x, degree=30)", "poly(x)", "bs(x, df=3)", "bs(x, 6, degree=2)"])
def test_arguments_that_make_curves(term: str) -> None:
    assert len(parse_formula(f"y ~ {term}").terms) == 1
