"""Sources of draws: a Stan program with its data, or hierfit's own chains of a marginal posterior.

`open_source` chooses by engine and model; `engines.rounds` draws from either alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.engines.chain_state import ChainState
from hierfit.engines.choice import Engine
from hierfit.engines.collapsed.mode import sample_from_mode
from hierfit.engines.data import stan_data
from hierfit.engines.full.attempts import Views, sample_after_short_warmup
from hierfit.engines.full.repeated import sampled_family
from hierfit.engines.marginal.chains import sample as sample_marginal
from hierfit.engines.marginal.density import MarginalPosterior, find_posterior
from hierfit.engines.marginal.proposal import NoProposalError
from hierfit.engines.start import Start
from hierfit.model.spec import ModelSpec, sd_name
from hierfit.sampling import Progress, SamplerOptions, Sampling
from hierfit.stan.executable import Executable, build_executable
from hierfit.stan.programs import COLLAPSED_FAMILY, StanProgram, render_program
from hierfit.stan.sampler import sample
from hierfit.stan.toolchain import find_toolchain

Array = NDArray[np.float64]
Message = Callable[[str], None]
OnProgress = Callable[[Progress], None]


class Source(Protocol):
    """What draws come from."""

    @property
    def engine(self) -> Engine:
        """How the group effects are dealt with."""
        ...

    @property
    def program(self) -> StanProgram:
        """The Stan program that has this posterior."""
        ...

    def first(self, options: SamplerOptions, on_progress: OnProgress | None) -> tuple[Sampling, Start]:
        """Draw a first round, and say how it started."""
        ...

    def more(self, state: ChainState, options: SamplerOptions, on_progress: OnProgress | None) -> Sampling:
        """Draw on from where the chains stand, as many draws as the options say."""
        ...

    def stand_in(self, reason: str, say: Message | None) -> Source | None:
        """Return what stands in where these draws cannot be trusted; None where nothing does."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return what does the work, as JSON-ready plain values."""
        ...


@dataclass(frozen=True)
class Wanted:
    """What to draw from.

    Attributes:
        spec: the model.
        design: its columns.
        engine: how the group effects are to be dealt with.
        toolchain: auto, bundled or cmdstan.
        seed: of all that is random.
        narrowed: which effects are seen with their mean (`engines.full.centering`), where that was chosen before.
    """

    spec: ModelSpec
    design: Design
    engine: Engine
    toolchain: str
    seed: int
    narrowed: Array | None = None

    @property
    def program(self) -> StanProgram:
        """The Stan program that has the posterior."""
        return program_for(self.design, self.engine.of_program)


@dataclass(frozen=True)
class StanSource:
    """A compiled Stan program and its data.

    Attributes:
        engine: which of the programs of the family it is.
        program: its text.
        executable: the same, compiled.
        compiler: what compiled it.
        spec: the model.
        design: its columns.
        data: what it gets.
        stands_in: why it does the work of another engine; None where it does its own.
    """

    engine: Engine
    program: StanProgram
    executable: Executable
    compiler: str
    spec: ModelSpec
    design: Design
    data: Mapping[str, Any]
    stands_in: str | None = None

    def first(self, options: SamplerOptions, on_progress: OnProgress | None) -> tuple[Sampling, Start]:
        """Draw a first round: from the mode where the engine allows it, otherwise with an adapting warmup."""
        if self.engine is Engine.COLLAPSED:
            return sample_from_mode(self.executable, self.data, options, on_progress, sample)
        names = [sd_name(group.factor, term) for group in self.design.groups for term in group.terms]
        return sample_after_short_warmup(
            self.executable, Views(self.data, self._seen, names), options, on_progress, sample
        )

    def more(self, state: ChainState, options: SamplerOptions, on_progress: OnProgress | None) -> Sampling:
        """Draw on from where the chains stand, as many draws as the options say."""
        return sample(self.executable, self._seen(state.narrowed), state.options(options), on_progress)

    def _seen(self, narrowed: Array | None) -> Mapping[str, Any]:
        """Return the data for chains that see effects so (`engines.full.centering`)."""
        if narrowed is None or np.array_equal(narrowed, self.data["narrowed"]):
            return self.data
        return stan_data(self.spec, self.design, self.engine, narrowed)

    def stand_in(self, reason: str, say: Message | None) -> None:
        """Nothing stands in for Stan."""

    def describe(self) -> dict[str, Any]:
        """Return engine, toolchain, compiler and program, and how many rows it sees."""
        return {
            "engine": self.engine.value,
            "toolchain": self.executable.toolchain_kind,
            "stan": self.executable.stan_version,
            "compiler": self.compiler,
            "program_sha256": self.executable.program_digest,
            "rows_sampled": self.data["N"],
            "stands_in": self.stands_in,
        }


