"""Draws x Design -> the share of the variance that lies between the levels of each factor, where columns are at means.

The variance shares (ICC for one factor) are sd(f: Intercept)^2 / (sum over factors of sd(f: Intercept)^2 + residual),
draw by draw, for models with a varying intercept; with varying slopes that is the division at the point where all of
these columns are at their means, or 0 where the table has no sds there. The residual is that of the scale of the link
(`model.variances`): of the outcome for gaussian and student, latent for others. That of counts is of a row
whose predictors are all at their means. None where sigma differs from row to row, or the family has no such variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.design import Design
from hierfit.model.families import FAMILIES, LinkScale, Support
from hierfit.model.grammar import INTERCEPT
from hierfit.model.spec import ModelSpec, sd_name
from hierfit.model.variances import HIDDEN_VARIANCE, around
from hierfit.plain import Key, Measured
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict.draws_of import every_draw
from hierfit.posterior.predict.linear import auxiliary_draws, population_part
from hierfit.posterior.variance.link import log_variance

Array = NDArray[np.float64]


@dataclass(frozen=True)
class VarianceShare:
    """Share of the variance that lies between the levels of one factor.

    Attributes:
        factor: the grouping factor.
        mean: posterior mean of the share.
        lower: lower bound of the equal-tailed interval.
        upper: upper bound.
        at_zero: the varying columns that are 0 where the share holds.
        scale: "outcome", or "latent" where the variance is that on the scale of the link.
        at_mean: the varying columns that are at their means there; of counts, all columns that are.
    """

    factor: Annotated[str, Key("group")]
    mean: Measured
    lower: Measured
    upper: Measured
    at_zero: tuple[str, ...]
    scale: Literal["outcome", "latent"] = "outcome"
    at_mean: tuple[str, ...] = ()


def scale_of(family: str) -> Literal["outcome", "latent"]:
    """Return what the scale of a family's link is: that of the outcome where the linear predictor is its mean."""
    known = FAMILIES[family]
    own = known.link_scale is LinkScale.AROUND and known.support is Support.REAL
    return "outcome" if own else "latent"


def variance_shares(
    draws: Draws, design: Design, spec: ModelSpec, bounds: tuple[float, float]
) -> tuple[VarianceShare, ...]:
    """Return the share of the variance of every factor with a varying intercept; nothing where it has no meaning.

    `bounds` are the two probabilities of an equal-tailed interval.
    """
    factors = [group.factor for group in design.groups if INTERCEPT in group.terms]
    if not factors or not _is_one_number(design, spec):
        return ()
    own = {group.factor: group.of_mean.terms for group in design.groups}
    sloped = [group for group in spec.groups if own[group.factor] not in ((), (INTERCEPT,))]
    terms = tuple(dict.fromkeys(term for group in sloped for term in own[group.factor] if term != INTERCEPT))
    at_mean = all(map(spec.has_two_sds, sloped))
    names = [sd_name(factor, INTERCEPT) for factor in factors]
    between = np.stack([draws.of(spec.speaks_of(name) if at_mean else name).ravel() ** 2 for name in names])
    zero, mean = ((), terms) if at_mean else (terms, ())
    if FAMILIES[spec.family].link_scale is LinkScale.LOG and FAMILIES[spec.family].is_discrete:
        mean = tuple(dict.fromkeys((*mean, *(name for name in design.coefficients if name not in zero))))
    total = between.sum(axis=0) + _residual(draws, design, spec, between.sum(axis=0), zero)
    with np.errstate(invalid="ignore"):
        shares = between / total
    scale, found = scale_of(spec.family), []
    for factor, share in zip(factors, shares, strict=True):
        lower, upper = np.quantile(share, bounds).tolist()
        found.append(VarianceShare(factor, float(share.mean()), lower, upper, zero, scale, mean))
    return tuple(found)


def _is_one_number(design: Design, spec: ModelSpec) -> bool:
    """Whether the variance that is left is the same for all rows alike, or of one at the means."""
    family = FAMILIES[spec.family]
    same = not spec.distributional and design.precision is None
    return family.link_scale is not LinkScale.NONE and (same or family.link_scale is LinkScale.HIDDEN)


def _residual(draws: Draws, design: Design, spec: ModelSpec, between: Array, zero: Sequence[str]) -> Array | float:
    """Return what is left within the levels, on the scale of the link, at columns of 0 or their means."""
    family = FAMILIES[spec.family]
    if family.link_scale is LinkScale.HIDDEN:
        return HIDDEN_VARIANCE[spec.link]
    picks = every_draw(draws)
    auxiliaries = auxiliary_draws(draws, design, picks)
    if family.link_scale is LinkScale.AROUND:
        return around(auxiliaries)[:, 0]
    x = np.array([0.0 if name in zero else mean for name, mean in _means(design)])
    predictor = population_part(draws, design, picks).at(x[None])[:, 0]
    predictor = predictor + (0.0 if design.offset is None else float(moments.mean(design.offset)))
    mean = family.mean(predictor + between / 2, spec.link, auxiliaries)  # of a lognormal variable
    return log_variance(spec.family, mean[:, None], auxiliaries)[:, 0]


def _means(design: Design) -> list[tuple[str, float]]:
    return list(zip(design.coefficients, moments.column_means(design.X).tolist(), strict=True))
