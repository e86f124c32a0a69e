"""Sampling of the full engine -> Draws: effects from z, and coefficients less the means that were swept into them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.origin import x_at_prior
from hierfit.design.scaling import coefficient_scale, effect_scale
from hierfit.engines.back import to_csv_units, variables_of
from hierfit.engines.full.effects import effects_of
from hierfit.model.spec import ModelSpec
from hierfit.posterior.draws import Draws
from hierfit.sampling import Sampling

Array = NDArray[np.float64]


def full_draws(sampling: Sampling, design: Design, spec: ModelSpec) -> Draws:
    """Return the draws under the names and in the units of the CSV."""
    variables = variables_of(sampling)
    b, level, effects = _effects(sampling, variables, design, spec)
    variables |= {"b": b, "threshold": variables["threshold"] + level}
    return to_csv_units(variables, effects, sampling, design, spec)


def _effects(
    sampling: Sampling, variables: Mapping[str, Array], design: Design, spec: ModelSpec
) -> tuple[Array, Array, dict[str, Array]]:
    """Return coefficients less the means swept into them, what thresholds have less, and each factor's effects.

    Their shapes are [chains, draws, K], [chains, draws, 1] and [chains, draws, J, M].
    """
    assert sampling.data is not None
    found = effects_of(variables, sampling.data)
    effects, blocks = {}, iter(found.own)
    for group in design.groups:
        own = [next(blocks) for _ in group.named.blocks]
        together = own[0] if len(own) == 1 else np.concatenate(own, axis=2)
        effects[group.factor] = np.swapaxes(together * effect_scale(design, group)[:, np.newaxis], 2, 3)
    b_scale = coefficient_scale(design)
    b, level = variables["b"] - found.in_b * b_scale, found.in_thresholds
    moved = (b / b_scale) @ x_at_prior(spec, design)
    if design.intercept:  # to where the design has it
        b[..., 0] += b_scale[0] * moved
    else:
        level = level - moved[..., np.newaxis]
    return b, level, effects
