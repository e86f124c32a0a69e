"""Draws and Design <-> trace.nc, in the layout that ArviZ reads (0.x InferenceData, 1.x DataTree).

    posterior      b [chain, draw, coefficient], sd [.., varying], cor [.., pair], Intercept_at_mean and sigma [..],
                   u_<factor> [.., <factor>, <factor>_term]; where there are any, threshold [.., between],
                   b_sigma [.., sigma_coefficient] and horseshoe_scale [..]
    sample_stats   lp, acceptance_rate, step_size, tree_depth, n_steps, diverging, energy [chain, draw]
    observed_data  <response> [obs]
    constant_data  X [obs, coefficient], Z [obs, varying], level [obs, factor] (0-based); where there are any, trials,
                   offset and weights [obs], X_sigma [obs, sigma_coefficient]

The coordinates are the CSV's own names and labels, obs is the line of the CSV file; `sd` at varying = "school: ses"
is what tables call sd(school: ses). A slash in a column's name becomes "_", and a factor named like something else in
the file gets "_level" appended, in u_<factor> too. Written and read with xarray alone: importing ArviZ takes longer
than most fits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hierfit import __version__
from hierfit.errors import RunFolderError
from hierfit.model.design import Design, Group
from hierfit.model.families import FAMILIES
from hierfit.model.priors import HORSESHOE_SCALE
from hierfit.model.sigma import SigmaColumns
from hierfit.model.spec import INTERCEPT_AT_MEAN, Kind, ModelSpec, Parameter, sd_name
from hierfit.results.draws import Draws

_ENGINE: Any = "h5netcdf"
_RESERVED = {"chain", "draw", "obs", "coefficient", "varying", "pair", "factor", "b", "sd", "cor", INTERCEPT_AT_MEAN}
_RESERVED |= {"threshold", "between", "b_sigma", "sigma_coefficient", HORSESHOE_SCALE}
_RESERVED |= {auxiliary.name for family in FAMILIES.values() for auxiliary in family.auxiliaries}
_SAMPLE = ("chain", "draw")
# Variable and dimension of the parameters that make vectors.
_VECTORS = {
    Kind.COEFFICIENT: ("b", "coefficient"),
    Kind.THRESHOLD: ("threshold", "between"),
    Kind.SD: ("sd", "varying"),
    Kind.CORRELATION: ("cor", "pair"),
    Kind.SIGMA_COEFFICIENT: ("b_sigma", "sigma_coefficient"),
}
_ROW_COLUMNS = ("trials", "offset", "weights")


def write_netcdf(path: Path, draws: Draws, design: Design, spec: ModelSpec) -> None:
    """Write the four groups to one file, compressed; group effects in single precision."""
    import xarray as xr

    posterior_variables, coordinates = _posterior(draws, spec, design)
    sample = {"chain": np.arange(draws.n_chains), "draw": np.arange(draws.n_draws)}
    groups = {
        "posterior": xr.Dataset(posterior_variables, {**sample, **coordinates}),
        "sample_stats": xr.Dataset({name: (_SAMPLE, values) for name, values in draws.stats.items()}, sample),
        "observed_data": xr.Dataset({_outcome(design.response): ("obs", design.y)}, {"obs": design.lines}),
        "constant_data": _constant_data(design),
    }
    groups["posterior"].attrs["max_treedepth"] = draws.max_treedepth
    for index, (name, dataset) in enumerate(groups.items()):
        dataset.attrs.update(inference_library="hierfit", inference_library_version=__version__)
        encoding = {
            variable: {"zlib": True, "complevel": 1, "shuffle": True}
            for variable in dataset.variables
            if dataset[variable].dtype.kind in "fiub" and dataset[variable].ndim
        }
        dataset.to_netcdf(path, mode="a" if index else "w", group=name, engine=_ENGINE, encoding=encoding)


def _posterior(draws: Draws, spec: ModelSpec, design: Design) -> tuple[dict[str, Any], dict[str, Any]]:
    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {}
    for parameter in spec.parameters:
        if _is_scalar(parameter):
            variables[parameter.name] = (_SAMPLE, draws.of(parameter.name))
    for kind, (variable, dimension) in _VECTORS.items():
        named = [p for p in spec.parameters if p.kind == kind and not _is_scalar(p)]
        if named:
            variables[variable] = ((*_SAMPLE, dimension), np.stack([draws.of(p.name) for p in named], axis=2))
            coordinates[dimension] = [_coordinate(p) for p in named]
    names = _factor_names([group.factor for group in design.groups])
    for group in design.groups:
        level = names[group.factor]
        term = f"{level}_term"
        effects = draws.effects[group.factor].astype(np.float32)
        variables[f"u_{level}"] = ((*_SAMPLE, level, term), effects)
        coordinates[level] = np.array(group.labels, dtype=object)
        coordinates[term] = list(group.terms)
    return variables, coordinates


def _constant_data(design: Design) -> Any:
    import xarray as xr

    variables: dict[str, Any] = {"X": (("obs", "coefficient"), design.X)}
    coordinates: dict[str, Any] = {"obs": design.lines, "coefficient": list(design.coefficients)}
    if design.groups:
        variables["Z"] = (("obs", "varying"), np.column_stack([group.Z for group in design.groups]))
        variables["level"] = (("obs", "factor"), np.column_stack([group.codes for group in design.groups]))
        coordinates["factor"] = [group.factor for group in design.groups]
        names = [sd_name(group.factor, term) for group in design.groups for term in group.terms]
        coordinates["varying"] = [_inside(name) for name in names]
    for name in _ROW_COLUMNS:
        if getattr(design, name) is not None:
            variables[name] = ("obs", getattr(design, name))
    if design.sigma is not None:
        variables["X_sigma"] = (("obs", "sigma_coefficient"), design.sigma.X)
        coordinates["sigma_coefficient"] = list(design.sigma.coefficients)
    return xr.Dataset(variables, coordinates, _levels(design))


def _levels(design: Design) -> dict[str, str]:
    """Return, as attributes, what the codes of a text outcome and the columns of text predictors stand for."""
    return {
        "categories": json.dumps(design.categories),
        "references": json.dumps(dict(design.references)),
        "levels": json.dumps(dict(design.levels)),
    }


def _is_scalar(parameter: Parameter) -> bool:
    """Whether the parameter is a variable of its own."""
    return parameter.name == INTERCEPT_AT_MEAN or parameter.kind not in _VECTORS


def _coordinate(parameter: Parameter) -> str:
    """Return the label of one parameter in the vector of its kind."""
    return _inside(parameter.name) if parameter.kind in (Kind.SD, Kind.CORRELATION) else str(parameter.term)


def _inside(name: str) -> str:
    """Return what the brackets of sd(...) and cor(...) hold."""
    return name.partition("(")[2][:-1]


def _safe(name: str) -> str:
    """Return a name that netCDF takes: it has no slash, and is more than a dot."""
    return name.replace("/", "_") if name.strip(". ") else f"_{name}"


def _outcome(response: str) -> str:
    """Return the name of the outcome, which must not be that of its dimension."""
    return f"{_safe(response)}_value" if response == "obs" else _safe(response)


def _factor_names(factors: Sequence[str]) -> dict[str, str]:
    """Return the name of each factor's dimension, different from all others in the file."""
    names: dict[str, str] = {}
    taken = set(_RESERVED)
    for factor in factors:
        name = _safe(factor)
        while taken & {name, f"{name}_term", f"u_{name}"}:
            name += "_level"
        names[factor] = name
        taken |= {name, f"{name}_term", f"u_{name}"}
    return names


