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
from hierfit.model.engines import Engine
from hierfit.model.families import FAMILIES
from hierfit.model.formula import INTERCEPT
from hierfit.model.priors import DISTRIBUTIONS, Prior
from hierfit.model.scaling import level_products, scaled_columns, scaled_outcome, scaled_varying, varying_units
from hierfit.model.spec import ModelSpec, sd_name

Array = NDArray[np.float64]
StanData = Mapping[str, Any]


def stan_data(spec: ModelSpec, design: Design, engine: Engine = Engine.FULL) -> StanData:
    """Return the program's data as numpy arrays and ints."""
    b_scale = design.y_scale / design.x_scale
    if design.intercept:
        b_scale = np.concatenate([[design.y_scale], b_scale])
    b_location = np.zeros(len(b_scale))
    b_location[: int(design.intercept)] = design.y_mean
    family = FAMILIES[spec.family]
    sd_names = [sd_name(group.factor, term) for group in design.groups for term in group.terms]
    return {
        "N": design.n_rows,
        "prior_only": int(spec.prior_only),
        "K": len(b_scale),
        "b_location": b_location,
        "b_scale": b_scale,
        **_priors("b", "K", [spec.priors[name] for name in spec.coefficient_names], b_location, positive=False),
        **_groups(spec, design),
        **_priors("sd", "C", [spec.priors[name] for name in sd_names], np.zeros(len(sd_names)), positive=True),
        "A": len(family.auxiliaries),
        "aux_scale": np.full(len(family.auxiliaries), design.y_scale),
        **_priors("aux", "A", [spec.priors[name] for name in family.auxiliaries], np.zeros(1), positive=True),
        **(_cross_products(design) if engine is Engine.COLLAPSED else _rows(design)),
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
    units = np.concatenate([np.empty(0), *(varying_units(group) for group in design.groups)])
    return {
        "F": len(design.groups),
        "J": np.array([group.n_levels for group in design.groups], dtype=int),
        "M": np.array([len(group.terms) for group in design.groups], dtype=int),
        "correlated": np.array([int(group.correlated) for group in design.groups], dtype=int),
        "lkj_eta": np.array([_lkj_eta(spec, group) for group in design.groups]),
        "C": len(units),
        "sd_scale": design.y_scale / units,
    }


def _rows(design: Design) -> dict[str, Any]:
    """Return what the full engine wants of every row."""
    groups, n_rows = design.groups, design.n_rows
    terms = [term for group in groups for term in group.terms]
    return {
        "y": scaled_outcome(design),
        "X": scaled_columns(design),
        "level": np.array([group.codes for group in groups], dtype=int).reshape(len(groups), n_rows) + 1,
        "is_intercept": np.array([int(term == INTERCEPT) for term in terms], dtype=int),
        "Z": np.concatenate([np.empty((0, n_rows)), *(scaled_varying(group).T for group in groups)]),
    }


def _cross_products(design: Design) -> dict[str, Any]:
    """Return what the collapsed engine wants of the rows: sums of products, in total and level by level."""
    y, X = scaled_outcome(design), scaled_columns(design)
    products = level_products(design.groups[0], y, X)
    return {"yy": float(y @ y), "Xy": X.T @ y, "XX": X.T @ X, "Zy": products.Zy, "ZX": products.ZX, "ZZ": products.ZZ}


def _lkj_eta(spec: ModelSpec, group: Group) -> float:
    """Return the prior of the factor's correlations; any number where it has none."""
    return spec.priors[f"cor({group.factor})"].arguments[0] if group.correlated else 1.0
