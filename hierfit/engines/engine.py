"""Engine and Source: what every engine takes and gives. All give the same posterior.

full        every effect is a parameter of the sampler; any family, any number of factors
collapsed   the effects, and population coefficients with normal or flat priors, are integrated out exactly, and drawn
            afterwards from their exact conditional distribution; gaussian outcomes, and lognormal ones, whose
            logarithms are; one grouping factor. Stan samples what is left
marginal    the same without Stan: chains of hierfit's own draw from the density. For several factors, where it takes a
            matrix as large as all but one, and for one with many levels
latent      the effects of one factor are integrated out by quadrature, level by level, in compiled code; outcomes that
            are not normal. Chains of hierfit's own draw what is left, and the effects given it

An engine owns the way in, from a model to what samples, and the way back to draws in the units of the CSV. What it
chooses on the way in its source carries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.engines.chain_state import ChainState
from hierfit.engines.names import EngineName
from hierfit.engines.start import Start
from hierfit.engines.timing import Estimate
from hierfit.model.spec import ModelSpec
from hierfit.posterior.draws import Draws
from hierfit.sampling import Progress, SamplerOptions, Sampling
from hierfit.stan.data import StanData
from hierfit.stan.programs import StanProgram

Array = NDArray[np.float64]
Message = Callable[[str], None]
OnProgress = Callable[[Progress], None]


@dataclass(frozen=True)
class Wanted:
    """What to draw from.

    Attributes:
        spec: the model.
        design: its columns.
        toolchain: auto, bundled or cmdstan.
        seed: of all that is random.
        narrowed: which effects are seen with their mean (`full.centering`), where that was chosen before.
    """

    spec: ModelSpec
    design: Design
    toolchain: str = "auto"
    seed: int = 0
    narrowed: Array | None = None


class Source(Protocol):
    """What draws come from: a model that an engine has prepared."""

    @property
    def engine(self) -> EngineName:
        """The engine that has prepared it."""
        ...

    @property
    def program(self) -> StanProgram:
        """The Stan program that has this posterior."""
        ...

    @property
    def first_round(self) -> int:
        """How many draws of each chain a first round has at most: few where a draw takes long to make or to keep."""
        ...

    def first(self, options: SamplerOptions, on_progress: OnProgress | None) -> tuple[Sampling, Start]:
        """Sample a first round, and say how it started."""
        ...

    def more(self, state: ChainState, options: SamplerOptions, on_progress: OnProgress | None) -> Sampling:
        """Sample on from where the chains stand, as many draws as the options say."""
        ...

    def draws(self, sampling: Sampling) -> Draws:
        """Return what was sampled under the names and in the units of the CSV."""
        ...

    def stand_in(self, reason: str, say: Message | None) -> Source | None:
        """Return what stands in where these draws cannot be trusted; None where nothing does."""
        ...

    def describe(self) -> dict[str, Any]:
        """Return what does the work, as JSON-ready plain values."""
        ...


class Engine(Protocol):
    """A way to draw from the posterior of a model."""

    @property
    def name(self) -> EngineName:
        """What it is called."""
        ...

    @property
    def runs_program(self) -> bool:
        """Whether its Stan program runs; otherwise it only says what the posterior is."""
        ...

    @property
    def on_linear_scale(self) -> bool:
        """Whether its program takes any outcome on its linear scale, as a gaussian one."""
        ...

    def obstacles(self, spec: ModelSpec, design: Design, *, tuned: bool) -> Iterator[str]:
        """Yield what keeps it from this model; `tuned` as in `choice.choose_engine`."""
        ...

    def program(self, design: Design) -> StanProgram:
        """Return the Stan program that has the posterior."""
        ...

    def data(self, spec: ModelSpec, design: Design, narrowed: Array | None = None) -> StanData:
        """Return what that program gets; `narrowed` as in Wanted."""
        ...

    def prepare(self, wanted: Wanted, say: Message | None = None) -> Source:
        """Return what draws from the posterior, its program compiled if need be.

        Raises:
            ToolchainError: there is no Stan on this machine, and it is needed.
        """
        ...

    def warmup(self, design: Design, options: SamplerOptions) -> int | None:
        """Return how many iterations a chain will not keep, if no second attempt is needed; None where it has none."""
        ...

    def estimate(self, wanted: Wanted, options: SamplerOptions) -> Estimate | None:
        """Return how long sampling will take, or None where a program has to be compiled first; nothing is built.

        Raises:
            ToolchainError: no Stan on this machine.
            SamplerError: the sampler does not start.
        """
        ...
