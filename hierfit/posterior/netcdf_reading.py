"""trace.nc -> Draws and Design, as `posterior.netcdf` wrote them.

Read with h5py: what h5netcdf adds, the names of dimensions, is known here, and costs more time than all values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hierfit.data.table import table_of
from hierfit.design.design import Design, Group
from hierfit.design.distributional import PredictorColumns
from hierfit.errors import RunFolderError
from hierfit.model.spec import ModelSpec, Parameter
from hierfit.posterior.draws import Draws
from hierfit.posterior.netcdf_names import SAMPLE, coordinate, factor_names, is_scalar, outcome_name, vector_of


def read_netcdf(path: Path, spec: ModelSpec, source: Path) -> tuple[Draws, Design]:
    """Read what `write_netcdf` wrote.

    Raises:
        RunFolderError: the file is missing, cut off, or not of this model.
    """
    with opened(path) as file:
        return _draws(file, spec), _design(file, spec, source)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open the file, to be read.

    Raises:
        RunFolderError: it is missing, cut off, or what is read of it is not of the model.
    """
    import h5py

    if not path.is_file():
        raise RunFolderError(f"the run has no {path.name}: {path} is missing.", hint="fit again with --overwrite")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, LookupError, ValueError, TypeError, RuntimeError) as error:
        raise RunFolderError(
            f"{path} could not be read as the trace of this run: {error}.", hint="fit again with --overwrite"
        ) from error


def _draws(file: Any, spec: ModelSpec) -> Draws:
    posterior, stats = file["posterior"], file["sample_stats"]
    names = factor_names([group.factor for group in spec.groups])
    columns = [parameter_draws(posterior, parameter) for parameter in spec.parameters]
    return Draws(
        parameters=spec.parameters,
        values=np.stack(columns, axis=2),
        effects={factor: _in_double(posterior[f"u_{name}"]) for factor, name in names.items()},
        stats={name: _statistic(stats[name]) for name in stats if name not in SAMPLE},
        max_treedepth=_whole(posterior.attrs["max_treedepth"]),
        lost_chains=_whole(posterior.attrs.get("lost_chains", 0)),
    )


def parameter_draws(posterior: Any, parameter: Parameter) -> NDArray[Any]:
    """Return the draws of a population-level parameter [chains, draws]."""
    vector = vector_of(parameter)
    found: NDArray[Any]
    if is_scalar(parameter) or vector is None:
        found = posterior[parameter.name][...]
    else:
        variable, dimension = vector
        found = posterior[variable][:, :, texts(posterior[dimension]).index(coordinate(parameter))]
    return found


def _in_double(variable: Any) -> NDArray[np.float64]:
    """Return draws in double precision, chain by chain: all of them in single precision too would be half as much."""
    values = np.empty(variable.shape)
    for chain in range(len(values)):
        values[chain] = variable[chain]
    return values


def _whole(attribute: Any) -> int:
    """Return an attribute as a number; netCDF keeps an array of one."""
    return int(np.asarray(attribute).item())


def texts(variable: Any) -> tuple[str, ...]:
    """Return the labels of a dimension."""
    return tuple(variable.asstr()[...].tolist())


def _statistic(variable: Any) -> NDArray[Any]:
    """Return the values [chains, draws], truth values as such."""
    values: NDArray[Any] = variable[...]
    return values.astype(np.bool_) if variable.attrs.get("dtype") == "bool" else values


def _row_column(data: Any, name: str) -> Any:
    return data[name][...] if name in data else None


def _groups(data: Any, posterior: Any, spec: ModelSpec) -> tuple[Group, ...]:
    names = factor_names([group.factor for group in spec.groups])
    crossing = {term.factor: term.crossing for term in spec.formula.all_groups}
    factors, start = [], 0
    for index, term in enumerate(spec.groups):
        stop = start + len(term.terms)
        found = texts(posterior[f"{names[term.factor]}_term"])
        if found != term.terms:
            raise ValueError(f"between {term.factor}, {', '.join(found)} varies, not {', '.join(term.terms)}")
        factors.append(
            Group(
                factor=term.factor,
                labels=texts(posterior[names[term.factor]]),
                codes=data["level"][:, index].astype(np.int32),
                terms=term.terms,
                Z=data["Z"][:, start:stop],
                correlated=term.correlated,
                crossing=crossing[term.factor],
                parameters=term.parameters,
                further=term.further,
            )
        )
        start = stop
    return tuple(factors)


def _design(file: Any, spec: ModelSpec, source: Path) -> Design:
    data, observed = file["constant_data"], file["observed_data"]
    orders = {name: tuple(levels) for name, levels in json.loads(data.attrs["levels"]).items()}
    X, lines = data["X"][...], observed["obs"][...]
    return Design(
        source=source,
        response=spec.formula.response,
        y=observed[outcome_name(spec.formula.response)][...],
        family=spec.family,
        link=spec.link,
        categories=tuple(json.loads(data.attrs["categories"])),
        references=json.loads(data.attrs["references"]),
        levels=orders,
        trials=_row_column(data, "trials"),
        offset=_row_column(data, "offset"),
        weights=_row_column(data, "weights"),
        precision=_row_column(data, "precision"),
        coefficients=spec.coefficients,
        X=X,
        intercept=spec.intercept,
        centered=spec.centered,
        groups=_groups(data, file["posterior"], spec),
        lines=lines,
        distributional=tuple(
            PredictorColumns(own.parameter, own.terms, data[f"X_{own.parameter}"][...]) for own in spec.distributional
        ),
        inputs=table_of(source, _numbers(data, spec, X), _words(data), lines, orders),
    )


def _numbers(data: Any, spec: ModelSpec, X: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return the columns of numbers that terms read, those that X has as they are among them."""
    columns = dict(zip(spec.coefficients, X.T, strict=True))
    if "number" in data:
        columns |= dict(zip(texts(data["input"]), data["number"][...].T, strict=True))
    return {name: columns[name] for name in json.loads(data.attrs["input_numbers"])}


def _words(data: Any) -> dict[str, tuple[tuple[str, ...], NDArray[np.int32]]]:
    """Return levels and codes of the columns of words that terms read."""
    if "code" not in data:
        return {}
    levels = json.loads(data.attrs["input_levels"])
    columns = zip(texts(data["input_of_levels"]), data["code"][...].T, strict=True)
    return {name: (tuple(levels[name]), codes.astype(np.int32)) for name, codes in columns}
