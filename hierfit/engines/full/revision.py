"""Draws of a first round -> which effects the sampler had better see with their mean (`engines.full.centering`).

The first choice is a guess from a rough fit; the draws know what the rows say of each effect: its posterior is so much
narrower than its prior. They know how small an sd may be as well, if they reach there; where they diverge, centred are
only columns that are so beyond doubt, and none whose sd is small where they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.full.centering import LOWER_END, narrowing
from hierfit.engines.full.effects import effects_of
from hierfit.sampling import Sampling
from hierfit.stan.theta import part

Array = NDArray[np.float64]

# Divergences lie at small sds where their mean rank among all draws is below this; 0.5 if they lie anywhere.
LOW_RANK, FEW_DIVERGENT = 0.3, 5
SURE_END = 2.0  # as LOWER_END, where draws diverge


def revise(sampling: Sampling, data: Mapping[str, Any]) -> Array:
    """Return `Centering.narrowed` as the draws have it, each level of its own."""
    sd = sampling.variables["sd"] / part(data["theta_scale"], "sd", data)
    sizes = np.repeat(data["J"], data["M"])
    ratio = np.maximum(1 / _variances(sampling, data, sd) - 1, 0.0)
    spread = np.log(np.maximum(sd, 1e-300)).std(axis=(0, 1))
    end = LOWER_END if sampling.stats["diverging"].sum() < FEW_DIVERGENT else SURE_END
    sure = np.where(_diverges_when_small(sampling, sd), 0.0, np.exp(-2 * end * spread))
    return narrowing(ratio, ratio * np.repeat(sure, sizes))


def _variances(sampling: Sampling, data: Mapping[str, Any], sd: Array) -> Array:
    """Return the variance of each effect, per unit of what its prior has it [all effects].

    That of an inner factor's first effects is told from their total, as it says nothing of the effects around it.
    """
    effects = effects_of(sampling.variables, data)
    found, c, u = [np.empty(0)], 0, 0
    for own, total, outer in zip(effects.own, effects.total, data["within"], strict=True):
        for m in range(own.shape[-2]):
            levels = slice(u, u + own.shape[-1])
            unit = np.sqrt(np.mean(sd[..., c] ** 2))
            if m == 0 and outer > 0:
                seen = total / unit
            elif data["narrowed"][u] < 1:  # of the mean the priors speak
                seen = (own[..., m, :] - own[..., m, :].mean(axis=-1, keepdims=True)) / unit
            else:
                seen = sampling.variables["z"][..., levels]
            found.append(seen.var(axis=(0, 1)))
            c, u = c + 1, levels.stop
    return np.concatenate(found)


def _diverges_when_small(sampling: Sampling, sd: Array) -> NDArray[np.bool_]:
    """Return of each column whether draws diverge where its sd is small [C]."""
    diverging = sampling.stats["diverging"].ravel()
    if diverging.sum() < FEW_DIVERGENT:
        return np.zeros(sd.shape[-1], dtype=np.bool_)
    ranks = sd.reshape(-1, sd.shape[-1]).argsort(axis=0).argsort(axis=0) / diverging.size
    return np.asarray(ranks[diverging].mean(axis=0) < LOW_RANK)
