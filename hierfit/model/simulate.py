"""A Simulation -> data with a known truth, for teaching, tests and calibration.

In: a frozen `Simulation` (see `model.simulation` for the model and its letters). Out: a `Simulated`, its columns
and the truth, which `write_simulation` puts into a folder as data.csv and truth.json. Effects in the truth are
deviations from the population values. The same Simulation gives the same bytes.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import hierfit
from hierfit.errors import RunFolderError
from hierfit.model.formula import INTERCEPT
from hierfit.model.simulation import Array, Predictors, Simulation, true_parameters

__all__ = ["Predictors", "Simulated", "Simulation", "simulate", "true_parameters", "write_simulation"]

DATA_FILE, TRUTH_FILE = "data.csv", "truth.json"


@dataclass(frozen=True)
class Simulated:
    """Simulated data with their truth.

    Attributes:
        columns: column name -> values [N], in the order of the CSV: outcome, predictors, group.
        truth: what truth.json holds: settings, formula, parameters by their names, effects of the groups.
    """

    columns: Mapping[str, Array | tuple[str, ...]]
    truth: Mapping[str, Any]


def simulate(simulation: Simulation) -> Simulated:
    """Draw the data that a Simulation describes."""
    rng = np.random.default_rng(simulation.seed)
    names = tuple(simulation.coefficients)
    codes = np.repeat(np.arange(simulation.groups), _draw_rows_per_group(simulation, rng))
    u = _draw_effects(simulation, rng)
    X = simulation.predictors.draw(rng, (len(codes), len(names)))
    noise = simulation.sigma * rng.normal(size=len(codes))
    population = np.array([simulation.intercept, *simulation.coefficients.values()])
    B = np.tile(population, (simulation.groups, 1))  # coefficients of each group [J, 1 + K]
    for m, name in enumerate(simulation.varying):
        B[:, (INTERCEPT, *names).index(name)] += u[:, m]
    y = B[codes, 0] + np.sum(X * B[codes, 1:], axis=1) + noise
    labels = _labels(simulation)
    columns = {
        simulation.y: y,
        **{name: X[:, k] for k, name in enumerate(names)},
        simulation.group: tuple(labels[code] for code in codes.tolist()),
    }
    return Simulated(columns, _truth(simulation, labels, u))


def _draw_rows_per_group(simulation: Simulation, rng: np.random.Generator) -> NDArray[np.int64]:
    rows = simulation.rows_per_group
    low, high = (rows, rows) if isinstance(rows, int) else rows
    return rng.integers(low, high, size=simulation.groups, endpoint=True)


def _draw_effects(simulation: Simulation, rng: np.random.Generator) -> Array:
    """Return the deviations of the groups' coefficients from the population values [J, M]."""
    sds = np.array([simulation.sds[name] for name in simulation.varying])
    z = rng.normal(size=(simulation.groups, len(sds)))
    u: Array = (z @ np.linalg.cholesky(simulation.correlation_matrix).T) * sds
    return u


def _labels(simulation: Simulation) -> list[str]:
    width = len(str(simulation.groups))
    return [f"{simulation.label_prefix}{number:0{width}d}" for number in range(1, simulation.groups + 1)]


def _truth(simulation: Simulation, labels: list[str], u: Array) -> dict[str, Any]:
    values = dict(zip(labels, u.tolist(), strict=True))
    return {
        "hierfit": hierfit.__version__,
        "seed": simulation.seed,
        "simulation": asdict(simulation),
        "formula": str(simulation.formula),
        "parameters": true_parameters(simulation),
        "effects": {simulation.group: {"terms": list(simulation.varying), "values": values}} if simulation.sds else {},
    }


def write_simulation(simulated: Simulated, folder: str | Path, overwrite: bool = False) -> None:
    """Write data.csv (every digit) and truth.json into a folder, each of them whole or not at all.

    Raises:
        RunFolderError: the folder holds something already, or cannot be written to.
    """
    folder = Path(folder)
    _refuse_full(folder, overwrite)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = {name: folder / f".{name}.partial" for name in (DATA_FILE, TRUTH_FILE)}
        _write_csv(simulated.columns, partial[DATA_FILE])
        digest = hashlib.sha256(partial[DATA_FILE].read_bytes()).hexdigest()
        truth = {**simulated.truth, "data_sha256": digest}  # so that no other data are ever compared with it
        partial[TRUTH_FILE].write_text(json.dumps(truth, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        for name, path in partial.items():
            os.replace(path, folder / name)
    except OSError as error:
        raise RunFolderError(
            f"{folder} cannot be written to: {error.strerror or error}.", hint="name another folder with --out"
        ) from None


def _write_csv(columns: Mapping[str, Array | tuple[str, ...]], path: Path) -> None:
    # The csv module writes floats by repr, which reads back as the same double.
    values = [column.tolist() if isinstance(column, np.ndarray) else column for column in columns.values()]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*values, strict=True))


def _refuse_full(folder: Path, overwrite: bool) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise RunFolderError(f"{folder} is a file, not a folder.", hint="name another folder with --out")
    ours = {DATA_FILE, TRUTH_FILE, f".{DATA_FILE}.partial", f".{TRUTH_FILE}.partial"}
    present = sorted(entry.name for entry in folder.iterdir())
    foreign = [name for name in present if name not in ours]
    shown = ", ".join((foreign or present)[:5]) + (", ..." if len(foreign or present) > 5 else "")
    if foreign:
        raise RunFolderError(
            f"{folder} holds files that hierfit simulate did not write: {shown}.", hint="name another folder with --out"
        )
    if present and not overwrite:
        raise RunFolderError(
            f"{folder} is not empty: {shown}.",
            hint="name another folder with --out, or add --overwrite to replace them",
        )
