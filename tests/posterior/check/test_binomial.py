"""Binomial counts, held to scipy.stats."""

import numpy as np
import pytest
from scipy import stats

from hierfit.posterior.check.binomial import as_unlikely, at_most, least_with, more_than

SHARES = np.array([1e-5, 0.002, 0.3, 0.5, 0.97])


@pytest.mark.parametrize("n", [1, 7, 200, 10_000])
def test_probabilities_and_quantiles_are_those_of_scipy(n) -> None:
    for count in (-1, 0, 1, n // 3, n - 1, n):
        np.testing.assert_allclose(at_most(count, n, SHARES), stats.binom.cdf(count, n, SHARES), rtol=1e-9)
        np.testing.assert_allclose(more_than(count, n, SHARES), stats.binom.sf(count, n, SHARES), rtol=1e-9)
    for probability in (1e-4, 0.025, 0.5, 0.975):
        np.testing.assert_array_equal(least_with(probability, n, SHARES), stats.binom.ppf(probability, n, SHARES))
        above = least_with(probability, n, SHARES, above=True)
        np.testing.assert_array_equal(above, stats.binom.isf(probability, n, SHARES))


@pytest.mark.parametrize(("count", "n"), [(0, 5), (5, 5), (3, 9), (30, 400), (9_600, 10_000), (485, 500)])
@pytest.mark.parametrize("share", [0.002, 0.5, 0.95])
def test_p_values_are_those_of_scipys_exact_test(count, n, share) -> None:
    wanted = stats.binomtest(count, n, share).pvalue
    np.testing.assert_allclose(as_unlikely(count, n, share), wanted, rtol=1e-7, atol=1e-300)
