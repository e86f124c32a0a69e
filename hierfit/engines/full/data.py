"""ModelSpec x Design x Layout -> the data of the full engine's program: all parameters, and every row."""

from __future__ import annotations

from typing import Any

import numpy as np

from hierfit.design.design import Design
from hierfit.design.origin import x_at_prior, x_center, z_center
from hierfit.design.scaling import row_precision, scaled_columns, scaled_offset, scaled_outcome, scaled_varying
from hierfit.engines.full.blocks import among_all, columns_of_mean, effects_of_mean, nested_blocks
from hierfit.engines.full.layout import Layout
from hierfit.engines.full.repeated import Repeated
from hierfit.model.families import FAMILIES
from hierfit.model.spec import ModelSpec
from hierfit.stan.data import StanData, distributional_data, shared_data

_ROWS_FIRST, _ROWS_LAST = ("y", "X", "X_aux", "offsets", "weights", "trials"), ("level", "Z")


def full_data(spec: ModelSpec, design: Design, layout: Layout) -> StanData:
    """Return the program's data as numpy arrays and ints."""
    return _counting(
        {
            "N": design.n_rows,
            **shared_data(spec, design),
            **(distributional_data(spec, design) if FAMILIES[spec.family].auxiliaries else {}),
            **_rows(spec, design, layout),
        }
    )


def _counting(data: StanData) -> StanData:
    """Return the data without rows that count 0 times, which take as long as others, and without weights that are 1.

    Not so where no row counts, so that only the priors speak: the program is not made for that.
    """
    weights = data["weights"]
    if not data["has_weights"] or not weights.any():
        return data
    kept = weights != 0
    rows = {name: data[name][kept] for name in _ROWS_FIRST if len(data.get(name, ())) == len(weights)}
    rows |= {name: data[name][..., kept] for name in _ROWS_LAST}
    found = {**data, **rows, "N": int(kept.sum())}
    return {**found, "has_weights": 0, "weights": np.empty(0)} if (found["weights"] == 1).all() else found


def _rows(spec: ModelSpec, design: Design, layout: Layout) -> dict[str, Any]:
    """Return what the full engine wants of every row."""
    groups, n_rows = design.groups, design.n_rows
    codes = [group.codes for group in groups for _ in group.named.blocks]
    intercepts = [int(is_intercept) for group in groups for is_intercept in group.named.is_intercept]
    data = {
        **_outcome(design),
        **_centering(spec, design, layout),
        "level": np.array(codes, dtype=int).reshape(len(codes), n_rows) + 1,
        "is_intercept": np.array(intercepts, dtype=int),
        "Z": np.concatenate([np.empty((0, n_rows)), *(scaled_varying(g, z_center(spec, g)).T for g in groups)]),
    }
    return data if layout.repeated is None else {**data, **_summed(data, layout.repeated)}


def _summed(data: StanData, repeated: Repeated) -> dict[str, Any]:
    """Return what is different where one row stands for several; n rows of a poisson have log n in their offset."""
    first = repeated.first
    offsets = data["offsets"][first] if data["has_offset"] else np.zeros(len(first))
    changed: dict[str, Any] = {
        "N": len(first),
        "y": np.rint(repeated.y).astype(int),
        "X": data["X"][first],
        "level": data["level"][:, first],
        "Z": data["Z"][:, first],
        "weights": data["weights"][first] if data["has_weights"] else data["weights"],
    }
    if repeated.trials is None:
        return {**changed, "has_offset": 1, "offsets": offsets + np.log(repeated.counts)}
    trials = np.rint(repeated.trials).astype(int)
    return {**changed, "trials": trials, "offsets": offsets if data["has_offset"] else data["offsets"]}


def _centering(spec: ModelSpec, design: Design, layout: Layout) -> dict[str, Any]:
    """Return the columns of X that are left in the rows, and what coefficients and group effects exchange."""
    centering, sweeping = layout.centering, layout.sweeping
    columns, effects = columns_of_mean(design), effects_of_mean(design)
    in_thresholds = among_all(sweeping.Z_in_thresholds, columns, 0.0)
    return {
        "K_rows": int(centering.in_rows.sum()),
        "in_rows": np.flatnonzero(centering.in_rows) + 1,
        "X": scaled_columns(design, x_center(spec, design))[:, centering.in_rows],
        "X_at_prior": x_at_prior(spec, design),
        **nested_blocks(design, layout.nesting, centering.level_X),
        "U": len(effects),
        "narrowed": among_all(centering.narrowed, effects, 1.0),
        "slope": among_all(np.array(centering.slopes, dtype=int) + 1, columns, 0),
        "swept": among_all(sweeping.swept.astype(int), columns, 0),
        "Z_in_X": among_all(sweeping.Z_in_X, columns, 0.0),
        **({"Z_in_thresholds": in_thresholds} if design.thresholds else {}),
    }


def _outcome(design: Design) -> dict[str, Any]:
    """Return the outcome, with all that says how the linear predictor bears on it."""
    family = FAMILIES[design.family]
    offset = design.offset is not None
    weights = design.weights if design.precision is None else row_precision(design)
    data: dict[str, Any] = {
        "y": np.rint(design.y).astype(int) + family.has_thresholds if family.is_discrete else scaled_outcome(design),
        "has_offset": int(offset),
        "offsets": scaled_offset(design) if offset else np.empty(0),
        "has_weights": int(weights is not None),
        "weights": np.empty(0) if weights is None else weights,
    }
    if not design.is_scaled:
        data["origin"] = design.intercept_origin
    if len(family.links) > 1:
        data["link"] = family.links.index(design.link) + 1
    if design.trials is not None:
        data["trials"] = np.rint(design.trials).astype(int)
    return data
