"""What the checks found, as far as likely causes and advice depend on it; and the parts of the model concerned."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from hierfit.design import moments
from hierfit.design.design import Design, Group
from hierfit.model.families import SIGMA
from hierfit.model.priors import HORSESHOE_SCALE
from hierfit.model.spec import ModelSpec
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict import auxiliary_draws


@dataclass(frozen=True)
class Asked:
    """What the user asked of the sampler; None where that was left to hierfit.

    Attributes:
        warmup: iterations that are not kept.
        adapt_delta: target acceptance.
        standardize: whether priors of coefficients and slopes are read per sd of their column.
    """

    warmup: int | None = None
    adapt_delta: float | None = None
    standardize: bool = False


@dataclass(frozen=True)
class Trouble:
    """What the checks found.

    Attributes:
        checks: ids of the checks that found something.
        names: the parameters that findings name.
        disagreeing: those of them on which the chains disagree: their draws say nothing.
        factors: grouping factors whose parameters or effects are named by a finding.
        ess_min: smallest effective sample size, NaN where unknown.
        ess_wanted: its threshold.
        divergent: share of the draws that diverged.
        spec: formula, family and priors.
        asked: what the user asked of the sampler.
    """

    checks: Collection[str]
    names: Collection[str]
    disagreeing: Collection[str]
    factors: Collection[str]
    ess_min: float
    ess_wanted: float
    divergent: float
    spec: ModelSpec
    asked: Asked = Asked()


def suspect_groups(trouble: Trouble, design: Design) -> list[Group]:
    """Return the groups that a finding names, or all where findings name none."""
    named = [group for group in design.groups if group.factor in trouble.factors]
    return named or list(design.groups)


def has_horseshoe(draws: Draws) -> bool:
    """Whether coefficients share the scale of a horseshoe."""
    return any(parameter.name == HORSESHOE_SCALE for parameter in draws.parameters)


def column_scale(group: Group, index: int) -> float:
    """Return the size of a varying column: its sd, or 1 where it is constant."""
    scale = float(moments.sd(group.Z[:, index]))
    return scale if scale > 0 else 1.0


def residual_scale(draws: Draws, design: Design) -> float:
    """Return the posterior median of sigma, at the mean of its predictors, or 1 for a family without one."""
    sigma = auxiliary_draws(draws, design, np.arange(draws.n_chains * draws.n_draws)).get(SIGMA)
    return 1.0 if sigma is None else float(np.median(sigma))
