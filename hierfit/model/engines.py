"""Engines: how group effects and coefficients are dealt with while sampling. Both give the same posterior.

full        every effect is a parameter of the sampler; any family, any number of factors
collapsed   the effects, and population coefficients with normal or flat priors, are integrated out exactly, and drawn
            afterwards from their exact conditional distribution
"""

from __future__ import annotations

from enum import StrEnum

from hierfit.errors import UsageError
from hierfit.model.families import FAMILIES
from hierfit.model.spec import ModelSpec


class Engine(StrEnum):
    """How the group effects are dealt with while sampling."""

    FULL = "full"
    COLLAPSED = "collapsed"


def choose_engine(spec: ModelSpec, wanted: str = "auto", *, weighted: bool = False) -> Engine:
    """Return the wanted engine; auto takes collapsed wherever it is exact: never where rows are `weighted`.

    Raises:
        UsageError: collapsed is wanted where it is not exact, or there is no such engine.
    """
    one_sigma = not spec.sigma_coefficients
    exact = FAMILIES[spec.family].collapsible and len(spec.groups) == 1 and one_sigma and not weighted
    if wanted == "auto":
        return Engine.COLLAPSED if exact else Engine.FULL
    if wanted not in set(Engine):
        raise UsageError(f"there is no engine '{wanted}'.", hint=f"choose auto, {', '.join(Engine)}")
    if wanted == Engine.COLLAPSED and not exact:
        raise UsageError(
            f"the collapsed engine needs a gaussian outcome, one sigma, one grouping factor and no weights; this model "
            f"is {spec.family} with {len(spec.groups)}{'' if one_sigma else ', predictors of sigma'}"
            f"{' and weights' if weighted else ''}.",
            hint="use --engine auto",
        )
    return Engine(wanted)
