"""Priors -> how they are told: what a number is that has one, and where it is."""

from __future__ import annotations

from hierfit.model.grammar import INTERCEPT
from hierfit.model.priors import Prior
from hierfit.model.spec import ModelSpec, cor_name, sd_name, threshold_name


def prior_rows(spec: ModelSpec) -> list[tuple[str, str, str]]:
    """Return the table of priors, its header first: parameter, distribution, where it comes from and what it is of."""
    rows = [(name, str(prior), prior.source + prior_note(name, prior, spec)) for name, prior in spec.priors.items()]
    return [("parameter", "prior", "source"), *rows]


def prior_note(name: str, prior: Prior, spec: ModelSpec) -> str:
    """Return what else a reader has to know of a prior, each after a semicolon."""
    lower, _ = prior.bounds(positive=False)
    half = "; its positive half" if spec.range_of(name)[0] >= 0 and lower < 0 and prior.constant is None else ""
    return half + _place_note(name, spec)


def _place_note(name: str, spec: ModelSpec) -> str:
    """Return where the intercept is that a prior speaks of, of its sd or its correlations, where it is not at 0."""
    if name == INTERCEPT and spec.has_two_intercepts:
        return "; of the intercept at the mean of x"
    if _is_at_mean(name, spec):
        return "; at the mean of what varies with the intercept"
    if spec.centered and spec.coefficients and name in map(threshold_name, spec.thresholds):
        return "; at the mean of x"
    if any(parameter.name == name and spec.speaks_of_mean(parameter) for parameter in spec.parameters):
        return "; at the mean of its predictors"
    return ""


def _is_at_mean(name: str, spec: ModelSpec) -> bool:
    """Whether the prior is one of the sd of a factor's intercepts, or of its correlations, at the mean of columns."""
    of_two = [group.factor for group in spec.groups if spec.has_two_sds(group)]
    return name in {name for factor in of_two for name in (sd_name(factor, INTERCEPT), cor_name(factor))}
