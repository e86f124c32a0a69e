"""Draws of the full engine's z, and the data that its program got -> the group effects, without their means.

The way back of what the model block does with z (`stan_models/glmm.stan.j2`): a factor after those that it is nested
in, column by column, as the Cholesky factor T of the covariance of an effect is triangular. All is scaled as for the
sampler, and what the data number from 1 (`stan.data`) is numbered from 0 here; J levels, M columns of a factor, K
coefficients, [...] chains and draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.engines.correlations import cholesky_from_partials
from hierfit.stan.theta import part

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Effects:
    """What draws of z say.

    Attributes:
        own: the effects of each factor less their mean [..., M, J].
        total: each factor's first effects as rows see them, with their mean, less what is swept out [..., J].
        in_b: what b holds besides the coefficients, the swept means [..., K].
        in_thresholds: the same of thresholds [..., 1].
    """

    own: tuple[Array, ...]
    total: tuple[Array, ...]
    in_b: Array
    in_thresholds: Array


@dataclass(frozen=True)
class _Factor:
    """One factor.

    Attributes:
        z: its part of z [..., M, J].
        mean: of its effects [..., M, J].
        T: Cholesky factor of the covariance of an effect [..., M, M].
        centered: which effects z holds with their mean [M, J].
        stretch: the mean over the levels of a swept column of effects, per unit of that of z [M]; 1 for others.
    """

    z: Array
    mean: Array
    T: Array
    centered: NDArray[np.bool_]
    stretch: Array


def effects_of(variables: Mapping[str, Array], data: Mapping[str, Any]) -> Effects:
    """Return the effects from draws of b, sd, partial and z; `data` are the program's.

    Variables that are empty may be left out, as the sampler does.
    """
    empty = np.empty((*next(iter(variables.values())).shape[:2], 0))
    variables = {name: variables.get(name, empty) for name in ("b", "sd", "partial", "z")}
    b = variables["b"] / part(data["theta_scale"], "b", data)
    in_b, in_thresholds = np.zeros_like(b), np.zeros((*b.shape[:-1], 1))
    own: dict[int, Array] = {}
    total: dict[int, Array] = {}
    for f in np.asarray(data["outer_first"]) - 1:
        columns = slice(sum(data["M"][:f]), sum(data["M"][: f + 1]))
        factor, swept = _factor(f, variables, b, data, total), np.asarray(data["swept"][columns], dtype=bool)
        own[f] = _deviations(factor)
        means = own[f].mean(axis=-1)
        total[f] = factor.mean[..., 0, :] + own[f][..., 0, :] - swept[0] * means[..., :1]
        in_b += means @ data["Z_in_X"][columns]
        if "Z_in_thresholds" in data:
            in_thresholds += means @ data["Z_in_thresholds"][columns, np.newaxis]
    factors = range(len(own))
    return Effects(tuple(own[f] for f in factors), tuple(total[f] for f in factors), in_b, in_thresholds)


def _factor(
    f: int, variables: Mapping[str, Array], b: Array, data: Mapping[str, Any], total: Mapping[int, Array]
) -> _Factor:
    """Put together what belongs to factor f (0-based), given the totals of first effects of those around it."""
    J, M, correlated = (np.asarray(data[name]) for name in ("J", "M", "correlated"))
    n_pairs = M * (M - 1) // 2 * correlated
    j, c, u, p = (int(sizes[:f].sum()) for sizes in (J, M, J * M, n_pairs))
    levels, columns, effects = slice(j, j + J[f]), slice(c, c + M[f]), slice(u, u + J[f] * M[f])
    partial = variables["partial"][..., p : p + n_pairs[f]]
    L = cholesky_from_partials(partial, int(M[f])) if n_pairs[f] else np.eye(M[f])
    T = (variables["sd"] / part(data["theta_scale"], "sd", data))[..., columns, np.newaxis] * L
    mean = np.zeros((*b.shape[:-1], M[f], J[f]))
    mean[..., 0, :] = b @ data["level_X"][levels].T
    for m, k in enumerate(data["slope"][columns]):
        if k > 0:
            mean[..., m, :] += b[..., k - 1, np.newaxis]
    outer = data["within"][f] - 1
    if outer >= 0:
        mean[..., 0, :] += total[outer][..., data["outer_level"][levels] - 1]
    narrowed = np.asarray(data["narrowed"])[effects].reshape(M[f], J[f])
    stretch = np.where(data["swept"][columns], 1 / narrowed[:, 0], 1.0)
    z = variables["z"][..., effects].reshape(*b.shape[:-1], M[f], J[f])
    return _Factor(z, mean, T, narrowed < 1, stretch)


def _deviations(factor: _Factor) -> Array:
    """Return the effects of one factor less their mean [..., M, J]."""
    standard, found = np.empty_like(factor.z), np.empty_like(factor.z)
    for m, centered in enumerate(factor.centered):
        z, scale = factor.z[..., m, :], factor.T[..., m, m, np.newaxis]
        given = np.einsum("...i,...ij->...j", factor.T[..., m, :m], standard[..., :m, :])
        own = np.where(centered, z - factor.mean[..., m, :], given + scale * z)
        if centered.all():
            own += own.mean(axis=-1, keepdims=True) * (factor.stretch[m] - 1)
        standard[..., m, :] = np.where(centered, (own - given) / scale, z)
        found[..., m, :] = own
    return found
