"""Averages of numbers that are small differences on a large offset."""

import numpy as np
import pytest

from hierfit.design import moments

SHIFTS = [0.0, 1.0, -1e3, 1e6, 1e9, -1e12, 1e12]


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1), (0, 2)])
def test_a_shift_is_all_that_changes(shift: float, axis: int | tuple[int, ...] | None) -> None:
    values = np.random.default_rng(1).integers(-4096, 4096, (40, 100, 3)) / 1024  # exact on any of the offsets
    shifted = values + shift
    expected = np.mean(values, axis=axis)
    # Half the distance of doubles near the result, and what adding up small numbers costs.
    error = 1.001 * np.spacing(np.abs(expected + shift)) + 1e-14
    assert np.all(np.abs(moments.mean(shifted, axis) - (expected + shift)) <= error)
    np.testing.assert_allclose(moments.sd(shifted, axis), np.std(values, axis=axis, ddof=1), rtol=1e-12)


@pytest.mark.parametrize("shift", SHIFTS)
def test_columns_levels_and_standardized_values(shift: float) -> None:
    rng = np.random.default_rng(2)
    X = rng.integers(-4096, 4096, (20_000, 2)) / 1024
    codes, weights = rng.integers(0, 5, len(X)), rng.uniform(0.5, 2, len(X))
    error = 1.001 * np.spacing(np.abs(shift) + 1) + 1e-12
    assert np.all(np.abs(moments.column_means(X + shift) - X.mean(axis=0) - shift) <= error)
    np.testing.assert_allclose(moments.column_sds(X + shift), X.std(axis=0, ddof=1), rtol=1e-12)
    for given in (None, weights):
        expected = [
            np.average(X[codes == j, 0], weights=None if given is None else given[codes == j]) for j in range(5)
        ]
        found = moments.level_means(X[:, 0] + shift, codes, 6, given)
        assert np.all(np.abs(found[:5] - np.array(expected) - shift) <= error) and found[5] == 0
    standard, scale = moments.standardized(X + shift)
    np.testing.assert_allclose(standard, (X - X.mean()) / X.std(), rtol=1e-9, atol=1e-12)
    assert scale == pytest.approx(X.std())


def test_of_nothing_there_is_no_mean() -> None:
    with pytest.warns(RuntimeWarning, match="empty"):
        assert np.isnan(moments.mean(np.empty(0)))
