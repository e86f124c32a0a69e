"""Engines: how group effects and coefficients are dealt with while sampling. All give the same posterior.

full        every effect is a parameter of the sampler; any family, any number of factors
collapsed   the effects, and population coefficients with normal or flat priors, are integrated out exactly, and drawn
            afterwards from their exact conditional distribution; gaussian outcomes, and lognormal ones, whose
            logarithms are. With one grouping factor Stan samples what is left;
            with several the density takes a matrix as large as all factors but one, and `hierfit.marginal` does
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.design.scaling import counted_rows
from hierfit.engines.collapsing import INTEGRABLE
from hierfit.errors import UsageError
from hierfit.model.families import FAMILIES, SIGMA
from hierfit.model.spec import GroupCoefficients, ModelSpec, sd_name

T = TypeVar("T")

COLLAPSED_FAMILY = "gaussian"  # whose program all collapsible outcomes share: each on its linear scale
MOST_TOGETHER = 2_000  # effects of all factors but the one that is eliminated first: a second for each draw beyond
MOST_ROWS = 2**31  # a program counts them in 32 bits
MOST_PAIRS = 20_000_000  # products of cross-products that are kept: 250 MB


class Engine(StrEnum):
    """How the group effects are dealt with while sampling."""

    FULL = "full"
    COLLAPSED = "collapsed"


def choose_engine(spec: ModelSpec, design: Design, wanted: str = "auto", *, tuned: bool = False) -> Engine:
    """Return the wanted engine; auto takes collapsed wherever it is exact and small enough.

    `tuned` says that the user has set what only Stan's sampler knows, such as its warmup.

    Raises:
        UsageError: collapsed is wanted where it cannot be had, or there is no such engine.
    """
    if wanted == "auto":
        return Engine.FULL if any(obstacles(spec, design, tuned=tuned)) else Engine.COLLAPSED
    if wanted not in set(Engine):
        raise UsageError(f"there is no engine '{wanted}'.", hint=f"choose auto, {', '.join(Engine)}")
    found = list(obstacles(spec, design, tuned=tuned)) if wanted == Engine.COLLAPSED else []
    if found:
        raise UsageError(f"the collapsed engine cannot be had: {'; '.join(found)}.", hint="use --engine auto")
    return Engine(wanted)


def obstacles(spec: ModelSpec, design: Design, *, tuned: bool) -> Iterator[str]:
    """Yield what keeps the collapsed engine from this model."""
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
    """Yield what keeps the chains of `hierfit.marginal` from a model with several factors."""
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


def samples_by_stan(engine: Engine, groups: Sequence[Group] | Sequence[GroupCoefficients]) -> bool:
    """Whether Stan samples; otherwise `hierfit.marginal` does."""
    return engine is Engine.FULL or len(groups) == 1


def stan_engine(engine: Engine, groups: Sequence[Group] | Sequence[GroupCoefficients]) -> Engine:
    """Return the engine of the Stan program that has the posterior, whether it samples or not."""
    return engine if samples_by_stan(engine, groups) else Engine.FULL


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
