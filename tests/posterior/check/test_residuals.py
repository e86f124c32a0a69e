"""Residuals along predictors: p values of residuals that are right, and misfits that are found."""

import numpy as np
import pytest

from hierfit.posterior.check import residuals as residuals_module
from hierfit.posterior.check.residuals import against


@pytest.mark.parametrize("levels", [0, 4])
def test_p_values_of_right_residuals_are_uniform(levels: int) -> None:
    rng = np.random.default_rng(1)
    p = []
    for _ in range(500):
        x = rng.integers(0, levels, 240).astype(float) if levels else rng.exponential(size=240)
        found = against("x", x, rng.normal(size=240), tuple("abcd"[:levels]))
        p.append((found.p_level, found.p_spread))
    p = np.array(p)
    # 25 of 500 at 0.05, sd 4.9; squares of normal numbers in bins of 24 have heavier tails than normal sums.
    assert np.all((p < 0.05).mean(axis=0) > 0.015) and np.all((p < 0.05).mean(axis=0) < 0.09)
    assert np.all((p < 0.002).mean(axis=0) < 0.015)


def test_p_values_of_two_values_are_at_least_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residuals_module, "SIMULATIONS", 2_000)  # p values to 0.005, at 0.05
    rng = np.random.default_rng(2)
    p = []
    for _ in range(500):
        x = rng.normal(size=300)
        share = 1 / (1 + np.exp(3 - x))  # one in twenty
        y = (rng.random(300) < share).astype(float)
        residuals = (y - share) / np.sqrt(share * (1 - share))
        p.append(against("x", x, residuals, binary=(y, share)).p_level)
    assert 0.02 < np.mean(np.array(p) < 0.05) < 0.085


def test_a_curve_and_a_funnel_are_found_and_told_apart() -> None:
    rng = np.random.default_rng(3)
    x, noise = rng.normal(size=500), rng.normal(size=500)
    curve, funnel = against("x", x, noise + 0.4 * (x**2 - 1)), against("x", x, noise * np.exp(0.4 * x))
    assert curve.p_level < 1e-6 and funnel.p_spread < 1e-6 and funnel.p_level > 0.002


def test_bins() -> None:
    rng = np.random.default_rng(4)
    few = against("x", np.repeat([8.0, 15.0, 36.0], 20), rng.normal(size=60))
    assert few.count.tolist() == [20, 20, 20] and few.place(1) == "x 15"
    many = against("x", rng.normal(size=400), rng.normal(size=400))
    assert many.count.tolist() == [40] * 10 and many.place(0).startswith("x from -")
    rare = against("s", np.array([0.0] * 30 + [1.0] * 30 + [2.0] * 3), rng.normal(size=63), ("a", "b", "c"))
    assert rare.count.tolist() == [30, 30] and rare.bins[-1] == -1 and rare.place(1) == "s b"
    assert against("x", np.ones(50), rng.normal(size=50)) is None
    assert few.splits_as(against("-x", -few.x, few.residuals)) and not few.splits_as(many)
