"""What to simulate -> data with a known truth, for teaching, tests and calibration.

In: a frozen `Simulation` (how many groups and rows, and every parameter's true value). Out: a `Simulated`, its
columns and the truth, which `write_simulation` puts into a folder as data.csv and truth.json.

Letters: N rows, J groups, K predictors, M varying coefficients. Row i of group j is

    y_i = intercept + sum_k x_ik b_k + sum_m z_im u_jm + sigma e_i,    u_j ~ normal(0, D R D),  e_i ~ normal(0, 1)

with z a one for the varying intercept and the predictor itself for a varying slope, D = diag(sds) and R the
correlations. `sds` says what varies: {"Intercept": 5, "ses": 1}; without "Intercept" the intercept does not
vary. With sigma = 0 the rows lie exactly on the lines. Effects in the truth are deviations from the population
values. The same Simulation gives the same bytes.
"""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import hierfit
from hierfit.errors import RunFolderError, UsageError, did_you_mean
from hierfit.model.formula import INTERCEPT, Formula, GroupTerm

DATA_FILE, TRUTH_FILE = "data.csv", "truth.json"
SIGMA = "sigma"
_DISTRIBUTIONS = {"normal": "normal(mean, sd)", "uniform": "uniform(low, high)"}
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Predictors:
    """The distribution of every predictor: normal(mean, sd) or uniform(low, high).

    Attributes:
        distribution: "normal" or "uniform".
        first: mean, or the lower end.
        second: standard deviation, or the upper end.
    """

    distribution: Literal["normal", "uniform"] = "normal"
    first: float = 0.0
    second: float = 1.0

    def __post_init__(self) -> None:
        if self.distribution not in _DISTRIBUTIONS:
            near = did_you_mean(self.distribution, _DISTRIBUTIONS)
            raise UsageError(
                f"predictors cannot be drawn from '{self.distribution}'.{near}",
                hint=f"choose {' or '.join(_DISTRIBUTIONS.values())}",
            )
        usable = self.second >= (0 if self.distribution == "normal" else self.first)
        if not (usable and math.isfinite(self.first) and math.isfinite(self.second)):
            raise UsageError(
                f"predictors cannot be drawn from {self}.",
                hint=f"write {_DISTRIBUTIONS[self.distribution]} with finite numbers"
                + (" and sd >= 0" if self.distribution == "normal" else " and low <= high"),
            )

    def __str__(self) -> str:
        return f"{self.distribution}({self.first:g}, {self.second:g})"

    def draw(self, rng: np.random.Generator, shape: tuple[int, int]) -> Array:
        """Return independent draws of the given shape."""
        if self.distribution == "normal":
            return rng.normal(self.first, self.second, shape)
        return rng.uniform(self.first, self.second, shape)


@dataclass(frozen=True)
class Simulation:
    """What to simulate; refuses what makes no sense with a UsageError.

    Attributes:
        groups: J.
        rows_per_group: rows of each group: a number, or the ends (low, high) of a uniform draw, both included.
        intercept: population intercept.
        coefficients: predictor -> population coefficient.
        sds: what varies between groups ("Intercept" or a predictor) -> its sd, in the order of the formula.
        correlations: one number for every pair of what varies, or "Intercept, ses" -> correlation, others 0.
        sigma: residual sd.
        predictors: the distribution of the predictors.
        y: name of the outcome column.
        group: name of the group column.
        label_prefix: what group labels begin with; a number, zero-padded, follows.
        seed: of the random numbers.
    """

    groups: int = 30
    rows_per_group: int | tuple[int, int] = 20
    intercept: float = 50.0
    coefficients: Mapping[str, float] = field(default_factory=lambda: {"ses": 2.0})
    sds: Mapping[str, float] = field(default_factory=lambda: {INTERCEPT: 5.0})
    correlations: float | Mapping[str, float] = 0.0
    sigma: float = 8.0
    predictors: Predictors = Predictors()
    y: str = "score"
    group: str = "school"
    label_prefix: str = "s"
    seed: int = 1

    def __post_init__(self) -> None:
        _check_counts(self)
        _check_names(self)
        _check_parameters(self)

    @property
    def formula(self) -> Formula:
        """The model that these data come from."""
        slopes = tuple(name for name in self.sds if name != INTERCEPT)
        groups = (GroupTerm(self.group, INTERCEPT in self.sds, slopes),) if self.sds else ()
        return Formula(self.y, tuple(self.coefficients), groups)

    @property
    def varying(self) -> tuple[str, ...]:
        """What varies between groups, the intercept first."""
        return tuple(sorted(self.sds, key=lambda name: name != INTERCEPT))

    @property
    def correlation_matrix(self) -> Array:
        """R [M, M], in the order of `varying`."""
        R = np.eye(len(self.varying))
        for (row, first), (column, second) in combinations(enumerate(self.varying), 2):
            R[row, column] = R[column, row] = self.correlation(first, second)
        return R

    def correlation(self, first: str, second: str) -> float:
        """Return the correlation between two varying coefficients."""
        if not isinstance(self.correlations, Mapping):
            return self.correlations
        return self.correlations.get(f"{first}, {second}", self.correlations.get(f"{second}, {first}", 0.0))


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


