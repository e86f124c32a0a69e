"""Sampling of the collapsed engine -> Draws: what was integrated out is drawn given what was sampled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.scaling import coefficient_scale, effect_scale
from hierfit.engines.back import to_csv_units, variables_of
from hierfit.engines.collapsed.conditional import Sampled, draw_rest
from hierfit.engines.collapsed.reduction import Collapsed
from hierfit.engines.correlations import cholesky_from_partials
from hierfit.model.spec import ModelSpec
from hierfit.posterior.draws import Draws
from hierfit.sampling import Sampling

Array = NDArray[np.float64]


def collapsed_draws(sampling: Sampling, rows: Collapsed, design: Design, spec: ModelSpec) -> Draws:
    """Return the draws under the names and in the units of the CSV; `rows` are those that the program got."""
    variables = variables_of(sampling)
    b, effects = _rest(sampling, variables, rows, design, spec)
    return to_csv_units({**variables, "b": b}, effects, sampling, design, spec)


def _rest(
    sampling: Sampling, variables: Mapping[str, Array], rows: Collapsed, design: Design, spec: ModelSpec
) -> tuple[Array, dict[str, Array]]:
    """Draw what was integrated out: all coefficients as the program counts them, and effects [chains, draws, J, M]."""
    group = design.groups[0]
    if spec.prior_only:  # without rows the conditional distribution is the prior
        rows = rows.without_rows()
    effect_unit = effect_scale(design, group)
    b_scale = coefficient_scale(design)
    L = cholesky_from_partials(variables["partial"], len(group.terms)) if group.correlated else np.eye(len(group.terms))
    shape = variables["sd"].shape[:2]
    sampled = Sampled(
        (variables["b"] / b_scale).reshape(-1, len(b_scale)),
        ((variables["sd"] / effect_unit)[..., np.newaxis] * L).reshape(-1, *L.shape[-2:]),
        (variables["aux"][..., 0] / design.sigma_scale).ravel(),
    )
    b, effects = draw_rest(sampled, rows, np.random.default_rng([sampling.seed, sampling.options.first_chain]))
    b *= b_scale
    effects *= effect_unit  # in place, and so is what follows: there may be many
    return b.reshape(*shape, -1), {group.factor: effects.reshape(*shape, group.n_levels, -1)}
