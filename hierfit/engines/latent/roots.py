"""Square roots of covariances of effects as the kernel takes them: lower triangles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def lower_roots(roots: Array) -> Array:
    """Return the lower triangular square roots of the same covariances, their diagonals not negative [s, M, M]."""
    if roots.shape[1] == 1:
        return roots
    R = np.linalg.qr(np.swapaxes(roots, 1, 2), mode="r")
    signs = np.where(np.diagonal(R, axis1=1, axis2=2) < 0, -1.0, 1.0)
    return np.swapaxes(R * signs[:, :, np.newaxis], 1, 2)
