"""Means of groups among those of new groups: against closed forms of normal outcomes."""

import numpy as np
from scipy import stats

from hierfit.posterior.check.coverage import group_means, groups_check
from hierfit.posterior.check.sample import take_sample
from hierfit.posterior.check.verdicts import Verdict
from tests.posterior.check.known_normal import normal_design, normal_draws, normal_sample


def test_means_and_intervals_are_those_of_new_groups() -> None:
    codes = np.repeat(np.arange(60), np.r_[np.full(30, 3), np.full(29, 12), 300])
    sample = normal_sample(codes, 1.5, 2.0)
    found = group_means(sample, sample.design.groups[0])
    rows = np.bincount(codes)
    np.testing.assert_allclose(found.observed, np.bincount(codes, sample.y) / rows)
    centre = sample.draws.of("Intercept").mean()
    sd = np.sqrt(1.5**2 + 4 / rows + sample.draws.of("Intercept").var())
    # Quantiles of 1,000 draws: the outer ones have sds of 0.085 sd, the median of 0.04.
    np.testing.assert_allclose(found.middle, np.full(60, centre), atol=0.04 * 4 * sd.max())
    assert np.max(np.abs(found.lower - (centre - 1.96 * sd)) / sd) < 0.4
    assert np.max(np.abs(found.upper - (centre + 1.96 * sd)) / sd) < 0.4
    assert np.max(np.abs(found.pit - stats.norm.cdf(found.observed, centre, sd))) < 0.06
    assert np.all(np.abs(found.within - 0.95) < 0.01)


def test_groups_from_another_distribution_are_flagged_and_named() -> None:
    rng = np.random.default_rng(2)
    codes = np.repeat(np.arange(40), 10)
    u = 0.1 * rng.normal(size=40)
    u[[4, 17]] = 6, -6
    y = u[codes] + rng.normal(size=400)
    draws = normal_draws(y, codes, 1.0, 1.0, 1000, rng)
    sample = take_sample(draws, normal_design(y, codes))
    check = groups_check(sample, group_means(sample, sample.design.groups[0]))
    assert check.verdict is Verdict.DIFFERS
    assert check.observed == 0.95 and "means of 38 of 40 levels of g" in check.says
    assert check.says.endswith("far out: g4, g17") or check.says.endswith("far out: g17, g4")


def test_tails_are_those_of_the_normal_distribution_or_somewhat_heavier() -> None:
    from hierfit.posterior.check.coverage import _tail

    drawn = np.random.default_rng(5).normal(size=(1000, 300))
    for z in (2.5, 3.5, 4.5, 6.0):
        found, wanted = np.log(_tail(np.full(300, z), drawn, np.zeros(300))).mean(), stats.norm.logsf(z)
        assert wanted - 0.1 < found < 0.5 * wanted


def test_groups_of_the_model_are_flagged_seldom() -> None:
    flagged = 0
    for seed in range(60):
        sample = normal_sample(np.repeat(np.arange(25), 6), 1.0, 1.0, seed)
        flagged += groups_check(sample, group_means(sample, sample.design.groups[0])).verdict is not Verdict.OK
    assert flagged <= 4  # 1.2 expected at most; more than 4 come once in 100 times
