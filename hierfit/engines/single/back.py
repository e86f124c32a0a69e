"""Sampling of the chains of one factor -> Draws: effects drawn given each point, all in the units of the CSV."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.engines.collapsed.back import draws_given
from hierfit.engines.collapsed.conditional import Sampled
from hierfit.engines.single.posterior import SingleModel
from hierfit.model.spec import ModelSpec
from hierfit.posterior.draws import Draws
from hierfit.sampling import Sampling

Array = NDArray[np.float64]


def single_draws(sampling: Sampling, model: SingleModel, design: Design, spec: ModelSpec) -> Draws:
    """Return the draws under the names and in the units of the CSV."""
    real, b = sampling.variables["real"], sampling.variables["b"]
    shape = real.shape[:2]
    values = model.parameters.values(real.reshape(-1, real.shape[2]))
    own = values.factors[0]
    variables = {
        "sd": own.sd.reshape(*shape, -1),
        "cor": own.cor.reshape(*shape, -1),
        "aux": (values.sigma * model.parameters.sigma.unit).reshape(*shape, 1),
    }
    sampled = Sampled(b.reshape(-1, b.shape[2]), lower_root(own.T), values.sigma)
    # unlike those of any chain (`independence.generators_of`)
    rng = np.random.default_rng([sampling.seed, sampling.options.first_chain, 1])
    return draws_given(sampled, model.rows, rng, replace(sampling, variables=variables), design, spec)


def lower_root(T: Array) -> Array:
    """Return lower triangular roots of the covariances T T' [s, M, M], their diagonals not below 0."""
    if not np.triu(T, 1).any():
        return T
    R = np.linalg.qr(np.swapaxes(T, 1, 2)).R
    signs = np.where(np.diagonal(R, axis1=1, axis2=2) < 0, -1.0, 1.0)
    return np.asarray(np.swapaxes(R * signs[:, :, np.newaxis], 1, 2))
