"""ModelSpec x Design -> what every Stan program gets: parameters with their priors, grouping factors.

The names and shapes are those of the program's data block (`stan_models/glmm.stan.j2`). Columns, and the outcome where
its family allows it, are centred and divided by their sds here, so that the sampler's parameters are near 1 in size
whatever the units; priors and their bounds stay in the units of the CSV, and speak of where they were set. What an
engine makes of the rows is its own (`engines`). What is 0-based in Python is 1-based in Stan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.design.origin import (
    predictor_at_prior,
    predictor_center,
    predictor_location,
    z_at_prior,
)
from hierfit.design.scaling import (
    coefficient_scale,
    effect_scale,
)
from hierfit.model.families import FAMILIES
from hierfit.model.priors import DISTRIBUTIONS, EVERYWHERE, HORSESHOE_SCALE, Interval, Prior
from hierfit.model.spec import ModelSpec, coefficient_name, cor_name, sd_name, threshold_name

Array = NDArray[np.float64]
StanData = Mapping[str, Any]
_NO_PRIOR = Prior("constant", (1.0,), "of nothing")  # of a parameter that the program has, and this model has not


@dataclass(frozen=True)
class Bounded:
    """The prior of one parameter and the range of the parameter itself."""

    prior: Prior
    within: Interval = EVERYWHERE

    @property
    def bounds(self) -> Interval:
        """The interval outside which the density is 0."""
        return self.prior.bounds(within=self.within)


def shared_data(spec: ModelSpec, design: Design, integrated: Sequence[int] = ()) -> dict[str, Any]:
    """Return what every program gets: parameters with their priors, and grouping factors.

    `integrated` are the coefficients (0-based, of K) that are not among the parameters.
    """
    b_scale = coefficient_scale(design)
    b_location = np.zeros(len(b_scale))
    b_location[: int(design.intercept)] = design.intercept_origin
    auxiliaries = FAMILIES[spec.family].auxiliaries
    sd_names = [sd_name(group.factor, term) for group in design.groups for term in group.terms]
    return {
        "prior_only": int(spec.prior_only),
        "K": len(b_scale),
        "b_location": b_location,
        "b_scale": b_scale,
        **_priors("b", "K", [Bounded(spec.priors[name]) for name in spec.coefficient_names], b_location, integrated),
        **_horseshoe(spec, integrated),
        **_thresholds(spec),
        **_groups(spec, design),
        **_priors("sd", "C", [Bounded(spec.priors[name], (0.0, inf)) for name in sd_names]),
        "A": len(auxiliaries),
        "aux_scale": np.array([design.sigma_scale if aux.in_outcome_units else 1.0 for aux in auxiliaries]),
        **_priors("aux", "A", [Bounded(spec.priors.get(aux.name, _NO_PRIOR), aux.within) for aux in auxiliaries]),
    }


def _priors(
    prefix: str,
    size: str,
    bounded: Sequence[Bounded],
    location: Array | None = None,
    integrated: Sequence[int] = (),
) -> dict[str, Any]:
    """Return what the program wants to know of the priors of one class of parameters."""
    priors = [parameter.prior for parameter in bounded]
    free = [index for index, prior in enumerate(priors) if prior.constant is None and index not in integrated]
    constant = np.zeros(len(priors))
    for index, prior in enumerate(priors):
        if prior.constant is not None:
            constant[index] = prior.constant - (0.0 if location is None else location[index])
    bounds = np.array([bounded[index].bounds for index in free]).reshape(len(free), 2)
    return {
        **_densities(prefix, priors),
        f"{size}_free": len(free),
        f"{prefix}_free": np.array(free, dtype=int) + 1,
        f"{prefix}_lower": bounds[:, 0],
        f"{prefix}_upper": bounds[:, 1],
        f"{prefix}_constant": constant,
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
    shared = _densities("horseshoe", [spec.priors.get(HORSESHOE_SCALE, _NO_PRIOR)])
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
    location = _side_by_side(predictor_location(design, found) for _, found in predictors)
    scale = _side_by_side(found.scale for _, found in predictors)
    names = [coefficient_name(found.parameter, term) for _, found in predictors for term in found.coefficients]
    columns = [(found.X - predictor_center(spec, found)) / found.scale for _, found in predictors]
    return {
        "S": len(scale),
        "S_of": np.array([0 if found is None else len(found.coefficients) for _, found in own], dtype=int),
        "X_aux": np.concatenate([np.empty((design.n_rows if predictors else 0, 0)), *columns], axis=1),
        "X_aux_at_prior": _side_by_side(predictor_at_prior(spec, found) for _, found in predictors),
        "b_aux_location": location,
        "b_aux_scale": 1 / scale,
        **_priors("b_aux", "S", [Bounded(spec.priors[name]) for name in names], location),
    }


def _groups(spec: ModelSpec, design: Design) -> dict[str, Any]:
    """Return the grouping factors: sizes, the level of each row, the varying columns."""
    sd_scale = _side_by_side(effect_scale(design, group) for group in design.groups)
    return {
        "F": len(design.groups),
        "J": np.array([group.n_levels for group in design.groups], dtype=int),
        "M": np.array([len(group.terms) for group in design.groups], dtype=int),
        "correlated": np.array([int(group.correlated) for group in design.groups], dtype=int),
        "lkj_eta": np.array([_lkj_eta(spec, group) for group in design.groups]),
        "C": len(sd_scale),
        "sd_scale": sd_scale,
        "Z_at_prior": _side_by_side(z_at_prior(spec, group) for group in design.groups),
    }


def _side_by_side(vectors: Iterable[Array]) -> Array:
    return np.concatenate([np.empty(0), *vectors])


def _lkj_eta(spec: ModelSpec, group: Group) -> float:
    """Return the prior of the factor's correlations; any number where it has none."""
    return spec.priors[cor_name(group.factor)].arguments[0] if group.correlated else 1.0
