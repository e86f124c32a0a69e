"""Draws: what the sampler returned, under the names of the CSV and in its units, as plain numpy arrays.

Everything in `results` works on Draws (and the Design and ModelSpec they belong to); `posterior.netcdf` turns
them into a netCDF file and back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Group
from hierfit.model.spec import Parameter

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Draws:
    """Posterior draws after warmup.

    Attributes:
        parameters: the P population-level parameters, in the order of the tables: Intercept,
            (Intercept_at_mean), coefficients, sds, correlations, auxiliaries.
        values: their draws [chains, draws, P].
        effects: grouping factor -> deviations of each level from the population value [chains, draws, J, M].
        stats: sampler statistics [chains, draws] under ArviZ's names: lp, acceptance_rate, step_size,
            tree_depth, n_steps, diverging (bool), energy.
        max_treedepth: the limit that tree_depth was held to.
        lost_chains: how many chains more there would be, had none been killed.
    """

    parameters: tuple[Parameter, ...]
    values: Array
    effects: Mapping[str, Array]
    stats: Mapping[str, NDArray[np.generic]]
    max_treedepth: int
    lost_chains: int = 0

    @property
    def n_chains(self) -> int:
        """Number of chains."""
        return int(self.values.shape[0])

    @property
    def n_draws(self) -> int:
        """Draws of one chain."""
        return int(self.values.shape[1])

    def of(self, name: str) -> Array:
        """Return the draws of one population-level parameter [chains, draws]; KeyError for an unknown name."""
        for index, parameter in enumerate(self.parameters):
            if parameter.name == name:
                return self.values[:, :, index]
        raise KeyError(name)

    def effects_of(self, group: Group) -> Array:
        """Return the deviations of a factor [chains, draws, J, M], or of its coefficients of the mean, which are first.

        KeyError where they were not kept.
        """
        return self.effects[group.factor][..., : len(group.terms)]

    def without(self, chains: Sequence[int]) -> Draws:
        """Return the draws of the other chains; these, from 0, count as lost."""
        if not chains:  # they may be large, and need no copy
            return self
        kept = [chain for chain in range(self.n_chains) if chain not in chains]
        return replace(
            self,
            values=self.values[kept],
            effects={factor: u[kept] for factor, u in self.effects.items()},
            stats={name: values[kept] for name, values in self.stats.items()},
            lost_chains=self.lost_chains + len(chains),
        )


def joined(first: Draws, then: Draws) -> Draws:
    """Return the draws of chains that went on: the second's after the first's."""
    return replace(
        first,
        values=np.concatenate([first.values, then.values], axis=1),
        effects={factor: np.concatenate([u, then.effects[factor]], axis=1) for factor, u in first.effects.items()},
        stats={name: np.concatenate([values, then.stats[name]], axis=1) for name, values in first.stats.items()},
    )
