"""Wanted -> LatentSource: chains of the latent engine, or Stan's full one where nothing near the posterior is found."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

from hierfit.engines.chain_state import ChainState
from hierfit.engines.engine import Message, OnProgress, Source, Wanted
from hierfit.engines.full.engine import FULL
from hierfit.engines.full.source import FullSource, open_stand_in
from hierfit.engines.independence import describe_chains
from hierfit.engines.latent.chains import sample
from hierfit.engines.latent.hamiltonian import WARMUP
from hierfit.engines.latent.posterior import FarPosterior, LatentPosterior, find_posterior
from hierfit.engines.latent.walk_chains import walk
from hierfit.engines.latent.walked import WalkedPosterior, walk_through
from hierfit.engines.names import EngineName
from hierfit.engines.proposal import NoProposalError
from hierfit.engines.start import Start
from hierfit.engines.whole import whole_draws
from hierfit.posterior.draws import Draws
from hierfit.sampling import SamplerOptions, Sampling
from hierfit.stan.programs import StanProgram

LONG_WORK, SHORT_ROUND = 200_000, 250  # rows times nodes of a point from where on a first round is short


@dataclass(frozen=True)
class LatentSource:
    """A model whose posterior is found.

    Attributes:
        program: the Stan program that has this posterior, though it does not run.
        posterior: what is drawn from.
        seconds: what finding it took.
        wanted: what it was opened for.
    """

    program: StanProgram
    posterior: LatentPosterior | WalkedPosterior
    seconds: float
    wanted: Wanted
    engine: EngineName = EngineName.LATENT

    @property
    def first_round(self) -> int:
        """How many draws of each chain a first round has at most."""
        steps = self.posterior.walk.steps if isinstance(self.posterior, WalkedPosterior) else 1
        return sys.maxsize if self.posterior.density.kernel.work * steps < LONG_WORK else SHORT_ROUND

    def first(self, options: SamplerOptions, on_progress: OnProgress | None) -> tuple[Sampling, Start]:
        """Sample a first round."""
        sampling = self._sample(options, on_progress)
        if isinstance(self.posterior, WalkedPosterior):
            tried = "Hamiltonian steps, not independence Metropolis"
            return sampling, Start("adaptation", WARMUP, self.seconds, reason=self.posterior.reason, tried=tried)
        return sampling, Start("proposal", 0, self.seconds)

    def more(self, state: ChainState, options: SamplerOptions, on_progress: OnProgress | None) -> Sampling:
        """Sample on from where the chains stand."""
        return self._sample(state.options(options), on_progress)

    def _sample(self, options: SamplerOptions, on_progress: OnProgress | None) -> Sampling:
        if isinstance(self.posterior, WalkedPosterior):
            return walk(self.posterior, self.wanted.design, options, on_progress)
        return sample(self.posterior, self.wanted.design, options, on_progress)

    def draws(self, sampling: Sampling) -> Draws:
        """Return what was sampled under the names and in the units of the CSV."""
        return whole_draws(sampling, self.wanted.design, self.wanted.spec)

    def stand_in(self, reason: str, say: Message | None) -> FullSource:
        """Return Stan's full engine, compiled if need be, and say so."""
        return open_stand_in(self.engine, self.wanted, reason, say)

    def describe(self) -> dict[str, Any]:
        """Return engine and program, and what the quadrature leaves."""
        kernel = self.posterior.density.kernel
        described = describe_chains(self.engine, self.program, len(kernel.rows.y))
        return {**described, "nodes": kernel.n_nodes, "node_error": self.posterior.node_error}


def open_latent(wanted: Wanted, say: Message | None = None) -> Source:
    """Return the source of a model; where nothing near its posterior is found, Stan's full engine, and it is said.

    Raises:
        ToolchainError: there is no compiler, and one is needed.
    """
    started = time.monotonic()
    try:
        found = find_posterior(wanted.spec, wanted.design, wanted.seed, say)
        if isinstance(found, FarPosterior) and say is not None:
            say(f"Adapting Hamiltonian steps: {found.reason}")
        posterior = walk_through(found, wanted.seed) if isinstance(found, FarPosterior) else found
        return LatentSource(FULL.program(wanted.design), posterior, time.monotonic() - started, wanted)
    except NoProposalError as error:
        return open_stand_in(EngineName.LATENT, wanted, str(error), say)
