"""What the names of coefficients are made of, and the columns that move with a predictor."""

import numpy as np
import pytest

from hierfit.results.columns import base, is_axis, is_category, moving_along, moving_over, parts, variables


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ses", ("ses",)),
        ("ses:sector[Private]", ("ses", "sector[Private]")),
        ("poly(x, 2)[0]:C(a:b)[u:v]", ("poly(x, 2)[0]", "C(a:b)[u:v]")),
    ],
)
def test_products_are_taken_apart_outside_brackets(name, expected):
    assert parts(name) == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("ses", {"ses"}),
        ("sector[Private]", {"sector"}),
        ("poly(age, 2)[1]", {"age"}),
        ("bs(age, df=4)[0]", {"age"}),
        ("np.log(income)", {"income"}),
        ("I(x ** 2)", {"x"}),
        ("家 income", {"家 income"}),
    ],
)
def test_variables_are_neither_functions_nor_keywords(part, expected):
    assert variables(part) == expected


def test_categories_are_told_from_curves_by_their_values():
    zeros_and_ones, numbers = np.array([0.0, 1.0, 1.0]), np.array([0.1, -0.3, 0.2])
    assert is_category("sector[Private]", zeros_and_ones)
    assert not is_category("poly(x, 2)[0]", numbers)
    assert not is_category("treated", zeros_and_ones)
    assert not is_category("ses:sector[Private]", zeros_and_ones)
    assert base("C(sector)[Private]") == "C(sector)"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("ses", True), ("np.log(ses)", True), ("poly(x, 2)[0]", True), ("poly(x, 2)[1]", False), ("bs(x)[0]", False)],
)
def test_lines_run_along_what_rises_with_its_variable(name, expected):
    assert is_axis(name, np.array([0.3, 0.7, -1.0])) is expected


def test_products_powers_and_nothing_else_move_with_a_predictor():
    rng = np.random.default_rng(1)
    x, other, dummy = rng.normal(size=200), rng.normal(size=200), (rng.random(200) < 0.3).astype(float)
    columns = {"x": x, "z": other, "g[b]": dummy, "x:g[b]": x * dummy, "I(x ** 2)": x**2, "x:w": x * 3.0}
    grid = np.sort(x)[[10, 100, 190]]
    moving = moving_along(columns, "x", grid)
    assert set(moving) == {"x", "x:g[b]", "I(x ** 2)", "x:w"}
    np.testing.assert_allclose(moving["x:g[b]"], grid * dummy.mean())
    np.testing.assert_allclose(moving["I(x ** 2)"], grid**2)  # at values that rows have, exactly
    np.testing.assert_allclose(moving["x:w"], 3.0 * grid)  # w has no column of its own


def test_categories_exclude_each_other_and_carry_their_products():
    rng = np.random.default_rng(1)
    b, x = (rng.random(100) < 0.3).astype(float), rng.normal(size=100) + 2
    c = (1 - b) * (rng.random(100) < 0.5)
    moving = moving_over({"x": x, "g[b]": b, "g[c]": c, "x:g[c]": x * c}, ["g[b]", "g[c]"])
    assert moving["g[b]"].tolist() == [0, 1, 0]
    assert moving["g[c]"].tolist() == [0, 0, 1]
    np.testing.assert_allclose(moving["x:g[c]"], [0, 0, x.mean()])
    assert "x" not in moving
