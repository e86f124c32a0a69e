"""Smoothed weights against ArviZ's, row by row, for tails of every weight and where ArviZ has no answer."""

import numpy as np
import pytest
from arviz_stats.base.array import array_stats

from hierfit.posterior.pareto import smoothed, tail_shape


def ratios(n_draws, seed=1):
    """Logarithms of ratios that hardly differ, and of some of which one outweighs all others."""
    rng = np.random.default_rng(seed)
    rows = [scale * rng.normal(size=(5, n_draws)) for scale in (0.01, 0.1, 0.5, 1, 2, 4)]
    return np.concatenate([*rows, -rng.exponential(size=(5, n_draws)), np.log(rng.pareto(1.5, size=(5, n_draws)))])


@pytest.mark.parametrize("efficiency", [1.0, 0.6, 0.1])
@pytest.mark.parametrize("n_draws", [25, 100, 226, 1_000, 4_000])
def test_they_are_those_of_arviz(n_draws, efficiency):
    given = ratios(n_draws)
    found, k = smoothed(given, efficiency)
    theirs, their_k = array_stats.psislw(-given, r_eff=efficiency)
    np.testing.assert_allclose(k, their_k, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found, theirs, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1)


def test_rows_know_nothing_of_one_another_and_a_constant_changes_nothing():
    given = ratios(500)
    found, k = smoothed(given, 0.9)
    for row in (0, 17, 39):
        alone, own_k = smoothed(given[[row]] - 900.0, 0.9)
        np.testing.assert_allclose(alone[0], found[row], rtol=1e-9, atol=1e-9)
        assert own_k[0] == pytest.approx(k[row], rel=1e-6)


def test_what_is_given_stays_as_it_is():
    given = ratios(200)
    before = given.copy()
    smoothed(given, 1.0)
    np.testing.assert_array_equal(given, before)


def test_a_tail_of_one_value_has_no_shape_and_is_not_smoothed():
    given = np.zeros((2, 400))
    given[1, :100] = -np.linspace(1, 3, 100)
    found, k = smoothed(given, 1.0)
    assert np.isnan(k).all()
    np.testing.assert_allclose(found, given - np.log(np.exp(given).sum(axis=1, keepdims=True)))


@pytest.mark.parametrize("scale", [40.0, 400.0, 1e5])
def test_a_ratio_that_outweighs_all_others_is_no_good(scale):
    given = scale * np.random.default_rng(2).normal(size=(50, 1_000))
    found, k = smoothed(given, 1.0)
    assert np.all(k > 0.7) and np.isfinite(found).all()
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1)


def test_the_shape_is_that_of_the_distribution():
    """Ratios 1 / u^k of uniform u have a tail of shape k; the prior of k is worth 10 of some 300 ratios."""
    u = np.random.default_rng(3).uniform(size=(200, 10_000))
    for k in (0.2, 0.5, 0.9):
        found = smoothed(-k * np.log(u), 1.0)[1]
        # The sd of an estimate is about (1 + k) / sqrt(300), of the mean of 200 of them a fourteenth of that.
        assert found.mean() == pytest.approx(k, abs=0.03)
        assert found.std() == pytest.approx((1 + k) / np.sqrt(300), rel=0.25)


@pytest.mark.parametrize("n_draws", [25, 57, 250, 1_000])
def test_the_shape_of_a_tail_is_that_of_arviz(n_draws):
    for row in np.exp(ratios(4 * n_draws)).reshape(-1, 4, n_draws):
        theirs = array_stats.pareto_khat(row, chain_axis=0, draw_axis=1, r_eff=1.0, tail="right")
        assert tail_shape(row) == pytest.approx(float(theirs), rel=1e-9, abs=1e-12)
    assert np.isnan(tail_shape(np.ones((4, n_draws))))
