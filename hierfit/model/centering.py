"""ModelSpec x Design -> Centering: which effects the sampler sees together with their mean. The posterior is the same.

Where the data say more of a level than its prior does, the sampler does better with w = u + mean in place of u
(hierarchical centring: Gelfand, Sahu, Carlin 1995, Biometrika 82(3)); where they say less, with u over its sd. The mean
of w takes the population-level coefficients out of the rows: the intercept; a slope that varies; a predictor that is
constant within every level. Letters as in `model.design`; K counts the intercept, columns are scaled as for the
sampler (`model.scaling`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.model.design import Design, Group
from hierfit.model.first_estimate import estimate
from hierfit.model.formula import INTERCEPT
from hierfit.model.scaling import scaled_columns
from hierfit.model.spec import ModelSpec

Array = NDArray[np.float64]

# A slope's mean is taken out of the rows only while its column is not further than so many sds from 0: the intercept
# would lose digits to it.
FARTHEST_MEAN = 20.0
# Beyond this, how much the rows say is a matter of rounding.
MOST_INFORMATION = 1e6
LOWER_END = 1.0  # standard errors of the log of an sd


@dataclass(frozen=True)
class Centering:
    """What the sampler sees of each varying column.

    Attributes:
        narrowed: for each of the C varying columns, how much narrower the rows make a level's effect than its prior
            does where the sampler sees w; 1 where it sees u.
        slopes: for each of them, the coefficient (0-based, of K) that is its mean; -1 for none.
        level_X: what the coefficients add to the mean of each level's first varying coefficient [J of all factors, K].
        in_rows: which coefficients are left in the rows [K].
    """

    narrowed: Array
    slopes: tuple[int, ...]
    level_X: Array
    in_rows: NDArray[np.bool_]

    @property
    def centered(self) -> tuple[bool, ...]:
        """For each varying column, whether the sampler sees w."""
        return tuple((self.narrowed < 1).tolist())

    def means(self, b: Array, design: Design) -> Iterator[Array]:
        """Yield the mean of each factor's effects as the rows see them [..., M, J], given scaled coefficients [..., K].

        Zeros where no coefficient is in the mean: where the sampler sees u, and there is nothing to add to it.
        """
        row = column = 0
        for group in design.groups:
            mean = np.zeros((*b.shape[:-1], len(group.terms), group.n_levels))
            mean[..., 0, :] = b @ self.level_X[row : row + group.n_levels].T
            for m, k in enumerate(self.slopes[column : column + len(group.terms)]):
                if k >= 0:
                    mean[..., m, :] += b[..., k, None]
            row, column = row + group.n_levels, column + len(group.terms)
            yield mean


def choose(spec: ModelSpec, design: Design) -> Array:
    """Return `Centering.narrowed` for a rough fit of the model; ones where only the priors are asked for.

    The sd of a column is not known, and where it is small the rows say less than its effects' prior does: centred are
    columns whose ratio is above 1 even at the lower end of what the sd may be.
    """
    if spec.prior_only or not design.groups:
        return np.ones(sum(len(group.terms) for group in design.groups))
    found = estimate(spec, design)
    return narrowing(found.ratio, found.ratio * np.exp(-2 * LOWER_END * found.log_sd_error))


def narrowing(ratio: Array, least: Array) -> Array:
    """Return how much narrower the rows make effects, of which they say `ratio` times what the prior does."""
    centered = least > 1
    return np.where(centered, (1 + np.minimum(np.where(centered, ratio, 0.0), MOST_INFORMATION)) ** -0.5, 1.0)


def place_coefficients(design: Design, narrowed: Array) -> Centering:
    """Find for every coefficient the factor whose mean it belongs to, given which columns are centred."""
    X = scaled_columns(design)
    starts = np.cumsum([0, *(group.n_levels for group in design.groups)])
    firsts = np.cumsum([0, *(len(group.terms) for group in design.groups)])
    level_X = np.zeros((int(starts[-1]), X.shape[1]))
    slopes = np.full(int(firsts[-1]), -1)
    in_rows = np.ones(X.shape[1], dtype=np.bool_)
    centered = [narrowed[firsts[f] : firsts[f + 1]] < 1 for f in range(len(design.groups))]
    for k in range(X.shape[1]):
        for f in _candidates(k, design, centered, X[:, k]):
            block = level_X[starts[f] : starts[f + 1]]
            m = varying_place(k, design, design.groups[f])
            if m is not None and centered[f][m]:
                slopes[firsts[f] + m] = k
                at = k - int(design.intercept)
                block[:, k] = -design.x_mean[at] / design.x_scale[at]
            else:
                block[design.groups[f].codes, k] = X[:, k]
            in_rows[k] = False
            break
    return Centering(narrowed, tuple(slopes.tolist()), level_X, in_rows)


def _candidates(k: int, design: Design, centered: Sequence[NDArray[np.bool_]], column: Array) -> list[int]:
    """Return the factors whose mean may hold coefficient k, of that column, the best first."""
    factors = range(len(design.groups))
    levels = [group.n_levels for group in design.groups]
    varying = [f for f in factors if _takes_slope(k, design, design.groups[f], centered[f])]
    if varying:
        return sorted(varying, key=lambda f: -levels[f])
    level = [f for f in factors if design.groups[f].terms[0] == INTERCEPT and centered[f][0]]
    if design.intercept and k == 0:
        return sorted(level, key=lambda f: -levels[f])
    return sorted((f for f in level if _constant_within(column, design.groups[f])), key=lambda f: levels[f])


def _takes_slope(k: int, design: Design, group: Group, centered: NDArray[np.bool_]) -> bool:
    """Whether coefficient k is the mean of a centred slope, and a varying intercept takes up the mean of its column."""
    m = varying_place(k, design, group)
    if m is None or not centered[m]:
        return False
    return group.terms[0] == INTERCEPT or design.x_mean[k - int(design.intercept)] == 0


def varying_place(k: int, design: Design, group: Group) -> int | None:
    """Return the place of coefficient k among those that vary by a factor, or None."""
    if design.intercept and k == 0:
        return None
    at = k - int(design.intercept)
    name = design.coefficients[at]
    if name not in group.terms or abs(design.X[:, at].mean()) > FARTHEST_MEAN * design.x_scale[at]:
        return None
    m = group.terms.index(name)
    return m if np.array_equal(group.Z[:, m], design.X[:, at]) else None


def _constant_within(column: Array, group: Group) -> bool:
    value = np.empty(group.n_levels)
    value[group.codes] = column
    return bool(np.array_equal(value[group.codes], column))
