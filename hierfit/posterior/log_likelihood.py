"""Draws x Design -> log likelihood of rows, as Stan adds it up: weights, trials, offsets and precisions included.

Letters: S draws, of all chains joined end to end, R rows. Numpy only. Rows are taken block by block, so that nothing
holds all of them by all draws, nor a copy of all group effects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.model.families import FAMILIES
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict import Population, auxiliary_draws, population_part, trials_of

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
BLOCK_NUMBERS = 1_000_000


@dataclass(frozen=True)
class LogLikelihood:
    """The log likelihood of rows of a design under all draws.

    Attributes:
        draws: the posterior.
        design: the rows that it was fitted to.
    """

    draws: Draws
    design: Design

    @property
    def n_draws(self) -> int:
        """S, of all chains."""
        return self.draws.n_chains * self.draws.n_draws

    @cached_property
    def _picks(self) -> Indices:
        return np.arange(self.n_draws)

    @cached_property
    def _population(self) -> Population:
        return population_part(self.draws, self.design, self._picks)

    def predictor(self, rows: Indices, without: tuple[str, ...] = ()) -> Array:
        """Return the linear predictor of the mean [S, R]; effects of the factors `without` are 0."""
        found = self._population.at(self.design.X[rows])
        if self.design.offset is not None:
            found += self.design.offset[rows]
        for group in self.design.groups:
            if group.factor not in without:
                effects, codes = self._effects(group), group.codes[rows]
                for column in group.columns_of(None):
                    found += group.Z[rows, column] * effects[:, codes, column]
        return found

    def _effects(self, group: Group) -> Array:
        """Return the effects of a factor [S, J, M], which is no copy."""
        effects = self.draws.effects[group.factor]
        return effects.reshape(self.n_draws, *effects.shape[2:])

    def auxiliaries(self, rows: Indices) -> dict[str, Array]:
        """Return the further parameters of the outcome's distribution, each [S, R] or [S, 1]."""
        return auxiliary_draws(self.draws, self.design, self._picks, rows)

    def weights(self, rows: Indices) -> Array:
        """Return how often each row counts [R]."""
        return np.ones(len(rows)) if self.design.weights is None else self.design.weights[rows]

    def of(self, rows: Indices) -> Array:
        """Return the log likelihood [S, R], of a row of weight w that of w equal rows."""
        design, family, auxiliaries = self.design, FAMILIES[self.design.family], self.auxiliaries(rows)
        eta, trials = self.predictor(rows), trials_of(design, rows)
        return family.log_density_at(design.y[rows], eta, design.link, auxiliaries, trials) * self.weights(rows)

    def blocks(self, numbers: int = BLOCK_NUMBERS) -> Iterator[Array]:
        """Yield it for all rows, in order, about so many numbers at a time."""
        width = max(1, numbers // self.n_draws)
        for start in range(0, self.design.n_rows, width):
            yield self.of(np.arange(start, min(start + width, self.design.n_rows)))
