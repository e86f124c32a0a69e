"""Distributions on the line, held to those of scipy.stats."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from hierfit.model.distributions import logarithm
from hierfit.model.priors import DISTRIBUTIONS

CASES = [
    ("normal", (1.0, 2.0), stats.norm(1, 2)),
    ("student_t", (3.0, 0.5, 2.0), stats.t(3, 0.5, 2)),
    ("student_t", (300.0, -0.5, 0.1), stats.t(300, -0.5, 0.1)),
    ("cauchy", (0.2, 5.0), stats.cauchy(0.2, 5)),
    ("laplace", (1.0, 2.0), stats.laplace(1, 2)),
    ("logistic", (1.0, 0.5), stats.logistic(1, 0.5)),
    ("lognormal", (0.3, 0.8), stats.lognorm(0.8, scale=np.exp(0.3))),
    ("exponential", (0.5,), stats.expon(scale=2)),
    ("gamma", (2.0, 0.5), stats.gamma(2, scale=2)),
    ("gamma", (0.4, 3.0), stats.gamma(0.4, scale=1 / 3)),
    ("inv_gamma", (0.4, 0.3), stats.invgamma(0.4, scale=0.3)),
    ("uniform", (-1.0, 4.0), stats.uniform(-1, 5)),
    ("beta", (2.0, 3.0), stats.beta(2, 3)),
    ("beta", (0.5, 1.0), stats.beta(0.5, 1)),
]
IDS = [f"{name}{numbers}" for name, numbers, _ in CASES]


def test_all_are_tried() -> None:
    assert {name for name, _, _ in CASES} == {name for name, kind in DISTRIBUTIONS.items() if kind.make is not None}


@pytest.mark.parametrize(("name", "numbers", "frozen"), CASES, ids=IDS)
def test_they_are_those_of_scipy(name, numbers, frozen) -> None:
    own, p = DISTRIBUTIONS[name].make(*numbers), np.concatenate([[1e-9, 1e-4], np.linspace(0.01, 0.99, 21), [1 - 1e-6]])
    inside = frozen.ppf(p)
    x = np.concatenate([inside, [-50.0, -0.5, 0.0, 0.5, 1.0, 60.0]])
    np.testing.assert_allclose(own.quantiles(p), inside, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(own.log_density(inside), frozen.logpdf(inside), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(own.density(x), frozen.pdf(x), rtol=1e-9)
    np.testing.assert_allclose(own.probability_below(x), frozen.cdf(x), rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(own.probability_above(x), frozen.sf(x), rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(own.quantiles(np.array([0.0, 1.0])), frozen.ppf([0, 1]))
    ends = np.array([-np.inf, np.inf])
    np.testing.assert_array_equal(own.probability_below(ends), [0, 1])
    np.testing.assert_array_equal(own.probability_above(ends), [1, 0])


def test_logarithms_are_finite() -> None:
    assert np.isfinite(logarithm(np.array([0.0, 1.0]))).all()
