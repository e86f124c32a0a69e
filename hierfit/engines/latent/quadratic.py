"""LatentParameters x Quadratic -> Conditional: effects of other factors given the rest, as far as a quadratic says.

What the rows say of effects u = T z is taken as quadratic around its mode, with the curvature G there, so that the
precision of z is I + T'G T, whatever the sds in T. G bends with the sds of the factor whose effects are integrated out:
the less its levels differ, the more each row says of all others. Letters as in `joint`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.latent.parameters import LatentParameters

Array = NDArray[np.float64]

_MATRIX = 4_000_000  # numbers of matrices that are held at a time


@dataclass(frozen=True)
class Bend:
    """How what rows say of effects changes with one real number, through three values of it.

    Attributes:
        at: which of the real numbers.
        places: the three values, the second being that of the quadratic [3].
        gradients: derivatives in effects there, less what the quadratic says of them [3, U].
        curvatures: less that of the quadratic [3, U, U].
    """

    at: int
    places: Array
    gradients: Array
    curvatures: Array

    def shares(self, own: Array) -> Array:
        """Return the weights of the three at points [s, e] in a polynomial through them [s, 3]."""
        x = np.clip(own[:, self.at], self.places.min(), self.places.max())
        found = np.ones((len(own), 3))
        for i in range(3):
            for j in range(3):
                if i != j:
                    found[:, i] *= (x - self.places[j]) / (self.places[i] - self.places[j])
        return found


@dataclass(frozen=True)
class Quadratic:
    """What the rows, and the priors of the first e real numbers, say around a point.

    Attributes:
        own: the first e real numbers there [e].
        u: effects there, in the units of the kernel [U].
        gradient: derivatives in both [e + U].
        curvature: the negative second ones [e + U, e + U].
        bends: how those in effects change.
    """

    own: Array
    u: Array
    gradient: Array
    curvature: Array
    bends: tuple[Bend, ...] = ()

    def curvatures(self, own: Array) -> Array:
        """Return the curvature in effects, given the first real numbers [s, e] -> [s, U, U]."""
        e = len(self.own)
        found = np.tile(self.curvature[e:, e:], (len(own), 1, 1))
        for bend in self.bends:
            found += np.einsum("sk,kij->sij", bend.shares(own), bend.curvatures)
        return found

    def pulls(self, own: Array, curvatures: Array) -> Array:
        """Return the derivatives in effects where these are 0, given both [s, e], [s, U, U] -> [s, U]."""
        e = len(self.own)
        found = self.gradient[e:] - (own - self.own) @ self.curvature[:e, e:] + curvatures @ self.u
        for bend in self.bends:
            found += bend.shares(own) @ bend.gradients
        return np.asarray(found)

    def without_own(self) -> tuple[Array, Array]:
        """Return curvature in effects [U, U], and derivatives where these are 0 [U], the others maximised out."""
        e = len(self.own)
        across = np.linalg.solve(positive(self.curvature[:e, :e]), self.curvature[:e, e:])
        G = self.curvature[e:, e:] - self.curvature[e:, :e] @ across
        return G, self.gradient[e:] - self.gradient[:e] @ across + G @ self.u


@dataclass(frozen=True)
class Conditional:
    """Effects z given the rest: normal or nearly so, one distribution for each point.

    Attributes:
        mean: [s, U].
        root: lower triangular square root of the precision [s, U, U].
    """

    mean: Array
    root: Array

    @property
    def log_det(self) -> Array:
        """Half the log determinant of the precision [s]."""
        return np.asarray(np.log(np.diagonal(self.root, axis1=1, axis2=2)).sum(axis=1))


def conditional(parameters: LatentParameters, quadratic: Quadratic, real: Array) -> Conditional:
    """Return what z are given real numbers [s, d], as far as a quadratic says."""
    T, own = roots(parameters, real), real[:, : len(quadratic.own)]
    G = quadratic.curvatures(own)
    precision = np.eye(len(quadratic.u)) + np.swapaxes(T, 1, 2) @ G @ T
    root = np.asarray(np.linalg.cholesky(positive(precision)))
    pull = np.einsum("sji,sj->si", T, quadratic.pulls(own, G))
    half = solved(root, pull)
    return Conditional(solved(np.swapaxes(root, 1, 2), half), root)


def roots(parameters: LatentParameters, real: Array) -> Array:
    """Return the square roots T of the covariances of all effects of other factors, u = T z [s, U, U]."""
    padded = np.concatenate([real, np.zeros((len(real), parameters.n_other))], axis=1)
    values = parameters.values(padded).others
    T, start = np.zeros((len(real), parameters.n_other, parameters.n_other)), 0
    for other, own in zip(parameters.others, values, strict=True):
        M = own.T.shape[1]
        for level in range(other.n_levels):
            at = slice(start + level * M, start + (level + 1) * M)
            T[:, at, at] = own.T
        start += other.n_effects
    return T


def positive(precision: Array) -> Array:
    """Return a symmetric matrix, or several, whose eigenvalues are made positive."""
    with np.errstate(invalid="ignore"):
        try:
            np.linalg.cholesky(precision)
        except np.linalg.LinAlgError:
            values, vectors = np.linalg.eigh(precision)
            least = 1e-6 * np.abs(values).max(axis=-1, keepdims=True)
            values = np.maximum(np.abs(values), least)
            return np.asarray((vectors * values[..., np.newaxis, :]) @ np.swapaxes(vectors, -1, -2))
    return precision


def solved(triangles: Array, right: Array) -> Array:
    """Return the solutions of as many systems [s, U, U] as right-hand sides [s, U]."""
    return np.asarray(np.linalg.solve(triangles, right[..., np.newaxis])[..., 0])


def parts(n: int, U: int) -> list[slice]:
    """Return stretches of n points whose matrices [U, U] are held at a time."""
    size = max(1, _MATRIX // max(U * U, 1))
    return [slice(start, start + size) for start in range(0, n, size)]
