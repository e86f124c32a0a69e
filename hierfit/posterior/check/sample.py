"""Draws x Design -> the draws and rows that checks are computed from: enough of both, and no more.

Letters: S chosen draws, R chosen rows. A row whose weight is a whole number w stands for w equal rows, and is taken so
often; of more than `MOST_ROWS` rows as many are taken at random. `MOST_DRAWS` draws, evenly over all chains, resolve a
tail of 1 in 1,000; of fewer some are taken twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict.draws_of import n_draws

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
MOST_DRAWS, MOST_ROWS = 1_000, 10_000
BLOCK_NUMBERS = 200_000  # of which a few fit into the cache of a core


@dataclass(frozen=True, eq=False)
class Sample:
    """What checks are computed from.

    Attributes:
        draws: S of the draws, as one chain.
        design: the rows of the fit.
        rows: R rows, by their index into the design, in order.
        n_rows: how many there would be, were none left out.
        of_draws: how many draws there are.
        whole: whether rows count as whole numbers say; where they do not, each is taken once.
        seed: what replicated outcomes follow from.
    """

    draws: Draws
    design: Design
    rows: Indices
    n_rows: int
    of_draws: int
    whole: bool
    seed: int

    @property
    def picks(self) -> Indices:
        """All draws, by their index."""
        return np.arange(n_draws(self.draws))

    @property
    def y(self) -> Array:
        """Outcomes of the rows [R]."""
        return self.design.y[self.rows]

    def worth(self, rows: Indices) -> Array:
        """Return what a row's log density counts by when the row is left out [R]: 1 where rows are taken as often."""
        weights = self.design.weights
        return np.ones(len(rows)) if self.whole or weights is None else weights[rows]

    @property
    def part(self) -> str:
        """Which draws and rows these are, in words; empty where they are all."""
        parts = []
        if len(self.rows) < self.n_rows:
            parts.append(f"{len(self.rows):,} of {self.n_rows:,} rows, taken at random")
        if len(self.picks) < self.of_draws:
            parts.append(f"{len(self.picks):,} of {self.of_draws:,} draws")
        return " and ".join(parts)

    def blocks(self) -> Iterator[tuple[int, slice]]:
        """Yield numbered blocks of the rows."""
        width = max(1, BLOCK_NUMBERS // len(self.picks))
        for number, start in enumerate(range(0, len(self.rows), width)):
            yield number, slice(start, start + width)

    def rng(self, *purpose: int) -> np.random.Generator:
        """Return a generator of random numbers of its own for each purpose."""
        return np.random.default_rng([self.seed, *purpose])


def take_sample(draws: Draws, design: Design, seed: int = 1, most_rows: int = MOST_ROWS) -> Sample:
    """Choose draws and rows."""
    weights = design.weights
    whole = weights is None or bool(np.all(weights == np.round(weights)))
    often = np.ones(design.n_rows, dtype=np.int64) if weights is None or not whole else weights.astype(np.int64)
    n_rows = int(often.sum())
    if n_rows > most_rows:
        places = np.sort(np.random.default_rng([seed, 0]).choice(n_rows, most_rows, replace=False))
        rows = np.searchsorted(np.cumsum(often), places, side="right")
    else:
        rows = np.repeat(np.arange(design.n_rows), often)
    return Sample(_thinned(draws), design, rows.astype(np.int64), n_rows, n_draws(draws), whole, seed)


def sample_of(draws: Draws, design: Design, rows: Indices, seed: int) -> Sample:
    """Choose draws for rows that are chosen already, each taken once."""
    return Sample(_thinned(draws), design, rows, design.n_rows, n_draws(draws), design.weights is None, seed)


def _thinned(draws: Draws) -> Draws:
    return thinned(draws, np.linspace(0, n_draws(draws) - 1, MOST_DRAWS).round().astype(np.int64))


def thinned(draws: Draws, picks: Indices) -> Draws:
    """Return chosen draws as those of one chain."""
    chains, at = np.divmod(picks, draws.n_draws)
    return replace(
        draws,
        values=draws.values[chains, at][None],
        effects={factor: u[chains, at][None] for factor, u in draws.effects.items()},
        stats={name: values[chains, at][None] for name, values in draws.stats.items()},
    )
