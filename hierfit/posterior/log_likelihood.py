"""Draws x Design -> log likelihood of rows, as Stan adds it up: weights, trials, offsets and precisions included.

Letters: S draws, of all chains joined end to end, R rows. Numpy only. Rows are taken block by block, so that nothing
holds all of them by all draws, nor a copy of all group effects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.model.families import FAMILIES
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict import Population, auxiliary_draws, population_part, trials_of
from hierfit.posterior.predict.linear import group_part, level_effects

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
BLOCK_NUMBERS = 200_000  # of which a few fit into the cache of a core


@dataclass(frozen=True)
class LogLikelihood:
    """The log likelihood of rows of a design under draws.

    Attributes:
        draws: the posterior.
        design: the rows that it was fitted to.
        chosen: which of the draws, of all chains joined end to end; None for all.
    """

    draws: Draws
    design: Design
    chosen: Indices | None = None

    @property
    def n_draws(self) -> int:
        """S, of all chains."""
        return len(self._picks)

    def some(self, picks: Indices) -> LogLikelihood:
        """Return the same under some of the draws, by their places among these."""
        return replace(self, chosen=self._picks[picks])

    @cached_property
    def _picks(self) -> Indices:
        return np.arange(self.draws.n_chains * self.draws.n_draws) if self.chosen is None else self.chosen

    @cached_property
    def _population(self) -> Population:
        return population_part(self.draws, self.design, self._picks)

    def predictor(self, rows: Indices, without: tuple[str, ...] = ()) -> Array:
        """Return the linear predictor of the mean [S, R]; effects of the factors `without` are 0."""
        own = self.design.at(rows)
        found = self._population.at(own.X)
        if own.offset is not None:
            found += own.offset
        pairs = zip(self.design.groups, own.groups, strict=True)
        kept = [(group, at) for group, at in pairs if group.factor not in without and len(group.columns_of(None))]
        if not kept:
            return found
        effects = [level_effects(self.draws, group, at, self._picks) for group, at in kept]
        return found + group_part([group for group, _ in kept], [at for _, at in kept], effects, None, found.shape)

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

    def together(self, rows: Indices) -> Array:
        """Return the log likelihood of rows together [S]."""
        width = max(1, BLOCK_NUMBERS // self.n_draws)
        starts = range(0, len(rows), width)
        return np.asarray(sum(self.of(rows[start : start + width]).sum(axis=1) for start in starts))

    def blocks(self, numbers: int = BLOCK_NUMBERS) -> Iterator[Indices]:
        """Yield all rows, in order, as many at a time as have about so many numbers."""
        width = max(1, numbers // self.n_draws)
        for start in range(0, self.design.n_rows, width):
            yield np.arange(start, min(start + width, self.design.n_rows))
