"""ModelSpec x Design -> LatentPosterior: a density with the effects of one factor integrated out, and what is near it.

With many levels a tenth of them shows first where the mode is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.engines.engine import Message
from hierfit.engines.latent.building import build_library
from hierfit.engines.latent.density import CoarseError, LatentDensity, axes_at, find_mode, with_enough_nodes
from hierfit.engines.latent.joint import JointProposal, near_several
from hierfit.engines.latent.kernel import Kernel, LatentRows
from hierfit.engines.latent.parameters import LatentValues, latent_parameters
from hierfit.engines.latent.rows import latent_rows
from hierfit.engines.proposal import PILOT, POOR, NoProposalError, Pilot, Proposal, around, fly
from hierfit.engines.refining import POINTS, refine
from hierfit.engines.sizes import eliminated_and_others, n_other_effects
from hierfit.model.spec import ModelSpec

Array = NDArray[np.float64]

FIRST_NODES = {1: 7, 2: 5, 3: 5}  # by the number of varying columns
NODE_POINTS, FEW_NODE_POINTS = 256, 32  # at which errors of quadrature are looked at: few where there is much work
MOST_JOINT = 300  # effects of other factors that are proposed together: a matrix of them for each draw
MUCH_WORK = 1_000_000  # rows times nodes from where on a larger pilot sample takes longer than it saves
FEW_LEVELS, FEW_ROWS = 400, 20_000  # models that are larger are looked at in a tenth of their levels first


@dataclass(frozen=True)
class LatentModel:
    """The posterior of what is left when the effects of one factor are integrated out.

    Attributes:
        density: of the real numbers.
        node_error: sd over the posterior of what twice as many nodes would change in the log density.
        group: the factor whose effects are integrated out.
        others: those whose effects are sampled.
    """

    density: LatentDensity
    node_error: float
    group: Group
    others: tuple[Group, ...]

    def values(self, real: Array) -> LatentValues:
        """Return points in the units of the kernel."""
        return self.density.parameters.values(real)


@dataclass(frozen=True)
class LatentPosterior(LatentModel):
    """One with what chains of independence Metropolis draw from.

    Attributes:
        proposal: what is close to it.
        pilot: points of that.
    """

    proposal: Proposal | JointProposal
    pilot: Pilot


@dataclass(frozen=True)
class FarPosterior(LatentModel):
    """One that nothing was found to be close to.

    Attributes:
        reason: why.
        starts: points of a proposal that is not close, drawn by their weights [s, d + U]; none where there is none.
    """

    reason: str
    starts: Array


def find_posterior(
    spec: ModelSpec, design: Design, seed: int, say: Message | None = None
) -> LatentPosterior | FarPosterior:
    """Find the mode, the number of nodes, and what is close to the posterior.

    Raises:
        CoarseError: quadrature is not exact enough.
        ToolchainError: the kernel cannot be compiled.
    """
    group, others = eliminated_and_others(design.groups)
    density = _density(spec, design, group, others, say)
    nowhere = FarPosterior(density, 0.0, group, others, "", np.empty((0, 0)))
    if has_many_others(design):
        many = f"all grouping factors but one have {density.parameters.n_other:,} effects, more than {MOST_JOINT}"
        return replace(nowhere, reason=many)
    rng = np.random.default_rng(seed)
    try:
        found = _near(LatentModel(density, 0.0, group, others), rng)
    except CoarseError:
        raise  # whatever draws from that density
    except NoProposalError as error:
        return replace(nowhere, reason=str(error))
    if found.pilot.efficiency >= POOR:
        return found
    starts = found.pilot.points[rng.choice(len(found.pilot.weights), FEW_NODE_POINTS, p=found.pilot.weights)]
    reason = f"only {found.pilot.efficiency:.0%} of a pilot sample were effective"
    return FarPosterior(found.density, found.node_error, group, others, reason, starts)


def has_many_others(design: Design) -> bool:
    """Whether the effects that are not integrated out are too many to be proposed together."""
    return n_other_effects(design.groups) > MOST_JOINT


def _near(model: LatentModel, rng: np.random.Generator) -> LatentPosterior:
    """Return what is close to a posterior, however close that is, and as many nodes as are enough."""
    density, near = model.density, _near_several if model.others else _near_one
    while True:
        proposal, pilot = near(density, rng)
        n_points = FEW_NODE_POINTS if density.kernel.work >= MUCH_WORK else NODE_POINTS
        points = pilot.points[rng.choice(len(pilot.weights), n_points, p=pilot.weights)]
        finer, error = with_enough_nodes(density, points)
        if finer.kernel.n_nodes == density.kernel.n_nodes:
            break
        density = finer  # its posterior may be elsewhere
    return LatentPosterior(density, error, model.group, model.others, proposal, pilot)


def _near_one(density: LatentDensity, rng: np.random.Generator) -> tuple[Proposal, Pilot]:
    """Return what is near the posterior of a model with one factor."""
    start, kernel = density.parameters.start, density.kernel
    if kernel.rows.n_levels > FEW_LEVELS and len(kernel.rows.y) > FEW_ROWS:
        few = Kernel(kernel.library, _tenth(kernel.rows), kernel.n_nodes)
        start, _ = find_mode(replace(density, kernel=few), start)
    mode, precision = find_mode(density, start)
    proposal, pilot = around(density, mode, axes_at(precision), density.parameters.bounds, rng)
    if kernel.work >= MUCH_WORK:
        return proposal, pilot
    larger = fly(density, proposal, POINTS * len(mode), rng)  # a tail that is not covered shows only in many points
    return refine(density, proposal, larger, rng)


def _near_several(density: LatentDensity, rng: np.random.Generator) -> tuple[JointProposal, Pilot]:
    """Return what is near the posterior of a model with several factors."""
    proposal = near_several(density, rng)
    return proposal, fly(density, proposal, PILOT * density.parameters.n_real, rng)


def _density(
    spec: ModelSpec, design: Design, group: Group, others: tuple[Group, ...], say: Message | None
) -> LatentDensity:
    """Return the density, sds in units of what rows like these can tell."""
    rows = latent_rows(spec, design, group, others)
    kernel = Kernel(build_library(rows.family, say), rows, FIRST_NODES[rows.n_varying])
    parameters = latent_parameters(spec, design, group, 1.0, others)
    start = np.concatenate([parameters.start, np.zeros(parameters.n_other)])
    curvature = kernel.remember(parameters.values(start[np.newaxis]).points)
    return LatentDensity(kernel, latent_parameters(spec, design, group, 1 / np.sqrt(max(curvature, 1e-6)), others))


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
