"""ModelSpec x Design -> FirstEstimate: a rough fit of the whole model in milliseconds, and what it expects rows to say.

Penalised quasi-likelihood (Breslow and Clayton 1993) in the form of Schall (1991): coefficients, then the effects of
one factor after the other, take a step of Fisher scoring each, with their priors as a ridge; each sd becomes the root
of the effects' sum of squares over the number of them that the rows determine. Time and memory are linear in the rows.

It serves to choose how the sampler sees the effects, and nothing else: no result depends on it. What the rows say of an
effect is counted with the effects of the other factors unknown, but for what the rows of other levels say of these.
Letters as in `design.design`, columns scaled as for the sampler (`design.scaling`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.design.origin import x_center, z_center
from hierfit.design.scaling import effect_scale, scaled_columns, scaled_offset, scaled_outcome, scaled_varying
from hierfit.engines.full.information import Rows
from hierfit.engines.full.nesting import nest
from hierfit.model.families import FAMILIES, LINKS, SIGMA, THRESHOLD
from hierfit.model.grammar import INTERCEPT
from hierfit.model.spec import ModelSpec, sd_name

Array = NDArray[np.float64]

MOST_STEPS, LARGE, STEPS_WHERE_LARGE = 25, 50_000, 10
CLOSE = 0.03  # sds that change by less than this share are not improved any further
LEAST_SD, MOST_SD, FIRST_SD = 1e-3, 1e2, 0.7
LONGEST_STEP = 1.0  # of effects and coefficients where the rows are no normal distribution
RIDGE = 0.1  # prior precision of a coefficient, whose scale is near 1
MOST_TRIED = 5_000  # rows that auxiliary parameters are estimated from
TRIED = {
    "shape": np.geomspace(0.05, 500, 14),
    "phi": np.geomspace(0.2, 500, 14),
    "zi": np.linspace(0.02, 0.9, 10),
    "hu": np.linspace(0.02, 0.98, 10),
}
NU = 5.0


@dataclass(frozen=True)
class FirstEstimate:
    """What a rough fit says of every varying column.

    Attributes:
        sd: sds of the C columns, scaled.
        log_sd_error: standard error of their logarithms.
        ratio: what the rows of a level say of its effect, over what the prior does, for every effect: factor by factor,
            column by column.
    """

    sd: Array
    log_sd_error: Array
    ratio: Array


@dataclass
class _State:
    """Where the steps have come to: u and D of each factor are [J, M] and [M, M].

    Where rows are no normal distribution, the first step goes `towards` linear predictors of their own.
    """

    rows: Rows
    eta: Array
    b: Array
    u: list[Array]
    D: list[Array]
    towards: Array | None = None


def estimate(spec: ModelSpec, design: Design) -> FirstEstimate:
    """Fit roughly, and return what was found of each varying column."""
    X = scaled_columns(design, x_center(spec, design))
    Z = [scaled_varying(group, z_center(spec, group)) for group in design.groups]
    fixed = [_fixed_sds(spec, design, group) for group in design.groups]
    meetings = [list(_meetings(f, design.groups)) for f in range(len(design.groups))]
    with np.errstate(all="ignore"):
        state = _start(spec, design, X, fixed)
        most = MOST_STEPS if design.n_rows <= LARGE else STEPS_WHERE_LARGE
        for step in range(most):
            before = np.concatenate([np.diag(D) for D in state.D])
            _step(state, design, X, Z, fixed, meetings)
            _update_rows(state, spec, design, thorough=step in (1, 4, 9))
            if step > 2 and np.all(np.abs(np.log(np.concatenate([np.diag(D) for D in state.D]) / before)) < 2 * CLOSE):
                break
        return _summary(state, design, Z, meetings)


def _fixed_sds(spec: ModelSpec, design: Design, group: Group) -> Array:
    """Return the sds that their priors fix, scaled [M]; nan for the others."""
    fixed = [spec.priors[sd_name(group.factor, term)].constant for term in group.terms]
    return np.array([np.nan if sd is None else sd for sd in fixed]) / effect_scale(design, group)


def _start(spec: ModelSpec, design: Design, X: Array, fixed: Sequence[Array]) -> _State:
    family = FAMILIES[design.family]
    trials = np.ones(design.n_rows) if design.trials is None else design.trials
    first = {SIGMA: 0.7, "nu": NU, "shape": 3.0, "phi": 5.0, "zi": 0.1, "hu": 0.1}
    auxiliaries = {}
    for auxiliary in family.auxiliaries:
        prior = spec.priors.get(auxiliary.name)
        unit = design.y_scale if auxiliary.in_outcome_units else 1.0
        value = first[auxiliary.name] if prior is None or prior.constant is None else prior.constant / unit
        auxiliaries[auxiliary.name] = np.array([value])
    y = scaled_outcome(design) if design.is_scaled else design.y
    rows = Rows(design.family, design.link, y, trials, auxiliaries)
    origin = 0.0 if design.is_scaled else design.intercept_origin
    eta = scaled_offset(design) + origin
    if design.thresholds:
        rows = _with_thresholds(rows, eta)
    return _State(
        rows,
        eta,
        np.zeros(X.shape[1]),
        [np.zeros((group.n_levels, len(group.terms))) for group in design.groups],
        [np.diag(np.where(np.isnan(sds), FIRST_SD, sds) ** 2) for sds in fixed],
        None if design.is_scaled or design.thresholds else _own_predictors(design, trials),
    )


def _own_predictors(design: Design, trials: Array) -> Array:
    """Return the link of each row's outcome, halfway to the mean of all, as iterations for such data start."""
    own = (design.y + design.y.sum() / trials.sum()) / (trials + 1)
    return LINKS[design.link].forward(own)


