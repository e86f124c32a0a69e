"""Numbers that a fitting model would give, bin by bin, many times over -> a band that holds them all with 95 %.

Letters: K simulations, B bins. A band of 95 % in each of 20 bins is left in one of them, on average, by data from the
model itself. The bounds lie at the same number of sds from the mean in every bin, and that number is such that 95 % of
the simulations stay within the bounds in all bins. Counts are taken by their roots, whose sd hardly depends on the mean
(Anscombe 1948, Biometrika 35), so that the rule holds for rare and for common values alike.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
MASS = 0.95
SIMULATIONS, SEED = 4_000, 20_221_101
_SHIFT = 3 / 8


def band(simulated: Array, *, counts: bool = True, alike: bool = False) -> tuple[Array, Array]:
    """Return lower and upper bounds [B] that hold all bins of 95 % of the simulations [K, B].

    `alike`: whether all bins have the same distribution, and so the same bounds.
    """
    t = np.sqrt(simulated + _SHIFT) if counts else simulated
    axis = None if alike else 0
    centre, sd = (np.broadcast_to(of, t.shape[1]) for of in (t.mean(axis=axis), t.std(axis=axis)))
    away = np.abs(t - centre) / np.where(sd > 0, sd, np.inf)
    reach = float(np.quantile(away.max(axis=1), MASS, method="higher")) * sd + 1e-9 * (1 + np.abs(centre))
    if not counts:
        return centre - reach, centre + reach
    low = np.square(np.maximum(centre - reach, 0)) - _SHIFT
    return np.maximum(low, 0.0), np.square(centre + reach) - _SHIFT


@lru_cache
def uniform_band(rows: int, bins: int) -> tuple[float, float]:
    """Return the bounds of all bars of a histogram of so many uniform numbers."""
    rng = np.random.default_rng([SEED, rows, bins])
    simulated = rng.multinomial(rows, np.full(bins, 1 / bins), SIMULATIONS).astype(np.float64)
    low, high = band(simulated, alike=True)
    return float(low[0]), float(high[0])
