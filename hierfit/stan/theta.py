"""ModelSpec x Design -> theta: every scalar that the Stan programs sample, with what they want to know of it.

theta holds K coefficients b, C sds, A auxiliary parameters aux (those that predictors have in their place among them,
fixed) and S coefficients of these b_aux, one after the other. Each counts from its location, in units of its scale, so
that the sampler's parameters are near 1 in size; priors and their bounds are in the units of the CSV.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.origin import predictor_location
from hierfit.design.scaling import coefficient_scale, effect_scale
from hierfit.model.families import FAMILIES
from hierfit.model.priors import EVERYWHERE, Interval, Prior
from hierfit.model.spec import ModelSpec, coefficient_name, sd_name

Array = NDArray[np.float64]
SIZES = {"b": "K", "sd": "C", "aux": "A", "b_aux": "S"}  # of the parts of theta, in their order
NO_PRIOR = Prior("constant", (1.0,), "of nothing")  # of a parameter that the program has, and this model has not


@dataclass(frozen=True)
class Scalar:
    """One of theta.

    Attributes:
        prior: its prior.
        location: what it counts from.
        scale: its unit.
        within: the range of the parameter itself.
    """

    prior: Prior
    location: float
    scale: float
    within: Interval = EVERYWHERE

    @property
    def standard_bounds(self) -> tuple[float, float]:
        """Where it counts from its location, in its unit: the interval outside which the density is 0."""
        lower, upper = self.prior.bounds(within=self.within)
        return (lower - self.location) / self.scale, (upper - self.location) / self.scale


def scalars(spec: ModelSpec, design: Design) -> dict[str, list[Scalar]]:
    """Return theta, part by part."""
    priors, auxiliaries, unit = spec.priors, FAMILIES[spec.family].auxiliaries, design.sigma_scale
    locations = [design.intercept_origin] * design.intercept + [0.0] * len(design.coefficients)
    population = zip(spec.coefficient_names, locations, coefficient_scale(design).tolist(), strict=True)
    found = {
        "b": [Scalar(priors[name], location, scale) for name, location, scale in population],
        "sd": [
            Scalar(priors[sd_name(group.factor, term)], 0.0, scale, (0.0, inf))
            for group in design.groups
            for term, scale in zip(group.terms, effect_scale(design, group).tolist(), strict=True)
        ],
        "aux": [
            Scalar(priors.get(aux.name, NO_PRIOR), 0.0, unit if aux.in_outcome_units else 1.0, aux.within)
            for aux in auxiliaries
        ],
        "b_aux": [],
    }
    for own in filter(None, (design.predictor(aux.name) for aux in auxiliaries)):
        names = [coefficient_name(own.parameter, term) for term in own.coefficients]
        places = zip(names, predictor_location(design, own).tolist(), (1 / own.scale).tolist(), strict=True)
        found["b_aux"] += [Scalar(priors[name], location, scale) for name, location, scale in places]
    return found


def theta_data(theta: Sequence[Scalar], integrated: Sequence[int] = ()) -> dict[str, Any]:
    """Return what the programs want to know of theta, those at the places `integrated` not being sampled."""
    priors = [scalar.prior for scalar in theta]
    free = [at for at, prior in enumerate(priors) if prior.constant is None and at not in integrated]
    bounds = np.array([theta[at].standard_bounds for at in free]).reshape(len(free), 2)
    fixed = [0.0 if scalar.prior.constant is None else scalar.prior.constant - scalar.location for scalar in theta]
    return {
        "T": len(theta),
        "theta_location": np.array([scalar.location for scalar in theta]),
        "theta_scale": np.array([scalar.scale for scalar in theta]),
        "T_free": len(free),
        "theta_free": np.array(free, dtype=int) + 1,
        "theta_lower": bounds[:, 0],
        "theta_upper": bounds[:, 1],
        "theta_constant": np.array(fixed),
    }


def part(values: Array, name: str, data: Mapping[str, Any]) -> Array:
    """Return the part of that name of values of theta [..., T], given the sizes that the program got."""
    before = list(SIZES)[: list(SIZES).index(name)]
    start = sum(int(data.get(SIZES[other], 0)) for other in before)
    return values[..., start : start + int(data.get(SIZES[name], 0))]
