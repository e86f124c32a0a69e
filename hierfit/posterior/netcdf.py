"""Draws and Design <-> trace.nc, in the layout that ArviZ reads (0.x InferenceData, 1.x DataTree).

    posterior      b [chain, draw, coefficient], sd [.., varying], cor [.., pair], Intercept_at_mean and sigma [..],
                   u_<factor> [.., <factor>, <factor>_term]; where there are any, sd_at_mean [.., factor_at_mean],
                   threshold [.., between], b_sigma [.., sigma_coefficient] (b_zi, ...) and
                   horseshoe_scale [..]
    sample_stats   lp, acceptance_rate, step_size, tree_depth, n_steps, diverging, energy [chain, draw]
    observed_data  <response> [obs]
    constant_data  X [obs, coefficient], Z [obs, varying], level [obs, factor] (0-based); where there are any, trials,
                   offset, weights and precision [obs], X_sigma [obs, sigma_coefficient] (X_zi, ...); of columns
                   that terms read, number [obs, input] unless X has them, and code [obs, input_of_levels] of words
                   (0-based)

The coordinates are the CSV's own names and labels, obs is the line of the CSV file; `sd` at varying = "school: ses"
is what tables call sd(school: ses). A slash in a column's name becomes "_", and a factor named like something else in
the file gets "_level" appended, in u_<factor> too. Written with h5netcdf, as xarray would: importing xarray or
ArviZ takes longer than the rest of writing. HDF5 crashes the process when a file cannot grow, and so never hears of it.

Group effects are kept in single precision, whose rounding must be a thousandth of their posterior sds at most. What
shrinks to less than `_WORTH` is compressed, such as codes, counts and lines; draws and measurements are not: their
digits are noise, of which zlib takes away a tenth in 70 times the time.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit import __version__
from hierfit.design.design import Design, Group
from hierfit.disk.writing import OutputFile
from hierfit.model.spec import ModelSpec, sd_name
from hierfit.posterior.draws import Draws
from hierfit.posterior.netcdf_names import (
    ROW_COLUMNS,
    SAMPLE,
    coordinate,
    factor_names,
    inside,
    is_scalar,
    outcome_name,
    vector_of,
)
from hierfit.posterior.rounding import FEW_DRAWS, is_rough_enough

_COMPRESSED: dict[str, Any] = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
_SAMPLED, _WORTH = 4096, 0.4


@dataclass(frozen=True)
class _Dataset:
    """One group of the file.

    Attributes:
        variables: name -> dimensions and values.
        coordinates: dimension -> its labels.
        attributes: name -> value.
        rough: variables that are kept in single precision.
    """

    variables: Mapping[str, tuple[tuple[str, ...], NDArray[Any]]]
    coordinates: Mapping[str, Sequence[str] | NDArray[Any]]
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    rough: Collection[str] = ()


def write_netcdf(path: Path, draws: Draws, design: Design, spec: ModelSpec) -> None:
    """Write the four groups to one file; group effects in single precision where that is enough."""
    import h5netcdf

    sample = {"chain": np.arange(draws.n_chains), "draw": np.arange(draws.n_draws)}
    variables, coordinates = _posterior(draws, spec, design)
    limits = {"max_treedepth": draws.max_treedepth, "lost_chains": draws.lost_chains}
    names = factor_names([group.factor for group in design.groups])
    rough = [f"u_{names[group.factor]}" for group in design.groups if _may_be_rough(draws, group)]
    datasets = {
        "posterior": _Dataset(variables, {**sample, **coordinates}, limits, rough),
        "sample_stats": _Dataset({name: (SAMPLE, values) for name, values in draws.stats.items()}, sample),
        "observed_data": _Dataset({outcome_name(design.response): (("obs",), design.y)}, {"obs": design.lines}),
        "constant_data": _constant_data(design),
    }
    stream = OutputFile(path, patient=True)
    try:
        with h5netcdf.File(stream, "w") as file:
            for name, dataset in datasets.items():
                _write(file.create_group(name), dataset)
    finally:
        stream.finish()


def least_bytes(design: Design, spec: ModelSpec, n_draws: int) -> int:
    """Return what the file takes at least for so many draws of all chains: what cannot be compressed."""
    n_effects = sum(group.n_levels * len(group.terms) for group in design.groups)
    return n_draws * (8 * len(spec.parameters) + 4 * n_effects)


def _write(group: Any, dataset: _Dataset) -> None:
    """Write one group in the way of xarray, which reads it."""
    group.attrs.update(dataset.attributes)
    group.attrs.update(inference_library="hierfit", inference_library_version=__version__)
    group.dimensions = {name: len(labels) for name, labels in dataset.coordinates.items()}
    coordinates = {name: ((name,), np.asarray(labels)) for name, labels in dataset.coordinates.items()}
    for name, (dimensions, values) in {**coordinates, **dataset.variables}.items():
        if values.dtype.kind in "OU":
            group.create_variable(name, dimensions, dtype=_text_type(), data=values.astype(object))
            continue
        logical = values.dtype == np.bool_
        # HDF5 rounds while it writes; an array rounded before would be a copy
        how = {"dtype": "f4"} if name in dataset.rough else _COMPRESSED if _shrinks(values) else {}
        variable = group.create_variable(name, dimensions, data=values.astype(np.int8) if logical else values, **how)
        if logical:
            variable.attrs["dtype"] = "bool"


def _may_be_rough(draws: Draws, group: Group) -> bool:
    """Whether single precision will do for the effects of a factor, which they may be in already."""
    effects = draws.effects_of(group)
    if effects.dtype == np.float32:
        return True
    return is_rough_enough(effects[:, :: max(1, effects.shape[1] // FEW_DRAWS)].reshape(-1, *effects.shape[2:]), group)


def _shrinks(values: NDArray[Any]) -> bool:
    """Whether compressing is worth its time, judged from the first values; few are left as they are."""
    if values.size <= _SAMPLED:
        return False
    # byte by byte, as HDF5's shuffle lays them out
    sample = values.flat[:_SAMPLED].view(np.uint8).reshape(_SAMPLED, -1).T.tobytes()
    return len(zlib.compress(sample, 1)) < _WORTH * len(sample)


def _text_type() -> Any:
    import h5py

    return h5py.string_dtype()


def _posterior(draws: Draws, spec: ModelSpec, design: Design) -> tuple[dict[str, Any], dict[str, Any]]:
    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {}
    for parameter in spec.parameters:
        if is_scalar(parameter):
            variables[parameter.name] = (SAMPLE, draws.of(parameter.name))
    vectors = {parameter: vector_of(parameter) for parameter in spec.parameters if not is_scalar(parameter)}
    for variable, dimension in filter(None, dict.fromkeys(vectors.values())):
        named = [parameter for parameter, vector in vectors.items() if vector == (variable, dimension)]
        variables[variable] = ((*SAMPLE, dimension), np.stack([draws.of(p.name) for p in named], axis=2))
        coordinates[dimension] = [coordinate(p) for p in named]
    names = factor_names([group.factor for group in design.groups])
    for group in design.groups:
        level = names[group.factor]
        term = f"{level}_term"
        variables[f"u_{level}"] = ((*SAMPLE, level, term), draws.effects_of(group))
        coordinates[level] = group.labels
        coordinates[term] = list(group.terms)
    return variables, coordinates


def _constant_data(design: Design) -> _Dataset:
    variables: dict[str, Any] = {"X": (("obs", "coefficient"), design.X)}
    coordinates: dict[str, Any] = {"obs": design.lines, "coefficient": design.coefficients}
    if design.groups:
        variables["Z"] = (("obs", "varying"), _side_by_side([group.Z for group in design.groups]))
        variables["level"] = (("obs", "factor"), _side_by_side([group.codes[:, np.newaxis] for group in design.groups]))
        coordinates["factor"] = [group.factor for group in design.groups]
        names = [sd_name(group.factor, term) for group in design.groups for term in group.terms]
        coordinates["varying"] = [inside(name) for name in names]
    for name in ROW_COLUMNS:
        if getattr(design, name) is not None:
            variables[name] = (("obs",), getattr(design, name))
    for own in design.distributional:
        dimension = f"{own.parameter}_coefficient"
        variables[f"X_{own.parameter}"] = (("obs", dimension), own.X)
        coordinates[dimension] = own.coefficients
    numbers, words = _unseen_numbers(design), {} if design.inputs is None else design.inputs.labels
    if numbers:
        variables["number"] = (("obs", "input"), np.column_stack(list(numbers.values())))
        coordinates["input"] = list(numbers)
    if words:
        variables["code"] = (("obs", "input_of_levels"), np.column_stack(list(words.values())))
        coordinates["input_of_levels"] = list(words)
    return _Dataset(variables, coordinates, _levels(design))


def _unseen_numbers(design: Design) -> dict[str, NDArray[np.float64]]:
    """Return the columns of numbers that terms read and X does not have as they are."""
    inputs = {} if design.inputs is None else design.inputs.numbers
    return {name: values for name, values in inputs.items() if name not in design.coefficients}


def _side_by_side(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the columns of arrays [N, .] in one, which a single one is already."""
    return columns[0] if len(columns) == 1 else np.concatenate(columns, axis=1)


def _levels(design: Design) -> dict[str, str]:
    """Return, as attributes, what the codes of a text outcome and the columns of text predictors stand for."""
    return {
        "categories": json.dumps(design.categories),
        "references": json.dumps(dict(design.references)),
        "levels": json.dumps(dict(design.levels)),
        "input_numbers": json.dumps([] if design.inputs is None else list(design.inputs.numbers)),
        "input_levels": json.dumps({} if design.inputs is None else dict(design.inputs.levels)),
    }
