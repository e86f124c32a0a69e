"""Points near the posterior -> Metric: the axes in which Hamiltonian steps go, from the curvature of the density there.

n numbers are sampled: d real numbers, then U effects of other factors, standard normal each. Up to so many, the
curvature is a full matrix, from differences of gradients. With more effects what they say of one another is left out,
level by level, and only what real numbers say of all is kept (an arrow); the blocks of levels are estimated with random
signs (Hutchinson 1990). It is averaged over the points, since at a mode there is less than around it. A metric is no
part of what is drawn: any one gives the same posterior.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.latent.density import LatentDensity
from hierfit.engines.latent.quadratic import positive
from hierfit.engines.proposal import NoProposalError

Array = NDArray[np.float64]

MOST_DENSE = 300  # numbers that are sampled
_POINTS, _PROBES = 4, 8  # where curvature is looked at, and with how many signs at each of the points
_SMALL = 1e-4  # steps of differences
_NEAR = 3.0  # sds that an sd is away from 0, up to which it may pass through it


class Axes(Protocol):
    """A root L of a covariance of n numbers, as two products with vectors [s, n]."""

    def out(self, v: Array) -> Array:
        """Return L v."""
        ...

    def back(self, g: Array) -> Array:
        """Return L' g."""
        ...

    def inward(self, q: Array) -> Array:
        """Return v of L v = q."""
        ...


@dataclass(frozen=True)
class Dense:
    """All of a root [n, n]."""

    root: Array

    def out(self, v: Array) -> Array:
        """Return L v."""
        return np.asarray(v @ self.root.T)

    def back(self, g: Array) -> Array:
        """Return L' g."""
        return np.asarray(g @ self.root)

    def inward(self, q: Array) -> Array:
        """Return v of L v = q."""
        return np.asarray(np.linalg.solve(self.root, q.T).T)


@dataclass(frozen=True)
class Arrow:
    """The root of the inverse of a precision [[A, B'], [B, D]], D in blocks of one level each.

    Attributes:
        inverse: of lower triangular roots of the blocks of each factor, [J, M, M].
        across: these times B [U, d].
        root: that of what is left of A, the inverse of its lower triangular one [d, d].
    """

    inverse: tuple[Array, ...]
    across: Array
    root: Array

    def out(self, v: Array) -> Array:
        """Return L v."""
        d = len(self.root)
        real = v[:, :d] @ self.root
        return np.concatenate([real, self._levels(v[:, d:] - real @ self.across.T, "jmn,sjm->sjn")], axis=1)

    def back(self, g: Array) -> Array:
        """Return L' g."""
        d = len(self.root)
        z = self._levels(g[:, d:], "jmn,sjn->sjm")
        return np.concatenate([(g[:, :d] - z @ self.across) @ self.root.T, z], axis=1)

    def inward(self, q: Array) -> Array:
        """Return v of L v = q."""
        d = len(self.root)
        real = np.linalg.solve(self.root.T, q[:, :d].T).T
        roots = replace(self, inverse=tuple(np.asarray(np.linalg.inv(own), dtype=np.float64) for own in self.inverse))
        z = roots._levels(q[:, d:], "jmn,sjm->sjn") + q[:, :d] @ self.across.T
        return np.concatenate([real, z], axis=1)

    def _levels(self, v: Array, product: str) -> Array:
        """Return products of the blocks with vectors [s, U]."""
        pairs = zip(self.inverse, split(v, self.inverse), strict=True)
        found = [np.einsum(product, own, part.reshape(len(v), *own.shape[:2])) for own, part in pairs]
        return np.concatenate([own.reshape(len(v), -1) for own in found], axis=1, dtype=np.float64)


@dataclass(frozen=True)
class Metric:
    """Axes, and how long they are.

    Attributes:
        axes: of the curvature.
        scale: what each is multiplied by [n].
    """

    axes: Axes
    scale: Array

    def out(self, v: Array) -> Array:
        """Return from standard numbers to those that are sampled [s, n]."""
        return self.axes.out(v * self.scale)

    def back(self, g: Array) -> Array:
        """Return derivatives in standard numbers of those in what is sampled [s, n]."""
        return self.axes.back(g) * self.scale

    def inward(self, q: Array) -> Array:
        """Return the standard numbers of what is sampled [s, n]."""
        return self.axes.inward(q) / self.scale

    def scaled(self, by: Array) -> Metric:
        """Return the same with other lengths [n]."""
        return replace(self, scale=self.scale * by)


