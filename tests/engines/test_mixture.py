"""Mixtures that are fitted to weighted points, and proposals that are refined by them."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.engines.mixture import fit_mixture
from hierfit.engines.proposal import PILOT, Proposal, fly, propose
from hierfit.engines.refining import ENOUGH, refine

Array = NDArray[np.float64]


def test_two_clusters_are_found() -> None:
    rng = np.random.default_rng(1)
    points = np.concatenate([rng.normal(-4, 1, (700, 2)), rng.normal(4, [0.5, 2], (300, 2))])
    found = fit_mixture(points, np.full(1000, 1e-3), 2, rng)
    low, high = sorted(found, key=lambda component: component.mean[0])
    assert [low.share, high.share] == pytest.approx([0.7, 0.3], abs=1e-3)
    np.testing.assert_allclose(low.mean, [-4, -4], atol=0.2)  # five errors of 1 / sqrt(700)
    np.testing.assert_allclose(np.sqrt(np.diag(high.covariance)), [0.5, 2], rtol=0.35)  # it leans to that of all


def funnel(points: Array) -> Array:
    """A density whose second number is the wider the lower the first is, which no normal one is near."""
    width = np.exp(-0.6 * points[:, 0])
    return np.asarray(
        -0.5 * points[:, 0] ** 2 - 0.5 * (points[:, 1:] / width[:, np.newaxis]) ** 2 @ np.ones(3) - 3 * np.log(width)
    )


def test_nothing_is_refined_where_too_few_points_have_weight() -> None:
    rng, bounds = np.random.default_rng(4), np.tile([-np.inf, np.inf], (4, 1))
    proposal, pilot = propose(lambda x: -0.5 * (x**2).sum(axis=1), np.zeros(4), bounds, rng)
    poor = replace(pilot, weights=np.eye(len(pilot.weights))[0])  # one point has it all
    far, none = refine(lambda x: -50 * ((x - 9) ** 2).sum(axis=1), proposal, poor, rng)
    assert far is proposal and none.efficiency < 0.1


def test_a_poor_proposal_is_refined_and_a_good_one_kept() -> None:
    rng, bounds = np.random.default_rng(4), np.tile([-np.inf, np.inf], (4, 1))
    proposal, pilot = propose(funnel, np.zeros(4), bounds, rng)
    refined, better = refine(funnel, proposal, pilot, rng)
    assert pilot.efficiency < ENOUGH and better.efficiency > pilot.efficiency + 0.05
    assert sum(refined.shares) == pytest.approx(1)
    honest = fly(funnel, refined, 40 * PILOT, rng)
    assert honest.efficiency > 0.8 * better.efficiency
    normal, good = propose(lambda x: -0.5 * (x**2).sum(axis=1), np.zeros(4), bounds, rng)
    kept, same = refine(lambda x: -0.5 * (x**2).sum(axis=1), normal, good, rng)
    assert isinstance(kept, Proposal) and (kept is normal) == (good.efficiency >= ENOUGH) and same.efficiency > 0.5
