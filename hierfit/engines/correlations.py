"""Correlation matrices from canonical partial correlations, as the Stan programs have them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def cholesky_from_partials(partial: Array, size: int) -> Array:
    """Return the Cholesky factor of the correlation matrix [..., size, size] from its partial correlations [..., P].

    The same as the function of that name in the Stan program: Lewandowski, Kurowicka & Joe (2009).
    """
    factor = np.zeros((*partial.shape[:-1], size, size))
    p = 0
    for i in range(size):
        remaining = np.ones(partial.shape[:-1])
        for j in range(i):
            factor[..., i, j] = partial[..., p] * np.sqrt(remaining)
            remaining = remaining * (1 - partial[..., p] ** 2)
            p += 1
        factor[..., i, i] = np.sqrt(remaining)
    return factor
