"""Residuals x predictors -> whether their level or their spread follows one.

Letters: R rows, B bins. Residuals are normal quantiles of the places of rows (randomised quantile residuals), made
without the row; of two values, which have no place, the distance from the predicted probability over its sd. In bins of
a predictor with n_b residuals of mean m_b and mean square v_b, with m, v and q those of all residuals and of their
squares' variance,

    level = sum over b of n_b (m_b - m)^2 / v,    spread = sum over b of n_b (v_b - v)^2 / q,

each about chi squared with B - 1 degrees of freedom. Of two values there is no spread beside the level, whose sum is
over b of (o_b - e_b)^2 / e_b (1 - e_b / n_b), with o_b outcomes and e_b expected ones, against what binomial numbers
give. Residuals of rows left out repel each other where rows share effects and coefficients, so that sums in bins vary
less: the test errs to the side of ok. A predictor that is the same in all rows of a group has as many residuals as
groups: those of group means, as of new groups (`coverage`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.model.families import Support
from hierfit.model.links import special
from hierfit.posterior.check.places import Places
from hierfit.posterior.check.sample import Sample
from hierfit.posterior.digits import format_number
from hierfit.posterior.scale import support_of
from hierfit.visible import visible

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
MOST_BINS, ROWS_PER_BIN, MOST_LEVELS, FEWEST = 10, 20, 30, 5
SIMULATIONS, SEED = 20_000, 20_241_104


@dataclass(frozen=True, eq=False)
class Against:
    """Residuals along something.

    Attributes:
        name: of what they are held against.
        x: its values [R], or codes of levels.
        residuals: [R].
        levels: names of levels, empty where x is numbers.
        bins: bin of each [R], -1 for what is in none.
        mean, square: of the residuals of each bin [B].
        count: of each bin [B].
        p_level, p_spread: how often a model that is right strays as far; NaN where there is nothing to compare.
        of: what the residuals are of: "rows", "schools".
    """

    name: str
    x: Array
    residuals: Array
    levels: tuple[str, ...]
    bins: Codes
    mean: Array
    square: Array
    count: Array
    p_level: float
    p_spread: float
    of: str = "rows"

    def splits_as(self, other: Against) -> bool:
        """Whether another has the same bins, in this order or the other way round."""
        if len(self.bins) != len(other.bins) or len(self.count) != len(other.count) or other.levels:
            return False
        backwards = len(self.count) - 1 - other.bins
        return np.array_equal(self.bins, other.bins) or np.array_equal(self.bins, backwards)

    def place(self, at: int) -> str:
        """Return what a bin holds, in words: "ses from 1.2 to 2.5", "sector Private"."""
        own = self.x[self.bins == at]
        if self.levels:
            return f"{visible(self.name)} {visible(self.levels[int(own[0])])}"
        low, high = (format_number(float(end), None) for end in (own.min(), own.max()))
        return f"{visible(self.name)} {low}" if low == high else f"{visible(self.name)} from {low} to {high}"


def residuals_of(sample: Sample, found: Places) -> Array:
    """Return the residuals of rows [R]."""
    if support_of(sample.design) is Support.BINARY:
        share = np.clip(found.mean, 1e-9, 1 - 1e-9)
        return np.asarray((sample.y - share) / np.sqrt(share * (1 - share)))
    return np.asarray(special().ndtri(found.pit))


def against(
    name: str,
    x: Array,
    residuals: Array,
    levels: Sequence[str] = (),
    of: str = "rows",
    binary: tuple[Array, Array] | None = None,
) -> Against | None:
    """Hold residuals against numbers, or codes of levels; None where there is one bin only.

    binary: outcomes of two values and their predicted probabilities, where it is theirs.
    """
    bins = _of_levels(x.astype(np.int64)) if levels else _of_numbers(x)
    known = bins >= 0
    if len(np.unique(bins[known])) < 2:
        return None
    own, at = residuals[known], bins[known]
    count = np.bincount(at).astype(np.float64)
    mean, square = np.bincount(at, own) / count, np.bincount(at, own**2) / count
    centred = own - own.mean()
    level = np.sum(count * (mean - own.mean()) ** 2) / np.mean(centred**2)
    fourth = np.mean((own**2 - np.mean(own**2)) ** 2)
    spread = np.sum(count * (square - np.mean(own**2)) ** 2) / fourth
    p_level, p_spread = (float(special().chdtrc(len(count) - 1, each)) for each in (level, spread))
    if binary is not None:
        p_level, p_spread = _p_of_binary(at, count, binary[0][known], binary[1][known]), float("nan")
    return Against(name, x, residuals, tuple(levels), bins, mean, square, count, p_level, p_spread, of)


def _p_of_binary(at: Codes, count: Array, y: Array, expected: Array) -> float:
    """Return how often numbers of successes in bins stray as far from what is expected of them."""
    share = np.clip(np.bincount(at, expected) / count, 1e-9, 1 - 1e-9)
    simulated = np.random.default_rng(SEED).binomial(count.astype(np.int64), share, (SIMULATIONS, len(count)))
    away = [
        np.sum((o - count * share) ** 2 / (count * share * (1 - share)), axis=-1)
        for o in (simulated, np.bincount(at, y))
    ]
    return float((1 + np.sum(away[0] >= away[1])) / (1 + SIMULATIONS))


def _of_numbers(x: Array) -> Codes:
    """Return bins of about equal size, in order; each value its own where there are few."""
    values, codes = np.unique(x, return_inverse=True)
    if len(values) <= MOST_BINS:
        return _of_levels(codes.astype(np.int64))
    count = int(np.clip(len(x) // ROWS_PER_BIN, 2, MOST_BINS))
    edges = np.unique(np.quantile(x, np.arange(1, count) / count))
    bins = np.searchsorted(edges, x, side="left")
    return np.asarray(np.unique(bins, return_inverse=True)[1].astype(np.int64))


def _of_levels(codes: Codes) -> Codes:
    """Return levels as bins, the largest ones that have enough rows."""
    sizes = np.bincount(codes)
    kept = np.sort(np.argsort(-sizes, kind="stable")[:MOST_LEVELS])
    kept = kept[sizes[kept] >= FEWEST]
    place = np.full(len(sizes), -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    return np.asarray(place[codes])
