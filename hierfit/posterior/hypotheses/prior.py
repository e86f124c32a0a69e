"""The prior of a run -> draws of what an expression names, from the prior alone, where they can be had in one step.

They can for a parameter with a prior of its own that is a distribution: coefficients, sds, auxiliaries, an intercept at
the mean of the columns; and for what follows from these: the intercept at x = 0, the effect of a level, which is its sd
times a standard normal, and a correlation under lkj. They cannot where the prior is flat or a horseshoe, and where
parameters are carried from the mean of columns to x = 0 along with others: sds, correlations and intercepts of levels
that are correlated with slopes, thresholds, intercepts of other parameters than the mean.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hierfit.model.grammar import INTERCEPT
from hierfit.model.spec import (
    INTERCEPT_AT_MEAN,
    GroupCoefficients,
    Kind,
    ModelSpec,
    Parameter,
    cor_name,
    sd_name,
)
from hierfit.posterior.hypotheses.names import Effect

Array = NDArray[np.float64]
N_DRAWS, SEED = 100_000, 20_240_817


class NoPriorDraws(Exception):
    """There are no draws from the prior, for the reason said."""


@dataclass(frozen=True)
class PriorOf:
    """What the prior of a run says of its parameters.

    Attributes:
        spec: the model.
        x_mean: coefficient -> mean of its column.
        effects: the effects of levels that may be drawn, by name.
    """

    spec: ModelSpec
    x_mean: Mapping[str, float]
    effects: Mapping[str, Effect]

    @cached_property
    def _parameters(self) -> Mapping[str, Parameter]:
        return {parameter.name: parameter for parameter in self.spec.parameters}

    def draws(self, names: Sequence[str]) -> dict[str, Array]:
        """Return joint draws of parameters and effects [N_DRAWS], the same in every call.

        Raises:
            NoPriorDraws: of one of them there are none.
        """
        drawing = _Drawing(self, np.random.default_rng(SEED))
        drawing.require_apart(names)
        return {name: drawing.of(name) for name in names}

    def parameter(self, name: str) -> Parameter | None:
        """Return the population-level parameter of that name, None where it is an effect."""
        return self._parameters.get(name)

    def group(self, factor: str | None) -> GroupCoefficients:
        """Return what varies between the levels of a factor."""
        return next(group for group in self.spec.groups if group.factor == factor)


class _Drawing:
    """One set of draws: what has been drawn stays as it is when something else depends on it."""

    def __init__(self, prior: PriorOf, rng: np.random.Generator) -> None:
        self.prior, self.rng, self.known = prior, rng, dict[str, Array]()

    def of(self, name: str) -> Array:
        if name not in self.known:
            parameter = self.prior.parameter(name)
            self.known[name] = self._effect(name) if parameter is None else self._parameter(parameter)
        return self.known[name]

    def require_apart(self, names: Collection[str]) -> None:
        """Refuse names whose draws depend on one another in a way that is not drawn here."""
        correlations: list[str | None] = []
        levels: list[tuple[str, int]] = []
        for name in names:
            parameter = self.prior.parameter(name)
            if parameter is None:
                effect = self.prior.effects[name]
                if any(block.correlated for block in self.prior.group(effect.factor).blocks):
                    levels.append((effect.factor, effect.level))
            elif parameter.kind is Kind.CORRELATION:
                correlations.append(parameter.group)
        for several, what in ((correlations, "correlations of one factor"), (levels, "effects of one level")):
            if len(set(several)) < len(several):
                raise NoPriorDraws(f"several {what} depend on one another")
        factors = {factor for factor, _ in levels}
        if factors & set(correlations):
            raise NoPriorDraws("effects of levels depend on their correlation")

    def _parameter(self, parameter: Parameter) -> Array:
        spec, name = self.prior.spec, parameter.name
        if name == INTERCEPT and spec.has_two_intercepts:
            slopes = (self.of(other) * self.prior.x_mean[other] for other in spec.coefficients)
            return np.asarray(self.of(INTERCEPT_AT_MEAN) - sum(slopes))
        if parameter.kind is Kind.CORRELATION:
            return self._correlation(parameter)
        if parameter.kind is Kind.THRESHOLD or spec.speaks_of_mean(parameter):
            raise NoPriorDraws(f"the prior of {name} is where the predictors are at their means")
        if parameter.prior is None:
            raise NoPriorDraws(f"the prior of {name} follows from others")
        if parameter.prior.constant is not None:
            return np.full(N_DRAWS, parameter.prior.constant)
        if not parameter.prior.has_density:
            raise NoPriorDraws(f"the prior of {name} is {parameter.prior}")
        return parameter.prior.quantiles(self.rng.random(N_DRAWS), within=parameter.within)

    def _correlation(self, parameter: Parameter) -> Array:
        """One of M coefficients' correlations under lkj(eta): beta on (-1, 1) with eta - 1 + M / 2 twice."""
        group = self.prior.group(parameter.group)
        if self.prior.spec.has_two_sds(group):
            raise NoPriorDraws(f"the prior of {parameter.name} is where the predictors are at their means")
        if len(group.blocks) > 1:
            raise NoPriorDraws(f"{parameter.name} is one of several blocks of correlations")
        (eta,) = self.prior.spec.priors[cor_name(group.factor)].arguments
        shape = eta - 1 + len(group.terms) / 2
        return np.asarray(2 * self.rng.beta(shape, shape, N_DRAWS) - 1)

    def _effect(self, name: str) -> Array:
        effect = self.prior.effects[name]
        group = self.prior.group(effect.factor)
        term = group.terms[effect.term]
        if term == INTERCEPT and self.prior.spec.has_two_sds(group):
            raise NoPriorDraws(f"the prior of {name} is where the predictors are at their means")
        return np.asarray(self.of(sd_name(group.factor, term)) * self.rng.standard_normal(N_DRAWS))
