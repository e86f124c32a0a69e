"""Proposals for densities that are known."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from hierfit.engines.proposal import POOR, NoProposalError, Proposal, climb, propose
from hierfit.engines.split_t import SplitT

Array = NDArray[np.float64]
ANYWHERE = np.array([[-20.0, 20.0]] * 3)
MEAN = np.array([1.0, -2.0, 3.0])
COVARIANCE = np.array([[1.0, 0.6, 0.0], [0.6, 0.5, 0.05], [0.0, 0.05, 0.04]])


def normal(points: Array) -> Array:
    return np.asarray(stats.multivariate_normal(MEAN, COVARIANCE).logpdf(points))


def log_gamma(points: Array) -> Array:
    """Logs of gamma variables with shapes 1, 2 and 5: skewed, with an exponential tail to the left."""
    return np.asarray(np.sum([k * x - np.exp(x) for k, x in zip((1, 2, 5), points.T, strict=True)], axis=0))


def test_the_mode_is_found() -> None:
    mode, near = climb(normal, np.array([5.0, 5.0, 5.0]), ANYWHERE)
    assert np.all(np.abs(mode - MEAN) < 0.1 * np.sqrt(np.diag(COVARIANCE)))  # forward differences are not exact
    np.testing.assert_allclose(near, 1 / np.sqrt(np.diag(np.linalg.inv(COVARIANCE))), rtol=0.01)


@pytest.mark.parametrize("density", [normal, log_gamma])
def test_most_points_count(density: object) -> None:
    rng = np.random.default_rng(1)
    proposal, pilot = propose(density, np.zeros(3), ANYWHERE, rng)  # type: ignore[arg-type]
    assert pilot.efficiency > 0.7
    points = proposal.draw(20_000, rng)
    log_weights = density(points) - proposal.log_density(points)  # type: ignore[operator]
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    expected = MEAN if density is normal else np.array([stats.loggamma(k).mean() for k in (1, 2, 5)])
    error = np.sqrt(np.sum((weights[:, np.newaxis] * (points - expected)) ** 2, axis=0))
    assert np.all(np.abs(weights @ points - expected) < 4 * error)


@pytest.mark.parametrize("bend", [0.0, 0.5, 1.0, 1.5, 2.0])
def test_an_end_that_the_density_bends_to_is_covered(bend: float) -> None:
    """With rare events an intercept falls as the square of an sd grows, which is 0 with a thirtieth of the most."""

    def density(points: Array) -> Array:
        ridge, s = points.T
        return np.asarray(-3.5 * np.square(s**2 / 1.44 - 1) - np.square((ridge + bend * s**2 / 2) / 0.1) / 2)

    rng = np.random.default_rng(3)
    proposal, _ = propose(density, np.array([-0.5 * bend, 1.0]), np.array([[-20.0, 20.0], [0.0, 20.0]]), rng)
    points = proposal.draw(50_000, rng)
    log_weights = density(points) - proposal.log_density(points)
    assert log_weights.max() - np.logaddexp.reduce(log_weights) + np.log(50_000) < np.log(20)


def test_the_density_is_that_of_the_draws() -> None:
    """Importance weights of one proposal for another: their mean is the ratio of the constants, whoever draws."""
    rng = np.random.default_rng(2)
    bounds = np.array([[0.0, 9.0], [-9.0, 9.0]])
    narrow = SplitT(np.array([0.5, 0.0]), np.array([[1.0, 0.2], [0.2, 0.5]]), np.array([[0.7, 1], [2, 1.5]]), 8.0)
    at_the_end = SplitT(np.array([0.0, 0.3]), np.array([[1.0, 0.0], [0.4, 0.7]]), np.array([[1e-6, 1], [1, 1]]), 5.0)
    wide = SplitT(np.array([0.8, 0.3]), np.eye(2), np.array([[1.0, 1], [1, 1]]), 3.0)
    first = Proposal((narrow, wide, at_the_end), (0.6, 0.1, 0.3), bounds)
    second = Proposal((wide,), (1.0,), bounds)
    x, y = first.draw(200_000, rng), second.draw(200_000, rng)
    forward = np.exp(second.log_density(x) - first.log_density(x))
    backward = np.exp(first.log_density(y) - second.log_density(y))
    assert ((x >= bounds[:, 0]) & (x <= bounds[:, 1])).all()
    error = np.hypot(forward.std() / forward.mean(), backward.std() / backward.mean()) / np.sqrt(200_000)
    assert abs(np.log(forward.mean() * backward.mean())) < 4 * error


def test_a_poor_proposal_knows_it() -> None:
    def ring(points: Array) -> Array:
        return np.asarray(-50 * np.square(np.sqrt(np.square(points).sum(axis=1)) - 3))

    _, pilot = propose(ring, np.array([1.0, 0.5, 0.1]), ANYWHERE, np.random.default_rng(1))
    assert pilot.efficiency < POOR


def test_a_density_that_is_not_finite_is_no_proposal() -> None:
    with pytest.raises(NoProposalError, match="not finite"):
        propose(lambda points: np.full(len(points), -np.inf), np.zeros(2), ANYWHERE[:2], np.random.default_rng(1))
