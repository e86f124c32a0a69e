"""A proposal whose pilot sample shows that it is not close -> one that is closer: mixtures fitted to weighted points.

Population Monte Carlo (Cappe et al. 2008): a larger sample, a mixture that is near it, and again. What the proposal had
stays in it with a small share, so that what covers tails and ends is not lost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.mixture import fit_mixture
from hierfit.engines.proposal import LogDensity, Pilot, Proposal, fly
from hierfit.engines.split_t import SplitT

Array = NDArray[np.float64]

ENOUGH = 0.65  # effective share of the pilot sample from where on nothing is refined
ROUNDS, POINTS, COMPONENTS = 4, 200, 4  # points for each real number
_DEGREES, _WIDER, _KEPT = 20.0, 1.1, 0.15


def refine(
    log_density: LogDensity, proposal: Proposal, pilot: Pilot, rng: np.random.Generator
) -> tuple[Proposal, Pilot]:
    """Return the proposal with its pilot sample, or a closer one with its own."""
    best, found, latest = proposal, pilot, proposal
    for _ in range(ROUNDS):
        if found.efficiency >= ENOUGH:
            break
        larger = fly(log_density, latest, POINTS * len(proposal.mode), rng)
        if larger.efficiency > found.efficiency or found is pilot:
            best, found = latest, larger
        if larger.efficiency * len(larger.weights) < 2 * len(proposal.mode):
            break  # too few points say where the density is
        latest = _nearer(proposal, larger, rng)
    return best, found


def _nearer(proposal: Proposal, pilot: Pilot, rng: np.random.Generator) -> Proposal:
    """Return a mixture near a pilot sample, with what the proposal had."""
    components = fit_mixture(pilot.points, pilot.weights, COMPONENTS, rng)
    widths = np.full((2, len(proposal.mode)), _WIDER)
    parts = [SplitT(own.mean, np.asarray(np.linalg.cholesky(own.covariance)), widths, _DEGREES) for own in components]
    total = sum(own.share for own in components)
    shares = [(1 - _KEPT) * own.share / total for own in components] + [_KEPT * share for share in proposal.shares]
    return Proposal((*parts, *proposal.parts), tuple(shares), proposal.bounds)
