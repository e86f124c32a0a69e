"""Terms on other rows: the same columns as in a larger table, whatever rows are asked for, also after JSON."""

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.data.table import Table
from hierfit.design.learnt_terms import LearntTerms
from hierfit.design.terms import Columns, columns_on, evaluate_terms, reference_levels
from hierfit.errors import DataError, FormulaError
from hierfit.model.formula_text import parse_formula
from hierfit.plain import from_plain, to_plain
from tests.design.test_terms import text_columns_of

N = 60
RNG = np.random.default_rng(5)
WORDS = {name: RNG.choice(list(levels), N) for name, levels in (("a", "uvw"), ("b", "xy"), ("c", "pqrs"))}
NUMBERS = {"x": RNG.normal(5, 2, N), "z": RNG.uniform(1, 3, N), "n": RNG.integers(1, 5, N).astype(float)}
TABLE = text_columns_of(WORDS, NUMBERS)
ATOMS = [
    "x", "z", "a", "b", "poly(x, 2)", "bs(x, df=5)", "scale(z)", "center(log(z))", "poly(center(x), 3)", "I(x > 5)",
    "C(n)", "S(a)", "C(c, Treatment('q'))", "I(scale(x) * center(z))", "log(x**2)", "standardize(n)",
]  # fmt: skip


def of_rows(table: Table, rows: NDArray[np.int64]) -> Table:
    """Return some rows of a table, whose levels are those that occur, in an order of their own."""
    numbers = {name: column[rows] for name, column in table.numbers.items()}
    words = {name: np.array(table.levels[name])[table.labels[name]][rows] for name in table.levels if name in WORDS}
    return replace(text_columns_of(words, numbers), lines=table.lines[rows])


def evaluated(text: str, table: Table = TABLE) -> Columns:
    formula = parse_formula(f"y ~ {text}")
    references = reference_levels(table, formula.predictors, {"a": "v"} if "a" in formula.predictors else {})
    return evaluate_terms(formula.terms, table, references, intercept=formula.intercept)


def random_sides(seed: int, count: int) -> list[str]:
    rng = np.random.default_rng(seed)
    sides = []
    for _ in range(count):
        terms = [":".join(rng.choice(ATOMS, rng.integers(1, 4), replace=False)) for _ in range(rng.integers(1, 4))]
        sides.append(("0 + " if rng.random() < 0.3 else "") + " + ".join(terms))
    return sides


@pytest.mark.parametrize("text", [*ATOMS, *random_sides(1, 30)])
def test_any_rows_have_the_columns_that_they_had_in_the_fit(text: str) -> None:
    made, rng = evaluated(text), np.random.default_rng(2)
    for rows in (np.arange(N), rng.permutation(N)[:7], np.array([3]), np.repeat(rng.integers(0, N, 4), 3)):
        found = columns_on(made.terms, of_rows(TABLE, rows))
        np.testing.assert_allclose(found, made.values[rows], rtol=1e-12, atol=1e-12)


def test_numbers_beyond_those_of_the_fit_have_what_a_larger_fit_says() -> None:
    """A straight line through poly, a mean of center: known beyond the rows as well."""
    made = evaluated("poly(x, 1) + center(z) + scale(x)")
    far = of_rows(TABLE, np.arange(3))
    far = replace(far, numbers={**far.numbers, "x": np.array([-50.0, 0.0, 99.0]), "z": np.array([0.0, 7.0, 8.0])})
    x, mean, sd = far.numbers["x"], NUMBERS["x"].mean(), NUMBERS["x"].std(ddof=1)
    length = np.sqrt(np.sum((NUMBERS["x"] - mean) ** 2))
    expected = np.column_stack([(x - mean) / length, far.numbers["z"] - NUMBERS["z"].mean(), (x - mean) / sd])
    np.testing.assert_allclose(columns_on(made.terms, far), expected, rtol=1e-10)


def test_columns_left_out_for_want_of_rows_stay_out() -> None:
    words = {"a": np.array(list("uuvv") * 5), "b": np.array(list("xyxx") * 5)}  # no row has v and y
    table = text_columns_of(words, {})
    made = evaluated("a * b", table)
    assert made.left_out == ("a[u]:b[y]",) or made.left_out == ("a[v]:b[y]",)
    np.testing.assert_array_equal(columns_on(made.terms, table), made.values)


@pytest.mark.parametrize("text", ["poly(x, 2)", "bs(x, df=5) * a", "C(n) + S(a)", "scale(z):b", "poly(center(x), 3)"])
def test_what_was_learnt_can_be_stored(text: str) -> None:
    made = evaluated(text)
    stored = json.loads(json.dumps(to_plain(LearntTerms(made.terms)), allow_nan=False))
    again = from_plain(LearntTerms, stored).population
    np.testing.assert_array_equal(columns_on(again, TABLE), columns_on(made.terms, TABLE))


def test_an_unknown_level_is_named_with_its_line() -> None:
    made = evaluated("a + x")
    rows = of_rows(TABLE, np.arange(4))
    words = {"a": np.array(["u", "v", "U", "w"]), "b": np.array(list("xxyy")), "c": np.array(list("ppqq"))}
    other = replace(text_columns_of(words, rows.numbers), lines=np.array([2, 3, 5, 9]))
    with pytest.raises(DataError, match="column 'a', line 5: no row of the fit had the level 'U'") as raised:
        columns_on(made.terms, other)
    assert "levels: v, u, w" in str(raised.value.hint)


def test_an_unknown_level_of_numbers_is_refused_too() -> None:
    rows = of_rows(TABLE, np.arange(3))
    other = replace(rows, numbers={**rows.numbers, "n": np.array([1.0, 7.0, 2.0])}, lines=np.array([2, 4, 6]))
    with pytest.raises(DataError, match=r"line 4: C\(n\) has a level there that no row of the fit had"):
        columns_on(evaluated("C(n)").terms, other)


def test_a_missing_column_is_named() -> None:
    rows = of_rows(TABLE, np.arange(3))
    without = replace(rows, numbers={"z": rows.numbers["z"]})
    with pytest.raises(DataError, match="has no column 'x'"):
        columns_on(evaluated("poly(x, 2)").terms, without)


def test_what_is_no_number_there_is_named_with_its_line() -> None:
    rows = of_rows(TABLE, np.arange(3))
    other = replace(rows, numbers={**rows.numbers, "z": np.array([1.0, 0.0, 2.0])}, lines=np.array([2, 4, 6]))
    with pytest.raises(FormulaError, match="is no finite number on line 4"):
        columns_on(evaluated("center(log(z))").terms, other)
