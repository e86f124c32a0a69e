"""ModelSpec x Design -> LatentPosterior: the density with one factor's effects integrated out, and a proposal near it.

The mode is found by Newton steps whose curvature is taken from differences of gradients: the kernel works out several
points as fast as one. With many levels a tenth of them shows first where it is. The number of nodes of the quadrature
is raised until more would change log densities, over the posterior, by next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.engines.engine import Message
from hierfit.engines.latent.building import build_library
from hierfit.engines.latent.kernel import Kernel, LatentRows
from hierfit.engines.latent.parameters import LatentParameters, LatentValues, latent_parameters
from hierfit.engines.latent.rows import latent_rows
from hierfit.engines.proposal import POOR, NoProposalError, Pilot, Proposal, around, axes_of
from hierfit.model.spec import ModelSpec

Array = NDArray[np.float64]

FIRST_NODES, MOST_NODES = {1: 7, 2: 5, 3: 5}, {1: 31, 2: 15, 3: 9}  # by the number of varying columns
NODE_ERROR = 0.02  # sd over the posterior of what four more nodes add to the log density
NODE_POINTS = 32
FEW_LEVELS, FEW_ROWS = 400, 20_000  # models that are larger are looked at in a tenth of their levels first
MOST_STEPS, SETTLED = 60, 1e-4  # of the search, and the squared distance from the mode, in sds, where it ends
_SMALL = 1e-4  # steps of differences of gradients, in real numbers
_FARTHEST = 3.0  # that a step takes a real number
_LENGTHS = 0.5 ** np.arange(8)  # of a step that are tried


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
        """Return log densities of points [s, d] with the prior [s]; -inf where there is none."""
        values = self.parameters.values(real)
        found = self.kernel.log_density(values.points) + values.log_prior
        return np.where(np.isfinite(found), found, -np.inf)

    def slopes(self, real: Array) -> tuple[Array, Array]:
        """Return log densities [s] and derivatives [s, d]; later searches for modes begin at those of the first."""
        values = self.parameters.values(real)
        found, slopes = self.kernel.gradient(values.points)
        return found + values.log_prior, self.parameters.pulled_back(real, slopes)


@dataclass(frozen=True)
class LatentPosterior:
    """The posterior of what is left when the effects of one factor are integrated out, and all that draws want.

    Attributes:
        density: of the real numbers.
        proposal: what is close to it.
        pilot: points of that.
        node_error: sd over the posterior of what four more nodes would add to the log density.
        group: the factor whose effects are integrated out.
    """

    density: LatentDensity
    proposal: Proposal
    pilot: Pilot
    node_error: float
    group: Group

    def values(self, real: Array) -> LatentValues:
        """Return points in the units of the kernel."""
        return self.density.parameters.values(real)


def find_posterior(spec: ModelSpec, design: Design, seed: int, say: Message | None = None) -> LatentPosterior:
    """Find the mode, the number of nodes, and what is close to the posterior.

    Raises:
        NoProposalError: nothing is close to it.
        ToolchainError: the kernel cannot be compiled.
    """
    group = design.groups[0]
    rows = latent_rows(spec, design, group)
    kernel = Kernel(build_library(rows.family, say), rows, FIRST_NODES[rows.n_varying])
    parameters = latent_parameters(spec, design, group, 1.0)
    curvature = kernel.remember(parameters.values(parameters.start[np.newaxis]).points)
    parameters = latent_parameters(spec, design, group, 1 / np.sqrt(max(curvature, 1e-6)))
    density, start = LatentDensity(kernel, parameters), parameters.start
    if rows.n_levels > FEW_LEVELS and len(rows.y) > FEW_ROWS:
        few = LatentDensity(Kernel(kernel.library, _tenth(rows), kernel.n_nodes), parameters)
        start, _ = find_mode(few, start)
    mode, precision = find_mode(density, start)
    axes = axes_of(precision)
    rng = np.random.default_rng(seed)
    density, error = _with_enough_nodes(density, mode + rng.standard_normal((NODE_POINTS, len(mode))) @ axes.T)
    proposal, pilot = around(density, mode, axes, parameters.bounds, rng)
    if pilot.efficiency < POOR:
        raise NoProposalError(f"only {pilot.efficiency:.0%} of a pilot sample were effective")
    return LatentPosterior(density, proposal, pilot, error, group)


def find_mode(density: LatentDensity, start: Array) -> tuple[Array, Array]:
    """Return the mode [d] and the curvature there [d, d].

    Raises:
        NoProposalError: the density has no mode to speak of.
    """
    d, here = len(start), start
    bounds, mirrored = density.parameters.bounds.T, density.parameters.mirrored
    for _ in range(MOST_STEPS):
        density.kernel.remember(density.parameters.values(here[np.newaxis]).points)
        values, slopes = density.slopes(here + _SMALL * np.concatenate([np.zeros((1, d)), np.eye(d), -np.eye(d)]))
        gradient, precision = slopes[0], (slopes[1 + d :] - slopes[1 : 1 + d]) / (2 * _SMALL)
        if not (np.isfinite(values).all() and np.isfinite(precision).all()):
            raise NoProposalError("the density is not finite where the search for its mode has come to")
        precision = (precision + precision.T) / 2
        size, directions = np.linalg.eigh(precision)
        sizes = np.maximum(np.abs(size), 1e-6 * np.abs(size).max())
        step = directions @ ((directions.T @ gradient) / sizes)
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


def _with_enough_nodes(density: LatentDensity, points: Array) -> tuple[LatentDensity, float]:
    """Return the density with nodes enough at points of about the posterior [s, d], and what error is left."""
    given = density.parameters.values(points).points
    n_varying = density.kernel.rows.n_varying
    nodes, found = density.kernel.n_nodes, density.kernel.log_density(given)
    while True:
        more = density.kernel.with_nodes(nodes + 4).log_density(given)
        error = float(np.std(more - found))
        if error < NODE_ERROR or nodes + 4 > MOST_NODES[n_varying]:
            return replace(density, kernel=density.kernel.with_nodes(nodes)), error
        nodes, found = nodes + 4, more


def _tenth(rows: LatentRows) -> LatentRows:
    """Return the rows of every tenth level."""
    levels = np.arange(0, rows.n_levels, 10)
    sizes = np.diff(rows.start)[levels]
    place = np.concatenate([np.arange(rows.start[level], rows.start[level + 1]) for level in levels])
    of_rows = {
        name: getattr(rows, name)[..., place]
        for name in ("y", "fixed", "X", "Z", "trials", "weights", "X_aux")
        if getattr(rows, name).shape[-1]
    }
    return replace(rows, start=np.concatenate([[0], np.cumsum(sizes)]), **of_rows)
