"""ModelSpec x Design -> the data of the Stan program. The only place where 0-based becomes 1-based.

The names and shapes are those of the program's data block (`stan_models/glmm.stan.j2`). Outcome and columns are
centred and divided by their sds here, so that the sampler's parameters are near 1 in size whatever the units; priors
and their bounds stay in the units of the CSV.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.model.design import Design, Group
from hierfit.model.families import FAMILIES
from hierfit.model.formula import INTERCEPT
from hierfit.model.priors import DISTRIBUTIONS, Prior
from hierfit.model.spec import ModelSpec, sd_name

Array = NDArray[np.float64]
StanData = Mapping[str, Any]


def stan_data(spec: ModelSpec, design: Design) -> StanData:
    """Return the program's data as numpy arrays and ints."""
    y_mean, y_scale = design.y_mean, design.y_scale
    X = (design.X - design.x_mean) / design.x_scale
    b_scale = y_scale / design.x_scale
    if design.intercept:
        X = np.column_stack([np.ones(design.n_rows), X])
        b_scale = np.concatenate([[y_scale], b_scale])
    b_location = np.zeros(len(b_scale))
    b_location[: int(design.intercept)] = y_mean
    family = FAMILIES[spec.family]
    sd_names = [sd_name(group.factor, term) for group in design.groups for term in group.terms]
    return {
        "N": design.n_rows,
        "y": (design.y - y_mean) / y_scale,
        "prior_only": int(spec.prior_only),
        "K": len(b_scale),
        "X": X,
        "b_location": b_location,
        "b_scale": b_scale,
        **_priors("b", "K", [spec.priors[name] for name in spec.coefficient_names], b_location, positive=False),
        **_groups(spec, design),
        **_priors("sd", "C", [spec.priors[name] for name in sd_names], np.zeros(len(sd_names)), positive=True),
        "A": len(family.auxiliaries),
        "aux_scale": np.full(len(family.auxiliaries), y_scale),
        **_priors("aux", "A", [spec.priors[name] for name in family.auxiliaries], np.zeros(1), positive=True),
    }


def _priors(prefix: str, size: str, priors: Sequence[Prior], location: Array, *, positive: bool) -> dict[str, Any]:
    """Return what the program wants to know of the priors of one class of parameters."""
    free = [index for index, prior in enumerate(priors) if prior.constant is None]
    arguments = np.zeros((len(priors), 3))
    constant = np.zeros(len(priors))
    for index, prior in enumerate(priors):
        if prior.constant is None:
            arguments[index, : len(prior.arguments)] = prior.arguments
        else:
            constant[index] = prior.constant - location[index]
    bounds = np.array([priors[index].bounds(positive=positive) for index in free]).reshape(len(free), 2)
    return {
        f"{prefix}_prior": np.array([DISTRIBUTIONS[prior.distribution].code or 0 for prior in priors], dtype=int),
        f"{prefix}_prior_arguments": arguments,
        f"{size}_free": len(free),
        f"{prefix}_free": np.array(free, dtype=int) + 1,
        f"{prefix}_lower": bounds[:, 0],
        f"{prefix}_upper": bounds[:, 1],
        f"{prefix}_constant": constant,
    }


def _groups(spec: ModelSpec, design: Design) -> dict[str, Any]:
    """Return the grouping factors: sizes, the level of each row, the varying columns."""
    groups, n_rows = design.groups, design.n_rows
    columns = [(group, term, column) for group in groups for term, column in zip(group.terms, group.Z.T, strict=True)]
    unit = np.array([_unit(term, column) for _, term, column in columns])
    return {
        "F": len(groups),
        "J": np.array([group.n_levels for group in groups], dtype=int),
        "M": np.array([len(group.terms) for group in groups], dtype=int),
        "correlated": np.array([int(group.correlated) for group in groups], dtype=int),
        "lkj_eta": np.array([_lkj_eta(spec, group) for group in groups]),
        "level": np.array([group.codes for group in groups], dtype=int).reshape(len(groups), n_rows) + 1,
        "C": len(columns),
        "is_intercept": np.array([int(term == INTERCEPT) for _, term, _ in columns], dtype=int),
        "Z": np.array([column / unit[c] for c, (_, _, column) in enumerate(columns)]).reshape(len(columns), n_rows),
        "sd_scale": design.y_scale / unit,
    }


def _unit(term: str, column: Array) -> float:
    """Return the size of a varying column: 1 for the intercept, otherwise its sd."""
    return 1.0 if term == INTERCEPT else float(column.std(ddof=1))


def _lkj_eta(spec: ModelSpec, group: Group) -> float:
    """Return the prior of the factor's correlations; any number where it has none."""
    return spec.priors[f"cor({group.factor})"].arguments[0] if group.correlated else 1.0
