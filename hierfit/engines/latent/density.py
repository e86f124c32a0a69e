"""Kernel x LatentParameters -> LatentDensity: the log density of what is sampled, its mode, how many nodes it needs.

The mode is found by Newton steps whose curvature is taken from differences of gradients: the kernel works out several
points as fast as one. The number of nodes of the quadrature is raised until more would change log densities, over the
posterior, by next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.latent.kernel import Kernel
from hierfit.engines.latent.parameters import LatentParameters
from hierfit.engines.proposal import LEAST_EIGENVALUE, NoProposalError, axes_of

Array = NDArray[np.float64]

MOST_NODES = {1: 63, 2: 15, 3: 9}  # by the number of varying columns
WORST_ERROR = 0.1  # from where on estimates are off by a tenth of their sds
NODE_ERROR = 0.02  # sd over the posterior of what twice as many nodes change in the log density
MOST_STEPS, SETTLED = 60, 1e-4  # of the search, and the squared distance from the mode, in sds, where it ends
_SMALL = 1e-4  # steps of differences of gradients, in real numbers
_FLOOR = 1e-6  # of eigenvalues of the curvature, over the largest
_FARTHEST = 3.0  # that a step takes a real number
_LENGTHS = 0.5 ** np.arange(8)  # of a step that are tried


class CoarseError(NoProposalError):
    """As many nodes as there may be are too few."""


@dataclass(frozen=True)
class LatentDensity:
    """The density of the real numbers that are sampled.

    Attributes:
        kernel: what the rows say.
        parameters: what is sampled.
    """

    kernel: Kernel
    parameters: LatentParameters

    def __call__(self, real: Array) -> Array:
        """Return log densities of points [s, d + U] with the prior [s]; -inf where there is none."""
        values = self.parameters.values(real)
        found = self.kernel.log_density(values.points) + values.log_prior
        return np.where(np.isfinite(found), found, -np.inf)

    def slopes(self, real: Array, u: Array | None = None) -> tuple[Array, Array, Array]:
        """Return log densities of points [s, d + U] with the prior [s], derivatives [s, d], and others [s, U].

        The latter are those of what the rows say in effects of other factors, in the units of the kernel; `u` are these
        effects [s, U], where they do not follow from the points.
        """
        values = self.parameters.values(real)
        found, slopes = self.kernel.gradient(values.points if u is None else replace(values.points, other=u))
        return found + values.log_prior, self.parameters.pulled_back(real, slopes), slopes.other

    def gradient(self, real: Array) -> tuple[Array, Array]:
        """Return log densities of points [s, d + U] with the prior [s], and all derivatives [s, d + U]."""
        values = self.parameters.values(real)
        found, slopes = self.kernel.gradient(values.points)
        of_z = self.parameters.pulled_effects(slopes.other, values.others) - real[:, self.parameters.n_real :]
        return found + values.log_prior, np.concatenate([self.parameters.pulled_back(real, slopes), of_z], axis=1)

    def remember(self, real: Array) -> None:
        """Begin later searches for modes of effects at those of a point [d + U]."""
        self.kernel.remember(self.parameters.values(real[np.newaxis]).points)


def find_mode(density: LatentDensity, start: Array) -> tuple[Array, Array]:
    """Return the mode [d] and the curvature there [d, d].

    Raises:
        NoProposalError: the density has no mode to speak of.
    """
    d, here = len(start), start
    bounds, mirrored = density.parameters.bounds.T, density.parameters.mirrored
    for _ in range(MOST_STEPS):
        density.remember(here)
        values, slopes, _ = density.slopes(here + _SMALL * np.concatenate([np.zeros((1, d)), np.eye(d), -np.eye(d)]))
        gradient, precision = slopes[0], (slopes[1 + d :] - slopes[1 : 1 + d]) / (2 * _SMALL)
        if not (np.isfinite(values).all() and np.isfinite(precision).all()):
            raise NoProposalError("the density is not finite where the search for its mode has come to")
        precision = (precision + precision.T) / 2
        unit = units_of(precision, _FLOOR)
        size, directions = np.linalg.eigh(precision * np.outer(unit, unit))
        sizes = np.maximum(np.abs(size), _FLOOR * np.abs(size).max())
        step = unit * (directions @ ((directions.T @ (unit * gradient)) / sizes))
        if gradient @ step < SETTLED and size.min() > 0:
            return here, precision
        step *= min(1.0, _FARTHEST / np.abs(step).max())
        tried = here + _LENGTHS[:, np.newaxis] * step
        tried = np.clip(np.where(mirrored, np.abs(tried), tried), *bounds)
        found = density(tried)
        best = int(np.argmax(found))
        if not found[best] > values[0]:
            return here, precision
        here = tried[best]
    raise NoProposalError("the search for the mode of the density did not end")


def units_of(precision: Array, floor: float) -> Array:
    """Return units in which a curvature [d, d] is 1 along each axis [d]; ones where no eigenvalue is below the floor.

    A coefficient of counts in millions is known to a thousandth of what an sd is: a floor over all would hold that.
    """
    sizes = np.abs(np.linalg.eigvalsh(precision))
    own = np.abs(np.diag(precision))
    return np.ones(len(own)) if sizes.min() >= floor * sizes.max() else 1 / np.sqrt(np.where(own > 0, own, 1.0))


def axes_at(precision: Array) -> Array:
    """Return a root of the inverse of the curvature at the mode, an sd long each [d, d]."""
    unit = units_of(precision, LEAST_EIGENVALUE)
    return np.asarray(unit[:, np.newaxis] * axes_of(precision * np.outer(unit, unit)))


def with_enough_nodes(density: LatentDensity, points: Array) -> tuple[LatentDensity, float]:
    """Return the density with nodes enough at points of about the posterior [s, d + U], and what error is left.

    That is the sd of what twice as many nodes, and one, would change: a few more say too little where few converge
    slowly.

    Raises:
        CoarseError: as many nodes as there may be leave too large an error.
    """
    given = density.parameters.values(points).points
    kernel = density.kernel
    while True:
        more = kernel.with_nodes(2 * kernel.n_nodes + 1)
        error = float(np.std(more.log_density(given) - kernel.log_density(given)))
        further = kernel.n_nodes + max(2, kernel.n_nodes // 2)
        if error < NODE_ERROR or further > MOST_NODES[kernel.rows.n_varying]:
            break
        kernel = kernel.with_nodes(further)
    if error > WORST_ERROR:
        raise CoarseError(f"{kernel.n_nodes} nodes of quadrature leave an error of {error:.2g} in the log density")
    return replace(density, kernel=kernel), error
