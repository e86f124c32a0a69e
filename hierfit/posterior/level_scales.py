"""Draws x Group -> the distribution of the effects of a level: factors of their covariances, draw by draw.

u ~ normal(0, D R D) under the sds D and the correlations R of each draw; S draws of all chains, M coefficients.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Group
from hierfit.model.spec import below_diagonal, cor_name, pairs, sd_name
from hierfit.posterior.draws import Draws

Array = NDArray[np.float64]


def level_scales(draws: Draws, group: Group) -> Array:
    """Return T with T T' = D R D under every draw [S, M, M]; standard normal numbers times it are effects."""
    n_draws, size = draws.n_chains * draws.n_draws, len(group.terms)
    sd = np.stack([draws.of(sd_name(group.factor, term)).ravel() for term in group.terms], axis=1)
    R = np.broadcast_to(np.eye(size), (n_draws, size, size)).copy()
    for (high, low), pair in zip(below_diagonal(group.named), pairs(group.named), strict=True):
        R[:, high, low] = R[:, low, high] = draws.of(cor_name(group.factor, pair)).ravel()
    values, vectors = np.linalg.eigh(R)  # correlations of -1 and 1 among them
    return np.asarray(sd[:, :, None] * vectors * np.sqrt(np.maximum(values, 0.0))[:, None])
