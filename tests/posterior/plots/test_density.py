"""Density curves: normalised, right for a normal, and nothing outside the support."""

import numpy as np
import pytest

from hierfit.posterior.plots.density import density


def test_a_normal_is_recovered():
    values = np.random.default_rng(1).normal(3.0, 2.0, size=20_000)
    grid, heights = density(values)
    truth = np.exp(-0.5 * ((grid - 3) / 2) ** 2) / (2 * np.sqrt(2 * np.pi))
    # Kernel estimate at n = 20,000: standard error at the mode about 3 %, smoothing bias 1 %.
    assert np.abs(heights - truth).max() < 0.06 * truth.max()
    assert heights.sum() * (grid[1] - grid[0]) == pytest.approx(1.0)


def test_an_sd_near_zero_has_its_density_at_zero_and_none_below():
    values = np.abs(np.random.default_rng(2).normal(size=20_000))
    grid, heights = density(values, 0.0)
    assert grid.min() > 0
    # Half normal: density sqrt(2 / pi) at 0; without reflection it would be half of that.
    assert heights[0] == pytest.approx(np.sqrt(2 / np.pi), rel=0.06)


def test_both_bounds_are_respected():
    values = np.random.default_rng(3).uniform(-1, 1, size=20_000)
    grid, heights = density(values, -1.0, 1.0)
    assert (grid.min() > -1, grid.max() < 1) == (True, True)
    assert heights == pytest.approx(np.full(len(grid), 0.5), rel=0.15)


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_the_scale_does_not_matter(scale):
    values = np.random.default_rng(4).normal(size=2_000)
    assert density(values * scale)[1] * scale == pytest.approx(density(values)[1])


def test_values_without_spread_or_not_finite_do_not_break_it():
    assert np.isfinite(density(np.full(50, 2.0))[1]).all()
    assert np.isfinite(density(np.array([1.0, 2.0, np.nan, np.inf]))[1]).all()
    assert density(np.array([np.nan]))[1].sum() == 0
