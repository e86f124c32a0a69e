"""LatentDensity of several factors -> the mode of the marginal density of all but effects, and a quadratic there.

By turns, a Newton step of coefficients and effects, and the mode of what the quadratic says of the sds and correlations
of other factors. Letters as in `joint`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.latent.density import LatentDensity
from hierfit.engines.latent.parameters import LatentParameters
from hierfit.engines.latent.quadratic import Bend, Quadratic, conditional, parts, positive, roots, solved
from hierfit.engines.proposal import NoProposalError, climb

Array = NDArray[np.float64]

MOST_ROUNDS, SETTLED = 40, 1e-3  # of the search, and the squared distance, in sds, where it ends
FARTHEST = 3.0  # that a step takes a real number
_SMALL = 1e-4  # steps of differences of gradients
_LENGTHS = 0.5 ** np.arange(8)  # of a step that are tried
_REACH = 1.5  # sds of a real number between the values through which the curvature bends


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # what is not finite ends the search, and is said
def find_joint_mode(density: LatentDensity) -> tuple[Array, Quadratic]:
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
        step *= min(1.0, FARTHEST / np.abs(step).max())
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
    spread = np.sqrt(np.diag(np.linalg.inv(positive(quadratic.curvature[:e, :e]))))
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
    step = np.asarray(np.linalg.solve(positive(precision), gradient))
    return step, float(gradient @ step)


def _best_sds(parameters: LatentParameters, quadratic: Quadratic, real: Array) -> Array:
    """Return the sds and correlations of other factors that a quadratic makes most likely, all else integrated out."""
    e = parameters.n_own
    G, pull = quadratic.without_own()
    G = positive(G)

    def log_density(own: Array) -> Array:
        points = np.concatenate([np.tile(real[:e], (len(own), 1)), own], axis=1)
        found = []
        for part in parts(len(points), len(quadratic.u)):
            T = roots(parameters, points[part])
            root = np.asarray(np.linalg.cholesky(np.eye(len(G)) + np.swapaxes(T, 1, 2) @ G @ T))
            half = solved(root, np.einsum("sji,j->si", T, pull))
            log_det = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
            padded = np.concatenate([points[part], np.zeros((len(T), parameters.n_other))], axis=1)
            prior = sum(own.log_prior for own in parameters.values(padded).others)
            found.append(0.5 * np.square(half).sum(axis=1) - log_det + prior)
        return np.concatenate(found)

    return climb(log_density, real[e:], parameters.bounds[e:])[0]
