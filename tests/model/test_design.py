from dataclasses import replace

import numpy as np
import pytest

from hierfit.errors import DataError
from hierfit.model.design import build_design
from hierfit.model.formula import formula_from_flags
from tests.model.cases import design, table


def test_columns_are_laid_out_in_the_units_of_the_file() -> None:
    made, source = design(), table()
    assert made.coefficients == ("a", "b")
    np.testing.assert_array_equal(made.X, np.column_stack([source.numbers["a"], source.numbers["b"]]))
    group = made.group("g")
    assert group.terms == ("Intercept", "a") and group.correlated
    np.testing.assert_array_equal(group.Z[:, 0], np.ones(40))
    np.testing.assert_array_equal(group.Z[:, 1], source.numbers["a"])
    assert group.n_levels == 8 and group.rows_per_level.tolist() == [5] * 8


def test_a_single_varying_column_has_no_correlation() -> None:
    assert not design(formula_from_flags("y", ["a"], "g")).group("g").correlated


def test_means_are_subtracted_only_where_an_intercept_takes_them_up() -> None:
    np.testing.assert_allclose(design().x_mean, design().X.mean(axis=0))
    np.testing.assert_array_equal(design(centered=False).x_mean, 0)
    without = replace(formula_from_flags("y", ["a"], "g"), intercept=False)
    assert design(without).x_mean.tolist() == [0] and design(without).y_mean == 0


def test_huge_offsets_keep_their_small_differences() -> None:
    source = table()
    shifted = replace(source, numbers={**source.numbers, "y": np.arange(40) * 0.25 + 1e12})
    made = build_design(formula_from_flags("y", ["a"], "g"), shifted)
    np.testing.assert_allclose(made.y - made.y_mean, (np.arange(40) - 19.5) * 0.25, atol=1e-3)
    assert made.y_scale == pytest.approx(np.std(np.arange(40) * 0.25, ddof=1), rel=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": np.full(40, 3.0)}, "column 'y': all 40 values are 3"),
        ({"a": np.full(40, 2.5)}, "column 'a': all 40 values are 2.5"),
        ({"b": 3 - 2 * table().numbers["a"]}, "column 'b' is a sum of multiples"),
    ],
)
def test_columns_that_say_nothing_are_refused(change: dict[str, np.ndarray], words: str) -> None:
    source = table()
    with pytest.raises(DataError, match=words):
        build_design(formula_from_flags("y", ["a", "b"], "g"), replace(source, numbers={**source.numbers, **change}))


def test_one_group_is_refused() -> None:
    with pytest.raises(DataError, match="all 6 rows have the label 'g0'"):
        design(formula_from_flags("y", ["a"], "g"), rows=6, levels=1)


def test_more_coefficients_than_rows_are_refused() -> None:
    with pytest.raises(DataError, match="3 complete rows; 2 predictors need at least 4"):
        design(rows=3, levels=3)
