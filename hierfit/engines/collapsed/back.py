"""Sampling of the collapsed engine -> Draws: what was integrated out is drawn given what was sampled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.origin import z_center
from hierfit.design.scaling import coefficient_scale, effect_scale
from hierfit.engines.back import to_csv_units, variables_of
from hierfit.engines.collapsed.conditional import Sampled, Target, draw_coefficients, draw_effects
from hierfit.engines.collapsed.reduction import Collapsed, gather
from hierfit.engines.correlations import cholesky_from_partials
from hierfit.model.spec import ModelSpec
from hierfit.posterior.draws import Draws
from hierfit.posterior.rounding import is_rough_enough
from hierfit.sampling import Sampling

Array = NDArray[np.float64]


def collapsed_draws(sampling: Sampling, rows: Collapsed, design: Design, spec: ModelSpec) -> Draws:
    """Return the draws under the names and in the units of the CSV; `rows` are those that the program got."""
    variables, group = variables_of(sampling), design.groups[0]
    if spec.prior_only:  # without rows the conditional distribution is the prior
        rows = rows.without_rows()
    b_scale, unit = coefficient_scale(design), effect_scale(design, group)
    L = cholesky_from_partials(variables["partial"], len(group.terms)) if group.correlated else np.eye(len(group.terms))
    sampled = Sampled(
        (variables["b"] / b_scale).reshape(-1, len(b_scale)),
        ((variables["sd"] / unit)[..., np.newaxis] * L).reshape(-1, *L.shape[-2:]),
        (variables["aux"][..., 0] / design.sigma_scale).ravel(),
    )
    rng = np.random.default_rng([sampling.seed, sampling.options.first_chain])
    b = draw_coefficients(sampled, rows, gather(rows.levels), rng)
    return draws_given(replace(sampled, b=b), rows, rng, sampling, design, spec)


def draws_given(
    sampled: Sampled, rows: Collapsed, rng: np.random.Generator, sampling: Sampling, design: Design, spec: ModelSpec
) -> Draws:
    """Return the draws, those of the effects given all others; sds, correlations and sigma are in `sampling` too."""
    group, variables = design.groups[0], variables_of(sampling)
    way = np.diag(effect_scale(design, group))
    way[0] -= z_center(spec, group) @ way
    effects = draw_effects(sampled, rows, rng, Target(way, lambda some: is_rough_enough(some, group)))
    shape = variables["sd"].shape[:2]
    b = (rows.at_origin(sampled.b) * coefficient_scale(design)).reshape(*shape, -1)
    draws = to_csv_units({**variables, "b": b}, {}, sampling, design, spec)
    return replace(draws, effects={group.factor: effects.reshape(*shape, group.n_levels, -1)})
