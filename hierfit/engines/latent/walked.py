"""FarPosterior -> WalkedPosterior: what nothing was found to be close to, for chains of Hamiltonian steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.latent.density import LatentDensity, with_enough_nodes
from hierfit.engines.latent.hamiltonian import WALKERS, Walk, warm_up
from hierfit.engines.latent.posterior import FEW_NODE_POINTS, FarPosterior, LatentModel
from hierfit.engines.proposal import NoProposalError

Array = NDArray[np.float64]

LEAST_ROWS = 1000  # below, what a step takes beside the kernel is more than what all of Stan's take


@dataclass(frozen=True)
class WalkedPosterior(LatentModel):
    """A posterior that chains walk through.

    Attributes:
        walk: how they go.
        reason: why points are not proposed from what is close to it.
    """

    walk: Walk
    reason: str


def walk_through(far: FarPosterior, seed: int) -> WalkedPosterior:
    """Warm up, again with more nodes where there were too few.

    Raises:
        NoProposalError: Stan's sampler would do better; the text says both why nothing is close and why that is.
    """
    density, rng = far.density, np.random.default_rng([seed, 1])
    try:
        _refuse(density)
        starts = far.starts[:WALKERS] if len(far.starts) else _scattered(density, rng)
        while True:
            walk = warm_up(density, starts, rng)
            points = walk.points[rng.choice(len(walk.points), FEW_NODE_POINTS, replace=False)]
            finer, error = with_enough_nodes(density, points)
            if finer.kernel.n_nodes == density.kernel.n_nodes:
                return WalkedPosterior(density, error, far.group, far.others, walk, far.reason)
            density, starts = finer, walk.starts
    except NoProposalError as error:
        raise NoProposalError(f"{far.reason}, and {error}") from error


def _refuse(density: LatentDensity) -> None:
    own = (density.parameters.b, *density.parameters.b_aux)
    if np.isfinite([ends for each in own for ends in each.bounds]).any():
        raise NoProposalError("coefficients have bounds, at which Hamiltonian steps do not turn back")
    if len(density.kernel.rows.y) < LEAST_ROWS:
        raise NoProposalError(f"of fewer than {LEAST_ROWS:,} rows the full engine draws faster than Hamiltonian steps")


def _scattered(density: LatentDensity, rng: np.random.Generator) -> Array:
    """Return points around where searches begin [WALKERS, d + U]."""
    parameters = density.parameters
    real = parameters.start + rng.normal(0, 0.1, (WALKERS, parameters.n_real))
    real = np.where(parameters.mirrored, np.abs(real), real)
    return np.concatenate([real, rng.normal(0, 0.3, (WALKERS, parameters.n_other))], axis=1)
