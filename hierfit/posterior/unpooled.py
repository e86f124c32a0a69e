"""Draws x Design x Group -> what each level says by itself: least squares on its own rows, without pooling.

Letters: J levels, M varying coefficients.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.design import Design, Group
from hierfit.design.scaling import row_precision
from hierfit.model.grammar import INTERCEPT
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict import Population, population_part

Array = NDArray[np.float64]
MIN_SPREAD = 1e-8


def unpooled_estimates(draws: Draws, design: Design, group: Group) -> Array:
    """Return least-squares estimates of every level from its own rows alone [J, M], NaN where these do not suffice.

    Rows count by their weights or precision. The outcome is `Design.linear_outcome`, of families that have one. What
    the other columns and factors contribute is taken off first, at its posterior mean.
    """
    every = np.arange(draws.n_chains * draws.n_draws)
    part = population_part(draws, design, every)
    mean = Population(moments.mean(part.intercept)[None], moments.mean(part.b, axis=0)[None], part.center)
    own = [design.coefficients.index(term) for term in group.terms if term in design.coefficients]
    outcome = design.linear_outcome - mean.at(design.X)[0] + design.X[:, own] @ mean.b[0, own]
    if design.offset is not None:
        outcome = outcome - design.offset
    if INTERCEPT in group.terms:
        outcome = outcome + mean.intercept[0] - mean.b[0] @ mean.center
    for other in design.of_mean.groups:
        if other.factor != group.factor:
            effects = moments.mean(draws.effects_of(other), axis=(0, 1))
            outcome = outcome - np.einsum("nm,nm->n", other.Z, effects[other.codes])
    weights = design.weights if design.precision is None else row_precision(design)
    return _least_squares_by_level(group, outcome, np.ones(design.n_rows) if weights is None else weights)


def _least_squares_by_level(group: Group, outcome: Array, weights: Array) -> Array:
    """Solve the normal equations of every level at once, columns centred and scaled by level for accuracy."""
    n_terms, n_levels = len(group.terms), group.n_levels
    Z, root = np.column_stack([group.Z, outcome]), np.sqrt(weights)
    if group.terms[0] == INTERCEPT:
        means = np.column_stack([moments.level_means(column, group.codes, n_levels, weights) for column in Z.T])
        Z = (Z - means[group.codes]) * root[:, None]
        slopes = _solve_by_level(Z[:, 1:n_terms], Z[:, n_terms], group)
        intercept = means[:, n_terms] - np.einsum("jm,jm->j", means[:, 1:n_terms], slopes)
        return np.column_stack([intercept, slopes])
    return _solve_by_level(group.Z * root[:, None], outcome * root, group)


def _solve_by_level(Z: Array, outcome: Array, group: Group) -> Array:
    n_columns = Z.shape[1]
    scale = np.where(Z.std(axis=0) > 0, np.sqrt(np.square(Z).mean(axis=0)), 1.0)
    columns = [*(Z / scale).T, outcome]
    cross = np.empty((group.n_levels, n_columns, n_columns + 1))
    for row in range(n_columns):
        for column in range(n_columns + 1):
            weights = columns[row] * columns[column]
            cross[:, row, column] = np.bincount(group.codes, weights=weights, minlength=group.n_levels)
    estimates = np.full((group.n_levels, n_columns), np.nan)
    gram = cross[:, :, :n_columns]
    if n_columns:
        # Of columns of unit size: a level where some combination of them hardly varies has no estimate of its own.
        rows = group.rows_per_level
        enough = (rows > len(group.terms)) & (np.linalg.eigvalsh(gram)[:, 0] > MIN_SPREAD * rows)
    else:
        enough = np.zeros(group.n_levels, dtype=np.bool_)
    estimates[enough] = np.linalg.solve(gram[enough], cross[enough, :, n_columns:])[:, :, 0] / scale
    return estimates
