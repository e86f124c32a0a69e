"""Draws x rows -> what outcomes do over groups: how their means vary between the levels of each factor, and within.

Of an outcome y of a row whose groups are not known, var(y) = var(E(y | groups)) + E(var(y | groups)). Of the first,
factor f alone makes var(E(y | its level)), all else averaged over. Where factors act on the mean alone this is
numerical integration: E(y | groups) is a function g of one normal variable z, the sum of all effects over its sd,
and with its coefficients c_k in normalized Hermite polynomials

    var(g) = sum over k > 0 of c_k^2          var(E(g | level of f)) = sum over k > 0 of c_k^2 (v_f / v)^k

v_f being the variance of the effects of f and v that of all. Otherwise groups are simulated, as in method C of
Goldstein, Browne, Rasbash (2002, Understanding Statistics 1(4)); a factor's own part is the covariance of outcomes
whose levels of this factor are the same and all others are not.

Letters: S draws, R rows, F factors, Q nodes, I simulated levels. Successes are those of one trial.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design.rows import GroupRows, Rows
from hierfit.model.families import FAMILIES, LinkScale
from hierfit.model.variances import around
from hierfit.posterior.predict.draws_of import Indices
from hierfit.posterior.predict.linear import distribution_of
from hierfit.posterior.predict.new_levels import NewEffects
from hierfit.posterior.variance.fitted import Fitted, without_groups

Array = NDArray[np.float64]

NODES = 51


@dataclass(frozen=True, eq=False)
class Spread:
    """What outcomes of rows do over groups.

    Attributes:
        mean: expected, groups averaged over [S, R].
        between: variance of what is expected between the levels of each factor [F, S, R].
        together: that between all groups [S, R].
        within: mean variance within groups [S, R].
        around: mean variance around the linear predictor [S, R], where that is what the link's scale has.
    """

    mean: Array
    between: Array
    together: Array
    within: Array
    around: Array | None


def over_groups(fit: Fitted, rows: Rows, picks: Indices, levels: int, first: int) -> Spread:
    """Return what rows, of which the first is that number, do over groups; `levels` is I, where they are simulated."""
    if fit.of_other_parameters:
        return _simulated(fit, rows, picks, levels, first)
    return _integrated(fit, rows, picks)


def _integrated(fit: Fitted, rows: Rows, picks: Indices) -> Spread:
    predictor, auxiliaries = distribution_of(fit.draws, fit.bare, without_groups(rows), picks)
    shape = predictor.shape
    own = [fit.between(group, of_rows.Z, picks) for group, of_rows in zip(fit.design.groups, rows.groups, strict=True)]
    total = sum(own, np.zeros(shape))
    spread = np.sqrt(total)
    (centre, _), within, apart = _outcome(fit, predictor, auxiliaries), np.zeros(shape), np.empty((NODES, *shape))
    places, basis = _hermite()
    for at, (place, weight) in enumerate(zip(places.tolist(), basis[0].tolist(), strict=True)):
        expected, variance = _outcome(fit, predictor + place * spread, auxiliaries)
        apart[at] = expected - centre
        within += weight * variance
    coefficients = (basis @ apart.reshape(NODES, -1)).reshape(NODES, *shape)
    squares = coefficients[1:] ** 2
    together = squares.sum(axis=0)
    beside = np.broadcast_to(around(auxiliaries), shape) if _has_around(fit) else None
    between = [together] if len(own) == 1 else [_own_part(squares, one, total) for one in own]
    return Spread(centre + coefficients[0], np.array(between).reshape(-1, *shape), together, within, beside)


def _own_part(squares: Array, own: Array, total: Array) -> Array:
    """Return the sum over k of squares times (own / total)^k, by Horner's rule [S, R]."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.nan_to_num(own / total)
    found = np.zeros(own.shape)
    for square in squares[::-1]:
        found = (found + square) * ratio
    return found


