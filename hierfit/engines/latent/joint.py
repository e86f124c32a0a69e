"""LatentDensity of several factors -> JointProposal: what is close to the posterior of all that is sampled.

The effects of one factor are integrated out; those of the others, z in units of their sds, are sampled with the rest.
Given all else they are near normal (`quadratic`). So a point is proposed in two steps: the rest from a distribution
near its marginal density (`engines.proposal`, of Laplace's approximation over z), then z given it from a t
distribution. Where few rows speak of an effect, or all of them lie at an end of what they can be, the quadratic is far
off where the rest is far from its mode: there the mean of that t is carried on by a Newton step of its own, which costs
two gradients more for each point. Letters: s points, d real numbers without effects, the first e of which do not speak
of other factors, U effects of these.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import lgamma, log, pi

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.latent.density import LatentDensity
from hierfit.engines.latent.joint_mode import FARTHEST, find_joint_mode
from hierfit.engines.latent.quadratic import Conditional, Quadratic, conditional, parts, roots, solved
from hierfit.engines.proposal import Proposal, fly, propose
from hierfit.engines.refining import refine

Array = NDArray[np.float64]

DEGREES = 30.0  # of the t distribution of effects
_PILOT = 60  # points of a pilot sample, for each real number without effects
_STEPPED = 0.4  # effective share of a pilot sample below which the means of effects take a step of their own


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
        for part in parts(n, noise.shape[1]):
            given = given_rest(self.density, self.quadratic, real[part], self.stepped)
            found.append(given.mean + solved(np.swapaxes(given.root, 1, 2), noise[part]))
        return np.concatenate([real, np.concatenate(found)], axis=1)

    def log_density(self, points: Array) -> Array:
        """Return the log density [s] of points [s, d + U], up to a constant."""
        d = self.density.parameters.n_real
        real, z = points[:, :d], points[:, d:]
        U = z.shape[1]
        constant = lgamma((DEGREES + U) / 2) - lgamma(DEGREES / 2) - U / 2 * log(DEGREES * pi)
        found = []
        for part in parts(len(points), U):
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
    mode, quadratic = find_joint_mode(density)
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
        for part in parts(len(real), len(quadratic.u)):
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
    step = solved(np.swapaxes(found.root, 1, 2), solved(found.root, np.nan_to_num(gradient)))
    step *= np.minimum(1.0, FARTHEST / np.maximum(np.abs(step).max(axis=1, keepdims=True), 1e-9))
    return replace(found, mean=found.mean + step)
