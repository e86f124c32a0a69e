"""What the sources of hierfit's own chains have in common: a posterior that was found, and chains through it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hierfit.engines.chain_state import ChainState
from hierfit.engines.engine import OnProgress, Wanted
from hierfit.engines.names import EngineName
from hierfit.engines.start import Start
from hierfit.sampling import SamplerOptions, Sampling
from hierfit.stan.programs import StanProgram

Found = TypeVar("Found")


@dataclass(frozen=True)
class OwnChains(ABC, Generic[Found]):
    """A model whose posterior is found; no Stan.

    Attributes:
        program: the Stan program that has this posterior, though it does not run.
        posterior: what is drawn from.
        seconds: what finding it took.
        wanted: what it was opened for.
        engine: whose chains they are.
    """

    program: StanProgram
    posterior: Found
    seconds: float
    wanted: Wanted
    engine: EngineName

    def first(self, options: SamplerOptions, on_progress: OnProgress | None) -> tuple[Sampling, Start]:
        """Sample a first round."""
        return self.sample(options, on_progress), Start("proposal", 0, self.seconds)

    def more(self, state: ChainState, options: SamplerOptions, on_progress: OnProgress | None) -> Sampling:
        """Sample on from where the chains stand."""
        return self.sample(state.options(options), on_progress)

    @abstractmethod
    def sample(self, options: SamplerOptions, on_progress: OnProgress | None) -> Sampling:
        """Run the chains."""

    def describe(self) -> dict[str, Any]:
        """Return engine, program and how many rows it sees; no Stan program runs, so that there is no compiler."""
        return {
            "engine": self.engine.value,
            "toolchain": None,
            "stan": None,
            "compiler": None,
            "program_sha256": self.program.digest,
            "rows_sampled": self.rows_sampled,
        }

    @property
    def rows_sampled(self) -> int:
        """How many rows the density sees."""
        return self.wanted.design.n_rows
