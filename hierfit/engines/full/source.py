"""Wanted -> FullSource: Stan's program of all effects, what it gets, and how these draws come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.engines.built import Built, build
from hierfit.engines.chain_state import ChainState
from hierfit.engines.engine import Message, OnProgress, Wanted
from hierfit.engines.full.attempts import Views, sample_after_short_warmup
from hierfit.engines.full.back import full_draws
from hierfit.engines.full.data import full_data
from hierfit.engines.full.layout import Layout, lay_out
from hierfit.engines.full.repeated import repeated_rows, sampled_family
from hierfit.engines.names import EngineName
from hierfit.engines.sizes import short_round
from hierfit.engines.start import Start
from hierfit.model.spec import ModelSpec, sd_name
from hierfit.posterior.draws import Draws
from hierfit.sampling import SamplerOptions, Sampling
from hierfit.stan.data import StanData
from hierfit.stan.programs import StanProgram, render_program
from hierfit.stan.sampler import sample


@dataclass(frozen=True)
class FullSource:
    """A compiled program of all effects, and its data.

    Attributes:
        built: the program.
        spec: the model.
        design: its columns.
        layout: how the sampler sees it at first.
        data: the same, as the program gets it.
        stands_in: why it does the work of another engine; None where it does its own.
    """

    built: Built
    spec: ModelSpec
    design: Design
    layout: Layout
    data: StanData
    stands_in: str | None = None
    engine: EngineName = EngineName.FULL

    @property
    def program(self) -> StanProgram:
        """The program's text."""
        return self.built.program

    @property
    def first_round(self) -> int:
        """How many draws of each chain a first round has at most."""
        return short_round(self.design)

    def first(self, options: SamplerOptions, on_progress: OnProgress | None) -> tuple[Sampling, Start]:
        """Sample a first round after an adapting warmup, as short as will do."""
        names = [sd_name(group.factor, term) for group in self.design.groups for term in group.terms]
        views = Views(self.data, self._seen, names)
        return sample_after_short_warmup(self.built.executable, views, options, on_progress, sample)

    def more(self, state: ChainState, options: SamplerOptions, on_progress: OnProgress | None) -> Sampling:
        """Sample on from where the chains stand, which see effects as those of their first round."""
        data = self.data if state.data is None else state.data
        return sample(self.built.executable, data, state.options(options), on_progress)

    def _seen(self, narrowed: NDArray[np.float64]) -> StanData:
        """Return the data for chains that see effects so (`centering`)."""
        return full_data(self.spec, self.design, self.layout.seen_anew(self.spec, self.design, narrowed))

    def draws(self, sampling: Sampling) -> Draws:
        """Return what was sampled under the names and in the units of the CSV."""
        return full_draws(sampling, self.design, self.spec)

    def stand_in(self, reason: str, say: Message | None) -> None:
        """Nothing stands in for it."""

    def describe(self) -> dict[str, Any]:
        """Return engine, toolchain, compiler and program, and how many rows it sees."""
        return self.built.describe(self.engine, self.data["N"], self.stands_in)


def open_full(wanted: Wanted, say: Message | None = None, stands_in: str | None = None) -> FullSource:
    """Return the source of a model, its program compiled if need be; that of rows that repeat is that of their sums.

    Raises:
        ToolchainError: there is no Stan on this machine.
    """
    spec, design = wanted.spec, wanted.design
    repeated = repeated_rows(design)
    built = build(render_program(sampled_family(design, repeated)), wanted.toolchain, say)
    layout = lay_out(spec, design, wanted.narrowed, repeated)
    return FullSource(built, spec, design, layout, full_data(spec, design, layout), stands_in)


def open_stand_in(engine: EngineName, wanted: Wanted, reason: str, say: Message | None) -> FullSource:
    """Return the source that stands in for that of another engine, and say so; errors as `open_full`."""
    if say is not None:
        say(f"The full engine stands in for the {engine} one: {reason}.")
    return open_full(wanted, say, reason)
