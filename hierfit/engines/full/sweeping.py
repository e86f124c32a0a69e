"""ModelSpec x Design x Centering -> Sweeping: which means of group effects go into the coefficients while sampling.

Rows see a coefficient and the mean over the levels of a varying one of the same column only as a sum, so the sampler
would move slowly along their difference. Exact cure: it moves the sum, b' = b + mean of u, in place of b. The rows get
b' and the deviations of u from its mean, and that mean, of which only the priors of u and b speak, is a direction of
its own: next to independent of all others while the prior of b is wide. Nothing is approximated, whatever the priors,
correlations and scales: with u given, b and b' differ by a shift. Thresholds, which are an intercept each, take in the
mean of varying intercepts together. Letters as in `engines.full.centering`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.design.scaling import coefficient_scale
from hierfit.engines.full.centering import Centering, Place, by_column, varying_places
from hierfit.engines.full.nesting import nest
from hierfit.model.grammar import INTERCEPT
from hierfit.model.priors import Prior
from hierfit.model.spec import ModelSpec, threshold_name

Array = NDArray[np.float64]

# Priors narrower than so many sds of the outcome per sd of the predictor may say more of b than the rows say of b'.
LEAST_SCALE = 0.25
_EVERYWHERE = ("normal", "student_t", "cauchy", "laplace", "logistic", "flat")


@dataclass(frozen=True)
class Sweeping:
    """What the coefficients that the sampler sees hold besides themselves.

    Attributes:
        swept: for each of the C varying columns, whether the mean of its effects is in the coefficients.
        Z_in_X: each swept column as a sum of multiples of the columns of X [C, K], both scaled; zeros for the others.
        Z_in_thresholds: the multiple of a column of ones in that sum where thresholds take up such a column [C].
    """

    swept: NDArray[np.bool_]
    Z_in_X: Array
    Z_in_thresholds: Array


def sweep(spec: ModelSpec, design: Design, centering: Centering) -> Sweeping:
    """Choose the columns whose means are swept out: those of which the coefficients are free, and not their means."""
    level, wide = int(design.has_level) - int(design.intercept), _wide(spec, design)
    blocks, c, hold = [np.empty((0, len(wide)))], 0, _holding_intercept(design, centering)
    for f, (group, places) in enumerate(zip(design.groups, varying_places(spec, design), strict=True)):
        means = {level + k for k in centering.slopes[c : c + len(group.terms)] if k >= 0}
        if f in hold:
            means.add(0)
        columns = np.array(list(_in_X(group, places, design)))
        inside = [np.flatnonzero(row).tolist() for row in columns]
        # The last is the column's own coefficient; a slope with another center is in the intercept too.
        may = [bool(found) and found[-1] not in means and all(wide[k] for k in found) for found in inside]
        blocks.append(columns * np.array(may)[:, np.newaxis])
        c += len(group.terms)
    found = np.concatenate(blocks) * (not spec.prior_only)
    of_thresholds = found[:, 0] if design.thresholds else np.zeros(len(found))
    return Sweeping(np.asarray(found.any(axis=1)), found[:, level:], of_thresholds)


def _holding_intercept(design: Design, centering: Centering) -> set[int]:
    """Return the factors in the mean of whose first effects is the intercept, by way of outer ones where centred."""
    if not design.intercept:
        return set()
    nesting, starts = nest(design), np.cumsum([0, *(group.n_levels for group in design.groups)])
    own = {f for f in range(len(design.groups)) if centering.level_X[starts[f], 0] == 1}
    firsts = np.cumsum([0, *(len(group.terms) for group in design.groups)])
    columns = by_column(centering.narrowed, design)
    inner = {f for f in range(len(design.groups)) if not own.isdisjoint(nesting.around(f))}
    return own | {f for f in inner if (columns[firsts[f]] < 1).any()}


def _wide(spec: ModelSpec, design: Design) -> list[bool]:
    """Return whether the intercept or the thresholds in its place, then each coefficient, may move freely."""
    scale = coefficient_scale(design)
    names = zip(spec.coefficient_names, scale.tolist(), strict=True)
    wide = [_is_wide(spec.priors[name], unit) for name, unit in names]
    if not design.thresholds:
        return wide
    return [all(_is_wide(spec.priors[threshold_name(between)], 1.0) for between in design.thresholds), *wide]


def _in_X(group: Group, places: Mapping[int, Place], design: Design) -> Iterator[Array]:
    """Yield each varying column of a factor as a sum of ones, where these are taken up, and columns of X."""
    first, x_scale = int(design.has_level), design.x_scale
    for m, (term, unit) in enumerate(zip(group.terms, group.units.tolist(), strict=True)):
        row = np.zeros(first + len(design.coefficients))
        if term == INTERCEPT:
            row[:first] = 1.0
        for k, place in places.items():
            at = k - int(design.intercept)
            if place.m == m and (first or place.distance == 0):
                row[first + at] = x_scale[at] / unit
                row[:first] -= place.distance * x_scale[at] / unit
        yield row


def _is_wide(prior: Prior, unit: float) -> bool:
    """Whether a prior allows all values of a coefficient, and those within LEAST_SCALE of its units nearly alike."""
    return prior.distribution in _EVERYWHERE and (not prior.arguments or prior.arguments[-1] >= LEAST_SCALE * unit)