def _step(
    state: _State,
    design: Design,
    X: Array,
    Z: Sequence[Array],
    fixed: Sequence[Array],
    meetings: Sequence[Sequence[_Meeting]],
) -> None:
    """Move coefficients, effects and sds once."""
    weights = 1.0 if design.weights is None else design.weights
    at = state.eta if state.towards is None else state.towards
    information = weights * state.rows.information(at)
    slope = weights * state.rows.slope(at) if state.towards is None else information * (at - state.eta)
    longest = np.inf if design.is_scaled or state.towards is not None else LONGEST_STEP
    state.towards = None
    if X.shape[1]:
        precision = (X * information[:, None]).T @ X + RIDGE * np.eye(X.shape[1])
        moved = _bounded(np.linalg.solve(precision, X.T @ slope - RIDGE * state.b), longest)
        state.b += moved
        _add(state, X @ moved, information, slope)
    for f, group in enumerate(design.groups):
        inverse = np.linalg.inv(state.D[f])
        covariance = np.linalg.inv(_products(group, Z[f], information) + inverse)
        towards = _sums(group, Z[f] * slope[:, None]) - state.u[f] @ inverse
        moved = _bounded(np.einsum("jab,jb->ja", covariance, towards), longest)
        state.u[f] += moved
        _add(state, np.sum(Z[f] * moved[group.codes], axis=1), information, slope)
        if meetings[f]:  # the effects of the others are not known either
            left = information * _left(meetings[f], information, state.D)
            covariance = np.linalg.inv(_products(group, Z[f], left) + inverse)
        state.D[f] = _spread(state.u[f], covariance, state.D[f], fixed[f], correlated=group.correlated)


def _add(state: _State, part: Array, information: Array, slope: Array) -> None:
    """Add to the linear predictor, and take from the slopes what that does to them."""
    state.eta += part
    slope -= information * part


def _bounded(step: NDArray[Any], longest: float) -> Array:
    return np.asarray(np.clip(np.nan_to_num(step), -longest, longest), dtype=np.float64)


