"""What chains of independence Metropolis have in common, whatever they draw from: random numbers, starts, assembly.

Such chains have no warmup, step size or metric; their draws come in blocks, between two of which a user may stop them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.engine import OnProgress
from hierfit.engines.proposal import Pilot
from hierfit.errors import Interrupted
from hierfit.interrupts import shielded
from hierfit.sampling import Progress, SamplerOptions, Sampling, Seconds

Array = NDArray[np.float64]
Blocks = Iterator[Mapping[str, Array]]

STATS = ("lp", "acceptance_rate", "log_weight")  # of a block, and of what is sampled


def generators_of(options: SamplerOptions) -> list[np.random.Generator]:
    """Return the random numbers of each chain; the seed must be given."""
    assert options.seed is not None
    return [np.random.default_rng([options.seed, options.first_chain + at]) for at in range(options.chains)]


def starts_of(pilot: Pilot, options: SamplerOptions, generators: Sequence[np.random.Generator]) -> Array:
    """Return where chains start [chains, d]: where earlier ones stood, or at points of the pilot sample."""
    if options.inits is None:
        return pilot.points[[int(rng.choice(len(pilot.weights), p=pilot.weights)) for rng in generators]]
    assert isinstance(options.inits, Sequence)
    return np.array([at["real"] for at in options.inits])


@dataclass(frozen=True)
class Walk:
    """Where one chain stands after each of n proposals.

    Attributes:
        where: the proposal that it accepted last, counted from 1; 0 where it has not moved [n].
        lp: log density there [n].
        weight: that less the log density in the proposal [n].
        accepted: the probability that each proposal was accepted with [n].
    """

    where: NDArray[np.int64]
    lp: Array
    weight: Array
    accepted: Array


def walk(level: Sequence[float], lp: Array, weights: Array, rng: np.random.Generator) -> Walk:
    """Return where a chain of that log density and weight goes, from those of its proposals [n]."""
    own_lp, own_weight = level
    luck = rng.random(len(lp))
    here, where, kept = 0, np.empty(len(lp), dtype=np.int64), np.empty((3, len(lp)))
    for at, weight in enumerate(weights):
        accepted = float(np.exp(min(0.0, weight - own_weight)))
        if luck[at] < accepted:
            here, own_lp, own_weight = at + 1, lp[at], weight
        where[at], kept[:, at] = here, (own_lp, own_weight, accepted)
    return Walk(where, *kept)


def collect(
    blocks: Blocks,
    options: SamplerOptions,
    on_progress: OnProgress | None,
    *,
    stats: Sequence[str] = STATS,
    variables: Callable[[Mapping[str, Array]], Mapping[str, Array]] = dict,
) -> Sampling:
    """Return the draws of blocks [chains, draws, ...]; on KeyboardInterrupt those that are finished.

    What is not among the `stats` are variables; `variables` gives these the names of the Stan program.

    Raises:
        Interrupted: stopped before there was a draw.
    """
    started = time.monotonic()
    interrupted, done, taken = False, 0, list[Mapping[str, Array]]()
    try:
        for block in blocks:
            taken.append(block)
            done += block["lp"].shape[1]
            if on_progress is not None:
                on_progress(_progress(done, options, time.monotonic() - started))
    except KeyboardInterrupt:
        interrupted = True
    if not taken:
        raise Interrupted("Stopped before the first draw: there is nothing to keep.")
    with shielded() as shield:
        found = {name: np.concatenate([block[name] for block in taken], axis=1) for name in taken[0]}
        drawn = {name: values for name, values in found.items() if name not in stats}
        wall = time.monotonic() - started
        sampling = Sampling(
            {name: values for name, values in variables(drawn).items() if values.size},
            {name: found[name] for name in stats},
            step_size=np.full(options.chains, np.nan),
            inv_metric=np.empty((options.chains, 0)),
            seconds=Seconds(0.0, wall, wall),
            options=options,
        )
        return replace(sampling, interrupted=interrupted or shield.asked)


def _progress(done: int, options: SamplerOptions, seconds: float) -> Progress:
    by_chain = (done,) * options.chains
    return Progress(sum(by_chain), options.draws * options.chains, by_chain, "sampling", 0, seconds)
