"""A fit x stated values of columns -> how its variance divides, on both scales, and R2.

On each scale there is what predictors explain, what lies between the levels of each factor, and what is left. The share
of a factor (ICC) is of what predictors leave; its share of all has the predictors in the denominator too (the adjusted
and the unadjusted ICC of R's performance).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.moved_rows import rows_moved
from hierfit.errors import UsageError
from hierfit.model.families import FAMILIES, LinkScale
from hierfit.posterior.draws import Draws
from hierfit.posterior.effects.averages import Point
from hierfit.posterior.effects.lines import held_at
from hierfit.posterior.predict.draws_of import every_draw
from hierfit.posterior.variance import link
from hierfit.posterior.variance.estimates import Estimate, estimate
from hierfit.posterior.variance.fitted import Fitted, fitted
from hierfit.posterior.variance.outcomes import OverRows, over_rows
from hierfit.posterior.variance.r2 import explained
from hierfit.posterior.variance.rows import row_weights
from hierfit.posterior.variance.shares import scale_of

Array = NDArray[np.float64]
Scale = Literal["outcome", "latent"]
PREDICTORS, TOGETHER, RESIDUAL = "predictors", "all groups", "residual"


@dataclass(frozen=True)
class Component:
    """A part of the variance.

    Attributes:
        name: the factor; or "predictors", "all groups" (of several factors), "residual".
        kind: what it is, where a factor has one of these names.
        variance: in units of the scale, squared.
        share: of what predictors leave, the ICC of a factor; None for the predictors themselves.
        share_of_all: of all.
    """

    name: str
    kind: Literal["predictors", "factor", "together", "residual"]
    variance: Estimate
    share: Estimate | None
    share_of_all: Estimate


@dataclass(frozen=True)
class Division:
    """How the variance divides on one scale, at one point.

    Attributes:
        scale: "outcome", or "latent", that of the link.
        at: column -> the value that it has in all rows.
        components: the parts.
        rows: kinds of rows that were averaged over.
        sampled: whether these were drawn at random from all.
        draws: draws of the posterior that were taken.
    """

    scale: Scale
    at: Mapping[str, str]
    components: tuple[Component, ...]
    rows: int
    sampled: bool
    draws: int


@dataclass(frozen=True)
class R2:
    """R2 of one kind.

    Attributes:
        kind: with the effects of groups, or without.
        scale: "outcome", or "latent" of ordered categories.
        r2: its posterior.
        rows: how many rows it is of.
    """

    kind: Literal["conditional", "marginal"]
    scale: Scale
    r2: Estimate
    rows: int


@dataclass(frozen=True)
class VarianceAnswer:
    """The answer: divisions on each scale at each point, empty without groups; and R2, empty for priors alone."""

    divisions: tuple[Division, ...]
    r2: tuple[R2, ...]


def answer(
    draws: Draws,
    design: Design,
    at: Mapping[str, Sequence[float | str]],
    bounds: tuple[float, float],
    seed: int,
) -> VarianceAnswer:
    """Return how the variance divides, where columns are held at each of these values; `bounds` are of intervals.

    Raises:
        UsageError: a column is none of the predictors, a value none of its own, or there are no groups to divide it.
        DataError, FormulaError: a term has no value there.
    """
    if at and not design.groups:
        raise UsageError("--at: this run has no groups between which variance could lie.", hint="leave --at out")
    fit = fitted(draws, design, seed)
    found: list[Division] = []
    if design.groups:
        for point, called in held_at(design, at):
            found += _divisions(fit, point, called, bounds)
    own = explained(fit)
    scale: Scale = "latent" if FAMILIES[design.family].has_thresholds else "outcome"
    r2 = [R2("conditional", scale, estimate(own.conditional, bounds), own.n_rows)]
    if own.marginal is not None:
        r2.append(R2("marginal", scale, estimate(own.marginal, bounds), own.n_rows))
    return VarianceAnswer(tuple(found), tuple(r2))


def _divisions(fit: Fitted, point: Point, called: Mapping[str, str], bounds: tuple[float, float]) -> list[Division]:
    family = FAMILIES[fit.design.family]
    own_scale, found = scale_of(family.name), []
    outcome = None if family.has_thresholds or (own_scale == "outcome" and not _differs(fit)) else over_rows(fit, point)
    on_mean = any(len(group.columns_of(None)) for group in fit.design.groups)
    if family.link_scale is not LinkScale.NONE and on_mean:
        found.append(_on_link(fit, point, called, outcome, own_scale, bounds))
    if outcome is not None and own_scale == "latent":
        factors = dict(zip((group.factor for group in fit.design.groups), outcome.between, strict=True))
        parts = _components(outcome.predictors, factors, outcome.together, outcome.within, bounds)
        found.append(Division("outcome", called, parts, outcome.n_rows, outcome.sampled, len(outcome.within)))
    return found


def _differs(fit: Fitted) -> bool:
    """Whether rows differ in the variance around their linear predictor."""
    return bool(fit.design.distributional) or fit.design.precision is not None or fit.of_other_parameters


def _on_link(
    fit: Fitted,
    point: Point,
    called: Mapping[str, str],
    outcome: OverRows | None,
    scale: Scale,
    bounds: tuple[float, float],
) -> Division:
    around = outcome.around if outcome is not None and _differs(fit) else None
    needed = FAMILIES[fit.design.family].link_scale is LinkScale.LOG or around is not None
    picks = outcome.picks if outcome is not None and needed else every_draw(fit.draws)
    rows, weights = rows_moved(fit.design, slice(None), point), row_weights(fit.design)
    factors = link.of_factors(fit, rows, weights, picks)
    residual = link.residual(fit, picks, None if outcome is None or not needed else outcome.mean, around)
    together = sum(factors.values(), np.zeros(len(picks)))
    predictors = link.of_predictors(fit, rows, weights, picks)
    parts = _components(predictors, factors, together, residual, bounds)
    return Division(scale, called, parts, fit.design.n_rows, False, len(picks))


def _components(
    predictors: Array, factors: Mapping[str, Array], together: Array, residual: Array, bounds: tuple[float, float]
) -> tuple[Component, ...]:
    """Return the parts, of draws of their variances [S]; predictors that explain nothing are left out."""
    left, found = together + residual, []
    everything = predictors + left

    def part(name: str, kind: Literal["predictors", "factor", "together", "residual"], values: Array) -> Component:
        with np.errstate(invalid="ignore", divide="ignore"):
            if kind == "residual":  # which may be infinite
                of_left = np.where(np.isinf(residual), 1.0, residual / left)
                of_all = np.where(np.isinf(residual), 1.0, residual / everything)
            else:
                of_left, of_all = values / left, values / everything
        share = None if kind == "predictors" else estimate(of_left, bounds)
        return Component(name, kind, estimate(values, bounds), share, estimate(of_all, bounds))

    if predictors.any():
        found.append(part(PREDICTORS, "predictors", predictors))
    found += [part(factor, "factor", values) for factor, values in factors.items()]
    if len(factors) > 1:
        found.append(part(TOGETHER, "together", together))
    return (*found, part(RESIDUAL, "residual", residual))