def metric_at(density: LatentDensity, points: Array, rng: np.random.Generator) -> Metric:
    """Return the metric of the curvature at the last of points [s, n], their sds on the side that is not negative.

    The axis of an sd that may pass through 0 leans to no side: on the other it would lean to the wrong one.

    Raises:
        NoProposalError: it is not finite.
    """
    chosen = points[-_POINTS:]
    n, d = points.shape[1], density.parameters.n_real
    near = np.zeros(n, dtype=bool)
    near[:d] = density.parameters.mirrored & (points[:, :d].mean(axis=0) < _NEAR * points[:, :d].std(axis=0))
    axes: Axes
    if n <= MOST_DENSE:
        axes = Dense(_dense(_upright(_differences(density, chosen, np.eye(n)), near)))
    else:
        columns = _upright(_differences(density, chosen, np.eye(n)[:d]), near)
        blocks = [_blocks(density, chosen, at, rng) for at in range(len(density.parameters.others))]
        axes = _arrow(columns, blocks)
    return Metric(axes, np.ones(n))


def _upright(curvature: Array, which: NDArray[np.bool_]) -> Array:
    """Return a curvature, or its first rows [k, n], without what some numbers [n] say of all others."""
    k, n = curvature.shape
    own = np.eye(k, n, dtype=bool)
    return np.where((which[:k, np.newaxis] | which) & ~own, 0.0, curvature)


def _dense(curvature: Array) -> Array:
    """Return the root of the inverse of a curvature [n, n]."""
    return inverse_root((curvature + curvature.T) / 2).T


def _differences(density: LatentDensity, points: Array, ways: Array) -> Array:
    """Return the mean over points [s, n] of the curvature along ways [k, n] -> [k, n]."""
    found = np.zeros(ways.shape)
    for point in points:
        density.remember(point)
        _, slopes = density.gradient(np.concatenate([point[np.newaxis], point + _SMALL * ways]))
        found -= (slopes[1:] - slopes[0]) / (_SMALL * len(points))
    if not np.isfinite(found).all():
        raise NoProposalError("the density is not finite near the posterior")
    return found


def _blocks(density: LatentDensity, points: Array, at: int, rng: np.random.Generator) -> Array:
    """Return the curvature in the effects of each level of another factor [J, M, M]."""
    others, d = density.parameters.others, density.parameters.n_real
    own, first = others[at], d + sum(other.n_effects for other in others[:at])
    J, M = own.n_levels, own.n_effects // own.n_levels
    found = np.zeros((J, M, M))
    for m in range(M):
        signs = rng.choice([-1.0, 1.0], (_PROBES, J))
        ways = np.zeros((_PROBES, points.shape[1]))
        ways[:, first + m : first + own.n_effects : M] = signs
        along = _differences(density, points, ways)[:, first : first + own.n_effects].reshape(-1, J, M)
        found[:, m] = np.mean(along * signs[:, :, np.newaxis], axis=0)
    found = (found + np.swapaxes(found, 1, 2)) / 2
    values, vectors = np.linalg.eigh(found)
    return np.asarray((vectors * np.maximum(values, 1.0)[:, np.newaxis]) @ np.swapaxes(vectors, 1, 2))


def _arrow(columns: Array, blocks: list[Array]) -> Arrow:
    """Return the axes of curvature along real numbers [d, n], and in effects of levels [J, M, M] of each factor."""
    d = len(columns)
    inverse = tuple(inverse_root(own) for own in blocks)
    B = columns[:, d:]
    pairs = zip(inverse, split(B, inverse), strict=True)
    found = [np.einsum("jmn,djn->djm", own, part.reshape(d, *own.shape[:2])) for own, part in pairs]
    across = np.concatenate([own.reshape(d, -1) for own in found], axis=1).T
    A = (columns[:, :d] + columns[:, :d].T) / 2
    return Arrow(inverse, across, inverse_root(A - across.T @ across))


def inverse_root(precision: Array) -> Array:
    """Return the inverse of the lower triangular root of a precision, or of several [..., n, n]."""
    return np.asarray(np.linalg.inv(np.linalg.cholesky(positive(precision))))


def split(v: Array, blocks: tuple[Array, ...]) -> list[Array]:
    """Return the parts of vectors [s, U] that are of one factor each."""
    return np.split(v, np.cumsum([own.shape[0] * own.shape[1] for own in blocks])[:-1], axis=1)
