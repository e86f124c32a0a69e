"""ModelSpec x Design -> how long the latent engine will take, from the time of a few points or gradients."""

from __future__ import annotations

import os

import numpy as np

from hierfit.design.design import Design
from hierfit.engines.full.repeated import repeated_rows, sampled_family
from hierfit.engines.latent.building import find_library
from hierfit.engines.latent.density import LatentDensity
from hierfit.engines.latent.hamiltonian import WALKERS, WARMUP
from hierfit.engines.latent.kernel import Kernel
from hierfit.engines.latent.parameters import latent_parameters
from hierfit.engines.latent.posterior import FIRST_NODES, has_many_others
from hierfit.engines.latent.rows import latent_rows
from hierfit.engines.proposal import PILOT
from hierfit.engines.sizes import eliminated_and_others
from hierfit.engines.timing import Estimate, time_of_point
from hierfit.model.spec import ModelSpec
from hierfit.sampling import SamplerOptions

TIMED = 16
SEARCH = 40  # points for each real number that the way to the mode and the widths there took, on simulated data
STEPS = 15  # Hamiltonian steps of a draw, of real and simulated data
EFFECTS = 0.8  # what drawing the effects of a point takes, in times of its density


def estimate_latent(spec: ModelSpec, design: Design, options: SamplerOptions) -> Estimate | None:
    """Return how long drawing will take, the search for a proposal included; None where nothing is compiled."""
    library = find_library(sampled_family(design, repeated_rows(design)))
    if library is None:
        return None
    group, others = eliminated_and_others(design.groups)
    rows = latent_rows(spec, design, group, others)
    parameters = latent_parameters(spec, design, group, 1.0, others)
    density = LatentDensity(Kernel(library, rows, FIRST_NODES[rows.n_varying]), parameters)
    start = np.concatenate([parameters.start, np.zeros(parameters.n_other)])
    points = start + 0.01 * np.arange(TIMED)[:, np.newaxis]
    each = time_of_point(density.gradient if has_many_others(design) else density, points)
    if has_many_others(design):
        n_gradients = STEPS * (WALKERS * WARMUP + options.chains * options.draws)
        return Estimate(each, STEPS, os.cpu_count() or 1, each * n_gradients)
    n_points = options.chains * options.draws * (1 + EFFECTS) + (SEARCH + PILOT) * len(start)
    return Estimate(each, 1, os.cpu_count() or 1, each * n_points)
