"""Points of a latent density -> what the Stan program would return: draws in the units of the CSV, effects drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.scaling import effect_scale
from hierfit.engines.latent.parameters import LatentParameters
from hierfit.engines.latent.posterior import LatentModel

Array = NDArray[np.float64]


def in_csv_units(posterior: LatentModel, design: Design, real: Array, seed: int) -> dict[str, Array]:
    """Return what the Stan program would return, and the effects, of points [chains, draws, d]."""
    chains, n, d = real.shape
    values, parameters = posterior.values(real.reshape(-1, d)), posterior.density.parameters
    u, _ = posterior.density.kernel.effects(values.points, seed)
    ours = np.empty_like(u)
    ours[..., list(parameters.order)] = u
    b, threshold = _at_mean(parameters, values.points.b, values.points.threshold, design)
    of_group = {posterior.group.factor: (values.factor, (ours * effect_scale(design, posterior.group)))}
    start = 0
    for group, other, own in zip(posterior.others, parameters.others, values.others, strict=True):
        effects = values.points.other[:, start : start + other.n_effects].reshape(chains * n, group.n_levels, -1)
        of_group[group.factor] = own, effects * effect_scale(design, group)
        start += other.n_effects
    in_order = [of_group[group.factor] for group in design.groups]
    found = {
        "b": b,
        "threshold": threshold,
        "sd": np.concatenate([factor.sd for factor, _ in in_order], axis=1),
        "cor": np.concatenate([factor.cor for factor, _ in in_order], axis=1),
        "b_aux": values.points.b_aux * np.concatenate([np.empty(0), *(own.unit for own in parameters.b_aux)]),
        "aux": values.points.aux * np.array([scalar.scale for scalar in parameters.aux.scalars]),
        "u": np.concatenate([effects.reshape(chains * n, -1) for _, effects in in_order], axis=1),
    }
    return {name: part.reshape(chains, n, -1) for name, part in found.items()}


def _at_mean(parameters: LatentParameters, b: Array, threshold: Array, design: Design) -> tuple[Array, Array]:
    """Return coefficients in the units of the CSV [s, K], and thresholds [s, Q], where the design has them."""
    own = parameters.b.at_prior_of(b) if design.intercept else b
    moved = b @ parameters.b.at_prior if len(parameters.b.at_prior) else np.zeros(len(b))
    return own * parameters.b.unit, threshold if design.intercept else threshold - moved[:, np.newaxis]
