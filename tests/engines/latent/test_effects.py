"""Draws of the effects given a point: their law, and that nothing but the point, its number and the seed decides them.

The law is that of a level's effects given the rest, whose moments and quantiles are integrals (`kernels`). There are as
many draws as points are the same: tolerances are four Monte Carlo errors. What independence Metropolis steps leave of
the first proposal is worked out without chance: the law after some steps, on a grid.
"""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.engines.latent.kernel import EFFECT_STEPS, KernelPoints, LatentRows, hermite
from tests.engines.latent.kernels import (
    POINT_PARTS,
    Layout,
    LevelDensity,
    at,
    case_of,
    kernel,
    made_points,
    made_rows,
    only,
    simple_rows,
)

pytestmark = pytest.mark.stan

Array = NDArray[np.float64]
SHARES, WIDTHS, PROBE, LEANS = (0.6, 0.2, 0.2), (1.1, 2.0, 1.2), 1.5, 0.2  # of what is proposed, as in cpp/effects.hpp
NODES = 15
DRAWS = 40_000


def repeated(points: KernelPoints, n: int) -> KernelPoints:
    """The first point n times."""
    return KernelPoints(**{name: np.repeat(getattr(points, name)[:1], n, axis=0) for name in POINT_PARTS})


def some(points: KernelPoints, which: slice) -> KernelPoints:
    return KernelPoints(**{name: getattr(points, name)[which] for name in POINT_PARTS})


def law(rows: LatentRows, points: KernelPoints, level: int) -> tuple[Array, Array]:
    """Places u [s, M] of a level's effects, and their probabilities [s]."""
    v, logs = LevelDensity(rows, at(points, 0), level).grid({1: 0.02, 2: 0.07, 3: 0.2}[rows.n_varying])
    share = np.exp(logs - logs.max())
    return v @ points.T[0].T, share / share.sum()


def rare(sd: float, rows_each: int = 10, ones: int = 0, level: float = -5.0) -> tuple[LatentRows, KernelPoints]:
    """A level of rare events, of which there are some."""
    y = (np.arange(rows_each) < ones).astype(float)
    rows = simple_rows("bernoulli", y, np.zeros(rows_each, dtype=int))
    return rows, only(rows, b=np.array([[level]]), T=np.array([[[sd]]]))


def simulated(name: str, layout: Layout, sd: float) -> tuple[LatentRows, KernelPoints]:
    case = case_of(name)
    rows = made_rows(case, layout)
    return rows, made_points(case, rows, 1, sd=sd)


SMALL = (5, 0, 1)
CASES = {
    "bernoulli": simulated("bernoulli", Layout(sizes=SMALL), 1.0),
    "poisson": simulated("poisson", Layout(sizes=SMALL, weighted=True), 1.0),
    "student": simulated("student", Layout(sizes=SMALL), 2.0),
    "no event, sd 3": rare(3.0),
    "one event, sd 3": rare(3.0, ones=1),
    "pairs, sd 4": rare(4.0, 2, 1, 0.0),
    "sd 1e-10": rare(1e-10),
    "two": simulated("bernoulli", Layout(2, sizes=SMALL), 1.0),
    "two, no ones": simulated("negbinomial", Layout(2, ones=False, sizes=SMALL), 1.0),
    "two, cumulative": simulated("cumulative", Layout(2, sizes=SMALL), 2.0),
    "three": simulated("poisson", Layout(3, sizes=SMALL), 0.7),
    "three, gamma": simulated("gamma", Layout(3, sizes=SMALL), 0.7),
}


@pytest.mark.parametrize("name", CASES)
def test_draws_have_the_law_of_the_effects(name: str) -> None:
    """Means, sds, correlations and quantiles of every effect."""
    rows, points = CASES[name]
    u, moved = kernel(rows, 7).effects(repeated(points, DRAWS), 11)
    assert 0.4 < moved <= 1
    for level in np.flatnonzero(np.diff(rows.start)):
        places, share = law(rows, points, int(level))
        mean = share @ places
        sd = np.sqrt(share @ (places - mean) ** 2)
        drawn, expected = (u[:, level] - mean) / sd, (places - mean) / sd
        fourth = share @ expected**4
        assert np.all(np.abs(drawn.mean(axis=0)) < 4 / np.sqrt(DRAWS)), level
        assert np.all(np.abs((drawn**2).mean(axis=0) - 1) < 4 * np.sqrt((fourth - 1) / DRAWS)), level
        for i in range(rows.n_varying):
            for j in range(i):
                both = expected[:, i] * expected[:, j]
                error = np.sqrt((share @ both**2 - (share @ both) ** 2) / DRAWS)
                assert abs((drawn[:, i] * drawn[:, j]).mean() - share @ both) < 4 * error, (level, i, j)
            values, where = np.unique(np.round(expected[:, i], 9), return_inverse=True)
            own = np.bincount(where, share)
            for q in (0.01, 0.1, 0.5, 0.9, 0.99):
                cut = np.interp(q, np.cumsum(own) - own / 2, values)
                assert abs((drawn[:, i] < cut).mean() - q) < 4.5 * np.sqrt(q * (1 - q) / DRAWS) + 1e-3, (level, i, q)


