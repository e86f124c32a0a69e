"""SinglePosterior -> Sampling: chains of independence Metropolis over the sds, correlations and sigma of one factor.

A chain accepts a point with probability min(1, ratio of the weights density over proposal), which is exact whatever the
proposal (Tierney 1994, section 2.3.2). The integrated coefficients are drawn given each kept point, anew where a chain
stays; so are the effects, of all draws at once, afterwards (`back`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.engine import OnProgress
from hierfit.engines.independence import collect, generators_of, starts_of, walk
from hierfit.engines.marginal.density import threads
from hierfit.engines.single.posterior import SinglePosterior
from hierfit.sampling import SamplerOptions, Sampling

Array = NDArray[np.float64]

WORK = 10_000_000  # levels times points that are worked out between two looks at the keyboard, half a second or less
_AT_A_TIME = 8, 256  # draws of each chain between them, at least and at most


def sample(posterior: SinglePosterior, options: SamplerOptions, on_progress: OnProgress | None = None) -> Sampling:
    """Run the chains: from the pilot sample, or from where `options.inits` says; the seed must be given.

    The variables are `real`, the points, and `b`, the coefficients in the units of the sampler and counted as the rows
    count them. On KeyboardInterrupt the draws that are finished are returned.

    Raises:
        Interrupted: stopped before there was a draw.
    """
    return collect(_blocks(posterior, options), options, on_progress)


def _blocks(posterior: SinglePosterior, options: SamplerOptions) -> Iterator[Mapping[str, Array]]:
    """Yield some draws of every chain [chains, draws, ...] after others."""
    generators, model = generators_of(options), posterior.model
    n_classes = len(model.sums.count)
    size = int(np.clip(WORK // (n_classes * options.chains), *_AT_A_TIME))
    here = starts_of(posterior.pilot, options, generators)
    with threads() as pool:
        given = model.given(here, pool)
        levels = given.log_density, given.log_density - posterior.proposal.log_density(here)
        L_here = given.L
        for start in range(0, options.draws, size):
            n = min(size, options.draws - start)
            proposed = np.array([posterior.proposal.draw(n, rng) for rng in generators])
            flat = proposed.reshape(-1, proposed.shape[2])
            given = model.given(flat, pool)
            weights = (given.log_density - posterior.proposal.log_density(flat)).reshape(-1, n)
            lp, L = given.log_density.reshape(-1, n), given.L.reshape(len(generators), n, *given.L.shape[1:])
            walks = [
                walk(level, own, of_proposal, rng)
                for level, own, of_proposal, rng in zip(zip(*levels, strict=True), lp, weights, generators, strict=True)
            ]
            where = np.array([own.where for own in walks])
            real, L_kept = _after(here, proposed, where), _after(L_here, L, where)
            b = np.array([model.draw(L_own, rng) for L_own, rng in zip(L_kept, generators, strict=True)])
            kept_lp = np.array([own.lp for own in walks])
            here, L_here = real[:, -1], L_kept[:, -1]
            levels = kept_lp[:, -1], np.array([own.weight[-1] for own in walks])
            yield {
                "real": real,
                "b": b,
                "lp": kept_lp,
                "acceptance_rate": np.array([own.accepted for own in walks]),
                "log_weight": weights,
            }


def _after(here: Array, proposed: Array, where: NDArray[np.int64]) -> Array:
    """Return what belongs to where chains stand [chains, n, ...], from that before [chains, ...] and of proposals."""
    every = np.concatenate([here[:, np.newaxis], proposed], axis=1)
    return np.asarray(every[np.arange(len(here))[:, np.newaxis], where])
