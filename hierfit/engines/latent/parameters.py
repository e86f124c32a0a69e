"""What the latent density speaks of, as a point of real numbers and in the units of the kernel.

The real numbers are, one after another: coefficients, as the sampler sees them; the first threshold and the logs of
the gaps between them; coefficients of auxiliary parameters; auxiliary parameters, carried to the whole line by the
logarithm, or the logit, of where they are in their range; sds and correlations of the factor whose effects are
integrated out (`engines.scales`), then those of the others; and the effects of these in units of their sds, standard
normal each. What a prior fixes is none of them. Letters: s points, d real numbers without effects, U effects of other
factors; others as in `kernel`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.design.origin import predictor_at_prior, x_at_prior
from hierfit.engines.latent.coefficients import Auxiliaries, Coefficients
from hierfit.engines.latent.kernel import KernelPoints
from hierfit.engines.latent.roots import lower_roots
from hierfit.engines.latent.rows import varying_order
from hierfit.engines.scales import FactorParameters, FactorValues, factor_parameters
from hierfit.model.families import FAMILIES
from hierfit.model.priors import Prior
from hierfit.model.spec import ModelSpec, threshold_name
from hierfit.stan.theta import scalars

Array = NDArray[np.float64]
_STEP = 1e-5  # of central differences of what has no derivatives written out


@dataclass(frozen=True)
class Other:
    """A factor whose effects are sampled.

    Attributes:
        factor: its sds and correlations.
        n_levels: J_f.
    """

    factor: FactorParameters
    n_levels: int

    @property
    def n_effects(self) -> int:
        """J_f M_f."""
        return self.n_levels * len(self.factor.scales)

    def effects(self, z: Array, values: FactorValues) -> Array:
        """Return effects of standard normal ones [s, J_f M_f], level by level."""
        shaped = z.reshape(len(z), self.n_levels, -1)
        return np.asarray(np.einsum("sjm,snm->sjn", shaped, values.T).reshape(len(z), -1))

    def pulled(self, of_u: Array, values: FactorValues) -> Array:
        """Return derivatives in standard normal effects [s, J_f M_f] of those in effects."""
        shaped = of_u.reshape(len(of_u), self.n_levels, -1)
        return np.asarray(np.einsum("sjn,snm->sjm", shaped, values.T).reshape(len(of_u), -1))


@dataclass(frozen=True)
class LatentValues:
    """Points in the units of the kernel.

    Attributes:
        points: the same as the kernel takes them.
        factor: sds and correlations of the factor whose effects are integrated out.
        others: those of the others.
        log_prior: log density of all priors on the real line, up to a constant [s].
    """

    points: KernelPoints
    factor: FactorValues
    others: tuple[FactorValues, ...]
    log_prior: Array


@dataclass(frozen=True)
class LatentParameters:
    """All that is sampled.

    Attributes:
        b: coefficients.
        thresholds: priors of thresholds [Q], in the units of the linear predictor.
        first_thresholds: where the search for the mode begins [Q].
        b_aux: coefficients of auxiliary parameters, each parameter's own.
        aux: those that all rows share.
        factor: sds and correlations of the factor whose effects are integrated out.
        order: of its varying columns in the kernel [M].
        others: the factors whose effects are sampled.
    """

    b: Coefficients
    thresholds: tuple[Prior, ...]
    first_thresholds: Array
    b_aux: tuple[Coefficients, ...]
    aux: Auxiliaries
    factor: FactorParameters
    order: tuple[int, ...]
    others: tuple[Other, ...] = ()

    @property
    def sizes(self) -> list[int]:
        """How many real numbers each part has; the sds and correlations of other factors are the last."""
        of_aux = sum(len(own.free) for own in self.b_aux)
        own = [len(self.b.free), len(self.thresholds), of_aux, len(self.aux.free), len(self.factor.bounds)]
        return [*own, *(len(other.factor.bounds) for other in self.others)]

    @property
    def n_real(self) -> int:
        """d."""
        return sum(self.sizes)

    @property
    def n_own(self) -> int:
        """How many real numbers do not speak of other factors."""
        return sum(self.sizes[:5])

    @property
    def n_other(self) -> int:
        """U."""
        return sum(other.n_effects for other in self.others)

    @property
    def bounds(self) -> Array:
        """The ends of every real number [d, 2]."""
        _, thresholds, _, aux, *_ = self.sizes
        line = (-np.inf, np.inf)
        of_aux = [ends for own in self.b_aux for ends in own.bounds]
        return np.array(
            [
                *self.b.bounds,
                *[line] * thresholds,
                *of_aux,
                *[(-40.0, 40.0)] * aux,
                *(ends for factor in self.factors for ends in factor.bounds),
            ]
        ).reshape(-1, 2)

    @property
    def mirrored(self) -> NDArray[np.bool_]:
        """Which real numbers stand for the same as their negatives: those of sds [d]."""
        found, first = np.zeros(self.n_real, dtype=bool), sum(self.sizes[:4])
        for factor in self.factors:
            found[first : first + len(factor.free)] = True
            first += len(factor.bounds)
        return found

    @property
    def factors(self) -> tuple[FactorParameters, ...]:
        """Sds and correlations of all factors, that whose effects are integrated out first."""
        return (self.factor, *(other.factor for other in self.others))

    @property
    def start(self) -> Array:
        """Where the search for the mode begins [d]."""
        b, _, of_aux, aux, *_ = self.sizes
        first = self.first_thresholds
        gaps = np.log(np.maximum(np.diff(first), 1e-3))
        found = np.concatenate(
            [np.zeros(b), first[:1], gaps, np.zeros(of_aux + aux), *(factor.start for factor in self.factors)]
        )
        return np.asarray(np.clip(found, *self.bounds.T))

    def values(self, real: Array) -> LatentValues:
        """Return the points [s, d + U] in the units of the kernel."""
        parts = np.split(real, np.cumsum(self.sizes), axis=1)
        b_real, c_real, b_aux_real, aux_real, factor_real, *others_real, z = parts
        b = self.b.values(b_real)
        log_prior = self.b.log_prior(b)
        threshold, log_slope = _increasing(c_real)
        shift = (b @ self.b.at_prior)[:, np.newaxis] if len(self.b.at_prior) else 0.0
        log_prior += log_slope + _sum(self.thresholds, threshold - shift)
        parts = np.split(b_aux_real, np.cumsum([len(own.free) for own in self.b_aux])[:-1], axis=1)
        b_aux = [own.values(part) for own, part in zip(self.b_aux, parts, strict=True)] if self.b_aux else []
        log_prior += sum((own.log_prior(v) for own, v in zip(self.b_aux, b_aux, strict=True)), np.zeros(len(real)))
        aux, log_aux = self.aux.values(aux_real)
        factor = self.factor.values(factor_real)
        others = tuple(other.factor.values(own) for other, own in zip(self.others, others_real, strict=True))
        log_prior += sum((other.log_prior for other in others), np.zeros(len(real))) - 0.5 * np.square(z).sum(axis=1)
        points = KernelPoints(
            b=b,
            T=lower_roots(factor.T[:, list(self.order)]),
            aux=aux,
            b_aux=np.concatenate([np.empty((len(real), 0)), *b_aux], axis=1),
            threshold=threshold,
            other=self.effects(z, others),
        )
        return LatentValues(points, factor, others, log_prior + log_aux + factor.log_prior)

    def effects(self, z: Array, others: Sequence[FactorValues]) -> Array:
        """Return the effects of other factors, in the units of the kernel, of standard normal ones [s, U]."""
        parts = zip(self.others, self._by_factor(z), others, strict=True)
        return np.column_stack([np.empty((len(z), 0)), *(other.effects(own, values) for other, own, values in parts)])

    def pulled_effects(self, of_u: Array, others: Sequence[FactorValues]) -> Array:
        """Return derivatives in standard normal effects of other factors [s, U], given those in effects [s, U]."""
        parts = zip(self.others, self._by_factor(of_u), others, strict=True)
        return np.column_stack([np.empty((len(of_u), 0)), *(other.pulled(own, values) for other, own, values in parts)])

    def _by_factor(self, values: Array) -> list[Array]:
        ends = np.cumsum([other.n_effects for other in self.others])[:-1]
        return np.split(values, ends, axis=1) if self.others else []

    def pulled_back(self, real: Array, slopes: KernelPoints) -> Array:
        """Return derivatives in the real numbers [s, d], priors included, given those in the units of the kernel.

        What stands behind them in `real` [s, d + U] stays as it is.
        """
        n, d = len(real), self.n_real
        steps = np.zeros((2 * d, real.shape[1]))
        steps[:, :d] = _STEP * np.concatenate([np.eye(d), -np.eye(d)])
        around = self.values((real[:, np.newaxis] + steps).reshape(2 * d * n, -1))
        with np.errstate(invalid="ignore"):
            found: Array = _difference(around.log_prior, n, d)
        for each in fields(KernelPoints):
            own = getattr(slopes, each.name).reshape(n, -1)
            if own.shape[1]:
                moved = _difference(getattr(around.points, each.name).reshape(len(around.log_prior), -1), n, d)
                found = found + np.einsum("sdk,sk->sd", moved, own)
        return np.asarray(found)


def latent_parameters(
    spec: ModelSpec, design: Design, group: Group, noise: float, others: Sequence[Group] = ()
) -> LatentParameters:
    """Return what is sampled, the effects of `group` being integrated out; `noise` as in `scales.factor_parameters`."""
    found = scalars(spec, design)
    of_aux, start = [], 0
    for own in filter(None, (design.predictor(aux.name) for aux in FAMILIES[spec.family].auxiliaries)):
        stop = start + len(own.coefficients)
        of_aux.append(Coefficients.of(found["b_aux"][start:stop], predictor_at_prior(spec, own)))
        start = stop
    return LatentParameters(
        b=Coefficients.of(found["b"], x_at_prior(spec, design), intercept=design.intercept),
        thresholds=tuple(spec.priors[threshold_name(name)] for name in spec.thresholds),
        first_thresholds=_first_thresholds(design),
        b_aux=tuple(of_aux),
        aux=Auxiliaries.of(found["aux"]),
        factor=factor_parameters(spec, design, group, noise),
        order=tuple(varying_order(group)),
        others=tuple(Other(factor_parameters(spec, design, other, noise), other.n_levels) for other in others),
    )


def _first_thresholds(design: Design) -> Array:
    """Return where thresholds lie if nothing predicts the outcome, on the scale of the logit [Q]."""
    if not design.thresholds:
        return np.empty(0)
    counts = np.bincount(np.rint(design.y).astype(int), minlength=len(design.categories)) + 0.5
    below = np.cumsum(counts)[:-1] / counts.sum()
    return np.asarray(np.log(below) - np.log1p(-below))


def _increasing(real: Array) -> tuple[Array, Array]:
    """Return thresholds [s, Q] and the log of the determinant of their slopes [s]."""
    if not real.shape[1]:
        return real, np.zeros(len(real))
    return np.cumsum(np.concatenate([real[:, :1], np.exp(real[:, 1:])], axis=1), axis=1), real[:, 1:].sum(axis=1)


def _sum(priors: Sequence[Prior], values: Array) -> Array:
    return sum((prior.log_density(values[:, q]) for q, prior in enumerate(priors)), np.zeros(len(values)))


def _difference(values: Array, n: int, d: int) -> Array:
    """Return central differences [n, d, ...] of values at steps forth and back [n 2 d, ...]."""
    forth, back = np.split(values.reshape(n, 2 * d, *values.shape[1:]), 2, axis=1)
    return np.asarray((forth - back) / (2 * _STEP))