def test_effects_of_a_level_without_rows_are_as_they_are_of_all() -> None:
    rows, points = CASES["two"]
    u = kernel(rows, 7).effects(repeated(points, DRAWS), 5)[0][:, 1]
    V = points.T[0] @ points.T[0].T
    np.testing.assert_allclose(np.cov(u.T), V, atol=4 * V.max() * np.sqrt(2 / DRAWS))
    assert np.all(np.abs(u.mean(axis=0)) < 4 * np.sqrt(np.diag(V) / DRAWS))


def after_steps(rows: LatentRows, points: KernelPoints, steps: int) -> tuple[Array, Array, Array]:
    """Places c around the mode in its metric, the law of the effects there, and that of draws after some steps.

    A chain stays at c as long as it refuses, and comes from elsewhere with the density of the proposal times the
    chance that it is taken.
    """
    density = LevelDensity(rows, at(points, 0), 0)
    mode, S = density.mode()
    c = np.linspace(-14, 14, 3001)
    logs = density(mode + S[0, 0] * c[:, np.newaxis])
    target = np.exp(logs - logs.max())
    target /= target.sum()
    mean, sd = moments(density, mode, S)
    centers, widths = (mean, mean, 0.0), (WIDTHS[0] * sd, WIDTHS[1] * sd, WIDTHS[2])
    parts = zip(SHARES, centers, widths, strict=True)
    proposed = sum(share * np.exp(-0.5 * ((c - at_c) / width) ** 2) / width for share, at_c, width in parts)
    log_weight = logs - np.log(proposed)
    proposed /= proposed.sum()
    taken = np.exp(np.minimum(0, log_weight[:, np.newaxis] - log_weight))  # to, from
    stays = 1 - proposed @ taken
    drawn = proposed
    for _ in range(steps):
        drawn = drawn * stays + proposed * (taken @ drawn)
    return c, target, drawn


def moments(density: LevelDensity, mode: Array, S: Array) -> tuple[float, float]:
    """Mean and sd of c where its density leans, from nodes; 0 and 1 where it is about normal."""
    top, *sides = density(mode + S[0, 0] * np.array([[0.0], [-PROBE], [PROBE]]))
    if max(abs(side - top + PROBE**2 / 2) for side in sides) <= LEANS:
        return 0.0, 1.0
    x, log_weights = hermite(NODES)
    logs = density(mode + S[0, 0] * x[:, np.newaxis]) + log_weights
    shares = np.exp(logs - logs.max())
    shares /= shares.sum()
    mean = float(shares @ x)
    return mean, float(np.sqrt(max(shares @ x**2 - mean**2, 0.01)))


SENSIBLE = {  # and the largest bias, in Monte Carlo errors of 4,000 draws
    "three of 10 rows, sd 1": (rare(1.0, 10, 3, -1.0), 0.01),
    "three of 10 rows, sd 0.3": (rare(0.3, 10, 3, -1.0), 0.01),
    "no event in 10 rows, sd 2": (rare(2.0, level=-3.0), 0.02),
    "no event in 1 row, sd 3": (rare(3.0, 1), 0.02),
    "one event in 1 row, sd 3": (rare(3.0, 1, 1, -3.0), 0.02),
    "no event in 10 rows, sd 3": (rare(3.0), 0.04),
    "one event in 10 rows, sd 3": (rare(3.0, 10, 1, -1.0), 0.2),
    "pairs, sd 10": (rare(10.0, 2, 1, 0.0), 0.01),
    "no event in 100 rows, sd 3": (rare(3.0, 100, level=-1.0), 1.0),
    "one event in 10 rows, sd 5": (rare(5.0, 10, 1), 1.0),
    "no event in 1 row, sd 5": (rare(5.0, 1, level=0.0), 1.0),
    "no event in 100 rows, sd 5": (rare(5.0, 100, level=0.0), 1.0),
    "no event in 10 rows, sd 10": (rare(10.0, level=0.0), 1.0),
    "one event in 1 row, sd 10": (rare(10.0, 1, 1), 1.0),
}


