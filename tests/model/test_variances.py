"""The variances of the families against scipy's, sums over all values, and simulated outcomes."""

import numpy as np
import pytest
from scipy import stats

from hierfit.model.families import FAMILIES

MEAN = np.array([0.2, 0.5, 3.0, 40.0])
SHARE = np.array([0.01, 0.3, 0.5, 0.9])
TRIALS = np.array([1.0, 3.0, 10.0, 7.0])


def variance(family, mean, trials=None, **auxiliaries):
    own = {name: np.array([value]) for name, value in auxiliaries.items()}
    return FAMILIES[family].variance(mean, own, np.ones(len(mean)) if trials is None else trials)


@pytest.mark.parametrize(("found", "wanted"), [
    (variance("gaussian", MEAN, sigma=1.5), np.full(4, 2.25)),
    (variance("student", MEAN, sigma=1.5, nu=4.0), stats.t(4, MEAN, 1.5).var()),
    (variance("lognormal", MEAN[:3], sigma=0.8), stats.lognorm(0.8, scale=np.exp(MEAN[:3])).var()),
    (variance("gamma", MEAN, shape=3.0), stats.gamma(3, scale=MEAN / 3).var()),
    (variance("poisson", MEAN), MEAN),
    (variance("negbinomial", MEAN, shape=2.0), stats.nbinom(2, 2 / (2 + MEAN)).var()),
    (variance("bernoulli", SHARE), stats.bernoulli(SHARE).var()),
    (variance("binomial", SHARE, TRIALS), stats.binom(TRIALS, SHARE).var()),
    (variance("beta", SHARE, phi=6.0), stats.beta(6 * SHARE, 6 * (1 - SHARE)).var()),
    (variance("beta_binomial", SHARE, TRIALS, phi=6.0), stats.betabinom(TRIALS, 6 * SHARE, 6 * (1 - SHARE)).var()),
])  # fmt: skip
def test_those_of_scipy(found, wanted):
    np.testing.assert_allclose(found, np.broadcast_to(wanted, found.shape), rtol=1e-10)


@pytest.mark.parametrize("family", [name for name in FAMILIES if name.startswith(("zero_inflated", "hurdle"))])
def test_two_parts_summed_over_all_counts(family):
    own = FAMILIES[family]
    auxiliaries = {"zi": np.array([0.3]), "hu": np.array([0.3]), "shape": np.array([2.0])}
    y = np.arange(4_000, dtype=float)
    for mean in MEAN:
        density = np.exp(own.log_density(y, np.full(len(y), mean), auxiliaries, np.ones(len(y))))
        first = density @ y
        assert own.expected(np.array([mean]), auxiliaries, np.ones(1))[0] == pytest.approx(first, rel=1e-9)
        found = own.variance(np.array([mean]), auxiliaries, np.ones(1))[0]
        assert found == pytest.approx(density @ (y - first) ** 2, rel=1e-8)


def test_codes_of_categories():
    cuts = np.array([0.2, 0.7])[:, None]
    assert FAMILIES["cumulative"].variance(cuts, {}, np.ones(1))[0] == pytest.approx(0.5 + 4 * 0.3 - 1.1**2)


def test_no_variance_below_two_degrees_of_freedom():
    assert np.isinf(variance("student", MEAN, sigma=1.0, nu=1.7)).all()
