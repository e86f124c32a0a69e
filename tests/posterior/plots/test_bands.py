"""Bands hold all bins of a fitting model at once, for rare and for common values."""

import numpy as np
import pytest

from hierfit.posterior.plots.bands import band, uniform_band


@pytest.mark.parametrize("mean", [0.05, 1.0, 400.0])
@pytest.mark.parametrize("bins", [1, 5, 30])
def test_a_band_holds_all_bins_of_95_percent_of_fresh_counts(mean, bins):
    rng = np.random.default_rng(1)
    low, high = band(rng.poisson(mean, (2_000, bins)).astype(float))
    fresh = rng.poisson(mean, (4_000, bins))
    held = np.mean(((fresh >= low) & (fresh <= high)).all(axis=1))
    # Counts are whole: of rare ones a band holds more than 95 %. Otherwise within the noise of 2,000 simulations.
    assert held > 0.935
    assert held < 0.97 or mean < 400


def test_a_band_of_proportions_holds_as_many():
    rng = np.random.default_rng(2)
    p = np.linspace(0.02, 0.98, 10)
    low, high = band(rng.binomial(60, p, (2_000, 10)) / 60, counts=False)
    fresh = rng.binomial(60, p, (4_000, 10)) / 60
    assert 0.935 < np.mean(((fresh >= low) & (fresh <= high)).all(axis=1)) < 0.975


def test_bins_without_spread_have_bounds_around_their_value():
    low, high = band(np.tile([0.0, 3.0], (50, 1)))
    assert (low <= [0, 3]).all() and (high >= [0, 3]).all()
    assert (high - low < 0.01).all()


@pytest.mark.parametrize(("rows", "bins"), [(100, 10), (5_000, 20)])
def test_histograms_of_uniform_numbers_keep_within_their_band(rows, bins):
    low, high = uniform_band(rows, bins)
    rng = np.random.default_rng(3)
    counts = np.stack([np.histogram(rng.random(rows), bins, (0, 1))[0] for _ in range(2_000)])
    assert 0.93 < np.mean(((counts >= low) & (counts <= high)).all(axis=1)) < 0.985
