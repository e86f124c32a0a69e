"""The sds and correlations of one factor as real numbers, and in their own units.

Every number is carried to where its posterior is near normal: partial correlations to their inverse hyperbolic
tangent, an sd to asinh(sd / r), where r is about the smallest sd that the rows tell from 0. Far above r that is its
log; near 0, where the posterior is flat, it is linear, so there is no long tail towards log 0. Where intercept and
slopes of a factor are correlated, the sds and correlations that are real numbers are those at the center of the
columns, since elsewhere, which may be far from all rows, they trade off against each other; or, since informative
priors may say more than the rows, those where the priors speak. Letters: s points, M varying columns of a factor, P_f
its correlations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.design.origin import z_at_prior, z_center
from hierfit.design.scaling import effect_scale, scaled_varying
from hierfit.engines.correlations import cholesky_from_partials
from hierfit.model.priors import Prior
from hierfit.model.spec import ModelSpec, cor_name, sd_name

Array = NDArray[np.float64]

_FAR = 20.0  # no real number is farther from 0 than that anywhere near a mode
_FIRST_SD = 0.35  # where the search for the mode begins, in units of the sampler
_LEAST = 1e-150  # sds below are taken as that, so that their ratios are numbers


@dataclass(frozen=True)
class Scale:
    """One sd, or sigma.

    Attributes:
        prior: in the units of the CSV.
        unit: one unit of the sampler in those of the CSV.
        lower, upper: ends of its range, in those of the CSV.
        resolution: r, in units of the sampler; 0 for sigma, whose real number is a log.
    """

    prior: Prior
    unit: float
    lower: float
    upper: float
    resolution: float = 0.0

    def from_real(self, real: Array) -> tuple[Array, Array]:
        """Return values in the units of the sampler [s], and the logs of their slopes [s].

        An sd does not depend on the sign of its real number, so that differences can be taken at 0 too.
        """
        least = self.lower / self.unit
        if self.resolution == 0:
            return least + np.exp(real), real
        value = least + self.resolution * np.sinh(np.abs(real))
        return value, np.logaddexp(real, -real)

    def to_real(self, value: float) -> float:
        """Return the real number of a value in the units of the sampler."""
        distance = max(value - self.lower / self.unit, 1e-12)
        return float(np.log(distance) if self.resolution == 0 else np.arcsinh(distance / self.resolution))

    @property
    def bounds(self) -> tuple[float, float]:
        """The ends of its real number."""
        return -_FAR if self.resolution == 0 else 0.0, min(_FAR, self.to_real(self.upper / self.unit))

    def log_prior(self, value: Array) -> Array:
        """Return the log density of the prior at values in the units of the sampler [s]."""
        x = value * self.unit
        with np.errstate(divide="ignore"):
            return np.where((x >= self.lower) & (x <= self.upper), self.prior.log_density(x), -np.inf)


@dataclass(frozen=True)
class FactorValues:
    """Points of one factor.

    Attributes:
        T: square roots of the covariances of its effects at the center of its columns, in units of the sampler
            [s, M, M].
        sd: those there, in the units of the CSV [s, M].
        cor: correlations there, row by row below the diagonal [s, P_f].
        log_prior: log density of the priors on the real line, up to a constant [s].
    """

    T: Array
    sd: Array
    cor: Array
    log_prior: Array


@dataclass(frozen=True)
class FactorParameters:
    """The sds and correlations of one factor.

    Attributes:
        scales: of its M columns; a constant one has no real number.
        eta: of the prior lkj(eta) of its correlations; None where it has none.
        to_center: from effects whose sds are the real numbers to those at the center of the columns, in units of the
            sampler [M, M].
        to_prior: from the same to those that priors speak of [M, M].
    """

    scales: tuple[Scale, ...]
    eta: float | None
    to_center: Array
    to_prior: Array

    @property
    def free(self) -> list[int]:
        """Which of the scales are not constant."""
        return [index for index, scale in enumerate(self.scales) if scale.prior.constant is None]

    @property
    def n_pairs(self) -> int:
        """P_f, how many correlations."""
        return 0 if self.eta is None else len(self.scales) * (len(self.scales) - 1) // 2

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """The ends of every real number."""
        return [*(self.scales[index].bounds for index in self.free), *[(-_FAR, _FAR)] * self.n_pairs]

    @property
    def start(self) -> list[float]:
        """Where the search for the mode begins."""
        return [*(self.scales[index].to_real(_FIRST_SD) for index in self.free), *[0.0] * self.n_pairs]

    def values(self, real: Array) -> FactorValues:
        """Return the points [s, d_f] in their own units."""
        n_terms, position = len(self.scales), len(self.free)
        sd, log_prior = np.empty((len(real), n_terms)), np.zeros(len(real))
        for index, scale in enumerate(self.scales):
            if scale.prior.constant is not None:
                sd[:, index] = scale.prior.constant / scale.unit
        for at, index in enumerate(self.free):
            sd[:, index], log_slope = self.scales[index].from_real(real[:, at])
            log_prior += log_slope
        partial = np.tanh(real[:, position:])
        L = cholesky_from_partials(partial, n_terms) if self.n_pairs else np.eye(n_terms)
        T = sd[:, :, np.newaxis] * L
        at_prior = _row_lengths(self.to_prior @ T)
        log_prior += sum(self.scales[index].log_prior(at_prior[:, index]) for index in self.free)
        if self.n_pairs:
            log_prior += self._log_lkj(real[:, position:], np.maximum(sd, _LEAST), at_prior)
        T = self.to_center @ T
        at_center = _row_lengths(T)
        directions = T / at_center[:, :, np.newaxis]
        rows, columns = np.tril_indices(n_terms, -1)
        cor = np.einsum("spm,spm->sp", directions[:, rows], directions[:, columns])
        units = np.array([scale.unit for scale in self.scales])
        return FactorValues(T, at_center * units, cor[:, : self.n_pairs], log_prior)

    def _log_lkj(self, real: Array, sd: Array, at_prior: Array) -> Array:
        """Return the log density of the correlations where their prior speaks, carried to the real numbers [s].

        det(R)^(eta - 1) there, where det(R) is that of the covariance, everywhere the same, over the squares of the
        sds; the sds to the power of M, which is the slope of covariances in sds and correlations; and (1 - partial^2)
        to the power of (M - 2 - j) / 2, which is that of correlations in partial ones (Lewandowski, Kurowicka & Joe
        2009, section 2.4), and once more for the hyperbolic tangent.
        """
        assert self.eta is not None
        n_terms = len(self.scales)
        given = np.array([j for i in range(n_terms) for j in range(i)])
        log_rest = -2 * (np.logaddexp(real, -real) - np.log(2))  # log(1 - partial^2)
        ratio = np.log(sd / at_prior).sum(axis=1)
        log_determinant = log_rest.sum(axis=1) + 2 * ratio
        return np.asarray(
            (self.eta - 1) * log_determinant + n_terms * ratio + log_rest @ (1 + (n_terms - 2 - given) / 2)
        )


def factor_parameters(
    spec: ModelSpec, design: Design, group: Group, noise: float, *, as_priors: bool = False
) -> FactorParameters:
    """Return the sds and correlations of a factor at the center of its columns, or where priors speak.

    `noise` is the sd of a row around its linear predictor, or what stands for it: the root of one over the curvature of
    its log density.
    """
    priors = [spec.priors[sd_name(group.factor, term)] for term in group.terms]
    eta = spec.priors[cor_name(group.factor)].arguments[0] if group.correlated else None
    own = zip(priors, effect_scale(design, group), _smallest(spec, group, noise), strict=True)
    scales = tuple(Scale(prior, unit, *prior.bounds(positive=True), least) for prior, unit, least in own)
    apart, same = z_at_prior(spec, group), np.eye(len(scales))
    ways = (_moved(-apart), same) if as_priors else (same, _moved(apart))
    return FactorParameters(scales, eta, *ways)


def _smallest(spec: ModelSpec, group: Group, noise: float) -> Array:
    """Return r of every column in units of the sampler [M], where a row has that noise (`factor_parameters`).

    Of the variance between levels, were it 0, the estimate has an sd of about sigma^2 sqrt(2 / sum of (Z_j'Z_j)^2).
    """
    Z = scaled_varying(group, z_center(spec, group))
    squares = [np.bincount(group.codes, column**2, group.n_levels) for column in Z.T]
    return np.array([noise * (2 / np.square(square).sum()) ** 0.25 for square in squares])


def _moved(distance: Array) -> Array:
    """Return the way from effects to those where the columns are by `distance` [M] higher [M, M]."""
    way = np.eye(len(distance))
    way[0, 1:] = distance[1:]
    return way


def _row_lengths(T: Array) -> Array:
    """Return the sds of effects whose covariances have the square roots T [s, M, M], at least `_LEAST` [s, M]."""
    return np.asarray(np.maximum(np.sqrt(np.einsum("smn,smn->sm", T, T)), _LEAST))
