"""Hamiltonian steps and their metric, on densities that are known: no kernel."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from hierfit.engines.latent import hamiltonian, metric
from hierfit.engines.latent.hamiltonian import WALKERS, StepSize, folded, move, stand_at, warm_up
from hierfit.engines.latent.metric import Arrow, metric_at
from hierfit.engines.proposal import NoProposalError

Array = NDArray[np.float64]


@dataclass
class Normal:
    """A normal density of d real numbers, some of which are folded, and effects of factors of J levels with M each."""

    precision: Array
    mean: Array
    folded: tuple[int, ...] = ()
    d: int = 2
    factors: tuple[tuple[int, int], ...] = ()
    remembered: list[Array] = field(default_factory=list)

    @property
    def parameters(self):
        others = tuple(SimpleNamespace(n_levels=J, n_effects=J * M) for J, M in self.factors)
        return SimpleNamespace(n_real=self.d, others=others, mirrored=np.isin(np.arange(self.d), self.folded))

    def gradient(self, real):
        signs = np.ones(real.shape)
        for at in self.folded:
            signs[:, at] = np.where(real[:, at] < 0, -1.0, 1.0)
        apart = real * signs - self.mean
        slopes = -apart @ self.precision
        return 0.5 * np.sum(apart * slopes, axis=1), slopes * signs

    def remember(self, real):
        self.remembered.append(real)


def random_arrow(seed, d=3, factors=((5, 2), (4, 1))):
    """A precision whose effects of levels do not speak of one another."""
    rng = np.random.default_rng(seed)
    U = sum(J * M for J, M in factors)
    P = np.zeros((d + U, d + U))
    start = d
    for J, M in factors:
        for _ in range(J):
            root = rng.normal(size=(M, M))
            P[start : start + M, start : start + M] = root @ root.T + 2 * np.eye(M)
            start += M
    P[:d, d:] = 0.3 * rng.normal(size=(d, U))
    P[d:, :d] = P[:d, d:].T
    P[:d, :d] = 6 * np.eye(d)
    assert np.linalg.eigvalsh(P).min() > 0
    return Normal(P, rng.normal(size=d + U), d=d, factors=factors)


@pytest.mark.parametrize("most", [0, 1000])
def test_the_metric_of_a_normal_density_is_its_covariance(most, monkeypatch):
    """Of an arrow both ways are exact: random signs meet nothing but the level that they are of."""
    monkeypatch.setattr(metric, "MOST_DENSE", most)
    density = random_arrow(1)
    n = len(density.mean)
    found = metric_at(density, np.random.default_rng(2).normal(size=(8, n)), np.random.default_rng(3))
    assert isinstance(found.axes, Arrow) == (most == 0)
    L = found.out(np.eye(n)).T
    np.testing.assert_allclose(L @ L.T, np.linalg.inv(density.precision), atol=1e-6)
    np.testing.assert_allclose(found.back(np.eye(n)), L, atol=1e-12)
    v = np.random.default_rng(4).normal(size=(3, n))
    longer = found.scaled(np.linspace(1, 2, n))
    np.testing.assert_allclose(longer.inward(longer.out(v)), v, atol=1e-10)
    np.testing.assert_allclose(longer.out(v), v * np.linspace(1, 2, n) @ L.T, atol=1e-12)


def test_chains_have_the_law_of_the_density():
    """A number that is folded at 0 among them: from 8 chains of 4,000, whose draws are nearly independent."""
    P = np.array([[2.0, 0.8, 0.3], [0.8, 1.0, 0.0], [0.3, 0.0, 4.0]])
    density = Normal(P, np.array([0.5, -1.0, 2.0]), folded=(0,), d=2, factors=((1, 1),))
    rng = np.random.default_rng(1)
    walk = warm_up(density, np.abs(rng.normal(size=(WALKERS, 3))), rng)
    assert walk.steps < 5 and len(density.remembered) > 3
    here, rngs, drawn = stand_at(density, walk.starts), rng.spawn(WALKERS), []
    for _ in range(4_000):
        here = move(density, walk.metric, here, walk.step, walk.n_steps(rng), rngs).here
        drawn.append(here.points)
    points = folded(density, np.concatenate(drawn[50:]))
    # the density is that of the normal one cut at 0
    exact = np.random.default_rng(2).multivariate_normal(density.mean, np.linalg.inv(P), 600_000)
    exact = exact[exact[:, 0] > 0]
    np.testing.assert_allclose(points.mean(axis=0), exact.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(np.cov(points.T), np.cov(exact.T), atol=0.03)
    for at in range(3):
        assert stats.ks_2samp(points[::20, at], exact[:20_000, at]).pvalue > 1e-3


def test_energy_is_kept_but_for_the_size_of_steps():
    """Errors of leapfrog steps fall with the square of their size."""
    density = random_arrow(2)
    n = len(density.mean)
    own = metric_at(density, np.zeros((4, n)), np.random.default_rng(0))
    lost = []
    for times in (1, 2):
        here = stand_at(density, np.tile(density.mean + 0.3, (500, 1)))
        moved = move(density, own, here, 0.4 / times, 4 * times, np.random.default_rng(5).spawn(500))
        lost.append(1 - moved.accepted.mean())
        assert not moved.diverging.any()
    assert lost[1] < lost[0] / 3
    assert lost[0] < 0.3


def test_chains_that_diverge_stay_and_say_so(monkeypatch):
    class Cliff(Normal):
        edge = 0.5

        def gradient(self, real):
            lp, slopes = super().gradient(real)
            return np.where(real[:, 1] > self.edge, np.nan, lp), slopes

    density = Cliff(np.eye(2), np.zeros(2))
    own = metric_at(Normal(np.eye(2), np.zeros(2)), np.zeros((4, 2)), np.random.default_rng(0))
    here = stand_at(density, np.zeros((400, 2)))
    moved = move(density, own, here, 0.3, 5, np.random.default_rng(1).spawn(400))
    assert 0.2 < moved.diverging.mean() < 0.5
    np.testing.assert_array_equal(moved.here.points[moved.diverging], 0.0)
    assert (moved.accepted[moved.diverging] == 0).all() and (moved.here.points[:, 1] <= 0.5).all()
    with pytest.raises(NoProposalError, match="more than 40"):
        warm_up(density, np.zeros((WALKERS, 2)), np.random.default_rng(2))
    density.edge = 2.0
    with pytest.raises(NoProposalError, match="of the Hamiltonian steps diverge"):
        warm_up(density, np.zeros((WALKERS, 2)), np.random.default_rng(2))


def test_ways_that_are_too_long_are_refused(monkeypatch):
    monkeypatch.setattr(hamiltonian, "MOST_STEPS", 1)
    with pytest.raises(NoProposalError, match=r"\d for each draw, more than 1"):
        warm_up(random_arrow(3), np.zeros((WALKERS, 17)), np.random.default_rng(0))


def test_step_sizes_settle_where_acceptance_is_as_wanted():
    found = StepSize(0.1)
    for _ in range(400):
        found.hear(float(np.exp(-found.now)))
    assert np.exp(-found.mean) == pytest.approx(hamiltonian.ACCEPTED, abs=0.01)
