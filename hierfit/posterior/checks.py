"""Predictive numbers: what the priors alone say about outcomes, in the outcome's own units.

Outcomes are replicated from draws of the prior, one for each of some rows, and compared with the range of the data:
priors that put most outcomes where no outcome can be are worth another look (Gabry et al. 2019, JRSS A 182(2),
section 3). Of ordered categories it is the share of each; these may look even on average while in each single draw of
the prior one category has nearly all rows, which is therefore said too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.plain import Measured
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict import replicate

DRAWS, ROWS = 1000, 200
INTERVAL = (0.025, 0.975)
DOMINATED = 0.95


@dataclass(frozen=True)
class PriorPredictive:
    """Outcomes that the priors hold for possible.

    Attributes:
        lower: below it lie 2.5 % of the replicated outcomes.
        upper: above it lie 2.5 %.
        data_lower: smallest outcome of the data.
        data_upper: largest.
        outside: share of the replicated outcomes beyond these two.
    """

    lower: Measured
    upper: Measured
    data_lower: Measured
    data_upper: Measured
    outside: Measured


@dataclass(frozen=True)
class PriorCategories:
    """Categories that the priors hold for possible.

    Attributes:
        shares: category -> its share of the replicated outcomes, in order.
        data_shares: category -> its share of the data.
        dominated: share of the draws in which one category has more than `DOMINATED` of the rows.
    """

    shares: Mapping[str, Measured]
    data_shares: Mapping[str, Measured]
    dominated: Measured


def predict_from_prior(draws: Draws, design: Design, seed: int) -> PriorPredictive | PriorCategories:
    """Replicate outcomes of at most `ROWS` rows under at most `DRAWS` draws, which must be of the prior alone."""
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(design.n_rows)[:ROWS])
    replicated = replicate(draws, design, rng, DRAWS, rows)
    if design.thresholds:
        return _categories(replicated, design)
    low, high = float(design.y.min()), float(design.y.max())
    outside = float(np.mean((replicated < low) | (replicated > high)))
    lower, upper = np.quantile(replicated, INTERVAL)
    return PriorPredictive(float(lower), float(upper), low, high, outside)


def _categories(replicated: NDArray[np.float64], design: Design) -> PriorCategories:
    """Count the categories of replicated outcomes [S, R]."""
    codes = np.arange(len(design.categories))
    by_draw = np.stack([(replicated == code).mean(axis=1) for code in codes])
    observed = [float(np.mean(design.y == code)) for code in codes]
    return PriorCategories(
        dict(zip(design.categories, by_draw.mean(axis=1).tolist(), strict=True)),
        dict(zip(design.categories, observed, strict=True)),
        float(np.mean(by_draw.max(axis=0) > DOMINATED)),
    )