def _spread(u: Array, covariance: Array, D: Array, fixed: Array, *, correlated: bool) -> Array:
    """Return the covariance of the effects of one factor, given theirs and how much of it is not determined [J, M, M].

    Its diagonal is Schall's, which goes to 0 quickly where it should; the correlations are those of the EM algorithm.
    """
    variance = np.diag(D)
    determined = np.sum(1 - np.einsum("jmm->jm", covariance) / variance, axis=0)
    found = np.sum(u**2, axis=0) / np.maximum(determined, 1e-6)
    sds = np.where(np.isnan(fixed), np.sqrt(np.clip(found, LEAST_SD**2, MOST_SD**2)), fixed)
    R = np.eye(len(sds))
    if correlated:
        second = np.einsum("ja,jb->ab", u, u) + covariance.sum(axis=0)
        scale = np.sqrt(np.diag(second))
        R = np.clip(second / np.outer(scale, scale), -0.95, 0.95)
        np.fill_diagonal(R, 1.0)
        R = R + 0.05 * (np.eye(len(sds)) - R)
    return np.asarray(R * np.outer(sds, sds))


def _products(group: Group, Z: Array, information: Array) -> Array:
    """Return Z_j' W Z_j of every level [J, M, M]."""
    terms = Z.shape[1]
    found = np.empty((group.n_levels, terms, terms))
    for a in range(terms):
        for b in range(a + 1):
            sums = np.bincount(group.codes, weights=information * Z[:, a] * Z[:, b], minlength=group.n_levels)
            found[:, a, b] = found[:, b, a] = sums
    return found


def _sums(group: Group, columns: Array) -> Array:
    """Return the sums of columns [N, M] over the rows of each level [J, M]."""
    sums = [np.bincount(group.codes, weights=column, minlength=group.n_levels) for column in columns.T]
    return np.stack(sums, axis=1)


