"""Columns along a setting are those of rows that have it, averaged; what may be run along is the user's own."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.data.table import Table
from hierfit.design.along import Setting, columns_along
from hierfit.design.axes import factor_beside, factors, number_axes
from hierfit.design.terms import columns_on
from tests.design.test_evaluated_again import ATOMS, NUMBERS, TABLE, WORDS, evaluated, random_sides

N = TABLE.n_rows
GRID = np.array([2.0, 4.5, 7.0])
LEVELS = {name: sorted(set(words.tolist())) for name, words in WORDS.items()}
SETTINGS: list[Setting] = [
    {"x": GRID},
    {"n": np.array([1.0, 3.0])},
    {"a": LEVELS["a"]},
    {"x": GRID, "c": [LEVELS["c"][1]] * 3},
    {"z": GRID / 3, "b": [LEVELS["b"][0]] * 3, "x": GRID},
]
# Of one column each, or of columns that move together: what a call makes of others at their means is no mean.
SINGLE = [atom for atom in ATOMS if atom != "I(scale(x) * center(z))"]


def with_all(setting: Setting, point: int) -> Table:
    """Return the rows, all of them with what a setting has at one point."""
    numbers, labels, levels = dict(TABLE.numbers), dict(TABLE.labels), dict(TABLE.levels)
    for name, values in setting.items():
        if name in numbers:
            numbers[name] = np.full(N, values[point], dtype=np.float64)
        else:
            labels[name], levels[name] = np.zeros(N, dtype=np.int32), (str(values[point]),)
    return replace(TABLE, numbers=numbers, labels=labels, levels=levels)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: "+".join(setting))
@pytest.mark.parametrize("text", [*SINGLE, *(text for text in random_sides(4, 30) if "center(z))" not in text)])
def test_columns_along_are_means_over_rows_that_have_the_setting(text: str, setting: Setting) -> None:
    made = evaluated(text)
    found = columns_along(made.terms, made.values.mean(axis=0), TABLE, setting)
    wanted = [columns_on(made.terms, with_all(setting, at)).mean(axis=0) for at in range(len(found.values))]
    size = np.abs(wanted).max(axis=0, initial=1.0)
    np.testing.assert_allclose(found.values / size, np.array(wanted) / size, atol=1e-10)
    reads = np.repeat(
        [any(column in setting for column in term.columns_read) for term in made.terms],
        [sum(term.kept) for term in made.terms],
    )
    np.testing.assert_array_equal(found.moves, reads)


def test_other_columns_of_a_call_are_at_their_mean() -> None:
    made = evaluated("I(x * log(z))")
    found = columns_along(made.terms, made.values.mean(axis=0), TABLE, {"x": GRID})
    np.testing.assert_allclose(found.values[:, 0], GRID * np.log(NUMBERS["z"].mean()))


def test_between_rows_a_function_may_have_no_value() -> None:
    made = evaluated("I(1 / center(x))")
    found = columns_along(made.terms, made.values.mean(axis=0), TABLE, {"x": np.array([NUMBERS["x"].mean(), 3.0])})
    assert np.isinf(found.values[0, 0])
    assert np.isfinite(found.values[1, 0])


def codes_say(labels: tuple[str, ...], codes: NDArray[np.int64], column: NDArray[np.str_]) -> bool:
    return [labels[code] for code in codes] == column.tolist()


def test_factors_are_columns_of_words_and_numbers_in_c() -> None:
    made = evaluated("x + S(a) + C(n) + poly(z, 2):b + log(x)")
    assert number_axes(made.terms) == ("x", "z")
    a, n, b = factors(made.terms, TABLE)
    assert (a.column, n.column, b.column) == ("a", "n", "b")
    for factor, column in ((a, WORDS["a"]), (b, WORDS["b"]), (n, NUMBERS["n"].astype(int).astype(str))):
        assert codes_say(factor.labels, factor.codes, column)
    ordered = factors(made.terms, replace(TABLE, orders={"a": ("w", "u", "v")}))[0]
    assert ordered.labels == ("w", "u", "v")
    assert codes_say(ordered.labels, ordered.codes, WORDS["a"])


def test_lines_differ_by_what_their_predictor_is_multiplied_with() -> None:
    terms = evaluated("x + a + b + C(n):z + poly(x, 2):b").terms
    beside = factor_beside("x", terms, TABLE), factor_beside("z", terms, TABLE)
    assert [factor.column if factor else None for factor in beside] == ["b", "n"]
    assert factor_beside("x", evaluated("x + a + z:b").terms, TABLE) is None


def test_a_term_that_others_span_has_no_columns_along_either() -> None:
    term = replace(evaluated("x").terms[0], pieces=(), kept=())
    assert columns_along((term,), np.empty(0), TABLE, {"x": GRID}).values.shape == (3, 0)
