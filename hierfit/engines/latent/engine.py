"""LATENT: the effects of one factor integrated out by quadrature; outcomes that are not normal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.engines.engine import Message, Source, Wanted
from hierfit.engines.full.engine import FULL
from hierfit.engines.latent.building import STRUCTS, can_be_had
from hierfit.engines.latent.hamiltonian import WARMUP
from hierfit.engines.latent.posterior import FIRST_NODES, has_many_others
from hierfit.engines.latent.source import open_latent
from hierfit.engines.latent.timing import estimate_latent
from hierfit.engines.names import EngineName
from hierfit.engines.sizes import n_other_effects
from hierfit.engines.timing import Estimate
from hierfit.model.spec import ModelSpec
from hierfit.sampling import SamplerOptions
from hierfit.stan.data import StanData
from hierfit.stan.programs import StanProgram

MOST_OTHER = 3000  # effects of other factors than that which is integrated out
MOST_REALS = 40  # what is sampled beside effects: proposals in more dimensions are rarely near


@dataclass(frozen=True)
class LatentEngine:
    """The engine for outcomes that are not normal. Its Stan program is that of the full engine, and does not run."""

    name: EngineName = EngineName.LATENT
    runs_program: bool = False
    on_linear_scale: bool = False

    def obstacles(self, spec: ModelSpec, design: Design, *, tuned: bool) -> Iterator[str]:
        """Yield what keeps it from this model."""
        if spec.family not in STRUCTS:
            yield f"group effects of a {spec.family} outcome are integrated out exactly, without quadrature"
        elif not can_be_had(spec.family):
            yield "its kernel is not compiled, and there is no compiler"
        if not design.groups:
            yield "there is no grouping factor"
        elif n_other_effects(design.groups) > MOST_OTHER:
            yield f"all grouping factors but one have more than {MOST_OTHER} effects together"
        for group in spec.groups:
            if len(group.blocks) > 1 or any(parameter is not None for parameter in group.of_parameters):
                yield f"{group.factor} has effects on more than the mean"
            elif len(group.terms) > max(FIRST_NODES):
                yield f"{group.factor} has {len(group.terms)} varying coefficients, more than {max(FIRST_NODES)}"
        if spec.shrunk:
            yield "coefficients share a horseshoe"
        if spec.prior_only:
            yield "only the priors are asked for"
        if tuned:
            yield "it has no warmup, step size or metric to be set"
        free = [name for name, prior in spec.priors.items() if prior.constant is None]
        if len(free) > MOST_REALS:
            yield f"there are {len(free)} parameters beside the effects, more than {MOST_REALS}"
        if not free:
            yield "all parameters are constant"

    def program(self, design: Design) -> StanProgram:
        """Return the program that has the posterior."""
        return FULL.program(design)

    def data(self, spec: ModelSpec, design: Design, narrowed: NDArray[np.float64] | None = None) -> StanData:
        """Return what that program would get."""
        return FULL.data(spec, design, narrowed)

    def prepare(self, wanted: Wanted, say: Message | None = None) -> Source:
        """Return what draws: its chains, or what stands in for them."""
        return open_latent(wanted, say)

    def warmup(self, design: Design, options: SamplerOptions) -> int | None:
        """There is none, but that of Hamiltonian steps where it is known beforehand that they are needed."""
        return WARMUP if has_many_others(design) else None

    def estimate(self, wanted: Wanted, options: SamplerOptions) -> Estimate | None:
        """Return how long its chains will take, from a few points; None where its kernel has to be compiled first."""
        return estimate_latent(wanted.spec, wanted.design, options)


LATENT = LatentEngine()
