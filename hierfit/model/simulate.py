"""A Simulation -> data with a known truth, for teaching, tests and calibration.

In: a frozen `Simulation` (see `model.simulation` for the model and its letters). Out: a `Simulated`, its columns
and the truth, which `write_simulation` puts into a folder as data.csv and truth.json. Effects in the truth are
deviations from the population values. The same Simulation gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import hierfit
from hierfit.disk.folder import HOME, claimed
from hierfit.disk.rows import write_rows
from hierfit.disk.writing import create, write_text
from hierfit.errors import RunFolderError, UsageError
from hierfit.model.design import Design
from hierfit.model.families import FAMILIES, SIGMA, THRESHOLD, Family, Support
from hierfit.model.formula import INTERCEPT
from hierfit.model.group_layout import draw_counts
from hierfit.model.links import LEAST, MOST
from hierfit.model.outcome import LARGEST_COUNT, find_family
from hierfit.model.simulation import TRIALS, Array, Crossed, Predictors, Simulation, true_parameters
from hierfit.model.spec import sigma_name, threshold_name
from hierfit.visible import visible_json

__all__ = ["Crossed", "Predictors", "Simulated", "Simulation", "simulate", "true_parameters", "write_simulation"]

DATA_FILE, TRUTH_FILE = "data.csv", "truth.json"
Column = Array | tuple[str, ...]
LARGEST_EXACT = 2.0**53  # whole numbers beyond are not all doubles


@dataclass(frozen=True)
class Simulated:
    """Simulated data with their truth.

    Attributes:
        columns: column name -> values [N], NaN where missing, in the order of the CSV: outcome, trials, predictors,
            groups.
        truth: what truth.json holds: settings, formula, parameters by their names, effects of the groups.
    """

    columns: Mapping[str, Column]
    truth: Mapping[str, Any]

    @property
    def n_rows(self) -> int:
        """N, the number of rows."""
        return len(next(iter(self.columns.values())))


@dataclass(frozen=True)
class Factor:
    """One grouping factor with the true effects of its J levels.

    Attributes:
        name: of its column.
        labels: of the levels.
        codes: level of each row [N].
        terms: names of the M varying coefficients; none where nothing varies.
        effects: deviations from the population values [J, M].
    """

    name: str
    labels: tuple[str, ...]
    codes: NDArray[np.integer]
    terms: tuple[str, ...]
    effects: Array

    @property
    def column(self) -> tuple[str, ...]:
        """The label of each row."""
        return tuple(self.labels[code] for code in self.codes.tolist())

    @property
    def truth(self) -> dict[str, Any]:
        """What truth.json says of it."""
        return {"terms": list(self.terms), "values": dict(zip(self.labels, self.effects.tolist(), strict=True))}


def simulate(simulation: Simulation) -> Simulated:
    """Draw the data that a Simulation describes.

    Raises:
        UsageError: counts grow beyond what can be fitted.
    """
    rng = np.random.default_rng(simulation.seed)
    names = tuple(simulation.coefficients)
    codes = np.repeat(np.arange(simulation.groups), draw_counts(rng, simulation.rows_per_group, simulation.groups))
    u = _draw_effects(simulation, rng)
    X = simulation.predictors.draw(rng, (len(codes), len(names)))
    factors = [Factor(simulation.group, level_labels(simulation.label_prefix, len(u)), codes, simulation.varying, u)]
    eta = _linear_predictor(simulation, codes, u, X)
    if simulation.crossed is not None:
        crossed = _draw_crossed(rng, simulation.crossed, codes)
        factors.append(crossed)
        eta += crossed.effects[crossed.codes, 0]
    trials = None if simulation.trials is None else draw_counts(rng, simulation.trials, len(codes)).astype(np.float64)
    family, link = find_family(simulation.family, simulation.link)
    auxiliaries = {name: np.array([value]) for name, value in simulation.auxiliary_values.items()}
    if simulation.thresholds:
        auxiliaries[THRESHOLD] = np.array(simulation.thresholds)[:, np.newaxis]
    y = draw_outcome(rng, family, family.mean(eta, link, auxiliaries), auxiliaries, trials)
    y += family.has_thresholds  # categories 1, 2, ...
    observed = {simulation.y: y, **{name: X[:, k] for k, name in enumerate(names)}}
    known = _with_holes(rng, observed, simulation.missing)
    columns: dict[str, Column] = {simulation.y: known.pop(simulation.y)}
    columns |= {} if trials is None else {TRIALS: trials}
    columns |= known | {factor.name: factor.column for factor in factors}
    return Simulated(columns, _truth(simulation, factors))


def draw_outcome(
    rng: np.random.Generator, family: Family, mean: Array, auxiliaries: Mapping[str, Array], trials: Array | None
) -> Array:
    """Draw the outcome of every row given mean [..., N] and auxiliaries as `model.families` has them.

    Raises:
        UsageError: counts grow beyond what can be fitted.
    """
    y = family.replicate(rng, mean, auxiliaries, np.ones(mean.shape[-1]) if trials is None else trials)
    if family.is_discrete and len(y) and y.max() > LARGEST_COUNT:
        raise UsageError(
            f"counts as large as {y.max():.2g} came out; more than {LARGEST_COUNT:,} cannot be fitted.",
            hint="intercept, coefficients and sds are on the scale of the link: choose smaller ones",
        )
    # Where a proportion or an amount rounds to an end of its range, the outcome is the nearest value inside.
    if family.support is Support.UNIT:
        return np.clip(y, LEAST, MOST)
    return np.maximum(y, LEAST) if family.support is Support.POSITIVE else y


def draw_rows(rng: np.random.Generator, design: Design, parameters: Mapping[str, float], predictor: Array) -> Column:
    """Draw the outcome of every row of a design given the linear predictor [N], as the file has it: numbers or labels.

    Raises:
        UsageError: counts grow beyond what can be fitted.
    """
    family = FAMILIES[design.family]
    auxiliaries = true_auxiliaries(design, parameters)
    y = draw_outcome(rng, family, family.mean(predictor, design.link, auxiliaries), auxiliaries, design.trials)
    return tuple(design.categories[int(code)] for code in y) if design.categories else y


def true_auxiliaries(design: Design, parameters: Mapping[str, float]) -> dict[str, Array]:
    """Return the auxiliary parameters as `model.families` has them: thresholds [Q, 1], a sigma with predictors [N]."""
    found = {
        auxiliary.name: np.array([parameters[auxiliary.name]])
        for auxiliary in FAMILIES[design.family].auxiliaries
        if auxiliary.name in parameters
    }
    if design.thresholds:
        found[THRESHOLD] = np.array([[parameters[threshold_name(between)]] for between in design.thresholds])
    if design.sigma is not None:
        b = np.array([parameters[sigma_name(term)] for term in design.sigma.coefficients])
        found[SIGMA] = np.exp(design.sigma.X @ b)
    if design.precision is not None:
        found[SIGMA] = found[SIGMA] / np.sqrt(design.precision)
    return found


def _linear_predictor(simulation: Simulation, codes: NDArray[np.int64], u: Array, X: Array) -> Array:
    """Return intercept, predictors and the effects of the groups, row by row [N]."""
    population = np.array([simulation.intercept, *simulation.coefficients.values()])
    B = np.tile(population, (simulation.groups, 1))  # coefficients of each group [J, 1 + K]
    for m, name in enumerate(simulation.varying):
        B[:, (INTERCEPT, *simulation.coefficients).index(name)] += u[:, m]
    return np.asarray(B[codes, 0] + np.sum(X * B[codes, 1:], axis=1))


def _draw_crossed(rng: np.random.Generator, crossed: Crossed, codes: NDArray[np.int64]) -> Factor:
    """Draw a second factor: the rows of a group go through all its levels in an order of their own, again and again."""
    levels = np.concatenate([np.resize(rng.permutation(crossed.levels), rows) for rows in np.bincount(codes)])
    effects = crossed.sd * rng.normal(size=(crossed.levels, 1))
    return Factor(crossed.name, level_labels(crossed.name[0], crossed.levels), levels, (INTERCEPT,), effects)


def _with_holes(rng: np.random.Generator, columns: Mapping[str, Array], share: float) -> dict[str, Array]:
    """Make each cell NaN with probability `share`."""
    if share == 0:
        return dict(columns)
    return {name: np.where(rng.random(len(values)) < share, np.nan, values) for name, values in columns.items()}


def _draw_effects(simulation: Simulation, rng: np.random.Generator) -> Array:
    """Return the deviations of the groups' coefficients from the population values [J, M]."""
    sds = np.array([simulation.sds[name] for name in simulation.varying])
    z = rng.normal(size=(simulation.groups, len(sds)))
    u: Array = (z @ np.linalg.cholesky(simulation.correlation_matrix).T) * sds
    return u