def bias(rows: LatentRows, points: KernelPoints, steps: int = EFFECT_STEPS) -> tuple[float, float, float]:
    """Bias of mean and sd in Monte Carlo errors of 4,000 draws, and the total variation."""
    c, target, drawn = after_steps(rows, points, steps)
    assert drawn.sum() == pytest.approx(1)
    mean = target @ c
    z = (c - mean) / np.sqrt(target @ (c - mean) ** 2)
    of_mean, of_square = (drawn - target) @ z, (drawn - target) @ z**2
    errors = np.sqrt(1 / 4_000), np.sqrt((target @ z**4 - 1) / 4_000)
    return float(of_mean / errors[0]), float(of_square / errors[1]), float(0.5 * np.abs(drawn - target).sum())


@pytest.mark.parametrize("name", SENSIBLE)
def test_what_is_left_of_the_first_proposal_is_little(name: str) -> None:
    rows_and_points, most = SENSIBLE[name]
    found = bias(*rows_and_points)
    assert max(map(abs, found[:2])) < most and found[2] < 0.01


@pytest.mark.parametrize("steps", [0, 1, 4])
def test_draws_after_some_steps_have_the_law_that_is_expected(steps: int) -> None:
    rows, points = SENSIBLE["one event in 1 row, sd 10"][0]
    c, _, drawn = after_steps(rows, points, steps)
    mode, S = LevelDensity(rows, at(points, 0), 0).mode()
    u = kernel(rows, NODES).effects(repeated(points, DRAWS), 2, steps=steps)[0][:, 0, 0]
    found = np.sort((u / points.T[0, 0, 0] - mode[0]) / S[0, 0])
    apart = np.abs(np.interp(found, c, np.cumsum(drawn)) - (np.arange(DRAWS) + 0.5) / DRAWS).max()
    assert apart < 1.95 / np.sqrt(DRAWS) + 5e-3  # Kolmogorov & Smirnov at 0.001; the metric is that of a last step


@pytest.mark.parametrize("name", ["bernoulli", "negbinomial", "cumulative"])
@pytest.mark.parametrize("n_varying", [1, 2, 3])
def test_points_may_be_drawn_in_blocks(name: str, n_varying: int) -> None:
    """Blocks of whole packs change nothing; others change where Newton steps end, by a small part of an sd."""
    case = case_of(name)
    rows = made_rows(case, Layout(n_varying, sizes=(4, 0, 1, 7, 2, 5, 3)))
    points = made_points(case, rows, 40)
    made = kernel(rows, 7)
    whole = made.effects(points, 9)[0]
    blocks = [made.effects(some(points, slice(start, start + 16)), 9, first=start)[0] for start in (0, 16, 32)]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)
    uneven = [made.effects(some(points, part), 9, first=part.start)[0] for part in (slice(0, 13), slice(13, 40))]
    same = np.isclose(np.concatenate(uneven), whole, atol=0.1)
    assert same.mean() > 0.97
    other = made.effects(points, 10)[0]
    assert not np.isclose(other, whole, atol=1e-6).any()
    assert not np.isclose(whole[1:], whole[:-1], atol=1e-9).any()


def test_draws_of_levels_and_points_are_apart() -> None:
    """Levels that are alike, and points that are: no draw says anything of another."""
    y, level = np.tile([0.0, 1.0, 1.0], 300), np.repeat(np.arange(300), 3)
    rows = simple_rows("bernoulli", y, level)
    points = repeated(only(rows, b=np.array([[0.0]]), T=np.array([[[1.0]]])), 400)
    u = kernel(rows, 7).effects(points, 3)[0][..., 0]
    z = (u - u.mean()) / u.std()
    assert len(np.unique(u)) == u.size
    for axis in (0, 1):
        means = z.mean(axis=axis) * np.sqrt(z.shape[axis])
        assert np.abs(means.std() - 1) < 0.15 and np.abs(means).max() < 4.5
        neighbours = np.mean(np.take(z, range(1, z.shape[axis]), axis) * np.take(z, range(z.shape[axis] - 1), axis))
        assert abs(neighbours) < 4 / np.sqrt(z.size)
    far = kernel(rows, 7).effects(points, 4)[0][..., 0]
    assert abs(np.corrcoef(u.ravel(), far.ravel())[0, 1]) < 4 / np.sqrt(z.size)
    wider = replace(points, T=points.T * 1.0)
    np.testing.assert_array_equal(kernel(rows, 7).effects(wider, 3)[0][..., 0], u)