@dataclass(frozen=True)
class MarginalSource:
    """The marginal posterior of a model with several grouping factors; no Stan.

    Attributes:
        program: the Stan program that has this posterior, though it does not run.
        posterior: what is drawn from.
        seconds: what finding it took.
        wanted: what it was opened for.
    """

    program: StanProgram
    posterior: MarginalPosterior
    seconds: float
    wanted: Wanted
    engine: Engine = Engine.MARGINAL

    def first(self, options: SamplerOptions, on_progress: OnProgress | None) -> tuple[Sampling, Start]:
        """Draw a first round."""
        return sample_marginal(self.posterior, options, on_progress), Start("proposal", 0, self.seconds)

    def more(self, state: ChainState, options: SamplerOptions, on_progress: OnProgress | None) -> Sampling:
        """Draw on from where the chains stand, as many draws as the options say."""
        return sample_marginal(self.posterior, state.options(options), on_progress)

    def stand_in(self, reason: str, say: Message | None) -> Source:
        """Return Stan's full engine, compiled if need be, and say so."""
        return _open_stand_in(self.wanted, reason, say)

    def describe(self) -> dict[str, Any]:
        """Return engine and program; there is no compiler."""
        return {
            "engine": self.engine.value,
            "toolchain": None,
            "stan": None,
            "compiler": None,
            "program_sha256": self.program.digest,
            "rows_sampled": self.posterior.model.design.n_rows,
        }


def open_source(wanted: Wanted, say: Message | None = None) -> Source:
    """Return what draws from the posterior of a model, compiled if need be.

    Where nothing near the marginal posterior of several factors is found, Stan's full engine stands in, and it is said.

    Raises:
        ToolchainError: there is no Stan on this machine, and it is needed.
    """
    if not wanted.engine.samples_by_stan:
        started = time.monotonic()
        try:
            posterior = find_posterior(wanted.spec, wanted.design, wanted.seed)
            return MarginalSource(wanted.program, posterior, time.monotonic() - started, wanted)
        except NoProposalError as error:
            return _open_stand_in(wanted, str(error), say)
    return _open_stan(wanted, say)


def _open_stand_in(wanted: Wanted, reason: str, say: Message | None) -> StanSource:
    if say is not None:
        say(f"The full engine stands in for the marginal one: {reason}.")
    return replace(_open_stan(replace(wanted, engine=Engine.FULL), say), stands_in=reason)


def _open_stan(wanted: Wanted, say: Message | None) -> StanSource:
    program, toolchain = wanted.program, find_toolchain(wanted.toolchain)
    executable = build_executable(program, toolchain, say)
    data = stan_data(wanted.spec, wanted.design, wanted.engine, wanted.narrowed)
    version = toolchain.compiler_version
    return StanSource(wanted.engine, program, executable, version, wanted.spec, wanted.design, data)


def program_for(design: Design, engine: Engine) -> StanProgram:
    """Return the Stan program of a model; rows that repeat, or are integrated out, may have a family of their own."""
    if engine is Engine.COLLAPSED:
        return render_program(COLLAPSED_FAMILY, collapsed=True)
    return render_program(sampled_family(design))
