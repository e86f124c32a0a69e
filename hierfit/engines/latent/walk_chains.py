"""WalkedPosterior -> Sampling: chains of Hamiltonian steps, and a draw of the effects for each of their draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.engines.independence import collect, generators_of
from hierfit.engines.latent.hamiltonian import WALKERS, Moved, move, stand_at
from hierfit.engines.latent.units import in_csv_units
from hierfit.engines.latent.walked import WalkedPosterior
from hierfit.sampling import Progress, SamplerOptions, Sampling

Array = NDArray[np.float64]

STATS = ("lp", "acceptance_rate", "diverging", "energy", "n_steps")
WORK = 30_000_000  # rows times nodes times steps that are worked out between two looks at the keyboard
_AT_A_TIME = 1, 64  # draws of each chain between them, at least and at most


def walk(
    posterior: WalkedPosterior,
    design: Design,
    options: SamplerOptions,
    on_progress: Callable[[Progress], None] | None = None,
) -> Sampling:
    """Run the chains from where the warmup ended, or from where `options.inits` says; the seed must be given.

    Variables are those of `chains.sample`. On KeyboardInterrupt the draws that are finished are returned.

    Raises:
        Interrupted: stopped before there was a draw.
    """
    found = collect(_blocks(posterior, design, options), options, on_progress, stats=STATS)
    return replace(found, step_size=np.full(options.chains, posterior.walk.step))


def _blocks(posterior: WalkedPosterior, design: Design, options: SamplerOptions) -> Iterator[Mapping[str, Array]]:
    """Yield some draws of every chain [chains, draws, ...] after others."""
    assert options.seed is not None
    own, shared = generators_of(options), np.random.default_rng([options.seed, options.first_chain, 1])
    density, way = posterior.density, posterior.walk
    here = stand_at(density, _starts(posterior, options))
    each = int(density.kernel.work * options.chains * way.steps)
    size = int(np.clip(WORK // max(each, 1), *_AT_A_TIME))
    for start in range(0, options.draws, size):
        moves, steps = [], []
        for _ in range(min(size, options.draws - start)):
            steps.append(way.n_steps(shared))
            moves.append(move(density, way.metric, here, way.step, steps[-1], own))
            here = moves[-1].here
        points = np.stack([moved.here.points for moved in moves], axis=1)
        yield {
            **in_csv_units(posterior, design, points, int(shared.integers(2**63))),
            "real": points,
            **_stats(moves, steps),
        }


def _starts(posterior: WalkedPosterior, options: SamplerOptions) -> Array:
    """Return where chains start [chains, n]."""
    if options.inits is not None:
        assert isinstance(options.inits, Sequence)
        return np.array([at["real"] for at in options.inits])
    return posterior.walk.starts[(options.first_chain - 1 + np.arange(options.chains)) % WALKERS]


def _stats(moves: Sequence[Moved], steps: Sequence[int]) -> Mapping[str, Array]:
    return {
        "lp": np.stack([moved.here.lp for moved in moves], axis=1),
        "acceptance_rate": np.stack([moved.accepted for moved in moves], axis=1),
        "diverging": np.stack([moved.diverging for moved in moves], axis=1),
        "energy": np.stack([moved.energy for moved in moves], axis=1),
        "n_steps": np.tile(steps, (len(moves[0].accepted), 1)),
    }
