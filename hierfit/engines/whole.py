"""Sampling of chains that hold coefficients whole, and effects in the units of the CSV -> Draws."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.engines.back import to_csv_units, variables_of
from hierfit.engines.sizes import n_effects
from hierfit.model.spec import ModelSpec
from hierfit.posterior.draws import Draws
from hierfit.sampling import Sampling

Array = NDArray[np.float64]


def whole_draws(sampling: Sampling, design: Design, spec: ModelSpec) -> Draws:
    """Return the draws under the names and in the units of the CSV."""
    effects = _stacked(sampling.variables["u"], design)
    return to_csv_units(variables_of(sampling), effects, sampling, design, spec)


def _stacked(u: Array, design: Design) -> dict[str, Array]:
    """Return the effects of each factor [chains, draws, J, M] from all of them side by side."""
    ends = np.cumsum([n_effects(group) for group in design.groups])[:-1]
    return {
        group.factor: block.reshape(*u.shape[:2], group.n_levels, len(group.terms))
        for group, block in zip(design.groups, np.split(u, ends, axis=2), strict=True)
    }
