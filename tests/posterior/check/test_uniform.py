"""Places against uniform ones: p values and bands hold as often as they say."""

import numpy as np
import pytest
from scipy import stats

from hierfit.posterior.check.uniform import uniformity


@pytest.mark.parametrize("n", [5, 40, 1000])
def test_p_values_of_uniform_places_are_uniform(n: int) -> None:
    rng = np.random.default_rng(1)
    p = np.array([uniformity(rng.random(n)).p for _ in range(1000)])
    # 1,000 of them: 50 and 20 expected, sds 7 and 4.4; of few places few p are possible, which may only be too large.
    assert np.mean(p <= 0.05) < 0.08 and np.mean(p <= 0.02) < 0.035
    if n == 1000:
        assert np.mean(p <= 0.05) > 0.025 and abs(p.mean() - 0.5) < 0.05


@pytest.mark.parametrize("n", [30, 400])
def test_the_band_holds_all_of_it_with_its_probability(n: int) -> None:
    rng = np.random.default_rng(2)
    kept = []
    for _ in range(1000):
        even = uniformity(rng.random(n))
        kept.append(np.all((even.lower <= even.below) & (even.below <= even.upper)))
        assert kept[-1] == (even.p > 0.05) or abs(even.p - 0.05) < 0.02
    # 0.95, and more where counts are few: sd 0.007.
    assert 0.925 < np.mean(kept) < 0.985


def test_the_band_is_that_of_arviz() -> None:
    from arviz.stats.ecdf_utils import ecdf_confidence_band

    even = uniformity((np.arange(200) + 0.5) / 200)
    lower, upper = ecdf_confidence_band(
        200,
        even.grid,
        stats.uniform(0, 1).cdf(even.grid),
        method="simulated",
        prob=0.95,
        num_trials=4000,
        rvs=stats.uniform(0, 1).rvs,
    )
    # Both simulate their pointwise level: bounds are the same to two rows of 200.
    np.testing.assert_allclose(even.lower, lower, atol=0.0101)
    np.testing.assert_allclose(even.upper, upper, atol=0.0101)


@pytest.mark.parametrize(("a", "b"), [(2, 2), (0.7, 0.7), (1.3, 1)])
def test_places_that_are_not_uniform_are_found(a: float, b: float) -> None:
    even = uniformity(np.random.default_rng(3).beta(a, b, 1000))
    assert even.p < 0.002 and abs(even.away) > 0.03