def _hermite() -> tuple[Array, Array]:
    """Return nodes for a standard normal variable [Q], and what turns values there into coefficients [Q, Q].

    Row k is the normalized Hermite polynomial of degree k at the nodes, times weights that add to 1; row 0 the weights.
    """
    places, weights = np.polynomial.hermite_e.hermegauss(NODES)
    polynomials = [np.ones(NODES), places]
    for degree in range(2, NODES):
        before, last = polynomials[-2:]
        polynomials.append((places * last - np.sqrt(degree - 1) * before) / np.sqrt(degree))
    return places, np.stack(polynomials) * (weights / weights.sum())


def _simulated(fit: Fitted, rows: Rows, picks: Indices, levels: int, first: int) -> Spread:
    count = len(rows.lines)
    repeated = rows.at(np.repeat(np.arange(count), levels))
    fit = replace(
        fit, effects=_OfChosen(fit.effects.seed, {name: own[picks] for name, own in fit.effects.scales.items()})
    )
    factors = [group.factor for group in fit.design.groups]
    mean, auxiliaries = _drawn(fit, repeated, picks, first * levels, dict.fromkeys(factors, "a"))
    shape = (len(picks), count, levels)
    own = mean.reshape(shape)
    within = np.broadcast_to(auxiliaries["within"], mean.shape).reshape(shape).mean(axis=2)
    around_predictor = auxiliaries.get("around")
    if around_predictor is not None:
        around_predictor = np.broadcast_to(around_predictor, mean.shape).reshape(shape).mean(axis=2)
    together = own.var(axis=2, ddof=1)
    between = [together]
    if len(factors) > 1:
        apart = own - own.mean(axis=2, keepdims=True)
        between = []
        for factor in factors:
            names = {name: "a" if name == factor else f"b {factor}" for name in factors}
            other = _drawn(fit, repeated, picks, first * levels, names)[0].reshape(shape)
            between.append(np.sum(apart * other, axis=2) / (levels - 1))
    return Spread(own.mean(axis=2), np.stack(between), together, within, around_predictor)


class _OfChosen(NewEffects):
    """How effects are drawn under chosen draws alone, whose scales it has; no more numbers than these need."""

    def of(self, factor: str, label: str, picks: Indices) -> Array:
        """Return the effects of one new level [S, M]."""
        return super().of(factor, label, np.arange(len(picks)))


def _drawn(
    fit: Fitted, rows: Rows, picks: Indices, first: int, names: Mapping[str, str]
) -> tuple[Array, dict[str, Array]]:
    """Return what is expected of rows in new levels, and their variances; equal names of factors are equal levels."""
    groups = []
    for group, own in zip(fit.design.groups, rows.groups, strict=True):
        new = tuple(f"{names[group.factor]} {first + at}" for at in range(len(own.codes)))
        codes = group.n_levels + np.arange(len(new), dtype=np.int32)
        groups.append(GroupRows((*group.labels, *new), codes, own.Z))
    moved = replace(rows, groups=tuple(groups))
    predictor, auxiliaries = distribution_of(fit.draws, fit.design, moved, picks, fit.effects)
    expected, variance = _outcome(fit, predictor, auxiliaries)
    found = {"within": variance}
    if _has_around(fit):
        found["around"] = around(auxiliaries)
    return expected, found


def _outcome(fit: Fitted, predictor: Array, auxiliaries: Mapping[str, Array]) -> tuple[Array, Array]:
    """Return what is expected of outcomes, and their variances, at linear predictors [S, R]."""
    family, trials = FAMILIES[fit.design.family], np.ones(predictor.shape[-1])
    mean = family.mean(predictor, fit.design.link, auxiliaries)
    return family.expected(mean, auxiliaries, trials), family.variance(mean, auxiliaries, trials)


def _has_around(fit: Fitted) -> bool:
    return FAMILIES[fit.design.family].link_scale is LinkScale.AROUND
