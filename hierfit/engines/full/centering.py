"""ModelSpec x Design -> Centering: which effects the sampler sees together with their mean. The posterior is the same.

Where the data say more of a level than its prior does, the sampler does better with w = u + mean in place of u
(hierarchical centring: Gelfand, Sahu, Carlin 1995, Biometrika 82(3)); where they say less, with u over its sd. The mean
of w takes the population-level coefficients out of the rows: the intercept; a slope that varies; a predictor that is
constant within every level. Where a factor is nested in another (`nesting`), the mean of its intercepts holds
those of the other, and rows see its w only; there it is decided for every level, as levels of few rows are beside
levels of many. Letters as in `design.design`; K counts the intercept, columns are scaled as for the
sampler (`design.scaling`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.design.origin import x_center, z_center
from hierfit.design.scaling import scaled_columns
from hierfit.engines.full.first_estimate import estimate
from hierfit.engines.full.nesting import Nesting, by_level, nest
from hierfit.model.grammar import INTERCEPT
from hierfit.model.spec import ModelSpec

Array = NDArray[np.float64]

# A slope's mean is taken out of the rows only while its column has no two centers further apart than so many sds: the
# intercept would lose digits to it.
FARTHEST_CENTER = 20.0
# Beyond this, how much the rows say is a matter of rounding.
MOST_INFORMATION = 1e6
LOWER_END = 1.0  # standard errors of the log of an sd


@dataclass(frozen=True)
class Centering:
    """What the sampler sees of each effect.

    Attributes:
        narrowed: for each effect, factor by factor, column by column, how much narrower the rows make it than its prior
            does where the sampler sees w; 1 where it sees u. The same in all levels but those of `_mixed` columns.
        slopes: for each of the C varying columns, the coefficient (0-based, of K) that is its mean; -1 for none.
        level_X: what the coefficients add to the mean of each level's first varying coefficient [J of all factors, K].
        in_rows: which coefficients are left in the rows [K].
    """

    narrowed: Array
    slopes: tuple[int, ...]
    level_X: Array
    in_rows: NDArray[np.bool_]


def choose(spec: ModelSpec, design: Design) -> Array:
    """Return `Centering.narrowed` for a rough fit of the model; ones where only the priors are asked for.

    The sd of a column is not known, and where it is small the rows say less than its effects' prior does: centred are
    effects whose ratio is above 1 even at the lower end of what the sd may be.
    """
    sizes = column_sizes(design)
    if spec.prior_only or not design.groups:
        return np.ones(sizes.sum())
    found = estimate(spec, design)
    return narrowing(found.ratio, found.ratio * np.repeat(np.exp(-2 * LOWER_END * found.log_sd_error), sizes))


def column_sizes(design: Design) -> NDArray[np.int64]:
    """Return how many levels each of the C varying columns has."""
    return np.array([group.n_levels for group in design.groups for _ in group.terms], dtype=np.int64)


def by_column(values: Array, design: Design) -> list[Array]:
    """Return the part of each of the C varying columns [J] of values for all effects."""
    return np.split(values, np.cumsum(column_sizes(design))[:-1]) if design.groups else []


def narrowing(ratio: Array, least: Array) -> Array:
    """Return how much narrower the rows make effects, of which they say `ratio` times what the prior does."""
    centered = least > 1
    return np.where(centered, (1 + np.minimum(np.where(centered, ratio, 0.0), MOST_INFORMATION)) ** -0.5, 1.0)


def place_coefficients(spec: ModelSpec, design: Design, narrowed: Array) -> Centering:
    """Find for every coefficient the factor whose mean it belongs to, given which effects are centred.

    One number for each of the C varying columns will do, too.
    """
    X, places, nesting = scaled_columns(design, x_center(spec, design)), varying_places(spec, design), nest(design)
    sizes = column_sizes(design)
    narrowed = _settled(np.repeat(narrowed, sizes) if len(narrowed) == len(sizes) else narrowed, design, nesting)
    starts = np.cumsum([0, *(group.n_levels for group in design.groups)])
    firsts = np.cumsum([0, *(len(group.terms) for group in design.groups)])
    level_X = np.zeros((int(starts[-1]), X.shape[1]))
    slopes = np.full(int(firsts[-1]), -1)
    in_rows = np.ones(X.shape[1], dtype=np.bool_)
    columns = np.array([bool((column < 1).any()) for column in by_column(narrowed, design)])
    centered = [columns[firsts[f] : firsts[f + 1]] for f in range(len(design.groups))]
    for k in range(X.shape[1]):
        candidates = _candidates(k, design, nesting, centered, places, X[:, k])
        if not candidates:
            continue
        f = candidates[0]
        block, place = level_X[starts[f] : starts[f + 1]], places[f].get(k)
        if place is not None and centered[f][place.m]:
            slopes[firsts[f] + place.m] = k
            block[:, k] = place.distance
        else:
            block[design.groups[f].codes, k] = X[:, k]
        in_rows[k] = False
    return Centering(narrowed, tuple(slopes.tolist()), level_X, in_rows)


def _settled(narrowed: Array, design: Design, nesting: Nesting) -> Array:
    """Return the same with one number for all levels of a column, where these cannot differ: that of the median one."""
    mixed = _mixed(design, nesting)
    columns = [(f, m) for f, group in enumerate(design.groups) for m in range(len(group.terms))]
    found = by_column(narrowed.copy(), design)
    for (f, m), column in zip(columns, found, strict=True):
        if m > 0 or f not in mixed:
            column[:] = np.median(column)
    return np.concatenate([np.empty(0), *found])


def _mixed(design: Design, nesting: Nesting) -> set[int]:
    """Return the factors of whose intercepts some may be centred beside others.

    Their w holds the intercept, as the means of such columns cannot be swept out (`sweeping`): that has a place
    in one chain only, and thresholds have none.
    """
    if not design.intercept:
        return set()
    chain = max(range(len(design.groups)), key=lambda f: design.groups[f].n_levels, default=-1)
    return {f for f in (chain, *nesting.around(chain)) if nesting.within[f] >= 0} if chain >= 0 else set()


@dataclass(frozen=True)
class Place:
    """Where a population coefficient varies.

    Attributes:
        m: which of the factor's varying coefficients it is.
        distance: the center of its varying column less that of its column of X, in sds.
    """

    m: int
    distance: float


def varying_places(spec: ModelSpec, design: Design) -> Sequence[Mapping[int, Place]]:
    """Return for every factor which coefficients (0-based, of K) vary by it, and where."""
    first, center, found = int(design.intercept), x_center(spec, design), []
    for group in design.groups:
        apart = z_center(spec, group)
        places = {}
        for at, name in enumerate(design.coefficients):
            if name in group.terms:
                m = group.terms.index(name)
                distance = float((apart[m] - center[at]) / design.x_scale[at])
                if abs(distance) <= FARTHEST_CENTER and np.array_equal(group.Z[:, m], design.X[:, at]):
                    places[first + at] = Place(m, distance)
        found.append(places)
    return found


def _candidates(
    k: int,
    design: Design,
    nesting: Nesting,
    centered: Sequence[NDArray[np.bool_]],
    places: Sequence[Mapping[int, Place]],
    column: Array,
) -> list[int]:
    """Return the factors whose mean may hold coefficient k, of that column, the best first."""
    factors = range(len(design.groups))
    levels = [group.n_levels for group in design.groups]
    varying = [f for f in factors if _takes_slope(places[f].get(k), design.groups[f], centered[f])]
    if varying:
        return sorted(varying, key=lambda f: -levels[f])
    level = [f for f in factors if design.groups[f].terms[0] == INTERCEPT and centered[f][0]]
    if design.intercept and k == 0:
        return sorted(level, key=lambda f: (-levels[nesting.innermost(f)], nesting.innermost(f), levels[f]))
    return sorted((f for f in level if by_level(column, design.groups[f]) is not None), key=lambda f: levels[f])


def _takes_slope(place: Place | None, group: Group, centered: NDArray[np.bool_]) -> bool:
    """Whether a coefficient is the mean of a centred slope, and a varying intercept takes up the rest of its column."""
    if place is None or not centered[place.m]:
        return False
    return group.terms[0] == INTERCEPT or place.distance == 0
