"""Linear predictors and parameters -> what is said of outcomes: expected, replicated, shares of categories.

Letters as in `linear`. Numpy only; nothing here ever holds all rows by all draws.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.model.densities import category_probabilities
from hierfit.model.families import FAMILIES
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict.draws_of import Indices, pick_draws
from hierfit.posterior.predict.linear import auxiliary_draws, distribution_of, linear_predictor

Array = NDArray[np.float64]


def expected(design: Design, predictor: Array, auxiliaries: Mapping[str, Array]) -> Array:
    """Return the mean of the outcome, of one trial where it counts successes, at linear predictors [S, ..., G]."""
    family, spread = FAMILIES[design.family], _beside(predictor, auxiliaries)
    mean = family.mean(predictor, design.link, spread)
    return np.asarray(family.expected(mean, spread, np.ones(predictor.shape[-1])))


def category_shares(design: Design, predictor: Array, auxiliaries: Mapping[str, Array]) -> Array:
    """Return the probability of each ordered category at linear predictors [S, ..., G] -> [C, S, ..., G]."""
    family = FAMILIES[design.family]
    return category_probabilities(family.mean(predictor, design.link, _beside(predictor, auxiliaries)))


def _beside(predictor: Array, auxiliaries: Mapping[str, Array]) -> dict[str, Array]:
    """Return auxiliaries [..., S, 1] with axes for what stands between S and G in linear predictors [S, ..., G]."""
    between = [1] * (predictor.ndim - 2)
    return {name: values.reshape(*values.shape[:-1], *between, -1) for name, values in auxiliaries.items()}


def outcomes_by_row(
    design: Design, mean: Array, auxiliaries: Mapping[str, Array], trials: Array, rng: np.random.Generator
) -> Array:
    """Return an outcome of each row under each draw [S, R], given what the distributions call the mean [..., S, R].

    Row by row, so that the outcomes of a row are side by side in memory as its draws are.
    """
    turned = {name: np.swapaxes(values, -1, -2) for name, values in auxiliaries.items()}
    return FAMILIES[design.family].replicate(rng, np.swapaxes(mean, -1, -2), turned, trials[:, None]).T


def replicate(
    draws: Draws, design: Design, rng: np.random.Generator, n_draws: int, rows: Indices | None = None
) -> Array:
    """Return replicated outcomes under random draws [n_draws, R], of all rows or of the given ones."""
    chosen = np.arange(design.n_rows) if rows is None else rows
    return replicate_under(draws, design, rng, pick_draws(draws, n_draws, rng), chosen)


def replicate_under(draws: Draws, design: Design, rng: np.random.Generator, picks: Indices, chosen: Indices) -> Array:
    """Return replicated outcomes of chosen rows under chosen draws [S, R]."""
    predictor, auxiliaries = distribution_of(draws, design, design.at(chosen), picks)
    family = FAMILIES[design.family]
    mean = family.mean(predictor, design.link, auxiliaries)
    return family.replicate(rng, mean, auxiliaries, trials_of(design, chosen))


def expected_rows(draws: Draws, design: Design, rows: Indices, picks: Indices) -> Array:
    """Return the mean of each chosen row's outcome, of one trial where it counts successes, over chosen draws [R]."""
    first, total, chosen = np.zeros(len(rows)), np.zeros(len(rows)), design.at(rows)
    for at, pick in enumerate(picks):
        one = np.array([pick])
        predictor = linear_predictor(draws, design, chosen, one)
        found = expected(design, predictor, auxiliary_draws(draws, design, one, chosen))[0]
        first = first if at else found
        total += found - first
    return np.asarray(first + total / len(picks))


def trials_of(design: Design, rows: Indices) -> Array:
    """Return the number of trials of chosen rows [R], ones for families without."""
    return np.ones(len(rows)) if design.trials is None else design.trials[rows]