def read_netcdf(path: Path, spec: ModelSpec, source: Path) -> tuple[Draws, Design]:
    """Read what `write_netcdf` wrote.

    Raises:
        RunFolderError: the file is missing, cut off, or not of this model.
    """
    import xarray as xr

    if not path.is_file():
        raise RunFolderError(f"the run has no {path.name}: {path} is missing.", hint="fit again with --overwrite")
    try:
        groups = {
            name: xr.load_dataset(path, group=name, engine=_ENGINE)
            for name in ("posterior", "sample_stats", "observed_data", "constant_data")
        }
        return _draws(groups, spec), _design(groups, spec, source)
    except (OSError, LookupError, ValueError, TypeError, RuntimeError) as error:
        raise RunFolderError(
            f"{path} could not be read as the trace of this run: {error}.", hint="fit again with --overwrite"
        ) from error


def _draws(groups: Mapping[str, Any], spec: ModelSpec) -> Draws:
    posterior = groups["posterior"]
    names = _factor_names([group.factor for group in spec.groups])
    columns = []
    for parameter in spec.parameters:
        if _is_scalar(parameter):
            column = posterior[parameter.name]
        else:
            variable, dimension = _VECTORS[parameter.kind]
            column = posterior[variable].sel({dimension: _coordinate(parameter)})
        columns.append(column.to_numpy())
    return Draws(
        parameters=spec.parameters,
        values=np.stack(columns, axis=2),
        effects={factor: posterior[f"u_{name}"].to_numpy().astype(np.float64) for factor, name in names.items()},
        stats={str(name): values.to_numpy() for name, values in groups["sample_stats"].data_vars.items()},
        max_treedepth=int(posterior.attrs["max_treedepth"]),
    )


def _row_column(data: Any, name: str) -> Any:
    return data[name].to_numpy() if name in data else None


def _design(groups: Mapping[str, Any], spec: ModelSpec, source: Path) -> Design:
    data, posterior = groups["constant_data"], groups["posterior"]
    outcome = groups["observed_data"][_outcome(spec.formula.response)]
    names = _factor_names([group.factor for group in spec.groups])
    factors, start = [], 0
    for index, term in enumerate(spec.groups):
        stop = start + len(term.terms)
        factors.append(
            Group(
                factor=term.factor,
                labels=tuple(str(label) for label in posterior[names[term.factor]].to_numpy()),
                codes=data["level"].to_numpy()[:, index].astype(np.int32),
                terms=term.terms,
                Z=data["Z"].to_numpy()[:, start:stop],
                correlated=term.correlated,
            )
        )
        start = stop
    return Design(
        source=source,
        response=spec.formula.response,
        y=outcome.to_numpy(),
        family=spec.family,
        link=spec.link,
        categories=tuple(json.loads(data.attrs["categories"])),
        references=json.loads(data.attrs["references"]),
        levels={name: tuple(levels) for name, levels in json.loads(data.attrs.get("levels", "{}")).items()},
        trials=_row_column(data, "trials"),
        offset=_row_column(data, "offset"),
        weights=_row_column(data, "weights"),
        coefficients=spec.coefficients,
        X=data["X"].to_numpy(),
        intercept=spec.intercept,
        centered=spec.centered,
        groups=tuple(factors),
        lines=outcome["obs"].to_numpy(),
        sigma=SigmaColumns(spec.sigma_coefficients, data["X_sigma"].to_numpy()) if spec.sigma_coefficients else None,
    )
