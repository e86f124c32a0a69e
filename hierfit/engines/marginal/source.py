"""Wanted -> MarginalSource: chains of hierfit's own; or the full engine, where nothing near the posterior is found."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from hierfit.engines.engine import Message, OnProgress, Source, Wanted
from hierfit.engines.full.engine import FULL
from hierfit.engines.full.source import FullSource, open_stand_in
from hierfit.engines.marginal.chains import sample
from hierfit.engines.marginal.density import MarginalPosterior, find_posterior
from hierfit.engines.names import EngineName
from hierfit.engines.own_chains import OwnChains
from hierfit.engines.proposal import NoProposalError
from hierfit.engines.sizes import MANY_EFFECTS, n_effects
from hierfit.engines.whole import whole_draws
from hierfit.posterior.draws import Draws
from hierfit.sampling import SamplerOptions, Sampling

# Where all factors but the largest make one matrix, with more effects than this a draw takes long; but chains that
# stay where they are every fourth time need more draws than Stan's until R-hat says anything, and chains that hardly
# ever stay do not.
MANY_TOGETHER, MATRIX_ROUND, SHARP_ROUND = 300, 400, 250
SHARP = 0.95  # effective share of the pilot sample


@dataclass(frozen=True)
class MarginalSource(OwnChains[MarginalPosterior]):
    """The marginal posterior of a model with several grouping factors; no Stan."""

    engine: EngineName = EngineName.MARGINAL

    @property
    def first_round(self) -> int:
        """How many draws of each chain a first round has at most."""
        sizes = [n_effects(group) for group in self.wanted.design.groups]
        if sum(sizes) <= MANY_EFFECTS and sum(sizes) - max(sizes) <= MANY_TOGETHER:
            return sys.maxsize
        return SHARP_ROUND if self.posterior.pilot.efficiency > SHARP else MATRIX_ROUND

    def sample(self, options: SamplerOptions, on_progress: OnProgress | None) -> Sampling:
        """Run the chains."""
        return sample(self.posterior, options, on_progress)

    def draws(self, sampling: Sampling) -> Draws:
        """Return what was sampled under the names and in the units of the CSV."""
        return whole_draws(sampling, self.wanted.design, self.wanted.spec)

    def stand_in(self, reason: str, say: Message | None) -> FullSource:
        """Return Stan's full engine, compiled if need be, and say so."""
        return open_stand_in(self.engine, self.wanted, reason, say)


def open_marginal(wanted: Wanted, say: Message | None = None) -> Source:
    """Return the source of a model; where nothing near its posterior is found, Stan's full engine, and it is said.

    Raises:
        ToolchainError: there is no Stan on this machine, and it is needed.
    """
    started = time.monotonic()
    try:
        posterior = find_posterior(wanted.spec, wanted.design, wanted.seed)
        return MarginalSource(FULL.program(wanted.design), posterior, time.monotonic() - started, wanted)
    except NoProposalError as error:
        return open_stand_in(EngineName.MARGINAL, wanted, str(error), say)
