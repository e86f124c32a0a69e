"""One pass over the rows: its sums are those of all replications, its places those of closed forms."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from hierfit.posterior.check import replicated as module
from hierfit.posterior.check.places import places
from hierfit.posterior.check.replicated import replicate_rows
from hierfit.posterior.check.sample import take_sample
from hierfit.posterior.predict import trials_of
from tests.posterior.check.known_normal import left_out, normal_sample
from tests.posterior.family_draws import family_case


@pytest.mark.parametrize("family", ["gaussian", "poisson", "binomial", "cumulative"])
def test_statistics_are_those_of_all_rows(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = family_case(family)
    monkeypatch.setattr(module, "KEPT", 1000)
    sample = take_sample(case.draws, case.design)
    found = replicate_rows(sample)
    every = np.concatenate([sample.y[None], found.kept])  # rounded to 7 digits
    trials = trials_of(sample.design, sample.rows)
    np.testing.assert_allclose(found.total + 240 * found.origin, every.sum(axis=1), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(found.most, every.max(axis=1), rtol=1e-6)
    np.testing.assert_allclose(found.least, every.min(axis=1), rtol=1e-6)
    np.testing.assert_array_equal(found.zeros, (every == 0).sum(axis=1))
    np.testing.assert_array_equal(found.full, (every == trials).sum(axis=1))
    np.testing.assert_allclose(found.shares[1], ((every / trials) ** 2).sum(axis=1), rtol=1e-5)
    if family == "cumulative":
        np.testing.assert_array_equal(found.categories[:, 2], (every == 2).sum(axis=1))
    # What a draw expects, and replications of it, are as far apart as variances say, on average.
    assert abs(found.scatter[1].mean() / 240 - 1) < 1e-9


def test_places_are_those_of_rows_left_out() -> None:
    codes = np.repeat(np.arange(30), 8)
    sample = normal_sample(codes, 1.0, 1.0)
    found = replicate_rows(sample).places
    mean, sd = left_out(sample, 1.0, 1.0)
    # A share of 1,000 draws has an sd of 0.016 at most, weights make it somewhat more.
    wanted = stats.norm.cdf(sample.y, mean, sd)
    assert np.max(np.abs(found.pit - wanted)) < 0.09 and np.sqrt(np.mean((found.pit - wanted) ** 2)) < 0.02
    np.testing.assert_allclose(found.mean, mean, atol=0.2)
    np.testing.assert_allclose(found.sd, sd, rtol=0.15)
    assert np.corrcoef(found.mean - sample.y, mean - sample.y)[0, 1] > 0.999


def test_a_place_is_at_random_within_ties() -> None:
    y, drawn = np.array([1.0, 1.0, 5.0]), np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 2.0, 0.0], [2.0, 2.0, 0.0]])
    weights = np.full((4, 3), 0.25)
    low, high = places(y, drawn, weights, np.zeros(3)), places(y, drawn, weights, np.ones(3))
    np.testing.assert_allclose(low, [0.2, 0.2, 0.8])
    np.testing.assert_allclose(high, [0.8, 0.6, 1.0])


def test_the_seed_decides_and_nothing_else() -> None:
    case = family_case("poisson")
    first, again = (replicate_rows(take_sample(case.draws, case.design, seed)).places.pit for seed in (3, 3))
    np.testing.assert_array_equal(first, again)
    assert np.any(replicate_rows(take_sample(case.draws, case.design, 4)).places.pit != first)


def test_a_row_that_counts_twice_is_left_out_once() -> None:
    case = family_case("poisson")
    twice = take_sample(case.draws, replace(case.design, weights=np.full(240, 2.0)))
    once = take_sample(case.draws, case.design)
    assert len(replicate_rows(twice).places.pit) == 480
    # The same draws, as if of one and of two: weights are those of one row.
    np.testing.assert_allclose(replicate_rows(twice).places.k[::2], replicate_rows(once).places.k)