def level_labels(prefix: str, count: int) -> tuple[str, ...]:
    """Return labels of levels: numbers with as many digits as the last one, behind a prefix."""
    width = len(str(count))
    return tuple(f"{prefix}{number:0{width}d}" for number in range(1, count + 1))


def _truth(simulation: Simulation, factors: Sequence[Factor]) -> dict[str, Any]:
    settings = asdict(simulation)
    if SIGMA not in simulation.auxiliary_names:
        del settings[SIGMA]
    settings["thresholds"] = list(simulation.thresholds)
    return {
        "hierfit": hierfit.__version__,
        "seed": simulation.seed,
        "simulation": settings,
        "formula": str(simulation.formula),
        "parameters": true_parameters(simulation),
        "effects": {factor.name: factor.truth for factor in factors if factor.terms},
    }


def write_simulation(simulated: Simulated, folder: str | Path, overwrite: bool = False) -> None:
    """Write data.csv (every digit) and truth.json into a folder, both of them or neither.

    Raises:
        RunFolderError: the folder holds something already, or another process writes to it.
        DiskError: it cannot be written to.
    """
    folder = Path(folder)
    with claimed(folder) as place:
        _refuse_full(folder, overwrite)
        with place.replacing((DATA_FILE, TRUTH_FILE), TRUTH_FILE) as new:
            _write_csv(simulated.columns, new / DATA_FILE)
            digest = hashlib.sha256((new / DATA_FILE).read_bytes()).hexdigest()
            truth = {**simulated.truth, "data_sha256": digest}  # so that no other data are ever compared with it
            write_text(new / TRUTH_FILE, visible_json(json.dumps(truth, indent=2, ensure_ascii=False)) + "\n")


