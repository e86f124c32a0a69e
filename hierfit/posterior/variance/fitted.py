"""Draws x Design -> what every division of the variance needs of a fit: its groups' covariances, its rows without them.

Letters: T all draws, S chosen draws, R rows, F factors, M varying coefficients of one factor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.design.rows import Rows
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict.draws_of import Indices, n_draws
from hierfit.posterior.predict.new_levels import NewEffects, new_effects

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fit, and the distribution of its groups.

    Attributes:
        draws, design: the fit.
        bare: the design without groups.
        effects: how effects of levels are distributed.
    """

    draws: Draws
    design: Design
    bare: Design
    effects: NewEffects

    @property
    def of_other_parameters(self) -> bool:
        """Whether groups differ in another parameter than the mean."""
        return any(len(group.columns_of(None)) < len(group.terms) for group in self.design.groups)

    def between(self, group: Group, Z: Array, picks: Indices) -> Array:
        """Return the variance of the linear predictor between levels at rows of Z [R, M], under draws [S, R]."""
        own = group.columns_of(None)
        parts = np.einsum("rm,smk->ksr", Z[:, own], self._scales(group, own, picks))
        return np.asarray(np.sum(parts**2, axis=0))

    def between_on_average(self, group: Group, Z: Array, weights: Array, picks: Indices) -> Array:
        """Return the mean of that variance over rows that count so often [R], under draws [S].

        Of rows z it is z' Sigma z, whose mean follows from the mean and the covariance of z (Johnson 2014, Methods in
        Ecology and Evolution 5(9)).
        """
        own = group.columns_of(None)
        scales = self._scales(group, own, picks)
        mean, covariance = spread_of_columns(Z[:, own], weights)
        at_mean = np.sum(np.einsum("m,smk->sk", mean, scales) ** 2, axis=1)
        return np.asarray(at_mean + np.einsum("smk,mn,snk->s", scales, covariance, scales, optimize=True))

    def _scales(self, group: Group, own: NDArray[np.int64], picks: Indices) -> Array:
        return np.asarray(self.effects.scales[group.factor][picks][:, own])


def fitted(draws: Draws, design: Design, seed: int) -> Fitted:
    """Return what is needed of a fit; simulated groups follow from the seed."""
    return Fitted(draws, design, replace(design, groups=()), new_effects(draws, design, seed))


def without_groups(rows: Rows) -> Rows:
    """Return rows without what they have of the factors."""
    return replace(rows, groups=())


def spread_of_columns(columns: Array, weights: Array) -> tuple[Array, Array]:
    """Return the weighted mean [K] and covariance [K, K], over the sum of the weights, of columns [R, K]."""
    share, first = weights / weights.sum(), columns[0]
    mean = first + share @ (columns - first)
    apart = columns - mean
    return mean, np.asarray((apart * share[:, None]).T @ apart)


def enough_draws(draws: Draws, rows: int, budget: float, least: int = 1_000) -> Indices:
    """Return all draws, or as many, evenly spaced, as rows times draws may be; never fewer than `least`."""
    total = n_draws(draws)
    count = min(total, max(least, int(budget / max(rows, 1))))
    return np.linspace(0, total - 1, count).round().astype(np.int64)
