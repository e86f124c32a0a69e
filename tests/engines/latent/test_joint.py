"""What is proposed where several factors have effects: a normalised density, near the posterior."""

import numpy as np
import pytest

from hierfit.engines.latent.joint import JointProposal, near_several
from hierfit.engines.latent.posterior import _density
from hierfit.engines.proposal import fly
from hierfit.engines.sizes import all_but, eliminated_factor
from tests.test_latent_calibration import CROSSED, Case, simulated

pytestmark = pytest.mark.stan

HARD = {"sd of h is 0": ("bernoulli", 8), "outcomes at an end": ("cumulative", 4), "few rows": ("poisson", 26)}


def proposal_of(family: str, seed: int) -> JointProposal:
    """Of one of the sets of data with which the engine is calibrated."""
    rng = np.random.default_rng(2)
    for _ in range(seed):
        design, spec, _ = simulated(Case(family, CROSSED), rng)
    first = eliminated_factor(design.groups)
    density = _density(spec, design, design.groups[first], tuple(all_but(design.groups, first)), None)
    return near_several(density, np.random.default_rng(seed))


@pytest.mark.parametrize("name", HARD)
def test_small_data_with_two_factors_are_not_refused(name: str) -> None:
    """At least twice what is refused, in a sample that is large enough to meet the heaviest points."""
    found = proposal_of(*HARD[name])
    assert fly(found.density, found, 4000, np.random.default_rng(1)).efficiency > 0.35


def test_both_kinds_of_means_of_effects_give_normalised_densities() -> None:
    """The mean of weights is the same integral: errors are 1 / sqrt(0.35 x 20,000) = 1.2 %; four of both allowed."""
    found = proposal_of("cumulative", 28)
    logs = []
    for stepped in (False, True):
        own = JointProposal(found.rest, found.quadratic, found.density, stepped)
        points = own.draw(20_000, np.random.default_rng(3))
        logs.append(own.density(points) - own.log_density(points))
    first, second = (np.mean(np.exp(each - logs[0].max())) for each in logs)
    assert first / second == pytest.approx(1, abs=4 * np.sqrt(2) * 0.012)
