"""Rows whose groups are new: against closed forms of normal outcomes."""

import numpy as np
from scipy import stats

from hierfit.posterior.check.fresh import place_again
from hierfit.posterior.check.replicated import replicate_rows
from hierfit.posterior.compare.left_out import k_threshold
from tests.posterior.check.known_normal import left_out, normal_sample


def compared(codes, sd, sigma):
    """Places before and after, and those of the closed form; which rows weights could not take out."""
    sample = normal_sample(codes, sd, sigma)
    before = replicate_rows(sample).places
    after = place_again(sample, before)
    mean, spread = left_out(sample, sd, sigma)
    return before, after, stats.norm.cdf(sample.y, mean, spread), before.k > k_threshold(len(sample.picks))


def test_a_row_that_is_a_group_by_itself() -> None:
    before, after, wanted, doubtful = compared(np.arange(200), 2.0, 0.5)
    assert doubtful.mean() > 0.2, "weights must fail for this to say anything"
    assert np.sqrt(np.mean((before.pit - wanted)[doubtful] ** 2)) > 0.04
    # The intercept has seen the row, one of 200; shares of 1,000 draws have sds of 0.016.
    assert np.max(np.abs(after.pit - wanted)[doubtful]) < 0.06
    assert np.sqrt(np.mean((after.pit - wanted)[doubtful] ** 2)) < 0.02
    assert not np.any(after.k > k_threshold(1000))


def test_rows_in_pairs_are_given_each_other() -> None:
    before, after, wanted, doubtful = compared(np.repeat(np.arange(100), 2), 2.0, 0.7)
    assert doubtful.sum() > 10
    moved = np.abs(after.pit - before.pit) > 0
    assert np.all(moved <= doubtful) and moved.sum() > 0.8 * doubtful.sum()
    assert np.sqrt(np.mean((after.pit - wanted)[moved] ** 2)) < 0.04
