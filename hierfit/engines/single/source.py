"""Wanted -> SingleSource: chains of hierfit's own for one factor; or the collapsed engine, where nothing is near."""

from __future__ import annotations

import time
from dataclasses import dataclass

from hierfit.engines.collapsed.source import CollapsedSource, open_collapsed
from hierfit.engines.engine import Message, OnProgress, Source, Wanted
from hierfit.engines.full.engine import FULL
from hierfit.engines.names import EngineName
from hierfit.engines.own_chains import OwnChains
from hierfit.engines.proposal import NoProposalError
from hierfit.engines.single.back import single_draws
from hierfit.engines.single.chains import sample
from hierfit.engines.single.posterior import SinglePosterior, find_posterior
from hierfit.engines.sizes import short_round
from hierfit.posterior.draws import Draws
from hierfit.sampling import SamplerOptions, Sampling


@dataclass(frozen=True)
class SingleSource(OwnChains[SinglePosterior]):
    """The marginal posterior of a model with one grouping factor; no Stan."""

    engine: EngineName = EngineName.MARGINAL

    @property
    def first_round(self) -> int:
        """How many draws of each chain a first round has at most."""
        return short_round(self.wanted.design)

    def sample(self, options: SamplerOptions, on_progress: OnProgress | None) -> Sampling:
        """Run the chains."""
        return sample(self.posterior, options, on_progress)

    def draws(self, sampling: Sampling) -> Draws:
        """Return what was sampled, and a draw of the effects given it, in the units of the CSV."""
        return single_draws(sampling, self.posterior.model, self.wanted.design, self.wanted.spec)

    def stand_in(self, reason: str, say: Message | None) -> CollapsedSource:
        """Return Stan's collapsed engine, compiled if need be, and say so."""
        return _stand_in(self.wanted, reason, say)


def open_single(wanted: Wanted, say: Message | None = None) -> Source:
    """Return the source of a model; where nothing near its posterior is found, Stan's collapsed engine, and it is said.

    Raises:
        ToolchainError: there is no Stan on this machine, and it is needed.
    """
    started = time.monotonic()
    try:
        posterior = find_posterior(wanted.spec, wanted.design, wanted.seed)
        return SingleSource(FULL.program(wanted.design), posterior, time.monotonic() - started, wanted)
    except NoProposalError as error:
        return _stand_in(wanted, str(error), say)


def _stand_in(wanted: Wanted, reason: str, say: Message | None) -> CollapsedSource:
    """Return the source that stands in, and say so; errors as `open_collapsed`."""
    if say is not None:
        say(f"The collapsed engine stands in for the {EngineName.MARGINAL} one: {reason}.")
    return open_collapsed(wanted, say, reason)
