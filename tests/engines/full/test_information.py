"""What rows say: expected information against the variance of the slope over simulated outcomes, for every family."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.engines.full.information import Rows
from hierfit.model.families import FAMILIES
from tests.family_cases import FAMILY_CASES, FamilyCase

Array = NDArray[np.float64]
DRAWS = 60_000
# Their information is that of mean and variance alone, which is less than the whole.
BY_MOMENTS = ("beta", "beta_binomial", "zero_inflated_poisson", "zero_inflated_negbinomial")


def simulated(case: FamilyCase, eta: float) -> Rows:
    rng = np.random.default_rng(3)
    family, trials = FAMILIES[case.family], np.full(DRAWS, 7.0 if FAMILIES[case.family].has_trials else 1.0)
    mean = family.mean(np.full(DRAWS, eta), case.link, case.values)
    y = family.replicate(rng, mean, case.values, trials)
    return Rows(case.family, case.link, np.log(y) if case.family == "lognormal" else y, trials, case.values)


@pytest.mark.parametrize("offset", [-0.7, 0.4])
@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_information_is_the_variance_of_the_slope(case: FamilyCase, offset: float) -> None:
    at = np.full(DRAWS, case.intercept + offset)
    rows = simulated(case, case.intercept + offset)
    slope, found = rows.slope(at), rows.information(at)[0]
    # 60,000 draws: the mean of a score is 0 within 4 standard errors, its variance is known to a few percent.
    assert abs(slope.mean()) < 4 * slope.std() / DRAWS**0.5
    if case.family in BY_MOMENTS:
        assert 0.3 * slope.var() < found < 1.1 * slope.var()
    else:
        assert found == pytest.approx(slope.var(), rel=0.06)


def test_a_poisson_distribution_is_a_negative_binomial_of_large_shape() -> None:
    eta, y, ones = np.linspace(-1, 2, 5), np.arange(5.0), np.ones(5)
    for poisson, wider in (("poisson", "negbinomial"), ("hurdle_poisson", "hurdle_negbinomial")):
        rows = Rows(poisson, "log", y, ones, {"hu": np.array([0.2])} if "hurdle" in poisson else {})
        like = replace(rows, family=wider, auxiliaries={**rows.auxiliaries, "shape": np.array([1e7])})
        np.testing.assert_allclose(rows.information(eta), like.information(eta), rtol=1e-4)
