"""Draws x log densities of prior and likelihood -> how far each posterior moves when they weigh more, or less.

Letters: S draws, P parameters. A component's density is raised to the powers 1 / 1.01 and 1.01, by importance weights,
smoothed; the distance is the square root of the cumulative Jensen-Shannon divergence of the weighted draws from the
unweighted, over the range of the draws; its slope in log2 of the power is the sensitivity. As priorsense and ArviZ
(`psens`) have it; a test holds that the numbers are ArviZ's. Kallioinen, Paananen, Bürkner, Vehtari 2024, Statistics
and Computing 34(57), where 0.05 is the threshold: a shift of the mean by about 0.3 sd where the power is doubled. A
default prior that is right may come to that where the data say little of its parameter, as of a shape; so what is
flagged is twice as much.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.model.spec import ModelSpec
from hierfit.plain import Measured
from hierfit.posterior.check.prior_density import log_prior
from hierfit.posterior.check.sample import thinned
from hierfit.posterior.draws import Draws
from hierfit.posterior.log_likelihood import LogLikelihood
from hierfit.posterior.pareto import smoothed
from hierfit.posterior.predict.draws_of import n_draws

Array = NDArray[np.float64]
STEP = 0.01
SENSITIVE = 0.05
FLAGGED = 0.1
MOST_NUMBERS, MOST_DRAWS, FEWEST_DRAWS = 20_000_000, 4_000, 400


@dataclass(frozen=True)
class Sensitivity:
    """How a parameter's posterior follows the powers of prior and likelihood.

    Attributes:
        name: of the parameter.
        prior: sensitivity to all priors together.
        likelihood: to the likelihood.
    """

    name: str
    prior: Measured
    likelihood: Measured

    @property
    def conflict(self) -> bool:
        """Whether prior and data pull in different directions: the posterior follows both."""
        return self.prior >= FLAGGED and self.likelihood >= SENSITIVE

    @property
    def weak(self) -> bool:
        """Whether the data say little, so that the prior decides."""
        return self.prior >= FLAGGED and self.likelihood < SENSITIVE


def sensitivities(draws: Draws, design: Design, spec: ModelSpec) -> list[Sensitivity]:
    """Return the sensitivity of every parameter that moves."""
    total = n_draws(draws)
    most = int(np.clip(MOST_NUMBERS // design.n_rows, FEWEST_DRAWS, MOST_DRAWS))
    if total > most:
        draws = thinned(draws, np.linspace(0, total - 1, most).round().astype(np.int64))
    values = draws.values.reshape(-1, len(draws.parameters))
    of_prior = power_scaled(values, log_prior(draws, design, spec))
    of_likelihood = power_scaled(values, log_likelihood(draws, design))
    return [
        Sensitivity(parameter.name, float(prior), float(likelihood))
        for parameter, prior, likelihood, own in zip(draws.parameters, of_prior, of_likelihood, values.T, strict=True)
        if np.ptp(own) > 0
    ]


def log_likelihood(draws: Draws, design: Design) -> Array:
    """Return the log likelihood of all rows together [S], given the effects of their groups."""
    likelihood = LogLikelihood(draws, design)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.asarray(sum(pool.map(lambda rows: likelihood.of(rows).sum(axis=1), likelihood.blocks())))


def power_scaled(values: Array, log_density: Array) -> Array:
    """Return the sensitivity of draws of parameters [S, P] to a component of this log density [S] -> [P]."""
    if np.ptp(log_density) == 0:
        return np.zeros(values.shape[1])
    powers = np.array([1 / (1 + STEP), 1 + STEP])
    log_weights, _ = smoothed((powers - 1)[:, None] * log_density, 1.0)
    weights = np.exp(log_weights)
    order = np.argsort(values, axis=0, kind="stable")
    ordered = np.take_along_axis(values, order, axis=0)
    found = np.zeros(values.shape[1])
    for own in weights:
        distances = [_distance(ordered, own[order]), _distance(-ordered[::-1], own[order][::-1])]
        found += np.maximum(*distances)
    return np.asarray(found / (2 * np.log2(1 + STEP)))


def _distance(values: Array, weights: Array) -> Array:
    """Return the cumulative Jensen-Shannon distance of ordered draws [S, P] from the same weighted [P]."""
    n = len(values)
    width = np.diff(values, axis=0)
    p = np.linspace(1 / n, 1 - 1 / n, n - 1)[:, None]
    q = np.cumsum(weights / weights.sum(axis=0), axis=0)[:-1]
    p_area, q_area = np.sum(p * width, axis=0), np.sum(q * width, axis=0)
    middle = np.log2((p + q) / 2)
    apart = 0.5 / np.log(2) * (q_area - p_area)
    from_p = np.sum(width * p * (np.log2(p) - middle), axis=0) + apart
    from_q = np.sum(width * q * (np.log2(np.maximum(q, np.finfo(float).tiny)) - middle), axis=0) - apart
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.sqrt((np.maximum(from_p, 0) + np.maximum(from_q, 0)) / (p_area + q_area))
    return np.asarray(np.nan_to_num(found))
