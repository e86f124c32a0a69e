"""LAPACK at the address that scipy gives out, against numpy's factor of a copy."""

import numpy as np
import pytest

from hierfit.engines.marginal.factor import factor_in_place


@pytest.mark.parametrize("n", [1, 2, 7, 300])
def test_the_factor_is_that_of_numpy(n: int) -> None:
    half = np.random.default_rng(n).normal(size=(n, n + 2))
    S = half @ half.T
    expected = np.linalg.cholesky(S)
    garbage = np.triu(np.full((n, n), np.nan), 1)
    below = np.tril(S) + garbage
    L = factor_in_place(below)
    assert L is below
    np.testing.assert_allclose(np.tril(L), expected, rtol=1e-9, atol=1e-12)
    assert np.isnan(L[np.triu_indices(n, 1)]).all()


def test_what_is_not_positive_definite_is_refused() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        factor_in_place(np.array([[1.0, 0.0], [2.0, 1.0]]))
