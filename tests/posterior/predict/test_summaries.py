"""Means and bounds of many draws against numpy's, of whole outcomes by counting."""

import numpy as np
import pytest

from hierfit.posterior.predict.quantities import Quantity
from hierfit.posterior.predict.summaries import bounds, column_names, columns, of_words

CIS = [0.5, 0.8, 0.9, 0.95, 0.99, 0.999]


@pytest.mark.parametrize("ci", CIS)
@pytest.mark.parametrize("count", [1, 2, 3, 40, 41, 4_000])
def test_bounds_of_what_is_continuous_are_quantiles_of_type_7(ci: float, count: int) -> None:
    values = np.random.default_rng(count).normal(size=(7, count)).T
    for own in (values, np.ascontiguousarray(values)):
        found = bounds(own, ci)
        np.testing.assert_allclose(found, np.quantile(own, [(1 - ci) / 2, (1 + ci) / 2], axis=0), rtol=1e-12)


@pytest.mark.parametrize("ci", CIS)
@pytest.mark.parametrize("count", [1, 2, 40, 399, 4_000])
def test_bounds_of_counts_were_drawn_and_hold_as_many_as_they_say(ci: float, count: int) -> None:
    values = np.random.default_rng(count).poisson(3, size=(count, 9)).astype(float)
    lower, upper = bounds(values, ci, whole=True)
    tail = (1 - ci) / 2
    for low, high, own in zip(lower, upper, values.T, strict=True):
        assert low in own and high in own
        assert (own < low).mean() <= tail + 1e-12 <= (own <= low).mean() + 2e-12
        assert (own > high).mean() <= tail + 1e-12 and (own >= high).mean() >= tail - 1e-12


def test_draws_are_not_put_in_order_in_place() -> None:
    values = np.random.default_rng(1).normal(size=(100, 3))
    before = values.copy()
    columns([Quantity("expected")], [values], 0.9)
    np.testing.assert_array_equal(values, before)


def test_columns_have_the_names_and_the_order_of_their_numbers() -> None:
    asked = [Quantity("a"), Quantity("p", bounds=False), Quantity("o", mean=False, whole=True, categories=("x", "y"))]
    values = [np.arange(10.0)[:, None] + 1e12, np.full((10, 1), 0.25), np.array([[0.0]] * 9 + [[1.0]])]
    assert column_names(asked) == ("a", "a_lower", "a_upper", "p", "o_lower", "o_upper")
    assert of_words(asked) == (False, False, False, False, True, True)
    found = columns(asked, values, 0.8)
    assert found == [[1e12 + 4.5], [1e12 + 0.9], [1e12 + 8.1], [0.25], ["x"], ["x"]]
    assert columns(asked, values, 0.9)[-1] == ["y"]