def _write_csv(columns: Mapping[str, Column], path: Path) -> None:
    values = [_cells(column) if isinstance(column, np.ndarray) else column for column in columns.values()]
    with io.TextIOWrapper(create(path), encoding="utf-8", newline="") as stream:
        write_rows(stream, [list(columns)])
        write_rows(stream, zip(*values, strict=True))


def _cells(column: Array) -> list[float | int | str]:
    """Return what to write: nothing where missing, and a column of whole numbers without decimal points.

    The csv module writes floats by repr, which reads back as the same double.
    """
    known = column[~np.isnan(column)]
    whole = bool(np.all((known == np.round(known)) & (np.abs(known) < LARGEST_EXACT)))
    return ["" if value != value else int(value) if whole else value for value in column.tolist()]


def _refuse_full(folder: Path, overwrite: bool) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise RunFolderError(f"{folder} is a file, not a folder.", hint="name another folder with --out")
    ours = {DATA_FILE, TRUTH_FILE}
    present = sorted(entry.name for entry in folder.iterdir() if entry.name != HOME)
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
    if present and not _is_simulated(folder):
        raise RunFolderError(
            f"{folder} holds a {present[0]} that hierfit simulate did not write, or that was changed since.",
            hint="name another folder with --out",
        )


def _is_simulated(folder: Path) -> bool:
    """Whether data.csv is the file that truth.json beside it was written for."""
    try:
        truth = json.loads((folder / TRUTH_FILE).read_text(encoding="utf-8"))
        written = hashlib.sha256((folder / DATA_FILE).read_bytes()).hexdigest()
    except (OSError, ValueError):
        return False
    return isinstance(truth, dict) and truth.get("data_sha256") == written
