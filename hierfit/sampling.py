"""How to sample, how far it has come, and what came back: what whoever draws takes and gives."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from hierfit.plain import Count, Positive, Within

Array = NDArray[np.float64]
Inits = Mapping[str, Any] | Sequence[Mapping[str, Any]] | float | None
ADAPTING_WARMUP = 1000


@dataclass(frozen=True)
class SamplerOptions:
    """How to sample.

    Attributes:
        chains: number of chains.
        warmup: iterations of a chain that are not kept, adapting unless `adapt` says no; None leaves it to hierfit.
        draws: iterations of a chain after warmup, all kept.
        seed: of all chains, 0 to 2**32 - 1; None draws one.
        adapt_delta: target acceptance; None takes Stan's 0.8.
        max_treedepth: a trajectory has at most 2**max_treedepth - 1 leapfrog steps.
        parallel_chains: chains at the same time; None takes the number of cores.
        sig_figs: significant digits of the CSVs.
        inits: initial values by variable name, for all chains or one mapping per chain; a number is the radius of
            random ones on the unconstrained scale, None takes 2.
        metric: shape of the inverse metric.
        inv_metric: where the inverse metric starts, for all chains or one per chain: [n] or [n, n]; None starts at
            the identity.
        step_size: where the step size starts, for all chains or one per chain; None starts at 1.
        adapt: False keeps metric and step size as given through `warmup`, which may then be 0.
        first_chain: id of the first chain; another id with the same seed is another stream of random numbers.
    """

    chains: Positive = 4
    warmup: Count | None = None
    draws: Positive = 1000
    seed: Annotated[int, Within(0, 2**32 - 1)] | None = None
    adapt_delta: Annotated[float, Within(0.01, 0.9999)] | None = None
    max_treedepth: Annotated[int, Within(1, 20)] = 10
    parallel_chains: Positive | None = None
    sig_figs: Annotated[int, Within(1, 18)] = 10
    inits: Inits = None
    metric: Literal["diag_e", "dense_e", "unit_e"] = "diag_e"
    inv_metric: Array | Sequence[Array] | None = None
    step_size: float | Sequence[float] | Array | None = None
    adapt: bool = True
    first_chain: Positive = 1

    @property
    def warmup_iterations(self) -> int:
        """The warmup as given, or what an adapting one takes."""
        return ADAPTING_WARMUP if self.warmup is None else self.warmup

    def seeded(self) -> SamplerOptions:
        """Return the same with a seed, drawn where there is none."""
        return self if self.seed is not None else replace(self, seed=secrets.randbelow(2**32))


@dataclass(frozen=True)
class Progress:
    """How far sampling has come.

    Attributes:
        done: iterations of all chains that are finished, warmup included.
        total: iterations that all chains will do.
        by_chain: the same as done, chain by chain.
        phase: "warmup" until every chain that has started is past it.
        divergences: divergent iterations after warmup, as far as the CSVs are flushed.
        seconds: since the chains were started.
    """

    done: int
    total: int
    by_chain: tuple[int, ...]
    phase: Literal["warmup", "sampling"]
    divergences: int
    seconds: float


@dataclass(frozen=True)
class Seconds:
    """What sampling took: the slowest chain's warmup and sampling as Stan reports them, and all of it by the clock."""

    warmup: float
    sampling: float
    wall: float


@dataclass(frozen=True)
class Sampling:
    """What the sampler returned.

    Attributes:
        variables: draws of every Stan variable that is not empty [chains, draws, *shape].
        stats: sampler statistics [chains, draws] under ArviZ's names: lp, acceptance_rate, step_size, tree_depth,
            n_steps, diverging (bool), energy; a program without parameters has the first two only.
        step_size: after adaptation [chains]; nan for a program without parameters.
        inv_metric: after adaptation [chains, n], or [chains, n, n] for dense_e; n is 0 for unit_e.
        seconds: time taken.
        options: as given, with the seed that was used.
        interrupted: the user stopped it; draws and perhaps chains are fewer than asked for.
        lost: the chains, from 0, that were killed; the others are whole.
        data: what the program got; None where there was none.
    """

    variables: Mapping[str, Array]
    stats: Mapping[str, NDArray[Any]]
    step_size: Array
    inv_metric: Array
    seconds: Seconds
    options: SamplerOptions
    interrupted: bool = False
    lost: tuple[int, ...] = ()
    data: Mapping[str, Any] | None = None

    @property
    def narrowed(self) -> Array | None:
        """Which effects the program saw with their mean (`Centering.narrowed`); None where it saw none."""
        return None if self.data is None else self.data.get("narrowed")

    @property
    def seed(self) -> int:
        """The seed of all chains."""
        assert self.options.seed is not None
        return self.options.seed
