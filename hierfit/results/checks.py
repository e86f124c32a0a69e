"""Predictive numbers: what the priors alone say about outcomes, in the outcome's own units.

Outcomes are replicated from draws of the prior, one for each of some rows, and compared with the range of the data:
priors that put most outcomes where no outcome can be are worth another look (Gabry et al. 2019, JRSS A 182(2),
section 3).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from hierfit.model.design import Design
from hierfit.results.draws import Draws
from hierfit.results.predict import replicate

DRAWS, ROWS = 1000, 200
INTERVAL = (0.025, 0.975)


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

    lower: float
    upper: float
    data_lower: float
    data_upper: float
    outside: float

    def to_dict(self) -> dict[str, float]:
        """Return JSON-ready plain values."""
        return asdict(self)


def predict_from_prior(draws: Draws, design: Design, seed: int) -> PriorPredictive:
    """Replicate outcomes of at most `ROWS` rows under at most `DRAWS` draws, which must be of the prior alone."""
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(design.n_rows)[:ROWS])
    replicated = replicate(draws, design, rng, DRAWS, rows)
    low, high = float(design.y.min()), float(design.y.max())
    outside = float(np.mean((replicated < low) | (replicated > high)))
    lower, upper = np.quantile(replicated, INTERVAL)
    return PriorPredictive(float(lower), float(upper), low, high, outside)