def true_parameters(simulation: Simulation) -> dict[str, float]:
    """Return the true value of every population-level parameter, under the name a fit reports it by."""
    group, varying = simulation.group, simulation.varying
    spread = {
        f"sd({group})" if name == INTERCEPT else f"sd({group}: {name})": float(simulation.sds[name]) for name in varying
    }
    correlations = {
        f"cor({group}: {first}, {second})": float(simulation.correlation(first, second))
        for first, second in combinations(varying, 2)
    }
    coefficients = {name: float(value) for name, value in simulation.coefficients.items()}
    return {
        INTERCEPT: float(simulation.intercept),
        **coefficients,
        **spread,
        **correlations,
        SIGMA: float(simulation.sigma),
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
        partial[TRUTH_FILE].write_text(
            json.dumps(simulated.truth, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
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


def _check_counts(simulation: Simulation) -> None:
    rows = simulation.rows_per_group
    low, high = (rows, rows) if isinstance(rows, int) else rows
    if simulation.groups < 1:
        raise UsageError(f"{simulation.groups} groups cannot be simulated.", hint="ask for at least 1 group")
    if low < 1:
        raise UsageError(f"{low} rows per group cannot be simulated.", hint="ask for at least 1 row per group")
    if low > high:
        raise UsageError(
            f"the range of rows per group is the wrong way round: {low} to {high}.", hint=f"write {high} to {low}"
        )
    if simulation.seed < 0:
        raise UsageError(f"the seed {simulation.seed} is negative.", hint="choose a whole number from 0 on")


def _check_names(simulation: Simulation) -> None:
    names = (simulation.y, *simulation.coefficients, simulation.group)
    for name in names:
        if not name.strip() or name in (INTERCEPT, SIGMA):
            raise UsageError(f"a column cannot be named '{name}'.", hint="choose another name")
        if names.count(name) > 1:
            raise UsageError(
                f"the column name '{name}' is used {names.count(name)} times among: {', '.join(names)}.",
                hint="give outcome, predictors and group different names",
            )
    for name in simulation.sds:
        if name not in (INTERCEPT, *simulation.coefficients):
            raise UsageError(
                f"the slope of '{name}' cannot vary: no predictor has that name."
                + did_you_mean(name, (INTERCEPT, *simulation.coefficients)),
                hint=f"what can vary: {', '.join((INTERCEPT, *simulation.coefficients))}",
            )


def _check_parameters(simulation: Simulation) -> None:
    for name, value in true_parameters(simulation).items():
        if not math.isfinite(value):
            raise UsageError(f"{name} = {value} is not a finite number.", hint="give every parameter a finite value")
    for name, sd in (*simulation.sds.items(), (SIGMA, simulation.sigma)):
        if sd < 0:
            raise UsageError(f"the sd '{name}' is negative: {sd:g}.", hint="a standard deviation is 0 or more")
    _check_correlations(simulation)


def _check_correlations(simulation: Simulation) -> None:
    varying = simulation.varying
    if isinstance(simulation.correlations, Mapping):
        known = {f"{first}, {second}" for first in varying for second in varying if first != second}
        for pair in simulation.correlations:
            if pair not in known:
                raise UsageError(
                    f"there is no correlation of '{pair}'.{did_you_mean(pair, known)}",
                    hint=f"what varies: {', '.join(varying) or 'nothing'}; write a pair as 'Intercept, ses'",
                )
    for first, second in combinations(varying, 2):
        value = simulation.correlation(first, second)
        if abs(value) > 1:
            raise UsageError(
                f"the correlation of '{first}, {second}' is {value:g}.", hint="a correlation lies between -1 and 1"
            )
    if varying and np.linalg.eigvalsh(simulation.correlation_matrix)[0] < 1e-12:
        raise UsageError(
            f"the correlations between {', '.join(varying)} contradict each other (matrix not positive definite).",
            hint="bring them closer to 0",
        )
