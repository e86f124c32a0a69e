"""Draws x Group -> effects of levels that no row of the fit had: from the distribution of the levels.

u ~ normal(0, D R D) under the sds D and correlations R of each posterior draw (the policy that brms calls gaussian):
one joint draw of all M varying coefficients of a new level for each posterior draw, those of other parameters than the
mean among them. It follows from the seed, the factor and the label alone: the same level has the same effects in
whatever rows and blocks of rows it stands.

Where intercepts and slopes are correlated the effects are drawn at the means of the slopes' columns, where their sds
and correlations are numbers of ordinary size, and carried to 0, where effects are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.model.spec import INTERCEPT_AT_MEAN, below_diagonal, cor_name, pairs, sd_name
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict.draws_of import Indices, every_draw, n_draws, positions, values_of

Array = NDArray[np.float64]

# What is left of an sd of 1 where other coefficients say all of it, in rounding errors.
_NOTHING = 1e-7


@dataclass(frozen=True, eq=False)
class NewEffects:
    """How effects of new levels are drawn.

    Attributes:
        seed: what they follow from, beside factor and label.
        scales: factor -> what standard normal numbers are multiplied by to be effects, of all T draws [T, M, M].
    """

    seed: int
    scales: Mapping[str, Array]

    def of(self, factor: str, label: str, picks: Indices) -> Array:
        """Return the effects of one new level under chosen draws [S, M]."""
        scales = self.scales[factor]
        rng = np.random.default_rng([self.seed, *_words(factor, label)])
        standard = rng.standard_normal(scales.shape[:2])[picks]
        return np.asarray(np.einsum("smk,sk->sm", scales[picks], standard))


def new_effects(draws: Draws, design: Design, seed: int) -> NewEffects:
    """Return how effects of new levels of every factor are drawn."""
    return NewEffects(seed, {group.factor: level_scales(draws, group) for group in design.groups})


def _words(factor: str, label: str) -> list[int]:
    """Return numbers that stand for a level of a factor."""
    digest = hashlib.sha256(f"{factor}\0{label}".encode()).digest()
    return [int.from_bytes(digest[start : start + 4], "big") for start in range(0, 16, 4)]


def level_scales(draws: Draws, group: Group) -> Array:
    """Return the factor of the covariance of one level's effects under every draw [T, M, M]."""
    known, picks, size = positions(draws), every_draw(draws), len(group.terms)
    sd = values_of(draws, [sd_name(group.factor, term) for term in group.terms], picks)
    R = np.broadcast_to(np.eye(size), (n_draws(draws), size, size)).copy()
    for (high, low), pair in zip(below_diagonal(group.named), pairs(group.named), strict=True):
        R[:, high, low] = R[:, low, high] = values_of(draws, [cor_name(group.factor, pair)], picks)[:, 0]
    at_mean = sd_name(group.factor, INTERCEPT_AT_MEAN)
    if at_mean not in known:
        return np.asarray(sd[:, :, None] * _cholesky(R))
    # Intercepts at the means m of the slopes' columns: u_0 + m'u, whose sd is known to every digit, however large m is.
    of_first = np.arange(size) < group.named.blocks[0].size
    m = np.where(of_first, group.mean, 0.0)
    covariance = sd[:, :, None] * R * sd[:, None, :]
    moved = np.einsum("j,sjk->sk", np.where(np.arange(size) == 0, 1.0, m), covariance)
    sd[:, 0] = values_of(draws, [at_mean], picks)[:, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        cor = moved[:, 1:] / (sd[:, :1] * sd[:, 1:])
    R[:, 0, 1:] = R[:, 1:, 0] = np.clip(np.where(np.isfinite(cor), cor, 0.0), -1.0, 1.0)
    scales = sd[:, :, None] * _cholesky(R)
    scales[:, 0] -= np.einsum("j,sjk->sk", m[1:], scales[:, 1:])
    return np.asarray(scales)


def _cholesky(R: Array) -> Array:
    """Return the lower factors of correlation matrices [T, M, M], singular ones too."""
    factor = np.zeros_like(R)
    for i in range(R.shape[-1]):
        for j in range(i):
            left = R[:, i, j] - np.sum(factor[:, i, :j] * factor[:, j, :j], axis=-1)
            own = factor[:, j, j]
            factor[:, i, j] = np.where(own > _NOTHING, left / np.maximum(own, _NOTHING), 0.0)
        left = R[:, i, i] - np.sum(factor[:, i, :i] ** 2, axis=-1)
        factor[:, i, i] = np.sqrt(np.maximum(left, 0.0))
    return factor
