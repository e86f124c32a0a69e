"""Draws and rows that checks are computed from."""

from dataclasses import replace

import numpy as np

from hierfit.posterior.check.sample import MOST_DRAWS, take_sample
from tests.posterior.family_draws import family_case


def test_all_rows_and_evenly_spaced_draws() -> None:
    case = family_case("gaussian", n_draws=500)
    sample = take_sample(case.draws, case.design)
    np.testing.assert_array_equal(sample.rows, np.arange(240))
    values = case.draws.values.reshape(2000, -1)
    assert sample.draws.values.shape == (1, MOST_DRAWS, values.shape[1])
    np.testing.assert_array_equal(sample.draws.values[0, 0], values[0])
    np.testing.assert_array_equal(sample.draws.values[0, -1], values[-1])
    first = case.draws.effects["school"].reshape(2000, 20, -1)[0]
    np.testing.assert_array_equal(sample.draws.effects["school"][0, 0], first)
    assert sample.part == "1,000 of 2,000 draws"


def test_few_draws_are_taken_again() -> None:
    case = family_case("gaussian", n_draws=50)
    sample = take_sample(case.draws, case.design)
    assert len(sample.picks) == MOST_DRAWS and sample.part == ""
    assert len(np.unique(sample.draws.values[0, :, 0])) == 200


def test_rows_of_whole_weights_are_taken_as_often() -> None:
    case = family_case("bernoulli")
    weights = np.arange(240) % 3.0
    sample = take_sample(case.draws, replace(case.design, weights=weights))
    assert sample.whole and sample.n_rows == weights.sum()
    np.testing.assert_array_equal(np.bincount(sample.rows, minlength=240), weights)
    np.testing.assert_array_equal(sample.worth(sample.rows), 1)


def test_rows_of_other_weights_are_taken_once() -> None:
    case = family_case("bernoulli")
    design = replace(case.design, weights=np.full(240, 1.5))
    sample = take_sample(case.draws, design)
    assert not sample.whole and len(sample.rows) == 240
    np.testing.assert_array_equal(sample.worth(sample.rows), 1.5)


def test_of_many_rows_some_are_taken_at_random_and_it_is_said() -> None:
    case = family_case("bernoulli")
    design = replace(case.design, weights=np.full(240, 3.0))
    sample = take_sample(case.draws, design, most_rows=100)
    assert len(sample.rows) == 100 and sample.part == "100 of 720 rows, taken at random"
    assert np.all(np.diff(sample.rows) >= 0) and np.bincount(sample.rows).max() <= 3
    # Rows are alike: 100 of 240 x 3, of which 12 or so are taken twice or more.
    assert 80 < len(np.unique(sample.rows)) < 97
    weights = np.arange(240) % 3.0
    most = take_sample(case.draws, replace(case.design, weights=weights), most_rows=239)
    assert np.all(np.bincount(most.rows, minlength=240) <= weights)
