"""Log densities that several models give to data they have not seen -> how to mix the models.

Stacking: the weights, none negative and 1 together, whose mixture gives the data the highest density, part by part
(Yao, Vehtari, Simpson, Gelman 2018, Bayesian Analysis 13(3)). A concave function of the weights, as ArviZ's `compare`
has it; that reads a table and more, and takes exp of log densities, which underflows for whole groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def stacking_weights(elpd: Sequence[Array]) -> Array:
    """Return the weights of K models from the log predictive densities that each gives to the N parts [N]."""
    log_density = np.stack(elpd, axis=1)
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))  # a factor for each part changes nothing
    n_models = density.shape[1]
    if n_models == 1:
        return np.ones(1)
    from scipy import optimize

    def loss(w: Array) -> float:
        return float(-np.mean(np.log(np.maximum(density @ w, 1e-300))))

    def gradient(w: Array) -> Array:
        return np.asarray(-np.mean(density / np.maximum(density @ w, 1e-300)[:, None], axis=0))

    minimize: Any = optimize.minimize
    found = minimize(
        loss,
        np.full(n_models, 1 / n_models),
        jac=gradient,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * n_models,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones(n_models)},
        options={"ftol": 1e-12, "maxiter": 500},
    )
    weights = np.clip(found.x, 0.0, None)
    return np.asarray(weights / weights.sum())
