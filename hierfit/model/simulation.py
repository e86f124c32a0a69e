"""What to simulate: the settings, the true parameters and the checks that refuse what makes no sense.

Row i of group j is

    y_i ~ Family(inverse link(eta_i), auxiliaries)
    eta_i = intercept + sum_k x_ik b_k + sum_m z_im u_jm + v_level(i),    u_j ~ normal(0, D R D),  v ~ normal(0, s^2)

with z a one for the varying intercept and the predictor itself for a varying slope, D = diag(sds) and R the
correlations. `sds` says what varies: {"Intercept": 5, "ses": 1}; without "Intercept" the intercept does not
vary. v is there with a second, crossed factor. Gaussian with sigma = 0 lies exactly on the lines. All values are on
the scale of the link. Letters: J groups, K predictors, M varying coefficients.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from hierfit.errors import UsageError, did_you_mean
from hierfit.model.families import FAMILIES, SIGMA, Auxiliary
from hierfit.model.formula import INTERCEPT, Formula, GroupTerm, quoted
from hierfit.model.outcome import find_family
from hierfit.model.simulation_checks import (
    Count,
    check_correlations,
    check_increasing,
    check_missing,
    check_range,
    check_seed,
    check_trials,
)
from hierfit.model.spec import threshold_name

TRIALS = "trials"
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

    @classmethod
    def from_text(cls, text: str) -> Predictors:
        """Read "normal(0, 1)" or "uniform(0, 10)".

        Raises:
            UsageError: the text is neither.
        """
        name, _, rest = text.strip().partition("(")
        try:
            first, second = map(float, rest.removesuffix(")").split(","))
        except ValueError:
            raise UsageError(
                f"'{text}' is no distribution of predictors.", hint=f"write {' or '.join(_DISTRIBUTIONS.values())}"
            ) from None
        return cls(cast("Any", name.strip()), first, second)

    def draw(self, rng: np.random.Generator, shape: tuple[int, int]) -> Array:
        """Return independent draws of the given shape."""
        if self.distribution == "normal":
            return rng.normal(self.first, self.second, shape)
        return rng.uniform(self.first, self.second, shape)


@dataclass(frozen=True)
class Crossed:
    """A second grouping factor, whose intercept varies; the rows of every group go through its levels in turn.

    Attributes:
        name: of its column; labels begin with its first letter.
        levels: how many there are.
        sd: of its varying intercept.
    """

    name: str
    levels: int
    sd: float


@dataclass(frozen=True)
class Simulation:
    """What to simulate; refuses what makes no sense with a UsageError.

    Attributes:
        groups: J.
        rows_per_group: rows of each group: a number, or the ends (low, high) of a uniform draw, both included.
        intercept: population intercept; 0 beside thresholds.
        coefficients: predictor -> population coefficient.
        sds: what varies between groups ("Intercept" or a predictor) -> its sd, in the order of the formula.
        correlations: one number for every pair of what varies, or "Intercept, ses" -> correlation, others 0.
        sigma: residual sd, for families that have one.
        family: distribution of the outcome.
        link: link between its mean and the predictors; None takes the family's default.
        auxiliaries: the family's further parameters but sigma -> true value.
        thresholds: between ordered categories 1, 2, ..., for families that have them; in the intercept's place.
        trials: of each row, for families that count successes: a number, or the ends of a uniform draw.
        crossed: a second grouping factor, or None.
        missing: share of the cells of outcome and predictors that are made empty, at random.
        predictors: the distribution of the predictors.
        y: name of the outcome column.
        group: name of the group column.
        label_prefix: what group labels begin with; a number, zero-padded, follows.
        seed: of the random numbers.
    """

    groups: int = 30
    rows_per_group: Count = 20
    intercept: float = 50.0
    coefficients: Mapping[str, float] = field(default_factory=lambda: {"ses": 2.0})
    sds: Mapping[str, float] = field(default_factory=lambda: {INTERCEPT: 5.0})
    correlations: float | Mapping[str, float] = 0.0
    sigma: float = 8.0
    family: str = "gaussian"
    link: str | None = None
    auxiliaries: Mapping[str, float] = field(default_factory=dict)
    thresholds: tuple[float, ...] = ()
    trials: Count | None = None
    crossed: Crossed | None = None
    missing: float = 0.0
    predictors: Predictors = Predictors()
    y: str = "score"
    group: str = "school"
    label_prefix: str = "s"
    seed: int = 1

    def __post_init__(self) -> None:
        find_family(self.family, self.link)
        _check_counts(self)
        _check_names(self)
        _check_auxiliaries(self)
        _check_parameters(self)
        _check_thresholds(self)

    @property
    def formula(self) -> Formula:
        """The model that these data come from."""
        slopes = tuple(quoted(name) for name in self.sds if name != INTERCEPT)
        groups = [GroupTerm(self.group, INTERCEPT in self.sds, slopes)] if self.sds else []
        crossed = [] if self.crossed is None else [GroupTerm(self.crossed.name)]
        return Formula(self.y, tuple(map(quoted, self.coefficients)), (*groups, *crossed))

    @property
    def auxiliary_names(self) -> tuple[str, ...]:
        """Names of the family's auxiliary parameters."""
        return tuple(auxiliary.name for auxiliary in FAMILIES[self.family].auxiliaries)

    @property
    def auxiliary_values(self) -> dict[str, float]:
        """The true value of every auxiliary parameter of the family, sigma among them where it has one."""
        known = {SIGMA: self.sigma, **self.auxiliaries}
        return {name: float(known[name]) for name in self.auxiliary_names}

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
    if simulation.crossed is not None:
        spread[f"sd({simulation.crossed.name})"] = float(simulation.crossed.sd)
    thresholds = {threshold_name(f"{k}|{k + 1}"): value for k, value in enumerate(simulation.thresholds, start=1)}
    return {
        **({} if thresholds else {INTERCEPT: float(simulation.intercept)}),
        **{name: float(value) for name, value in simulation.coefficients.items()},
        **thresholds,
        **spread,
        **correlations,
        **simulation.auxiliary_values,
    }


