"""COLLAPSED: effects and most coefficients integrated out exactly; gaussian or lognormal outcome, one factor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.scaling import counted_rows
from hierfit.engines.built import estimate_built
from hierfit.engines.collapsed.data import collapsed_data
from hierfit.engines.collapsed.mode import WARMUP
from hierfit.engines.collapsed.reduction import collapse
from hierfit.engines.collapsed.source import CollapsedSource, collapsed_program, open_collapsed
from hierfit.engines.engine import Message, Wanted
from hierfit.engines.names import EngineName
from hierfit.engines.obstacles import obstacles_of_all
from hierfit.engines.start import is_untouched
from hierfit.engines.timing import Estimate
from hierfit.model.spec import ModelSpec
from hierfit.sampling import SamplerOptions
from hierfit.stan.data import StanData
from hierfit.stan.programs import StanProgram

STEPS = 7  # leapfrog steps of an iteration: small simulated and real data took 6 and 7
MOST_ROWS = 2**31  # a program counts them in 32 bits


@dataclass(frozen=True)
class CollapsedEngine:
    """The engine for one grouping factor."""

    name: EngineName = EngineName.COLLAPSED
    runs_program: bool = True
    on_linear_scale: bool = True

    def obstacles(self, spec: ModelSpec, design: Design, *, tuned: bool) -> Iterator[str]:
        """Yield what keeps it from this model."""
        yield from obstacles_of_all(spec)
        if design.weights is not None and spec.groups and not _is_whole(total := counted_rows(design)):
            yield f"the weights add up to {total:,.6g}, which is no whole number"

    def program(self, design: Design) -> StanProgram:
        """Return the one program of all collapsible outcomes."""
        return collapsed_program()

    def data(self, spec: ModelSpec, design: Design, narrowed: NDArray[np.float64] | None = None) -> StanData:
        """Return what the program gets, which sees no effect."""
        return collapsed_data(spec, design, collapse(spec, design))

    def prepare(self, wanted: Wanted, say: Message | None = None) -> CollapsedSource:
        """Return what draws, its program compiled if need be."""
        return open_collapsed(wanted, say)

    def warmup(self, design: Design, options: SamplerOptions) -> int:
        """Return how many iterations a chain will not keep: few where it may start at the mode."""
        return WARMUP if is_untouched(options) else options.warmup_iterations

    def estimate(self, wanted: Wanted, options: SamplerOptions) -> Estimate | None:
        """Return how long sampling will take, from a few gradients."""
        return estimate_built(self, wanted, options, self.warmup(wanted.design, options), STEPS)


def _is_whole(total: float) -> bool:
    """Whether the program of the collapsed engine takes it for a number of rows."""
    return total < MOST_ROWS and abs(total - round(total)) < 1e-9 * total


COLLAPSED = CollapsedEngine()
