"""Points with weights -> a mixture of normal distributions that is as they are: weighted EM (Cappe et al. 2008)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROUNDS = 25
_PRIOR = 2.0  # points for each dimension that speak for the covariance of all


@dataclass(frozen=True)
class Component:
    """One normal distribution of a mixture.

    Attributes:
        share: of the mixture.
        mean: [d].
        covariance: [d, d].
    """

    share: float
    mean: Array
    covariance: Array

    def log_density(self, points: Array) -> Array:
        """Return the log of its share times its density at points [s, d], up to a constant [s]."""
        root = np.linalg.cholesky(self.covariance)
        along = np.linalg.solve(root, (points - self.mean).T)
        return np.asarray(np.log(self.share) - 0.5 * np.square(along).sum(axis=0) - np.log(np.diag(root)).sum())


def fit_mixture(points: Array, weights: Array, size: int, rng: np.random.Generator) -> list[Component]:
    """Return a mixture of at most `size` components that is near points [s, d] of weights [s], which add up to 1.

    Each covariance leans to that of all points, as if twice as many points as dimensions had it. A component that
    speaks for fewer points than there are dimensions is left out; where all are, one speaks for all points.
    """
    s, d = points.shape
    every = np.atleast_2d(np.cov(points.T, aweights=weights)) + 1e-12 * np.eye(d)
    effective = 1 / np.square(weights).sum()
    size = min(size, int(np.count_nonzero(weights)))
    centers = points[rng.choice(s, size, replace=False, p=weights)]
    found = [Component(1 / size, center, every / size) for center in centers]
    for _ in range(ROUNDS):
        logs = np.array([component.log_density(points) for component in found])
        shares = np.exp(logs - logs.max(axis=0))
        shares *= weights / shares.sum(axis=0)
        many = [own for own in shares if own.sum() * effective > d] or [weights]
        found = [_component(points, own, every, effective) for own in many]
    return found


def _component(points: Array, shares: Array, every: Array, effective: float) -> Component:
    total = float(shares.sum())
    mean = shares @ points / total
    apart = points - mean
    own = (apart * (shares / total)[:, np.newaxis]).T @ apart
    count, prior = total * effective, _PRIOR * len(mean)
    return Component(total, mean, (count * own + prior * every) / (count + prior))
