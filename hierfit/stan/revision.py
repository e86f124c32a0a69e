"""Draws of a first round -> which effects the sampler had better see with their mean (`model.centering`).

The first choice is a guess from a rough fit; the draws know what the rows say of each effect: its posterior is so much
narrower than its prior. They know how small an sd may be as well, if they reach there; where they diverge, centred are
only columns that are so beyond doubt, and none whose sd is small where they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.model.centering import LOWER_END, narrowing
from hierfit.stan.sampler import Sampling

Array = NDArray[np.float64]

# Divergences lie at small sds where their mean rank among all draws is below this; 0.5 if they lie anywhere.
LOW_RANK, FEW_DIVERGENT = 0.3, 5
SURE_END = 2.0  # as LOWER_END, where draws diverge


def revise(sampling: Sampling, data: Mapping[str, Any]) -> Array:
    """Return `Centering.narrowed` as the draws have it."""
    sd = sampling.variables["sd"] / data["sd_scale"]
    ratio = np.empty(sd.shape[-1])
    u = c = 0
    for n_levels, n_terms in zip(np.asarray(data["J"]), np.asarray(data["M"]), strict=True):
        for m in range(n_terms):
            z = sampling.variables["z"][..., u : u + n_levels]
            if data["centered"][c + m]:
                z = (z - z.mean(axis=-1, keepdims=True)) / np.sqrt(np.mean(sd[..., c + m] ** 2))
            ratio[c + m] = np.median(np.maximum(1 / z.var(axis=(0, 1)) - 1, 0.0))
            u += n_levels
        c += n_terms
    spread = np.log(np.maximum(sd, 1e-300)).std(axis=(0, 1))
    end = LOWER_END if sampling.stats["diverging"].sum() < FEW_DIVERGENT else SURE_END
    least = ratio * np.exp(-2 * end * spread)
    return narrowing(ratio, np.where(_diverges_when_small(sampling, sd), 0.0, least))


def _diverges_when_small(sampling: Sampling, sd: Array) -> NDArray[np.bool_]:
    """Return of each column whether draws diverge where its sd is small [C]."""
    diverging = sampling.stats["diverging"].ravel()
    if diverging.sum() < FEW_DIVERGENT:
        return np.zeros(sd.shape[-1], dtype=np.bool_)
    ranks = sd.reshape(-1, sd.shape[-1]).argsort(axis=0).argsort(axis=0) / diverging.size
    return np.asarray(ranks[diverging].mean(axis=0) < LOW_RANK)