def _update_rows(state: _State, spec: ModelSpec, design: Design, *, thorough: bool) -> None:
    """Improve the auxiliary parameters: sigma and thresholds every time, the others where it is to be thorough."""
    rows = state.rows
    if SIGMA in rows.auxiliaries and _is_free(spec, SIGMA):
        state.rows = rows = _with(rows, SIGMA, _sigma(state, design))
    if design.thresholds:
        state.rows = rows = _with_thresholds(rows, state.eta)
    if not thorough:
        return
    some = slice(None, None, -(-design.n_rows // MOST_TRIED))
    sample = replace(rows, y=rows.y[some], trials=rows.trials[some])
    for name in (name for name in rows.auxiliaries if name in TRIED and _is_free(spec, name)):
        tried = [_with(sample, name, value).log_density(state.eta[some]).sum() for value in TRIED[name]]
        best = float(TRIED[name][int(np.nanargmax(tried))])
        sample, state.rows = _with(sample, name, best), _with(state.rows, name, best)


def _is_free(spec: ModelSpec, name: str) -> bool:
    return name not in spec.priors or spec.priors[name].constant is None


def _with(rows: Rows, name: str, value: float) -> Rows:
    return replace(rows, auxiliaries={**rows.auxiliaries, name: np.array([value])})


def _sigma(state: _State, design: Design) -> float:
    """Return the residual sd: of what is left, over the rows that the effects have not taken up."""
    residual, rows = state.rows.y - state.eta, state.rows
    weights = np.ones(design.n_rows) if design.weights is None else design.weights
    squares = residual**2
    if "nu" in rows.auxiliaries:  # weights of the EM algorithm
        nu = rows.auxiliaries["nu"]
        squares = squares * (nu + 1) / (nu + squares / rows.auxiliaries[SIGMA] ** 2)
    by_effects = (float(np.sum(np.minimum(u**2 / np.diag(D), 1.0))) for u, D in zip(state.u, state.D, strict=True))
    taken = len(state.b) + sum(by_effects)
    return float(np.sqrt(np.sum(weights * squares) / max(weights.sum() - taken, 0.2 * weights.sum()))) + 1e-6


def _with_thresholds(rows: Rows, eta: Array) -> Rows:
    """Return the rows with thresholds that give each category the share that it has."""
    inverse, forward = LINKS[rows.link].inverse, LINKS[rows.link].forward
    categories = int(rows.y.max()) + 1
    shares = np.cumsum(np.bincount(rows.y.astype(int), minlength=categories))[:-1] / len(rows.y)
    shares = np.clip(shares, 0.5 / len(rows.y), 1 - 0.5 / len(rows.y))
    at = forward(shares) + eta.mean()
    for _ in range(6):
        p = inverse(at[:, None] - eta)
        steep = np.mean(inverse(at[:, None] - eta + 1e-3) - p, axis=1) / 1e-3
        at = at + np.clip((shares - p.mean(axis=1)) / np.maximum(steep, 1e-6), -1, 1)
    return replace(rows, auxiliaries={**rows.auxiliaries, THRESHOLD: np.sort(at)[:, None]})


def _summary(
    state: _State, design: Design, Z: Sequence[Array], meetings: Sequence[Sequence[_Meeting]]
) -> FirstEstimate:
    weights = 1.0 if design.weights is None else design.weights
    information = weights * state.rows.information(state.eta)
    nesting, ratios, errors = nest(design), [], []

    def said(f: int, unknown: Sequence[_Meeting]) -> Array:
        left = information * _left(unknown, information, state.D)
        covariance = np.linalg.inv(_products(design.groups[f], Z[f], left) + np.linalg.inv(state.D[f]))
        return np.asarray(np.maximum(np.diag(state.D[f]) / np.einsum("jmm->jm", covariance) - 1, 0.0))

    for f, group in enumerate(design.groups):
        ratio, around = said(f, meetings[f]), set(nesting.around(f))
        reliable = np.sum((ratio / (1 + ratio)) ** 2, axis=0) * (group.n_levels - 1) / group.n_levels
        if around:  # outer effects are in the mean, and known as it is
            ratio = said(f, [met for met in meetings[f] if met.other not in around])
        ratios.append(ratio.T.ravel())
        errors.append(1 / np.sqrt(2 * np.maximum(reliable, 1e-6)))
    empty = [np.empty(0)]
    return FirstEstimate(
        np.concatenate([*empty, *(np.sqrt(np.diag(D)) for D in state.D)]),
        np.concatenate(empty + errors),
        np.concatenate(empty + ratios),
    )


@dataclass(frozen=True)
class _Meeting:
    """How one factor meets another whose intercept varies.

    Attributes:
        other: place of the other among the factors.
        level: its level of each row [N].
        cell: number of the pair of levels of each row [N].
    """

    other: int
    level: NDArray[np.int32]
    cell: NDArray[np.int64]


def _meetings(f: int, groups: Sequence[Group]) -> Iterator[_Meeting]:
    """Yield how a factor meets the others."""
    for h, other in enumerate(groups):
        if h != f and other.terms[0] == INTERCEPT:
            pair = groups[f].codes.astype(np.int64) * other.n_levels + other.codes
            yield _Meeting(h, other.codes, np.unique(pair, return_inverse=True)[1])


def _left(meetings: Sequence[_Meeting], information: Array, D: Sequence[Array]) -> Array:
    """Return which share of each row's information is left where the other factors' intercepts are unknown [N].

    The rows of one level of each factor share the unknown effect of the other; of that, the other rows of its level
    say something too.
    """
    share = np.ones(len(information))
    for met in meetings:
        said = np.bincount(met.cell, weights=information)[met.cell]
        elsewhere = np.bincount(met.level, weights=information)[met.level] - said
        share /= 1 + said / (1 / D[met.other][0, 0] + np.maximum(elsewhere, 0.0))
    return share
