"""Wanted -> LatentSource: chains of the latent engine, or Stan's full one where nothing near the posterior is found."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

from hierfit.engines.engine import Message, OnProgress, Source, Wanted
from hierfit.engines.full.engine import FULL
from hierfit.engines.full.source import FullSource, open_stand_in
from hierfit.engines.latent.chains import sample
from hierfit.engines.latent.hamiltonian import WARMUP
from hierfit.engines.latent.posterior import FarPosterior, LatentPosterior, find_posterior
from hierfit.engines.latent.walk_chains import walk
from hierfit.engines.latent.walked import WalkedPosterior, walk_through
from hierfit.engines.names import EngineName
from hierfit.engines.own_chains import OwnChains
from hierfit.engines.proposal import NoProposalError
from hierfit.engines.start import Start
from hierfit.engines.whole import whole_draws
from hierfit.posterior.draws import Draws
from hierfit.sampling import SamplerOptions, Sampling

LONG_WORK, SHORT_ROUND = 200_000, 250  # rows times nodes of a point from where on a first round is short


@dataclass(frozen=True)
class LatentSource(OwnChains[LatentPosterior | WalkedPosterior]):
    """A model whose posterior is found."""

    engine: EngineName = EngineName.LATENT

    @property
    def first_round(self) -> int:
        """How many draws of each chain a first round has at most."""
        steps = self.posterior.walk.steps if isinstance(self.posterior, WalkedPosterior) else 1
        return sys.maxsize if self.posterior.density.kernel.work * steps < LONG_WORK else SHORT_ROUND

    def first(self, options: SamplerOptions, on_progress: OnProgress | None) -> tuple[Sampling, Start]:
        """Sample a first round."""
        sampling, start = super().first(options, on_progress)
        if isinstance(self.posterior, WalkedPosterior):
            tried = "Hamiltonian steps, not independence Metropolis"
            return sampling, Start("adaptation", WARMUP, self.seconds, reason=self.posterior.reason, tried=tried)
        return sampling, start

    def sample(self, options: SamplerOptions, on_progress: OnProgress | None) -> Sampling:
        """Run the chains."""
        if isinstance(self.posterior, WalkedPosterior):
            return walk(self.posterior, self.wanted.design, options, on_progress)
        return sample(self.posterior, self.wanted.design, options, on_progress)

    def draws(self, sampling: Sampling) -> Draws:
        """Return what was sampled under the names and in the units of the CSV."""
        return whole_draws(sampling, self.wanted.design, self.wanted.spec)

    def stand_in(self, reason: str, say: Message | None) -> FullSource:
        """Return Stan's full engine, compiled if need be, and say so."""
        return open_stand_in(self.engine, self.wanted, reason, say)

    @property
    def rows_sampled(self) -> int:
        """How many rows the density sees, repeated ones once."""
        return len(self.posterior.density.kernel.rows.y)

    def describe(self) -> dict[str, Any]:
        """Return engine and program, and what the quadrature leaves."""
        nodes = self.posterior.density.kernel.n_nodes
        return {**super().describe(), "nodes": nodes, "node_error": self.posterior.node_error}


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
