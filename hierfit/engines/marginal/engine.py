"""MARGINAL: effects and coefficients integrated out exactly; gaussian or lognormal outcome, several factors or one.

With one factor it draws as the collapsed engine does, which is Stan's, but for many points of many levels at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.engines.collapsed.reduction import INTEGRABLE
from hierfit.engines.engine import Message, Source, Wanted
from hierfit.engines.full.engine import FULL
from hierfit.engines.marginal.source import open_marginal
from hierfit.engines.marginal.timing import estimate_marginal
from hierfit.engines.names import EngineName
from hierfit.engines.obstacles import obstacles_of_all
from hierfit.engines.single.source import open_single
from hierfit.engines.single.timing import estimate_single
from hierfit.engines.sizes import eliminated_and_others, met_pairs, n_effects
from hierfit.engines.timing import Estimate
from hierfit.model.families import SIGMA
from hierfit.model.spec import ModelSpec, pairs, sd_name
from hierfit.sampling import SamplerOptions
from hierfit.stan.data import StanData
from hierfit.stan.programs import StanProgram

MOST_TOGETHER = 2_000  # effects of all factors but the one that is eliminated first: a second for each draw beyond
MOST_PAIRS = 20_000_000  # products of cross-products that are kept: 250 MB
MOST_REALS = 40  # sds and correlations of one factor: proposals in more dimensions are rarely near


@dataclass(frozen=True)
class MarginalEngine:
    """The engine of chains of hierfit's own. Its Stan program is that of the full engine, and does not run."""

    name: EngineName = EngineName.MARGINAL
    runs_program: bool = False
    on_linear_scale: bool = False

    def obstacles(self, spec: ModelSpec, design: Design, *, tuned: bool) -> Iterator[str]:
        """Yield what keeps it from this model."""
        yield from obstacles_of_all(spec)
        yield from _obstacles_of_chains(spec, tuned=tuned)
        if len(design.groups) == 1:
            if (size := _n_reals(spec)) > MOST_REALS:
                yield f"{size} sds and correlations are sampled, more than {MOST_REALS}"
            return
        yield from _obstacles_of_several(spec, design)

    def program(self, design: Design) -> StanProgram:
        """Return the program that has the posterior."""
        return FULL.program(design)

    def data(self, spec: ModelSpec, design: Design, narrowed: NDArray[np.float64] | None = None) -> StanData:
        """Return what that program would get."""
        return FULL.data(spec, design, narrowed)

    def prepare(self, wanted: Wanted, say: Message | None = None) -> Source:
        """Return what draws: its chains, or what stands in for them."""
        return open_single(wanted, say) if len(wanted.spec.groups) == 1 else open_marginal(wanted, say)

    def warmup(self, design: Design, options: SamplerOptions) -> None:
        """There is none."""

    def estimate(self, wanted: Wanted, options: SamplerOptions) -> Estimate:
        """Return how long its chains will take, from a few points."""
        estimated = estimate_single if len(wanted.spec.groups) == 1 else estimate_marginal
        return estimated(wanted.spec, wanted.design, options)


def _obstacles_of_chains(spec: ModelSpec, *, tuned: bool) -> Iterator[str]:
    """Yield what keeps its chains from a model, whatever the number of its factors."""
    if spec.prior_only:
        yield "only the priors are asked for"
    if tuned:
        yield "it has no warmup, step size or metric to be set"
    priors = {name: spec.priors[name].distribution for name in spec.coefficient_names}
    other = [name for name, distribution in priors.items() if distribution not in (*INTEGRABLE, "constant")]
    if other:
        yield f"it needs normal or flat priors, and that of {other[0]} is neither"
    sampled = [sd_name(group.factor, term) for group in spec.groups for term in group.terms]
    if all(spec.priors[name].constant is not None for name in (*sampled, SIGMA)):
        yield "all sds and sigma are constant"


def _n_reals(spec: ModelSpec) -> int:
    """Return how many sds and correlations are sampled."""
    sds = [sd_name(group.factor, term) for group in spec.groups for term in group.terms]
    n_pairs = sum(len(list(pairs(group))) for group in spec.groups)
    return n_pairs + sum(spec.priors[name].constant is None for name in sds)


def _obstacles_of_several(spec: ModelSpec, design: Design) -> Iterator[str]:
    """Yield what keeps its chains from a model with several factors."""
    group, others = eliminated_and_others(design.groups)
    together = sum(n_effects(factor) for factor in others)
    if together > MOST_TOGETHER:
        yield f"all grouping factors but one have {together:,} effects together, more than {MOST_TOGETHER:,}"
    met = np.minimum(group.rows_per_level * sum(len(factor.terms) for factor in others), together)
    pairs = met_pairs(met + len(spec.coefficient_names) + 1) * len(group.terms) * (len(group.terms) + 1) // 2
    if min(pairs, n_effects(group) * together) > MOST_PAIRS:
        yield "the levels of its factors meet too often"


MARGINAL = MarginalEngine()
