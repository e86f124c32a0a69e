"""Where intercepts are: those that the sampler sees, those that priors speak of, and the reported ones at x = 0.

Intercepts at x = 0, where x may be far from all rows, trade off against slopes, so the sampler sees those at the mean
of the columns wherever that is another way of writing the same model: the population's; those of a factor whose
intercepts and slopes are correlated, since with u the effects at 0, those at the mean are B u for a B with a
determinant of 1. Priors speak of the same place, or with `--no-center` of x = 0; the sampler can be elsewhere than
they as long as they leave the intercept, or its sd, free to be anything. Without correlations (`||`) effects are
independent at x = 0 and nowhere else, and so they stay there. Letters as in `design.design`.
"""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.design import Design, Group
from hierfit.design.distributional import PredictorColumns
from hierfit.model.families import FAMILIES
from hierfit.model.grammar import INTERCEPT
from hierfit.model.priors import EVERYWHERE, Interval, Prior
from hierfit.model.spec import ModelSpec, coefficient_name, sd_name

Array = NDArray[np.float64]


def x_center(spec: ModelSpec, design: Design) -> Array:
    """Return what the full engine subtracts from each column of X [K]."""
    if spec.centered or not design.has_level:
        return design.x_mean
    free = not design.intercept or _is_free(spec.priors[INTERCEPT], EVERYWHERE)
    return moments.column_means(design.X) if free else design.x_mean


def x_at_prior(spec: ModelSpec, design: Design) -> Array:
    """Return the columns of X, less `x_center` and scaled, where the priors of intercept and thresholds speak.

    One for each coefficient that the sampler has, 0 for the intercept.
    """
    apart = (design.x_mean - x_center(spec, design)) / design.x_scale
    return np.concatenate([np.zeros(int(design.intercept)), apart])


def z_center(spec: ModelSpec, group: Group) -> Array:
    """Return what every engine subtracts from each varying column of a factor [M]."""
    named = next(named for named in spec.groups if named.factor == group.factor)
    if not named.has_mean or not (spec.centered or _is_free(spec.priors[sd_name(group.factor, INTERCEPT)], (0.0, inf))):
        return np.zeros(len(group.terms))
    return np.where(np.arange(len(group.terms)) < named.blocks[0].size, group.mean, 0.0)


def z_at_prior(spec: ModelSpec, group: Group) -> Array:
    """Return the varying columns, less `z_center` and scaled, where the prior of the intercept's sd speaks [M]."""
    if spec.centered:
        return np.zeros(len(group.terms))
    return np.asarray(-z_center(spec, group) / group.units)


def predictor_center(spec: ModelSpec, predictor: PredictorColumns) -> Array:
    """Return what the sampler subtracts from each column of a parameter beside the mean [S]."""
    name = coefficient_name(predictor.parameter, INTERCEPT)
    movable = predictor.intercept and (spec.centered or _is_free(spec.priors[name], EVERYWHERE))
    return predictor.mean if movable else np.zeros(len(predictor.coefficients))


def predictor_at_prior(spec: ModelSpec, predictor: PredictorColumns) -> Array:
    """Return these columns, less `predictor_center` and scaled, where the prior of the intercept speaks [S]."""
    if spec.centered:
        return np.zeros(len(predictor.coefficients))
    return np.asarray(-predictor_center(spec, predictor) / predictor.scale)


def predictor_location(design: Design, predictor: PredictorColumns) -> Array:
    """Return what the coefficients of a parameter beside the mean count from [S]: that of sigma in outcome units."""
    auxiliary = FAMILIES[design.family].auxiliary(predictor.parameter)
    in_units = auxiliary is not None and auxiliary.in_outcome_units
    return np.where(predictor.carries_level & in_units, np.log(design.y_scale), 0.0)


def _is_free(prior: Prior, within: Interval) -> bool:
    return prior.constant is None and prior.bounds(within=within) == within


def moved_scales(sd: Array, cor: Array, distance: Array) -> tuple[Array, Array]:
    """Carry sds [..., M] and correlations [..., P] of a factor to where its columns are by `distance` [M] higher.

    Correlations are row by row below the diagonal. The effects there are u_0 + distance'u, u_1, ..., so only the sd of
    the intercept and its correlations change.
    """
    size = sd.shape[-1]
    R = np.broadcast_to(np.eye(size), (*sd.shape[:-1], size, size)).copy()
    rows, columns = np.tril_indices(size, -1)
    R[..., rows, columns] = R[..., columns, rows] = cor
    weights = sd * np.concatenate([[1.0], distance[1:]])
    with_each = np.einsum("...ij,...j->...i", R, weights)
    intercept = np.sqrt(np.maximum(np.sum(weights * with_each, axis=-1), 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlated = np.where(intercept[..., np.newaxis] > 0, with_each / intercept[..., np.newaxis], 0.0)
    found_sd, found_cor = sd.copy(), cor.copy()
    found_sd[..., 0] = intercept
    found_cor[..., columns == 0] = np.clip(correlated[..., 1:], -1.0, 1.0)
    return found_sd, found_cor
