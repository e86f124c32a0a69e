"""A proposal that refuses by itself: what it draws has the density it says, and it knows where it knows nothing."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.engines.proposal import LogDensity, Pilot, Proposal, propose
from hierfit.engines.sharpening import Sharpened, powers, sharpen

Array = NDArray[np.float64]
ANYWHERE = np.array([[-np.inf, np.inf]] * 2)


def leaning(points: Array) -> Array:
    """A density that leans and is bent, though close to normal."""
    x, y = points.T
    return np.asarray(-0.5 * x**2 - 0.5 * (y - 0.3 * x**2) ** 2 * 4 + 0.5 * x - np.exp(0.5 * x))


def stepped(points: Array) -> Array:
    """A density that no polynomial is near: cells of random height."""
    cells = np.floor(3 * points).astype(np.int64) @ [7, 13]
    return np.asarray(-0.5 * np.square(points).sum(axis=1) + 0.5 * np.sin(cells * 12.9898))


def heavy(points: Array) -> Array:
    """Tails as those of a t with 3 degrees of freedom, which a polynomial fitted near the mode takes for light ones."""
    return np.asarray(-2.5 * np.log1p(np.square(points).sum(axis=1) / 3))


def proposed(density: LogDensity, seed: int = 1) -> tuple[Proposal, Pilot, Proposal | Sharpened, Pilot]:
    """The proposal and its pilot sample, and both sharpened by what the search came by."""
    known: list[tuple[Array, Array]] = []

    def remembered(points: Array) -> Array:
        found = density(points)
        known.append((points, found))
        return found

    rng = np.random.default_rng(seed)
    proposal, pilot = propose(remembered, np.array([0.1, 0.2]), ANYWHERE, rng)
    points, found = (np.concatenate(each) for each in zip(*known, strict=True))
    return proposal, pilot, *sharpen(density, proposal, pilot, (points, found), rng)


def test_few_points_are_refused_where_a_polynomial_is_near() -> None:
    proposal, pilot, sharp, second = proposed(leaning)
    assert isinstance(sharp, Sharpened)
    ratios = []
    for each in (proposal, sharp):
        points = each.draw(20_000, np.random.default_rng(3))
        weights = np.exp(leaning(points) - each.log_density(points))
        ratios.append(weights.mean() ** 2 / np.square(weights).mean())
    assert ratios[0] < 0.9 < 0.96 < ratios[1]
    assert second.efficiency > pilot.efficiency


def test_what_is_drawn_has_the_density_that_it_says() -> None:
    _, _, sharp, _ = proposed(leaning)
    points = sharp.draw(40_000, np.random.default_rng(2))
    points = points[(np.abs(points) < 6).all(axis=1)]
    sides = np.meshgrid(*[np.linspace(-5.985, 5.985, 400)] * 2, indexing="ij")
    grid = np.column_stack([side.ravel() for side in sides])
    share = np.exp(sharp.log_density(grid))
    share /= share.sum()
    for values, on_grid in ((points, grid), (points**2, grid**2), (points > 0.3, grid > 0.3)):
        mean = share @ on_grid
        error = np.sqrt(share @ (on_grid - mean) ** 2 / len(points))
        assert np.all(np.abs(values.mean(axis=0) - mean) < 4 * error)


def test_far_out_the_polynomial_is_not_believed() -> None:
    _, _, sharp, _ = proposed(leaning)
    assert isinstance(sharp, Sharpened)
    around = sharp.mode + 30 * np.random.default_rng(5).normal(size=(500, 2))
    far = around[sharp.polynomial.at(around)[1] > 100]
    assert len(far) > 100  # it would say that there is nothing, or e to the power of a thousand
    np.testing.assert_array_equal(sharp.log_ratio(far), sharp.unsure)
    every = sharp.log_ratio(sharp.proposal.draw(5_000, np.random.default_rng(6)))
    assert sharp.low <= every.min() and every.max() <= sharp.high and sharp.high - sharp.low < 4


@pytest.mark.parametrize("density", [stepped, heavy], ids=["steps", "tails"])
def test_a_polynomial_that_is_far_off_makes_no_point_heavy(density: LogDensity) -> None:
    proposal, _, sharp, _ = proposed(density)
    largest = []
    for each in (proposal, sharp):
        points = each.draw(50_000, np.random.default_rng(4))
        weights = np.exp(density(points) - each.log_density(points))
        largest.append(weights.max() / weights.mean())
    assert largest[1] < 1.5 * largest[0] + 1


def test_a_flat_pilot_sample_leaves_the_proposal_as_it_is() -> None:
    proposal, pilot, _, _ = proposed(leaning)
    few = proposal.draw(4, np.random.default_rng(1))
    assert sharpen(leaning, proposal, pilot, (few, leaning(few)), np.random.default_rng(1)) == (proposal, pilot)


@pytest.mark.parametrize(("d", "degree"), [(1, 5), (2, 4), (4, 3), (5, 1)])
def test_powers_are_all_products(d: int, degree: int) -> None:
    points = np.random.default_rng(1).normal(size=(6, d))
    every = [which for power in range(degree + 1) for which in combinations_with_replacement(range(d), power)]
    expected = np.array([np.prod(points[:, list(which)], axis=1) for which in every]).T
    np.testing.assert_allclose(powers(1 + 2 * points, np.ones(d), 2 * np.eye(d), degree), expected, rtol=1e-12)
