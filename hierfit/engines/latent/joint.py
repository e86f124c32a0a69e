"""LatentDensity of several factors -> JointProposal: what is close to the posterior of all that is sampled.

The effects of one factor are integrated out; those of the others, z in units of their sds, are sampled with the rest.
Given all else they are near normal: what the rows say of effects u = T z is taken as quadratic around its mode, with
the curvature G there, so that the precision of z is I + T'G T, whatever the sds in T. G bends with the sds of the
factor whose effects are integrated out: the less its levels differ, the more each row says of all others. So a point
is proposed in two steps: the rest from a distribution near its marginal density (`engines.proposal`, of Laplace's
approximation over z), then z given it from a t distribution. Where few rows speak of an effect, or all of them lie at
an end of what they can be, the quadratic is far off where the rest is far from its mode: there the mean of that t is
carried on by a Newton step of its own, which costs two gradients more for each point. Letters: s points, d real numbers
without effects, the first e of which do not speak of other factors, U effects of these.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import lgamma, log, pi

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.latent.density import LatentDensity
from hierfit.engines.latent.parameters import LatentParameters
from hierfit.engines.proposal import NoProposalError, Proposal, climb, fly, propose
from hierfit.engines.refining import refine

Array = NDArray[np.float64]

DEGREES = 30.0  # of the t distribution of effects
MOST_ROUNDS, SETTLED = 40, 1e-3  # of the search, and the squared distance, in sds, where it ends
_SMALL = 1e-4  # steps of differences of gradients
_LENGTHS = 0.5 ** np.arange(8)  # of a step that are tried
_FARTHEST = 3.0  # that a step takes a real number
_REACH = 1.5  # sds of a real number between the values through which the curvature bends
_PILOT = 60  # points of a pilot sample, for each real number without effects
_STEPPED = 0.4  # effective share of a pilot sample below which the means of effects take a step of their own
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
        across = np.linalg.solve(_positive(self.curvature[:e, :e]), self.curvature[:e, e:])
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


@dataclass(frozen=True)
class JointProposal:
    """A distribution of all that is sampled.

    Attributes:
        rest: of the real numbers without effects.
        quadratic: what gives that of the effects.
        density: what it is near.
        stepped: whether means of effects take a Newton step from what the quadratic says.
    """

    rest: Proposal
    quadratic: Quadratic
    density: LatentDensity
    stepped: bool = False

    def draw(self, n: int, rng: np.random.Generator) -> Array:
        """Return n points [n, d + U]."""
        real = self.rest.draw(n, rng)
        noise = rng.standard_normal((n, len(self.quadratic.u)))
        noise /= np.sqrt(rng.chisquare(DEGREES, (n, 1)) / DEGREES)
        found = []
        for part in _parts(n, noise.shape[1]):
            given = given_rest(self.density, self.quadratic, real[part], self.stepped)
            found.append(given.mean + _solved(np.swapaxes(given.root, 1, 2), noise[part]))
        return np.concatenate([real, np.concatenate(found)], axis=1)

    def log_density(self, points: Array) -> Array:
        """Return the log density [s] of points [s, d + U], up to a constant."""
        d = self.density.parameters.n_real
        real, z = points[:, :d], points[:, d:]
        U = z.shape[1]
        constant = lgamma((DEGREES + U) / 2) - lgamma(DEGREES / 2) - U / 2 * log(DEGREES * pi)
        found = []
        for part in _parts(len(points), U):
            given = given_rest(self.density, self.quadratic, real[part], self.stepped)
            apart = np.einsum("sji,sj->si", given.root, z[part] - given.mean)
            size = np.square(apart).sum(axis=1)
            found.append(constant + given.log_det - (DEGREES + U) / 2 * np.log1p(size / DEGREES))
        return np.asarray(self.rest.log_density(real) + np.concatenate(found))


def near_several(density: LatentDensity, rng: np.random.Generator) -> JointProposal:
    """Return a distribution near the density.

    Raises:
        NoProposalError: the density has no mode to speak of.
    """
    mode, quadratic = _search(density)
    found = _near(density, mode, quadratic, False, rng)
    size = _PILOT * len(mode)
    plain = fly(density, found, size, rng).efficiency
    if plain > _STEPPED:
        return found
    stepped = _near(density, mode, quadratic, True, rng)
    return stepped if fly(density, stepped, size, rng).efficiency > plain else found


def _near(
    density: LatentDensity, mode: Array, quadratic: Quadratic, stepped: bool, rng: np.random.Generator
) -> JointProposal:
    def marginal(real: Array) -> Array:
        """Laplace's approximation over the effects, their curvature being that at the mode."""
        found = []
        for part in _parts(len(real), len(quadratic.u)):
            given = given_rest(density, quadratic, real[part], stepped)
            found.append(density(np.concatenate([real[part], given.mean], axis=1)) - given.log_det)
        return np.concatenate(found)

    proposal, _ = refine(marginal, *propose(marginal, mode, density.parameters.bounds, rng), rng)
    return JointProposal(proposal, quadratic, density, stepped)


