"""ModelSpec x Design -> what every Stan program gets: parameters with their priors, grouping factors.

The names and shapes are those of the program's data block (`stan_models/glmm.stan.j2`). Columns, and the outcome where
its family allows it, are centred and divided by their sds here, so that the sampler's parameters are near 1 in size
whatever the units; priors and their bounds stay in the units of the CSV, and speak of where they were set. What an
engine makes of the rows is its own (`engines`). What is 0-based in Python is 1-based in Stan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.design.origin import (
    predictor_at_prior,
    predictor_center,
    z_at_prior,
)
from hierfit.model.families import FAMILIES
from hierfit.model.priors import DISTRIBUTIONS, HORSESHOE_SCALE, Prior
from hierfit.model.spec import Block, ModelSpec, cor_name, threshold_name
from hierfit.stan.theta import NO_PRIOR, SIZES, scalars, theta_data

Array = NDArray[np.float64]
StanData = Mapping[str, Any]


def shared_data(spec: ModelSpec, design: Design, integrated: Sequence[int] = ()) -> dict[str, Any]:
    """Return what every program gets: parameters with their priors, and grouping factors.

    `integrated` are the coefficients (0-based, of K) that are not among the parameters.
    """
    parts = scalars(spec, design)
    theta = [scalar for part in parts.values() for scalar in part]
    return {
        "prior_only": int(spec.prior_only),
        **{SIZES[name]: len(parts[name]) for name in ("b", "sd", "aux")},
        **theta_data(theta, integrated),
        **_densities("theta", [scalar.prior for scalar in theta]),
        **_horseshoe(spec, integrated),
        **_thresholds(spec),
        **_groups(spec, design),
    }


def _densities(prefix: str, priors: Sequence[Prior]) -> dict[str, Any]:
    """Return the densities of the priors; of those that are none of the parameter alone, none."""
    arguments = np.zeros((len(priors), 3))
    for index, prior in enumerate(priors):
        if DISTRIBUTIONS[prior.distribution].code is not None:
            arguments[index, : len(prior.arguments)] = prior.arguments
    codes = [DISTRIBUTIONS[prior.distribution].code or 0 for prior in priors]
    return {f"{prefix}_prior": np.array(codes, dtype=int), f"{prefix}_prior_arguments": arguments}


def _horseshoe(spec: ModelSpec, integrated: Sequence[int]) -> dict[str, Any]:
    """Return which coefficients share a horseshoe, and the prior of the scale that they share."""
    names = enumerate(spec.coefficient_names)
    free = [name for index, name in names if spec.priors[name].constant is None and index not in integrated]
    shared = _densities("horseshoe", [spec.priors.get(HORSESHOE_SCALE, NO_PRIOR)])
    return {
        "H": len(spec.shrunk),
        "horseshoe": np.array([spec.coefficient_names.index(name) for name in spec.shrunk], dtype=int) + 1,
        "horseshoe_std": np.array([free.index(name) for name in spec.shrunk], dtype=int) + 1,
        **{name: values[0] for name, values in shared.items()},
    }


def _thresholds(spec: ModelSpec) -> dict[str, Any]:
    """Return the priors of the thresholds between ordered categories."""
    if not spec.thresholds:
        return {}
    priors = [spec.priors[threshold_name(between)] for between in spec.thresholds]
    return {"Q": len(priors), **_densities("threshold", priors)}


def distributional_data(spec: ModelSpec, design: Design) -> dict[str, Any]:
    """Return the columns that predict auxiliary parameters, side by side; none where each is one number."""
    own = [(aux, design.predictor(aux.name)) for aux in FAMILIES[spec.family].auxiliaries]
    predictors = [(aux, found) for aux, found in own if found is not None]
    numbers: dict[str | None, int] = {None: 0, **{aux.name: number for number, (aux, _) in enumerate(own, start=1)}}
    columns = [(found.X - predictor_center(spec, found)) / found.scale for _, found in predictors]
    return {
        "S": sum(len(found.coefficients) for _, found in predictors),
        "feeds": np.array([numbers[parameter] for group in design.groups for parameter in group.named.of_parameters]),
        "S_of": np.array([0 if found is None else len(found.coefficients) for _, found in own], dtype=int),
        "X_aux": np.concatenate([np.empty((design.n_rows if predictors else 0, 0)), *columns], axis=1),
        "X_aux_at_prior": _side_by_side(predictor_at_prior(spec, found) for _, found in predictors),
    }


def _groups(spec: ModelSpec, design: Design) -> dict[str, Any]:
    """Return the blocks of what varies together: sizes, correlations, where priors speak."""
    blocks = [(group, block) for group in design.groups for block in group.named.blocks]
    return {
        "F": len(blocks),
        "J": np.array([group.n_levels for group, _ in blocks], dtype=int),
        "M": np.array([block.size for _, block in blocks], dtype=int),
        "correlated": np.array([int(block.correlated) for _, block in blocks], dtype=int),
        "lkj_eta": np.array([_lkj_eta(spec, group, block) for group, block in blocks]),
        "Z_at_prior": _side_by_side(z_at_prior(spec, group) for group in design.groups),
    }


def _side_by_side(vectors: Iterable[Array]) -> Array:
    return np.concatenate([np.empty(0), *vectors])


def _lkj_eta(spec: ModelSpec, group: Group, block: Block) -> float:
    """Return the prior of a block's correlations; any number where it has none."""
    return spec.priors[cor_name(group.factor)].arguments[0] if block.correlated else 1.0
