"""Terms evaluated: against columns written out with numpy."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.data.table import Table
from hierfit.design.terms import Columns, evaluate_terms, reference_levels
from hierfit.errors import DataError, FormulaError, UsageError
from hierfit.model.formula_text import parse_formula
from hierfit.model.term_checks import NUMPY_FUNCTIONS, TRANSFORMS
from tests.model.cases import table

Array = NDArray[np.float64]
X = np.array([3.0, -1.0, 4.0, 1.5, 5.0, 9.0, 2.0, 6.0, 5.0, 3.5, 8.0, 7.0])
K = np.array([1.0, 2.0, 3.0] * 4)
SECTOR = np.array(["Public", "Church", "Private", "Public"] * 3)
SEX = np.array(["m", "m", "m", "f", "f", "f"] * 2)


def text_columns(**columns: NDArray[np.str_]) -> Table:
    """Return a table with the numbers x, k and `two words`, and some text, levels in order of first appearance."""
    source = table(len(X), 4)
    labels, levels = dict(source.labels), dict(source.levels)
    for name, values in columns.items():
        levels[name] = tuple(dict.fromkeys(values.tolist()))
        labels[name] = np.array([levels[name].index(value) for value in values], dtype=np.int32)
    numbers = {**source.numbers, "x": X, "k": K, "two words": X**2}
    return replace(source, numbers=numbers, labels=labels, levels=levels)


def text_columns_of(words: Mapping[str, NDArray[np.str_]], numbers: Mapping[str, Array]) -> Table:
    """Return a table of these columns."""
    n = len(next(iter(words.values())))
    levels = {name: tuple(dict.fromkeys(values.tolist())) for name, values in words.items()}
    labels = {
        name: np.array([levels[name].index(value) for value in values], dtype=np.int32)
        for name, values in words.items()
    }
    return replace(table(n, 2), numbers=dict(numbers), labels=labels, levels=levels)


TABLE = text_columns(sector=SECTOR, sex=SEX, one=np.array(["a"] * 12))


def evaluated(text: str, references: Mapping[str, str] | None = None) -> Columns:
    """Return the columns of the right-hand side of a formula."""
    formula = parse_formula(f"y ~ {text}")
    wanted = reference_levels(TABLE, formula.predictors, references or {})
    return evaluate_terms(formula.terms, TABLE, wanted, intercept=formula.intercept)


def indicator(column: NDArray[np.str_], level: str) -> Array:
    return (column == level).astype(np.float64)


CHURCH, PRIVATE, PUBLIC = (indicator(SECTOR, level) for level in ("Church", "Private", "Public"))
M = indicator(SEX, "m")
EXPECTED: dict[str, dict[str, Array]] = {
    "1": {},
    "x": {"x": X},
    "k + x": {"k": K, "x": X},
    "`two words`": {"two words": X**2},
    "x:k": {"x:k": X * K},
    "x*k": {"x": X, "k": K, "x:k": X * K},
    "I(x^2)": {"I(x ** 2)": X**2},
    "I(x / k - 1)": {"I(x / k - 1)": X / K - 1},
    "I((x - 3)^2)": {"I((x - 3) ** 2)": (X - 3) ** 2},
    "I(x - (k - 3))": {"I(x - (k - 3))": X - (K - 3)},
    "I(k / (x + 2) / 2):k": {"I(k / (x + 2) / 2):k": K / (X + 2) / 2 * K},
    "I(-(x**2))": {"I(-(x ** 2))": -(X**2)},
    "I(2 * -x)": {"I(2 * (-x))": -2 * X},
    "log((x + 2) * k) + x": {"log((x + 2) * k)": np.log((X + 2) * K), "x": X},
    "I(x > 4)": {"I(x > 4)": (X > 4).astype(float)},
    "log(x + 2)": {"log(x + 2)": np.log(X + 2)},
    "log(`two words` + 2)": {"log(two words + 2)": np.log(X**2 + 2)},
    "center(x)": {"center(x)": X - X.mean()},
    "scale(x)": {"scale(x)": (X - X.mean()) / X.std(ddof=1)},
    "log(scale(x) + 3) + standardize(k)": {
        "log(scale(x) + 3)": np.log((X - X.mean()) / X.std(ddof=1) + 3),
        "standardize(k)": (K - K.mean()) / K.std(ddof=1),
    },
    "I((x - 3)^2) + I(x - 3^2)": {"I((x - 3) ** 2)": (X - 3) ** 2, "I(x - 3 ** 2)": X - 9},
    # text: the first level in alphabetical order is the reference
    "sector": {"sector[Private]": PRIVATE, "sector[Public]": PUBLIC},
    "0 + sector": {"sector[Church]": CHURCH, "sector[Private]": PRIVATE, "sector[Public]": PUBLIC},
    "0 + x + sector": {"x": X, "sector[Church]": CHURCH, "sector[Private]": PRIVATE, "sector[Public]": PUBLIC},
    # without an intercept one text column keeps all its levels, not two
    "0 + sector + sex": {"sector[Church]": CHURCH, "sector[Private]": PRIVATE, "sector[Public]": PUBLIC, "sex[m]": M},
    "sector + x": {"sector[Private]": PRIVATE, "sector[Public]": PUBLIC, "x": X},
    "x*sex": {"x": X, "sex[m]": M, "x:sex[m]": X * M},
    # a slope for every level where there is no common one
    "x:sex": {"x:sex[f]": X * (1 - M), "x:sex[m]": X * M},
    "x + x:sex": {"x": X, "x:sex[m]": X * M},
    "sex/x": {"sex[m]": M, "sex[f]:x": (1 - M) * X, "sex[m]:x": M * X},
    "sector*sex": {
        "sector[Private]": PRIVATE,
        "sector[Public]": PUBLIC,
        "sex[m]": M,
        "sector[Private]:sex[m]": PRIVATE * M,
        "sector[Public]:sex[m]": PUBLIC * M,
    },
    "C(k)": {"C(k)[2]": (K == 2).astype(float), "C(k)[3]": (K == 3).astype(float)},
    "C(k, Treatment(2))": {
        "C(k, Treatment(2))[1]": (K == 1).astype(float),
        "C(k, Treatment(2))[3]": (K == 3).astype(float),
    },
    "C(k):x": {f"C(k)[{level}]:x": (level == K) * X for level in (1, 2, 3)},
    "S(sex)": {"S(sex)[f]": 1 - 2 * M},
    "poly(x, 2, raw=True)": {"poly(x, 2, raw=True)[0]": X, "poly(x, 2, raw=True)[1]": X**2},
}


@pytest.mark.parametrize("text", EXPECTED)
def test_terms_are_what_numpy_makes_of_them(text: str) -> None:
    made, expected = evaluated(text), EXPECTED[text]
    assert made.names == tuple(expected)
    assert made.values.shape == (12, len(expected))
    for column, wanted in zip(made.values.T, expected.values(), strict=True):
        np.testing.assert_allclose(column, wanted, atol=1e-12)


@pytest.mark.parametrize("reference", ["Church", "Private", "Public"])
def test_each_level_can_be_the_reference(reference: str) -> None:
    others = [level for level in ("Church", "Private", "Public") if level != reference]
    made = evaluated("sector", {"sector": reference})
    assert made.names == tuple(f"sector[{level}]" for level in others)
    np.testing.assert_array_equal(made.values, np.column_stack([indicator(SECTOR, level) for level in others]))
    made = evaluated("C(sector) + x:sector", {"sector": reference})
    assert made.names[:2] == tuple(f"C(sector)[{level}]" for level in others)


def test_the_reference_holds_in_interactions() -> None:
    made = evaluated("sector*sex", {"sector": "Public", "sex": "m"})
    assert made.names == (
        "sector[Church]",
        "sector[Private]",
        "sex[f]",
        "sector[Church]:sex[f]",
        "sector[Private]:sex[f]",
    )
    np.testing.assert_array_equal(made.values[:, 3], CHURCH * (1 - M))


def test_the_reference_level_is_the_first_in_alphabetical_order_or_the_wanted_one() -> None:
    assert reference_levels(TABLE, ("x", "sector", "sex"), {}) == {"sector": "Church", "sex": "f"}
    assert reference_levels(TABLE, ("sex", "sector"), {"sex": "m"}) == {"sex": "m", "sector": "Church"}
    assert reference_levels(TABLE, ("x",), {}) == {}


def ordered(**orders: tuple[str, ...]) -> Table:
    return replace(TABLE, orders=orders)


DOWN = {"sector": ("Public", "Private", "Church"), "sex": ("m", "f")}


@pytest.mark.parametrize(
    ("text", "wanted", "names"),
    [
        ("sector", {}, ("sector[Private]", "sector[Church]")),
        ("C(sector)", {}, ("C(sector)[Private]", "C(sector)[Church]")),
        ("0 + sector", {}, ("sector[Public]", "sector[Private]", "sector[Church]")),
        ("x:sex", {}, ("x:sex[m]", "x:sex[f]")),
        # a reference goes first, the others keep their order
        ("sector", {"sector": "Private"}, ("sector[Public]", "sector[Church]")),
        ("0 + sector", {"sector": "Private"}, ("sector[Private]", "sector[Public]", "sector[Church]")),
        # differences from the mean of the levels, the last left out
        ("S(sector)", {}, ("S(sector)[Public]", "S(sector)[Private]")),
    ],
)
def test_coefficients_follow_the_stated_order(text: str, wanted: dict[str, str], names: tuple[str, ...]) -> None:
    formula, source = parse_formula(f"y ~ {text}"), ordered(**DOWN)
    references = reference_levels(source, formula.predictors, wanted)
    made = evaluate_terms(formula.terms, source, references, intercept=formula.intercept)
    assert made.names == names
    if text == "S(sector)":
        np.testing.assert_array_equal(made.values, np.column_stack([PUBLIC - CHURCH, PRIVATE - CHURCH]))
    elif "sector" in text:
        levels = [name.partition("[")[2][:-1] for name in names]
        np.testing.assert_array_equal(made.values, np.column_stack([indicator(SECTOR, level) for level in levels]))


def test_the_first_stated_level_is_the_reference() -> None:
    assert reference_levels(ordered(**DOWN), ("sector", "sex"), {}) == {"sector": "Public", "sex": "m"}
    assert reference_levels(ordered(**DOWN), ("sector", "sex"), {"sex": "f"}) == {"sector": "Public", "sex": "f"}


@pytest.mark.parametrize(
    ("terms", "intercept", "compared"),
    [
        (("sector",), True, {"sector": "Church"}),
        (("C(sector)",), True, {"C(sector)": "Church"}),
        (("x:sector", "x"), True, {"sector": "Church"}),
        (("sector",), False, {}),
        (("x:sector",), True, {}),
        (("S(sector)",), True, {}),
        (("T(sector, 'Public')",), True, {"T(sector, 'Public')": "Public"}),
        (("x",), True, {}),
        (("sex:sector",), True, {"sex": "f", "sector": "Church"}),
    ],
)
def test_references_are_those_that_coefficients_are_compared_with(
    terms: tuple[str, ...], intercept: bool, compared: dict[str, str]
) -> None:
    made = evaluate_terms(terms, TABLE, {}, intercept=intercept)
    assert made.references == compared


def test_polynomials_are_orthonormal_and_orthogonal_to_the_mean() -> None:
    made = evaluated("poly(x, 3)")
    assert made.names == ("poly(x, 3)[0]", "poly(x, 3)[1]", "poly(x, 3)[2]")
    np.testing.assert_allclose(made.values.T @ made.values, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(made.values.sum(axis=0), 0, atol=1e-12)
    # Column d is a polynomial of degree d in x.
    for degree, column in enumerate(made.values.T, start=1):
        powers = np.vander(X, degree + 1)
        np.testing.assert_allclose(powers @ np.linalg.lstsq(powers, column, rcond=None)[0], column, atol=1e-10)


def test_splines_hold_every_cubic() -> None:
    made = evaluated("bs(x, df=4)")
    assert made.names == tuple(f"bs(x, df=4)[{index}]" for index in range(4))
    basis = np.column_stack([np.ones(12), made.values])
    fitted = basis @ np.linalg.lstsq(basis, X**3, rcond=None)[0]
    np.testing.assert_allclose(fitted, X**3, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", NUMPY_FUNCTIONS)
def test_functions_of_numpy(name: str) -> None:
    np.testing.assert_allclose(evaluated(f"{name}(`two words`)").values[:, 0], getattr(np, name)(X**2))


def test_every_function_that_a_formula_may_call_exists() -> None:
    arguments = {"poly": "x, 2", "bs": "x, df=4", "C": "sector", "T": "sector, 'Public'", "S": "sector"}
    for name in set(TRANSFORMS) - {"Treatment"}:
        assert evaluated(f"{name}({arguments.get(name, 'x')})").values.shape[0] == 12
    assert evaluated("C(sector, Treatment('Public'))").values.shape == (12, 2)


@pytest.mark.parametrize(
    ("text", "error", "message", "hint"),
    [
        ("log(x)", FormulaError, "'log(x)' is no finite number on line 3 of case.csv.", "logarithm of 0"),
        ("x + I(k / (x - 4))", FormulaError, "is no finite number on line 4 of case.csv", "check what"),
        ("T(sector, 'Pubic')", FormulaError, "reference not in levels", "levels are words in quotes"),
        ("log(sector)", FormulaError, "the term 'log(sector)' could not be evaluated on case.csv", "such as poly"),
        ("bs(x, df=2)", FormulaError, "df=2 is too small", "such as poly"),
        ("one", DataError, "case.csv, column 'one': all 12 rows hold 'a'", "leave out 'one'"),
        ("x:one", DataError, "column 'one': all 12 rows hold 'a'", "leave out 'one'"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(
    text: str, error: type[Exception], message: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(error) as caught:
        evaluated(text)
    assert message in str(caught.value)
    assert hint in getattr(caught.value, "hint", "")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "references", "message", "hint"),
    [
        ("sector", {"sector": "Publik"}, "no level 'Publik'. Did you mean 'Public'?", "levels: Church, Private"),
        ("sector", {"sektor": "Public"}, "'sektor' is not a text column among the predictors. Did you", "sector"),
        ("x", {"sector": "Public"}, "'sector' is not a text column among the predictors.", "text predictors: none"),
        ("C(k)", {"k": "2"}, "'k' is not a text column", "C(k, Treatment(2))"),
    ],
)
def test_references_that_do_not_exist_are_refused(
    text: str, references: dict[str, str], message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        evaluated(text, references)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_a_predictor_named_like_the_intercept_is_refused() -> None:
    named = replace(TABLE, numbers={**TABLE.numbers, "Intercept": X})
    for terms in (("Intercept",), ("Intercept", "sector")):
        with pytest.raises(FormulaError, match="cannot be named 'Intercept'"):
            evaluate_terms(terms, named, {}, intercept=True)
