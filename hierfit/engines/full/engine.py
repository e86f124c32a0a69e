"""FULL: every effect is a parameter of Stan's sampler; any model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.engines.built import estimate_built
from hierfit.engines.engine import Message, Wanted
from hierfit.engines.full.data import full_data
from hierfit.engines.full.layout import lay_out
from hierfit.engines.full.repeated import repeated_rows, sampled_family
from hierfit.engines.full.source import FullSource, open_full
from hierfit.engines.names import EngineName
from hierfit.engines.start import SHORT_WARMUP, is_untouched
from hierfit.engines.timing import Estimate
from hierfit.model.spec import ModelSpec
from hierfit.sampling import SamplerOptions
from hierfit.stan.data import StanData
from hierfit.stan.programs import StanProgram, render_program

STEPS = 15  # leapfrog steps of an iteration: small simulated and real data took 13, 15, 16 and 55


@dataclass(frozen=True)
class FullEngine:
    """The engine for any model."""

    name: EngineName = EngineName.FULL
    runs_program: bool = True
    on_linear_scale: bool = False

    def obstacles(self, spec: ModelSpec, design: Design, *, tuned: bool) -> Iterator[str]:
        """Yield nothing: it takes any model."""
        return iter(())

    def program(self, design: Design) -> StanProgram:
        """Return the program of the family; of rows that repeat, that of their sums."""
        return render_program(sampled_family(design, repeated_rows(design)))

    def data(self, spec: ModelSpec, design: Design, narrowed: NDArray[np.float64] | None = None) -> StanData:
        """Return what the program gets; None chooses which effects it sees with their mean."""
        return full_data(spec, design, lay_out(spec, design, narrowed, repeated_rows(design)))

    def prepare(self, wanted: Wanted, say: Message | None = None) -> FullSource:
        """Return what draws, its program compiled if need be."""
        return open_full(wanted, say)

    def warmup(self, design: Design, options: SamplerOptions) -> int:
        """Return how many iterations a chain will not keep: few where how to start is left to hierfit."""
        return SHORT_WARMUP if is_untouched(options) else options.warmup_iterations

    def estimate(self, wanted: Wanted, options: SamplerOptions) -> Estimate | None:
        """Return how long sampling will take, from a few gradients."""
        return estimate_built(self, wanted, options, self.warmup(wanted.design, options), STEPS)


FULL = FullEngine()
