"""Draws x names -> their values under chosen draws: parameters of the population, and effects of single levels.

Letters: S chosen draws, J levels of a factor, L chosen ones, M varying coefficients. Draws are named by their index
into the chains joined end to end.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Group
from hierfit.posterior.draws import Draws

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def pick_draws(draws: Draws, count: int, rng: np.random.Generator) -> Indices:
    """Return `count` different draws at random, or all where there are fewer, in order."""
    total = n_draws(draws)
    return np.sort(rng.choice(total, size=min(count, total), replace=False))


def every_draw(draws: Draws) -> Indices:
    """Return all draws, in order."""
    return np.arange(n_draws(draws))


def n_draws(draws: Draws) -> int:
    """Return how many draws all chains have."""
    return draws.n_chains * draws.n_draws


def positions(draws: Draws) -> dict[str, int]:
    """Return where the draws of each population-level parameter stand, by name."""
    return {parameter.name: index for index, parameter in enumerate(draws.parameters)}


def values_of(draws: Draws, names: Sequence[str], picks: Indices) -> Array:
    """Return the chosen draws of population-level parameters [S, len(names)]; KeyError for an unknown name."""
    known = positions(draws)
    columns = np.array([known[name] for name in names], dtype=np.int64)
    return np.asarray(draws.values.reshape(-1, len(draws.parameters))[picks[:, None], columns])


def chosen_effects(draws: Draws, group: Group, picks: Indices, levels: Indices | None = None) -> Array:
    """Return the deviations of one factor under chosen draws [S, J, M], or of chosen levels [S, L, M]."""
    effects = draws.effects_of(group)
    if levels is not None and len(picks) == n_draws(draws):  # all draws, in whatever order: no copy of other levels
        found = effects[:, :, levels].reshape(len(picks), len(levels), effects.shape[-1])
        return np.asarray(found if np.array_equal(picks, every_draw(draws)) else found[picks])
    chains, iterations = np.divmod(picks, draws.n_draws)
    if levels is None:
        return np.asarray(effects[chains, iterations])
    return np.asarray(effects[chains[:, None], iterations[:, None], levels])
