"""What the marginal density speaks of: sds, correlations and sigma, as a point of real numbers and in their own units.

Every number is carried to the real line as Stan does it: log of the distance from a bound, logit between two, and
partial correlations by the inverse hyperbolic tangent. Letters: s points, d real numbers, C varying columns of all
factors, P correlations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from hierfit.model.design import Design
from hierfit.model.priors import Prior
from hierfit.model.scaling import varying_units
from hierfit.model.spec import ModelSpec, sd_name

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scale:
    """One sd, or sigma.

    Attributes:
        prior: in the units of the CSV.
        unit: one unit of the sampler in those of the CSV.
        lower, upper: ends of its range, those of the CSV.
    """

    prior: Prior
    unit: float
    lower: float
    upper: float

    def from_real(self, real: Array) -> tuple[Array, Array]:
        """Return values [s] in the units of the CSV, and the log density of their prior on the real line [s]."""
        if self.upper < inf:
            share = 1 / (1 + np.exp(-real))
            value = self.lower + (self.upper - self.lower) * share
            log_slope = np.log(share) + np.log1p(-share)
        else:
            value = self.lower + self.unit * np.exp(real)
            log_slope = real
        with np.errstate(divide="ignore"):
            return value, self.prior.log_density(value) + log_slope

    def to_real(self, value: Array) -> Array:
        """Return the inverse of `from_real` [s]."""
        if self.upper < inf:
            return np.asarray(np.log((value - self.lower) / (self.upper - value)))
        return np.asarray(np.log((value - self.lower) / self.unit))


@dataclass(frozen=True)
class Values:
    """Points in their own units: those of the CSV.

    Attributes:
        sd: [s, C].
        partial: canonical partial correlations [s, P].
        sigma: [s].
        log_prior: log density of the priors on the real line, up to a constant [s].
    """

    sd: Array
    partial: Array
    sigma: Array
    log_prior: Array


@dataclass(frozen=True)
class Parameters:
    """All that is sampled.

    Attributes:
        scales: the sds factor by factor, then sigma; a constant one has no real number.
        lkj: eta of the prior of each partial correlation, and what it conditions on counted in: a of beta(a, a) [P].
    """

    scales: tuple[Scale, ...]
    lkj: Array

    @property
    def free(self) -> list[int]:
        """Which of the scales are not constant."""
        return [index for index, scale in enumerate(self.scales) if scale.prior.constant is None]

    @property
    def size(self) -> int:
        """d, how many real numbers."""
        return len(self.free) + len(self.lkj)

    def start(self) -> Array:
        """Return a point from which the mode can be climbed to [d]: sds of a third, and sigma near 1."""
        guess = [-1.0 if index + 1 < len(self.scales) else -0.2 for index in self.free]
        return np.concatenate([guess, np.zeros(len(self.lkj))])

    def values(self, real: Array) -> Values:
        """Return the points [s, d] in their own units."""
        columns = np.empty((len(real), len(self.scales)))
        log_prior = np.zeros(len(real))
        position = 0
        for index, scale in enumerate(self.scales):
            if scale.prior.constant is not None:
                columns[:, index] = scale.prior.constant
                continue
            columns[:, index], density = scale.from_real(real[:, position])
            log_prior += density
            position += 1
        partial = np.tanh(real[:, position:])
        # beta(a, a) of (partial + 1) / 2 and the slope of the tangent make (1 - partial^2)^a; 1 / cosh is its root
        log_cosh = np.logaddexp(real[:, position:], -real[:, position:]) - np.log(2)
        log_prior -= 2 * log_cosh @ self.lkj
        return Values(columns[:, :-1], partial, columns[:, -1], log_prior)

    def real(self, sd: Array, partial: Array, sigma: Array) -> Array:
        """Return the inverse of `values` [s, d]."""
        columns = np.concatenate([sd, sigma[:, np.newaxis]], axis=1)
        scales = [self.scales[index].to_real(columns[:, index]) for index in self.free]
        return np.concatenate([np.array(scales).reshape(len(scales), len(sd)).T, np.arctanh(partial)], axis=1)


def parameters(spec: ModelSpec, design: Design) -> Parameters:
    """Return what is sampled of a model."""
    units = [design.y_scale / unit for group in design.groups for unit in varying_units(group)]
    names = [sd_name(group.factor, term) for group in design.groups for term in group.terms]
    scales = zip([*names, "sigma"], [*units, design.y_scale], strict=True)
    return Parameters(
        tuple(Scale(spec.priors[name], unit, *spec.priors[name].bounds(positive=True)) for name, unit in scales),
        np.array(list(_lkj(spec, design))),
    )


def _lkj(spec: ModelSpec, design: Design) -> Iterator[float]:
    """Yield a of beta(a, a) of every partial correlation (Lewandowski, Kurowicka & Joe 2009, section 2.4)."""
    for group in design.groups:
        if group.correlated:
            eta, n_terms = spec.priors[f"cor({group.factor})"].arguments[0], len(group.terms)
            for i in range(1, n_terms):
                for j in range(i):
                    yield eta + (n_terms - 2 - j) / 2