def given_rest(density: LatentDensity, quadratic: Quadratic, real: Array, stepped: bool) -> Conditional:
    """Return what z are given real numbers [s, d], their means after a Newton step where `stepped`."""
    found = conditional(density.parameters, quadratic, real)
    if not stepped:
        return found
    points = density.parameters.values(np.concatenate([real, found.mean], axis=1)).points
    _, slopes = density.kernel.gradient(points)
    gradient = np.einsum("sji,sj->si", roots(density.parameters, real), slopes.other) - found.mean
    step = _solved(np.swapaxes(found.root, 1, 2), _solved(found.root, np.nan_to_num(gradient)))
    step *= np.minimum(1.0, _FARTHEST / np.maximum(np.abs(step).max(axis=1, keepdims=True), 1e-9))
    return replace(found, mean=found.mean + step)


def conditional(parameters: LatentParameters, quadratic: Quadratic, real: Array) -> Conditional:
    """Return what z are given real numbers [s, d], as far as a quadratic says."""
    T, own = roots(parameters, real), real[:, : len(quadratic.own)]
    G = quadratic.curvatures(own)
    precision = np.eye(len(quadratic.u)) + np.swapaxes(T, 1, 2) @ G @ T
    root = np.asarray(np.linalg.cholesky(_positive(precision)))
    pull = np.einsum("sji,sj->si", T, quadratic.pulls(own, G))
    half = _solved(root, pull)
    return Conditional(_solved(np.swapaxes(root, 1, 2), half), root)


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


def _search(density: LatentDensity) -> tuple[Array, Quadratic]:
    """Return real numbers near the mode of their marginal density [d], and the quadratic there.

    By turns, a Newton step of the first of them and the effects, and the mode of what the quadratic says of the sds and
    correlations of other factors.
    """
    parameters = density.parameters
    d, e, z = parameters.n_real, parameters.n_own, np.zeros(parameters.n_other)
    real = parameters.start
    for _ in range(MOST_ROUNDS):
        T = roots(parameters, real[np.newaxis])[0]
        quadratic, value = _quadratic(density, real, z, T)
        step, distance = _step(quadratic, T, z)
        step *= min(1.0, _FARTHEST / np.abs(step).max())
        tried = np.concatenate([real[:e], z]) + _LENGTHS[:, np.newaxis] * step
        tried[:, :e] = np.where(parameters.mirrored[:e], np.abs(tried[:, :e]), tried[:, :e])
        tried[:, :e] = np.clip(tried[:, :e], *parameters.bounds[:e].T)
        points = np.concatenate([tried[:, :e], np.tile(real[e:], (len(tried), 1)), tried[:, e:]], axis=1)
        found = density(points)
        best = int(np.argmax(found))
        moved = bool(found[best] > value)
        if moved:
            real, z = points[best, :d], points[best, d:]
        sds = _best_sds(parameters, quadratic, real)
        change = float(np.abs(sds - real[e:]).max())
        real = np.concatenate([real[:e], sds])
        # Not the same effects in units of these sds: where one is near 0 now, they would be far from all it allows.
        z = conditional(parameters, quadratic, real[np.newaxis]).mean[0]
        T = roots(parameters, real[np.newaxis])[0]
        if (distance < SETTLED or not moved) and change < 0.02:
            return real, _bent(density, real, _quadratic(density, real, z, T)[0])
    raise NoProposalError("the search for the mode of the density did not end")


def _quadratic(density: LatentDensity, real: Array, z: Array, T: Array) -> tuple[Quadratic, float]:
    """Return what rows and priors say around a point, and the log density there."""
    d, e, U = density.parameters.n_real, density.parameters.n_own, len(z)
    here, u = np.concatenate([real, z]), T @ z
    steps = np.zeros((1 + e + U, d + U))
    steps[1 : 1 + e, :e] = _SMALL * np.eye(e)
    steps_u = np.zeros((1 + e + U, U))
    steps_u[1 + e :] = _SMALL * np.eye(U)
    density.remember(here)
    values, slopes, of_u = density.slopes(here + steps, u + steps_u)
    every = np.concatenate([slopes[:, :e], of_u], axis=1)
    if not np.isfinite(every).all():
        raise NoProposalError("the density is not finite where the search for its mode has come to")
    curvature = -(every[1:] - every[0]) / _SMALL
    return Quadratic(real[:e], u, every[0], (curvature + curvature.T) / 2), float(values[0])


