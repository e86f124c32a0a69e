"""Sampling x Design x ModelSpec -> Draws: from the Stan program's variables to the CSV's names and units.

The program returns b (its intercept less b_location and at the mean of X), thresholds (at the mean of X), sd, cor,
b_aux (less its location and at the center of its columns) and aux in the units of the CSV, and the group effects as
standard normal z (full engine) or not at all (collapsed, whose b lacks what is integrated out); the chains of
`engines.marginal` return b whole, and effects u in the units of the CSV. The rest is done here in double precision,
because a CSV of draws with nine digits would lose an offset of 1e12, and because writing the effects beside z would
double the size of the sampler's output.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.origin import moved_scales, predictor_center, predictor_location, z_center
from hierfit.model.families import FAMILIES
from hierfit.model.spec import Kind, ModelSpec, pairs
from hierfit.posterior.draws import Draws
from hierfit.sampling import Sampling

Array = NDArray[np.float64]
_VARIABLES = ("b", "threshold", "sd", "cor", "b_aux", "aux", "horseshoe_global", "partial", "z")


def variables_of(sampling: Sampling) -> dict[str, Array]:
    """Return the draws of the program's vectors [chains, draws, size]; of those that the sampler left out, none."""
    empty = np.empty((*sampling.stats["lp"].shape, 0))
    return {name: sampling.variables.get(name, empty) for name in _VARIABLES}


def to_csv_units(
    variables: Mapping[str, Array], effects: dict[str, Array], sampling: Sampling, design: Design, spec: ModelSpec
) -> Draws:
    """Return the draws under the names and in the units of the CSV.

    `b` must be whole, and `effects` [chains, draws, J, M] of each factor in the units of the CSV; these are carried to
    x = 0 in place, as far as there are any.
    """
    own = [auxiliary.name for auxiliary in FAMILIES[spec.family].auxiliaries]
    kept = [own.index(auxiliary.name) for auxiliary in spec.auxiliaries]
    sds, at_mean, correlations = _at_zero(variables["sd"], variables["cor"], effects, design, spec)
    blocks = {
        Kind.COEFFICIENT: _coefficients(variables["b"], design, spec),
        Kind.THRESHOLD: variables["threshold"] + variables["b"] @ design.x_mean[:, np.newaxis]
        if spec.thresholds
        else variables["threshold"],
        Kind.SD: sds,
        Kind.SD_AT_MEAN: at_mean,
        Kind.CORRELATION: correlations,
        Kind.DISTRIBUTIONAL: _distributional(variables["b_aux"], design, spec),
        Kind.AUXILIARY: np.concatenate([variables["aux"][..., kept], variables["horseshoe_global"]], axis=2),
    }
    return Draws(
        parameters=spec.parameters,
        values=np.concatenate([blocks[kind] for kind in Kind], axis=2),
        effects=effects,
        stats=sampling.stats,
        max_treedepth=sampling.options.max_treedepth,
        lost_chains=len(sampling.lost),
    )


def _coefficients(b: Array, design: Design, spec: ModelSpec) -> Array:
    """Add to the intercept what it counts from, and carry it from the mean of X to x = 0 [chains, draws, K]."""
    if not design.intercept:
        return b
    at_mean = b[..., :1] + design.intercept_origin
    at_zero = at_mean - b[..., 1:] @ design.x_mean[:, np.newaxis]
    intercepts = [at_zero, at_mean] if spec.has_two_intercepts else [at_zero]
    return np.concatenate([*intercepts, b[..., 1:]], axis=2)


def _distributional(b_aux: Array, design: Design, spec: ModelSpec) -> Array:
    """Add to the coefficients of parameters beside the mean what they count from, intercepts at 0 [chains, draws, S].

    The program has them in the order of the family's parameters, the model in that of the formula.
    """
    order = [auxiliary.name for auxiliary in FAMILIES[spec.family].auxiliaries]
    found, start = {}, 0
    for own in sorted(design.distributional, key=lambda own: order.index(own.parameter)):
        stop = start + len(own.coefficients)
        b = b_aux[..., start:stop]
        found[own.parameter] = b + predictor_location(design, own)
        found[own.parameter][..., 0] -= b @ predictor_center(spec, own)
        start = stop
    return np.concatenate([b_aux[..., :0], *(found[own.parameter] for own in spec.distributional)], axis=2)


def _at_zero(
    sd: Array, cor: Array, effects: Mapping[str, Array], design: Design, spec: ModelSpec
) -> tuple[Array, Array, Array]:
    """Return sds, those of intercepts at the mean of the columns, and correlations; carry effects to x = 0 in place."""
    sds, at_mean, correlations, c, p = [sd[..., :0]], [sd[..., :0]], [cor[..., :0]], 0, 0
    for group, named in zip(design.groups, spec.groups, strict=True):
        n_terms, n_pairs = len(group.terms), len(list(pairs(named)))
        own, between, center = sd[..., c : c + n_terms], cor[..., p : p + n_pairs], z_center(spec, group)
        if spec.has_two_sds(named):
            at_mean.append(own[..., :1])
        if center.any():
            first = named.blocks[0].size
            inside = first * (first - 1) // 2
            moved = moved_scales(own[..., :first], between[..., :inside], -center[:first])
            own = np.concatenate([moved[0], own[..., first:]], axis=-1)
            between = np.concatenate([moved[1], between[..., inside:]], axis=-1)
            for m in np.flatnonzero(center) if group.factor in effects else ():
                effects[group.factor][..., 0] -= center[m] * effects[group.factor][..., m]
        sds.append(own)
        correlations.append(between)
        c, p = c + n_terms, p + n_pairs
    return np.concatenate(sds, axis=2), np.concatenate(at_mean, axis=2), np.concatenate(correlations, axis=2)
