"""Draws x ModelSpec -> the log density of the priors under every draw, each on the scale that the model states it on.

Up to a constant. All priors count that `hierfit priors` lists: of coefficients, intercepts, thresholds, sds,
correlations and auxiliary parameters, where the model says that they speak (intercepts, thresholds and sds of
correlated intercepts at the mean of the columns, unless --no-center). The distribution of group effects given their sds
and correlations is no prior here but a part of the model, and so is that of coefficients under a horseshoe given the
scale that they share (Kallioinen et al. 2024, section 2.4: top-level priors are scaled).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.design.distributional import PredictorColumns
from hierfit.model.priors import Prior
from hierfit.model.spec import INTERCEPT_AT_MEAN, ModelSpec, coefficient_name, cor_name, sd_name, threshold_name
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict.draws_of import every_draw, positions, values_of
from hierfit.posterior.predict.new_levels import level_scales

Array = NDArray[np.float64]


def log_prior(draws: Draws, design: Design, spec: ModelSpec) -> Array:
    """Return the log density of all priors [S]."""
    found = np.zeros(len(every_draw(draws)))
    for prior, values in _stated(draws, design, spec):
        if prior.has_density:
            found += prior.log_density(values)
    for group in design.groups:
        if spec.priors.get(cor_name(group.factor)) is not None:
            found += (spec.priors[cor_name(group.factor)].arguments[0] - 1) * _log_determinant(draws, spec, group)
    known = np.isfinite(found)  # not of a draw that was rounded to the end of a uniform prior
    return np.where(known, found, found[known].min()) if known.any() else np.zeros(len(found))


def _stated(draws: Draws, design: Design, spec: ModelSpec) -> list[tuple[Prior, Array]]:
    """Return priors, and the draws of what each speaks of [S]."""
    every, known = every_draw(draws), positions(draws)
    moved = _at_means(draws, design, spec)
    found = []
    for parameter in spec.parameters:
        if parameter.prior is not None:
            name = parameter.name
            own = moved.get(name)
            if own is None and name in known:
                own = values_of(draws, [name], every)[:, 0]
            if own is not None:
                found.append((parameter.prior, own))
    return found


def _at_means(draws: Draws, design: Design, spec: ModelSpec) -> dict[str, Array]:
    """Return the draws of what is kept where columns are 0, and has its prior where they are at their means."""
    every, found = every_draw(draws), dict[str, Array]()
    if spec.centered and spec.thresholds:
        further = values_of(draws, design.coefficients, every) @ design.x_mean
        for between in spec.thresholds:
            name = threshold_name(between)
            found[name] = values_of(draws, [name], every)[:, 0] - further
    for own in design.distributional:
        name = coefficient_name(own.parameter, own.coefficients[0])
        if spec.centered and own.has_two_intercepts:
            found[name] = _intercept_at_mean(draws, own)
    return found


def _intercept_at_mean(draws: Draws, own: PredictorColumns) -> Array:
    names = [coefficient_name(own.parameter, term) for term in own.coefficients]
    b = values_of(draws, names, every_draw(draws))
    return np.asarray(b[:, 0] + b @ own.mean)


def _log_determinant(draws: Draws, spec: ModelSpec, group: Group) -> Array:
    """Return log |R| of a factor's correlations, where the prior speaks of them [S]."""
    every, terms = every_draw(draws), list(group.terms)
    scales = level_scales(draws, group)
    sds = [sd_name(group.factor, term) for term in terms]
    at_mean = sd_name(group.factor, INTERCEPT_AT_MEAN)
    first_at_mean = at_mean in positions(draws)
    if first_at_mean:  # the volume of the covariance is the same at 0 and at the mean
        sds[0] = at_mean
        of_first = np.arange(len(terms)) < group.named.blocks[0].size
        scales = scales.copy()
        scales[:, 0] += np.einsum("j,sjk->sk", np.where(of_first, group.mean, 0.0)[1:], scales[:, 1:])
    diagonal = np.diagonal(scales, axis1=1, axis2=2)
    with np.errstate(divide="ignore"):
        ratio = np.abs(diagonal) / values_of(draws, sds, every)
        return np.asarray(2 * np.sum(np.log(np.maximum(ratio, np.finfo(np.float64).tiny)), axis=1))