def _bent(density: LatentDensity, real: Array, quadratic: Quadratic) -> Quadratic:
    """Return the quadratic with how it bends with every sd of the factor whose effects are integrated out."""
    e = len(quadratic.own)
    spread = np.sqrt(np.diag(np.linalg.inv(_positive(quadratic.curvature[:e, :e]))))
    bends = []
    for at in np.flatnonzero(density.parameters.mirrored[:e]):
        here, reach = float(real[at]), float(np.clip(_REACH * spread[at], 0.2, 2.0))
        sides = (max(here - reach, 0.0), here + reach) if here > 0.1 else (here + reach / 2, here + reach)
        places = np.array([sides[0], here, sides[1]])
        gradients, curvatures = (np.zeros((3, *quadratic.u.shape * n)) for n in (1, 2))
        for k in (0, 2):
            there = np.where(np.arange(len(real)) == at, places[k], real)
            gradient, curvature = _of_effects(density, there, quadratic.u)
            as_said = quadratic.gradient[e:] - (places[k] - here) * quadratic.curvature[at, e:]
            gradients[k], curvatures[k] = gradient - as_said, curvature - quadratic.curvature[e:, e:]
        bends.append(Bend(int(at), places, gradients, curvatures))
    return replace(quadratic, bends=tuple(bends))


def _of_effects(density: LatentDensity, real: Array, u: Array) -> tuple[Array, Array]:
    """Return what rows say of effects [U]: derivatives [U] and curvature [U, U]."""
    U = len(u)
    steps = np.concatenate([np.zeros((1, U)), _SMALL * np.eye(U)])
    _, _, of_u = density.slopes(np.tile(np.concatenate([real, np.zeros(U)]), (1 + U, 1)), u + steps)
    if not np.isfinite(of_u).all():
        raise NoProposalError("the density is not finite around its mode")
    curvature = -(of_u[1:] - of_u[0]) / _SMALL
    return of_u[0], (curvature + curvature.T) / 2


def _step(quadratic: Quadratic, T: Array, z: Array) -> tuple[Array, float]:
    """Return Newton's step of the first real numbers and z [e + U], and its squared length in sds."""
    e = len(quadratic.own)
    way = np.eye(len(quadratic.gradient))
    way[e:, e:] = T
    gradient = way.T @ quadratic.gradient
    precision = way.T @ quadratic.curvature @ way
    gradient[e:] -= z
    precision[e:, e:] += np.eye(len(z))
    step = np.asarray(np.linalg.solve(_positive(precision), gradient))
    return step, float(gradient @ step)


def _best_sds(parameters: LatentParameters, quadratic: Quadratic, real: Array) -> Array:
    """Return the sds and correlations of other factors that a quadratic makes most likely, all else integrated out."""
    e = parameters.n_own
    G, pull = quadratic.without_own()
    G = _positive(G)

    def log_density(own: Array) -> Array:
        points = np.concatenate([np.tile(real[:e], (len(own), 1)), own], axis=1)
        found = []
        for part in _parts(len(points), len(quadratic.u)):
            T = roots(parameters, points[part])
            root = np.asarray(np.linalg.cholesky(np.eye(len(G)) + np.swapaxes(T, 1, 2) @ G @ T))
            half = _solved(root, np.einsum("sji,j->si", T, pull))
            log_det = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
            padded = np.concatenate([points[part], np.zeros((len(T), parameters.n_other))], axis=1)
            prior = sum(own.log_prior for own in parameters.values(padded).others)
            found.append(0.5 * np.square(half).sum(axis=1) - log_det + prior)
        return np.concatenate(found)

    return climb(log_density, real[e:], parameters.bounds[e:])[0]


def _positive(precision: Array) -> Array:
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


def _solved(triangles: Array, right: Array) -> Array:
    """Return the solutions of as many systems [s, U, U] as right-hand sides [s, U]."""
    return np.asarray(np.linalg.solve(triangles, right[..., np.newaxis])[..., 0])


def _parts(n: int, U: int) -> list[slice]:
    """Return stretches of n points whose matrices [U, U] are held at a time."""
    size = max(1, _MATRIX // max(U * U, 1))
    return [slice(start, start + size) for start in range(0, n, size)]