def _check_counts(simulation: Simulation) -> None:
    if simulation.groups < 1:
        raise UsageError(f"{simulation.groups} groups cannot be simulated.", hint="ask for at least 1 group")
    check_range("row", simulation.rows_per_group, "group")
    check_trials(simulation.family, simulation.trials)
    if simulation.crossed is not None and simulation.crossed.levels < 1:
        raise UsageError(
            f"{simulation.crossed.levels} levels of '{simulation.crossed.name}' cannot be simulated.",
            hint="ask for at least 1 level",
        )
    check_missing(simulation.missing)
    check_seed(simulation.seed)


def _check_names(simulation: Simulation) -> None:
    names = (
        simulation.y,
        *([] if simulation.trials is None else [TRIALS]),
        *simulation.coefficients,
        simulation.group,
        *([] if simulation.crossed is None else [simulation.crossed.name]),
    )
    reserved = {INTERCEPT, SIGMA, *simulation.auxiliary_names}
    for name in names:
        if not name.strip() or name in reserved:
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


def _check_auxiliaries(simulation: Simulation) -> None:
    """Refuse values of parameters that the family has not, values that it lacks, and values out of range."""
    family = FAMILIES[simulation.family]
    wanted = {auxiliary.name: auxiliary for auxiliary in family.auxiliaries if auxiliary.name != SIGMA}
    for name in simulation.auxiliaries:
        if name not in wanted:
            raise UsageError(
                f"the family {family.name} has no further parameter '{name}'.{did_you_mean(name, wanted)}",
                hint=f"its further parameters: {', '.join(simulation.auxiliary_names) or 'none'}",
            )
    for name, auxiliary in wanted.items():
        if name not in simulation.auxiliaries:
            raise UsageError(
                f"the family {family.name} needs a true value of '{name}'.", hint=f"{name} is {_range_text(auxiliary)}"
            )
        value = simulation.auxiliaries[name]
        if not auxiliary.lower < value < auxiliary.upper:
            raise UsageError(f"{name} cannot be {value:g}.", hint=f"{name} is {_range_text(auxiliary)}")


def _check_thresholds(simulation: Simulation) -> None:
    """Refuse thresholds of families without, families without theirs, and an intercept beside them."""
    has, given = FAMILIES[simulation.family].has_thresholds, bool(simulation.thresholds)
    if has != given:
        raise UsageError(
            f"the family {simulation.family} {'needs' if has else 'has no'} thresholds between ordered categories.",
            hint="start from a scenario of the family, or name the model with --formula and values with --true",
        )
    if given and simulation.intercept != 0:
        raise UsageError(
            f"the family {simulation.family} has thresholds in the place of an intercept.", hint="leave out --intercept"
        )
    check_increasing(simulation.thresholds)


def _range_text(auxiliary: Auxiliary) -> str:
    above = f"greater than {auxiliary.lower:g}"
    return above if auxiliary.upper == math.inf else f"{above} and less than {auxiliary.upper:g}"


def _check_parameters(simulation: Simulation) -> None:
    for name, value in true_parameters(simulation).items():
        if not math.isfinite(value):
            raise UsageError(f"{name} = {value} is not a finite number.", hint="give every parameter a finite value")
    crossed = {} if simulation.crossed is None else {simulation.crossed.name: simulation.crossed.sd}
    for name, sd in (*simulation.sds.items(), *crossed.items(), (SIGMA, simulation.sigma)):
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
    check_correlations(simulation.correlation_matrix, varying)
