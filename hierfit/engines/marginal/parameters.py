"""What the marginal density speaks of: sds, correlations and sigma, as a point of real numbers and in their own units.

`engines.scales` says how a factor's sds and correlations are real numbers; sigma is its log. Letters: s points, d real
numbers, M varying columns of a factor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.engines.scales import FactorParameters, FactorValues, Scale, factor_parameters
from hierfit.model.spec import ModelSpec

Array = NDArray[np.float64]

_FIRST_SIGMA = 0.8  # where the search for the mode begins, in sds of the outcome
_NOISE = 0.5  # what sigma may be, as far as the sds that rows tell from 0 depend on it


@dataclass(frozen=True)
class Values:
    """Points in their own units.

    Attributes:
        factors: what each grouping factor has.
        sigma: residual sd in units of the sampler [s].
        log_prior: log density of all priors on the real line, up to a constant [s].
    """

    factors: tuple[FactorValues, ...]
    sigma: Array
    log_prior: Array

    def at(self, point: int) -> tuple[list[Array], float]:
        """Return T of every factor [F][M, M], and sigma, at one of the points."""
        return [factor.T[point] for factor in self.factors], float(self.sigma[point])


@dataclass(frozen=True)
class Parameters:
    """All that is sampled.

    Attributes:
        factors: sds and correlations, factor by factor.
        sigma: the residual sd.
    """

    factors: tuple[FactorParameters, ...]
    sigma: Scale

    @property
    def are_as_priors(self) -> bool:
        """Whether all sds are those that their priors speak of."""
        return all(np.array_equal(factor.to_prior, np.eye(len(factor.scales))) for factor in self.factors)

    @property
    def bounds(self) -> Array:
        """The ends of every real number [d, 2]."""
        own = [] if self.sigma.prior.constant is not None else [self.sigma.bounds]
        return np.array([*(ends for factor in self.factors for ends in factor.bounds), *own]).reshape(-1, 2)

    @property
    def start(self) -> Array:
        """Where the search for the mode begins [d]."""
        own = [] if self.sigma.prior.constant is not None else [self.sigma.to_real(_FIRST_SIGMA)]
        lower, upper = self.bounds.T
        return np.clip([*(number for factor in self.factors for number in factor.start), *own], lower, upper)

    def values(self, real: Array) -> Values:
        """Return the points [s, d] in their own units."""
        ends = np.cumsum([len(factor.bounds) for factor in self.factors])
        *blocks, last = np.split(real, ends, axis=1)
        found = tuple(factor.values(block) for factor, block in zip(self.factors, blocks, strict=True))
        log_prior = np.sum([factor.log_prior for factor in found], axis=0)
        if self.sigma.prior.constant is not None:
            return Values(found, np.full(len(real), self.sigma.prior.constant / self.sigma.unit), log_prior)
        sigma, log_slope = self.sigma.from_real(last[:, 0])
        return Values(found, sigma, log_prior + self.sigma.log_prior(sigma) + log_slope)


def parameters(spec: ModelSpec, design: Design, *, as_priors: bool = False) -> Parameters:
    """Return what is sampled of a model: sds and correlations at the center of the columns, or where priors speak."""
    factors = [factor_parameters(spec, design, group, _NOISE, as_priors=as_priors) for group in design.groups]
    sigma = spec.priors["sigma"]
    return Parameters(tuple(factors), Scale(sigma, design.sigma_scale, *sigma.bounds(positive=True)))
