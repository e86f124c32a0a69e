"""LatentPosterior -> Sampling: chains of independence Metropolis, and a draw of the effects for each of their draws.

Points are proposed without regard to where a chain stands, so that many are worked out side by side; a chain accepts
one with probability min(1, ratio of the weights density over proposal), which is exact whatever the proposal (Tierney
1994, section 2.3.2). Effects are drawn given each kept point, anew where a chain stays. There is no warmup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.engines.independence import collect, generators_of, starts_of, walk
from hierfit.engines.latent.posterior import LatentPosterior
from hierfit.engines.latent.units import in_csv_units
from hierfit.sampling import Progress, SamplerOptions, Sampling

Array = NDArray[np.float64]

WORK = 100_000_000  # rows times nodes that are worked out between two looks at the keyboard, half a second or so
_AT_A_TIME = 8, 256  # draws of each chain between them, at least and at most


def sample(
    posterior: LatentPosterior,
    design: Design,
    options: SamplerOptions,
    on_progress: Callable[[Progress], None] | None = None,
) -> Sampling:
    """Run the chains: from the pilot sample, or from where `options.inits` says; the seed must be given.

    The variables are those of the Stan program, but `b` lacks nothing, and the effects of the factor are `u`, in the
    units of the CSV; `real` holds the points. On KeyboardInterrupt the draws that are finished are returned.

    Raises:
        Interrupted: stopped before there was a draw.
    """
    return collect(_blocks(posterior, design, options), options, on_progress)


def draws_at_a_time(posterior: LatentPosterior, chains: int) -> int:
    """Return how many draws of each chain are worked out between two looks at the keyboard."""
    return int(np.clip(WORK // (posterior.density.kernel.work * chains), *_AT_A_TIME))


def _blocks(posterior: LatentPosterior, design: Design, options: SamplerOptions) -> Iterator[Mapping[str, Array]]:
    """Yield some draws of every chain [chains, draws, ...] after others."""
    generators = generators_of(options)
    assert options.seed is not None
    noise = np.random.default_rng([options.seed, options.first_chain])
    here = starts_of(posterior.pilot, options, generators)
    levels = _weights(posterior, here)
    size = draws_at_a_time(posterior, options.chains)
    for start in range(0, options.draws, size):
        n = min(size, options.draws - start)
        proposed = np.array([posterior.proposal.draw(n, rng) for rng in generators])
        lp, weights = (
            part.reshape(len(proposed), n) for part in _weights(posterior, proposed.reshape(-1, proposed.shape[2]))
        )
        walks = [
            walk(level, own, of_proposal, rng)
            for level, own, of_proposal, rng in zip(zip(*levels, strict=True), lp, weights, generators, strict=True)
        ]
        real = np.array(
            [np.vstack([at, points])[own.where] for at, points, own in zip(here, proposed, walks, strict=True)]
        )
        kept_lp = np.array([own.lp for own in walks])
        here, levels = real[:, -1], (kept_lp[:, -1], np.array([own.weight[-1] for own in walks]))
        yield {
            **in_csv_units(posterior, design, real, int(noise.integers(2**63))),
            "real": real,
            "lp": kept_lp,
            "acceptance_rate": np.array([own.accepted for own in walks]),
            "log_weight": weights,
        }


def _weights(posterior: LatentPosterior, real: Array) -> tuple[Array, Array]:
    """Return log densities [s] of points [s, d], and those less their log densities in the proposal [s]."""
    found = posterior.density(real)
    return found, found - posterior.proposal.log_density(real)
