"""Pilot samples that say next to nothing still give a mixture, or a reason."""

import numpy as np
import pytest

from hierfit.engines.mixture import fit_mixture
from hierfit.engines.proposal import NoProposalError, Proposal, fly
from hierfit.engines.split_t import SplitT


def normal(d: int) -> Proposal:
    body = SplitT(np.zeros(d), np.eye(d), np.ones((2, d)), 8.0)
    return Proposal((body,), (1.0,), np.array([[-np.inf, np.inf]] * d))


@pytest.mark.parametrize("effective", [1.2, 3, 5, 30])
def test_a_mixture_is_found_however_few_points_are_effective(effective: float) -> None:
    rng = np.random.default_rng(1)
    points, weights = rng.normal(size=(400, 5)), np.full(400, 1e-9)
    weights[: int(np.ceil(effective))] = 1
    found = fit_mixture(points, weights / weights.sum(), 4, rng)
    assert sum(own.share for own in found) == pytest.approx(1)
    assert all(np.linalg.eigvalsh(own.covariance).min() > 0 for own in found)


def test_one_component_has_the_moments_of_all_points() -> None:
    rng = np.random.default_rng(2)
    points, weights = rng.normal(3, 2, size=(300, 3)), np.exp(-20 * np.arange(300.0))
    (one,) = fit_mixture(points, weights / weights.sum(), 4, rng)
    assert one.share == pytest.approx(1)
    assert one.mean == pytest.approx(points[0], abs=1e-6)


def test_no_more_components_than_points_that_weigh_anything() -> None:
    rng = np.random.default_rng(3)
    points, weights = rng.normal(size=(100, 2)), np.zeros(100)
    weights[:2] = 0.5
    assert 1 <= len(fit_mixture(points, weights, 4, rng)) <= 2


@pytest.mark.parametrize("value", [-np.inf, np.nan])
def test_a_density_that_is_nothing_everywhere_is_refused(value: float) -> None:
    rng = np.random.default_rng(4)
    with pytest.raises(NoProposalError, match="not finite"):
        fly(lambda points: np.full(len(points), value), normal(2), 50, rng)
