"""Engines: how group effects and coefficients are dealt with while sampling. All give the same posterior.

full        every effect is a parameter of the sampler; any family, any number of factors
collapsed   the effects, and population coefficients with normal or flat priors, are integrated out exactly, and drawn
            afterwards from their exact conditional distribution; gaussian outcomes, and lognormal ones, whose
            logarithms are; one grouping factor. Stan samples what is left
marginal    the same for several factors: the density takes a matrix as large as all factors but one, and
            `engines.marginal` draws from it
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.design.scaling import counted_rows
from hierfit.engines.collapsed.reduction import INTEGRABLE
from hierfit.errors import UsageError
from hierfit.model.families import FAMILIES, SIGMA
from hierfit.model.spec import ModelSpec, sd_name

T = TypeVar("T")

MOST_TOGETHER = 2_000  # effects of all factors but the one that is eliminated first: a second for each draw beyond
MOST_ROWS = 2**31  # a program counts them in 32 bits
MOST_PAIRS = 20_000_000  # products of cross-products that are kept: 250 MB


class Engine(StrEnum):
    """How the group effects are dealt with while sampling."""

    FULL = "full"
    COLLAPSED = "collapsed"
    MARGINAL = "marginal"

    @property
    def samples_by_stan(self) -> bool:
        """Whether Stan samples; otherwise `engines.marginal` does."""
        return self is not Engine.MARGINAL

    @property
    def of_program(self) -> Engine:
        """The engine of the Stan program that has the posterior, whether it samples or not."""
        return self if self.samples_by_stan else Engine.FULL


def choose_engine(spec: ModelSpec, design: Design, wanted: str = "auto", *, tuned: bool = False) -> Engine:
    """Return the wanted engine; auto takes collapsed or marginal wherever it is exact and small enough.

    Either name stands for the one of the two that the number of grouping factors leaves. `tuned` says that the user has
    set what only Stan's sampler knows, such as its warmup.

    Raises:
        UsageError: one is wanted where it cannot be had, or there is no such engine.
    """
    if wanted not in ("auto", *Engine):
        raise UsageError(f"there is no engine '{wanted}'.", hint=f"choose auto, {', '.join(Engine)}")
    if wanted == Engine.FULL:
        return Engine.FULL
    found = list(obstacles(spec, design, tuned=tuned))
    if found and wanted != "auto":
        raise UsageError(f"the {wanted} engine cannot be had: {'; '.join(found)}.", hint="use --engine auto")
    if found:
        return Engine.FULL
    return Engine.MARGINAL if len(spec.groups) > 1 else Engine.COLLAPSED


def obstacles(spec: ModelSpec, design: Design, *, tuned: bool) -> Iterator[str]:
    """Yield what keeps group effects from being integrated out of this model."""
    if not FAMILIES[spec.family].collapsible:
        yield f"it needs a gaussian or lognormal outcome, and this one is {spec.family}"
    if not spec.groups:
        yield "there is no grouping factor"
    for own in spec.distributional:
        yield f"{own.parameter} has predictors"
    if design.weights is not None and len(spec.groups) == 1 and not _is_whole(total := counted_rows(design)):
        yield f"the weights add up to {total:,.6g}, which is no whole number"
    if len(spec.groups) > 1:
        yield from _obstacles_of_several(spec, design, tuned=tuned)


def _is_whole(total: float) -> bool:
    """Whether the program of the collapsed engine takes it for a number of rows."""
    return total < MOST_ROWS and abs(total - round(total)) < 1e-9 * total


def _obstacles_of_several(spec: ModelSpec, design: Design, *, tuned: bool) -> Iterator[str]:
    """Yield what keeps the chains of `engines.marginal` from a model with several factors."""
    if spec.prior_only:
        yield "only the priors are asked for"
    if tuned:
        yield "with several grouping factors it has no warmup, step size or metric to be set"
    priors = {name: spec.priors[name].distribution for name in spec.coefficient_names}
    other = [name for name, distribution in priors.items() if distribution not in (*INTEGRABLE, "constant")]
    if other:
        yield f"with several grouping factors it needs normal or flat priors, and that of {other[0]} is neither"
    sampled = [sd_name(group.factor, term) for group in spec.groups for term in group.terms]
    if all(spec.priors[name].constant is not None for name in (*sampled, SIGMA)):
        yield "all sds and sigma are constant"
    first = eliminated_factor(design.groups)
    group = design.groups[first]
    others = all_but(design.groups, first)
    together = sum(n_effects(factor) for factor in others)
    if together > MOST_TOGETHER:
        yield f"all grouping factors but one have {together:,} effects together, more than {MOST_TOGETHER:,}"
    met = np.minimum(group.rows_per_level * sum(len(factor.terms) for factor in others), together)
    pairs = met_pairs(met + len(spec.coefficient_names) + 1) * len(group.terms) * (len(group.terms) + 1) // 2
    if min(pairs, n_effects(group) * together) > MOST_PAIRS:
        yield "the levels of its factors meet too often"


def all_but(items: Sequence[T], index: int) -> list[T]:
    """Return the items but one."""
    return [item for at, item in enumerate(items) if at != index]


def eliminated_factor(groups: Sequence[Group]) -> int:
    """Return the position of the factor with most effects."""
    return max(range(len(groups)), key=lambda index: n_effects(groups[index]))


def n_effects(group: Group) -> int:
    """Return how many effects a factor has, J M."""
    return group.n_levels * len(group.terms)


def met_pairs(met: NDArray[np.int64]) -> int:
    """Return how many pairs of columns are met by the same level, where each meets so many [J]."""
    return int(np.sum(met * (met + 1) // 2))
