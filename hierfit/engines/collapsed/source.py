"""Wanted -> CollapsedSource: Stan's program without effects, what it gets, and how what is left out comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hierfit.design.design import Design
from hierfit.engines.built import Built, build
from hierfit.engines.chain_state import ChainState
from hierfit.engines.collapsed.back import collapsed_draws
from hierfit.engines.collapsed.data import collapsed_data
from hierfit.engines.collapsed.mode import sample_from_mode
from hierfit.engines.collapsed.reduction import Collapsed, collapse
from hierfit.engines.engine import Message, OnProgress, Wanted
from hierfit.engines.names import EngineName
from hierfit.engines.sizes import short_round
from hierfit.engines.start import Start
from hierfit.model.spec import ModelSpec
from hierfit.posterior.draws import Draws
from hierfit.sampling import SamplerOptions, Sampling
from hierfit.stan.data import StanData
from hierfit.stan.programs import COLLAPSED_FAMILY, StanProgram, render_program
from hierfit.stan.sampler import sample


@dataclass(frozen=True)
class CollapsedSource:
    """A compiled program without effects, and its data.

    Attributes:
        built: the program.
        spec: the model.
        design: its columns.
        rows: what is left of them.
        data: the same, as the program gets it.
        stands_in: why it does the work of another engine; None where it does its own.
    """

    built: Built
    spec: ModelSpec
    design: Design
    rows: Collapsed
    data: StanData
    stands_in: str | None = None
    engine: EngineName = EngineName.COLLAPSED

    @property
    def program(self) -> StanProgram:
        """The program's text."""
        return self.built.program

    @property
    def first_round(self) -> int:
        """How many draws of each chain a first round has at most."""
        return short_round(self.design)

    def first(self, options: SamplerOptions, on_progress: OnProgress | None) -> tuple[Sampling, Start]:
        """Sample a first round, from the mode where that goes well."""
        return sample_from_mode(self.built.executable, self.data, options, on_progress, sample)

    def more(self, state: ChainState, options: SamplerOptions, on_progress: OnProgress | None) -> Sampling:
        """Sample on from where the chains stand."""
        return sample(self.built.executable, self.data, state.options(options), on_progress)

    def draws(self, sampling: Sampling) -> Draws:
        """Return what was sampled, and a draw of the rest given it, in the units of the CSV."""
        return collapsed_draws(sampling, self.rows, self.design, self.spec)

    def stand_in(self, reason: str, say: Message | None) -> None:
        """Nothing stands in for it."""

    def describe(self) -> dict[str, Any]:
        """Return engine, toolchain, compiler and program, and how many rows it sees."""
        return self.built.describe(self.engine, self.data["N"], self.stands_in)


def collapsed_program() -> StanProgram:
    """Return the one program of all collapsible outcomes: each on its linear scale."""
    return render_program(COLLAPSED_FAMILY, collapsed=True)


def open_collapsed(wanted: Wanted, say: Message | None = None, stands_in: str | None = None) -> CollapsedSource:
    """Return the source of a model, its program compiled if need be; `stands_in` says why, where that is so.

    Raises:
        ToolchainError: there is no Stan on this machine.
    """
    built = build(collapsed_program(), wanted.toolchain, say)
    rows = collapse(wanted.spec, wanted.design)
    data = collapsed_data(wanted.spec, wanted.design, rows)
    return CollapsedSource(built, wanted.spec, wanted.design, rows, data, stands_in)
