"""A model with one factor -> how long its chains will take, from the time of a few points."""

from __future__ import annotations

import os

import numpy as np

from hierfit.design.design import Design
from hierfit.engines.marginal.density import threads
from hierfit.engines.proposal import PILOT
from hierfit.engines.single.posterior import reduce_single
from hierfit.engines.timing import Estimate, time_of_point
from hierfit.model.spec import ModelSpec
from hierfit.sampling import SamplerOptions

TIMED = 32
SEARCH = 60  # points for each real number that the way to the mode and the widths there took, on simulated data


def estimate_single(spec: ModelSpec, design: Design, options: SamplerOptions) -> Estimate:
    """Return how long drawing will take, the search for a proposal included, and that of effects not."""
    model = reduce_single(spec, design)
    # The mode is not far from where the others are.
    points = model.parameters.start + 0.01 * np.arange(TIMED)[:, np.newaxis]
    with threads() as pool:
        each = time_of_point(lambda some: model.given(some, pool), points)
    n_points = options.chains * options.draws + (SEARCH + PILOT) * len(points[0])
    return Estimate(each, 1, os.cpu_count() or 1, each * n_points)
