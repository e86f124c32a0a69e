"""Means over a normal predictor, held to integrals of scipy's that are told where the integrand is steep."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, special, stats

from hierfit.model import over_normal as module
from hierfit.model.links import LINKS
from hierfit.model.over_normal import exponent_over_normal, over_normal, rule

SDS = [0.0, 1e-3, 0.1, 0.3, 0.31, 0.45, 0.67, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 40.0, 59.0, 61.0, 300.0, 1e4]
ETAS = [0.0, 0.1, 1.0, 2.0, 5.0, 15.0, 100.0, 700.0, 1e5, -0.5, -3.0, -40.0, -1e5]


def integral(inverse, eta: float, sd: float) -> float:
    """Return the mean by adaptive quadrature, piece by piece around where the link is steep."""
    steep = np.clip((np.array([-30, -8, -2, 0, 2, 8, 30]) - eta) / max(sd, 1e-9), -38, 38)
    ends = sorted({-38.0, -6.0, -2.0, 0.0, 2.0, 6.0, 38.0, *steep.tolist()})
    pieces = (
        integrate.quad(lambda z: inverse(eta + sd * z) * stats.norm.pdf(z), low, high, epsabs=1e-15, epsrel=1e-13)[0]
        for low, high in pairwise(ends)
    )
    return sum(pieces)


def column(values) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)[:, None]


@pytest.mark.parametrize("sd", SDS)
def test_probabilities_are_integrals_to_nine_digits_at_every_sd(sd) -> None:
    wanted = [integral(special.expit, eta, sd) for eta in ETAS]
    (found,) = over_normal("logit")([column(ETAS)], np.full((len(ETAS), 1), sd))
    np.testing.assert_allclose(found[:, 0], wanted, rtol=0, atol=3e-9)
    assert (found > 0).all() and (found < 1).all()


def test_every_link_that_has_a_rule_is_held_to_its_integral() -> None:
    rng = np.random.default_rng(1)
    etas, sds = rng.normal(0, 2, (20, 1)), rng.uniform(0, 2, (20, 1))
    for name in ("identity", "log", "logm1", "probit", "logit"):
        first, second = over_normal(name)([etas, etas + 1], sds)
        pairs = zip(etas[:, 0], sds[:, 0], strict=True)
        wanted = [integral(LINKS[name].inverse, eta, sd) for eta, sd in pairs]
        np.testing.assert_allclose(first[:, 0], wanted, rtol=1e-8)
        np.testing.assert_allclose(second, over_normal(name)([etas + 1], sds)[0], rtol=0, atol=2e-9)
    assert over_normal("cloglog") is None
    (exponent,) = exponent_over_normal([etas], sds)
    np.testing.assert_allclose(np.exp(exponent), over_normal("log")([etas], sds)[0], rtol=1e-13)


def test_sds_that_differ_much_keep_their_digits_in_whatever_company(monkeypatch) -> None:
    rng = np.random.default_rng(2)
    eta, sd = rng.normal(0, 3, (40, 30)), np.exp(rng.normal(-0.5, 1.5, (40, 30)))
    sd[3, 4], sd[5, 6] = 200.0, 0.0
    logit = over_normal("logit")
    (whole,) = logit([eta], sd)
    alone = np.array([logit([eta[at : at + 1, of : of + 1]], sd[at, of])[0] for at, of in np.ndindex(eta.shape)])
    np.testing.assert_allclose(whole, alone.reshape(eta.shape), rtol=0, atol=4e-9)
    monkeypatch.setattr(module, "_CELLS", 7)
    np.testing.assert_allclose(logit([eta], sd)[0], whole, rtol=0, atol=4e-9)


def test_an_sd_of_each_draw_serves_all_rows() -> None:
    rng = np.random.default_rng(3)
    eta, sd = rng.normal(0, 1, (50, 4)), rng.uniform(0.2, 1.5, (50, 1))
    found, wanted = (over_normal("logit")([eta], own)[0] for own in (sd, np.broadcast_to(sd, eta.shape)))
    np.testing.assert_array_equal(found, wanted)


def test_steps_shorten_with_the_sd() -> None:
    steps = [rule(sd)[0] for sd in (0.3, 0.5, 0.8, 1.0, 2.0, 5.0, 60.0)]
    assert steps == sorted(steps, reverse=True)
    assert len(rule(0.3)[1]) < 10 and len(rule(1.0)[1]) < 12
