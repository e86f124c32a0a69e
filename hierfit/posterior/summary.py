"""Draws -> Summary: one row per population-level parameter, and how the variance divides between the factors.

Where parameters beside the mean have predictors there is also what they come to in their own units (`at_levels`).

Means, sds and equal-tailed intervals come from all draws with numpy, convergence numbers from `convergence`. All
in the units of the CSV, intercepts at x = 0. Group effects are `group_summary`'s, variance shares `variance.shares`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.design import Design
from hierfit.errors import UsageError
from hierfit.model.spec import Kind, ModelSpec
from hierfit.plain import Key, Measured, Within, to_plain
from hierfit.posterior.at_levels import AtLevel, at_levels
from hierfit.posterior.convergence import Convergence, assess
from hierfit.posterior.draws import Draws
from hierfit.posterior.variance.shares import VarianceShare, variance_shares

Array = NDArray[np.float64]
COLUMNS = (
    "name", "kind", "group", "term", "predictor", "mean", "sd", "lower", "upper", "mcse_mean", "rhat", "ess_bulk",
    "ess_tail",
)  # fmt: skip


@dataclass(frozen=True)
class SummaryRow:
    """One population-level parameter; NaN where a number does not exist (fixed by its prior)."""

    name: str
    kind: Kind
    group: str | None
    term: str | None
    predictor: str | None
    mean: Measured
    sd: Measured
    lower: Measured
    upper: Measured
    mcse_mean: Measured
    rhat: Measured
    ess_bulk: Measured
    ess_tail: Measured

    @property
    def fixed(self) -> bool:
        """Whether a prior `constant(...)` fixes it."""
        return self.sd == 0


@dataclass(frozen=True)
class Summary:
    """The main table.

    Attributes:
        rows: one per population-level parameter, in the order of `Draws.parameters`.
        ci: mass of the equal-tailed intervals, such as 0.95.
        shares: variance shares, one per factor with a varying intercept; empty where they have no meaning.
        at_levels: parameters beside the mean in their own units, where they have predictors.
    """

    rows: Annotated[tuple[SummaryRow, ...], Key("parameters")]
    ci: Annotated[float, Within(0, 1)]
    shares: Annotated[tuple[VarianceShare, ...], Key("variance_shares")]
    at_levels: tuple[AtLevel, ...] = ()

    def row(self, name: str) -> SummaryRow:
        """Return the row of one parameter; KeyError for an unknown name."""
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    def csv_rows(self) -> Iterator[tuple[object, ...]]:
        """Yield the header of summary.csv, then its rows at full precision, empty where there is no number."""
        yield COLUMNS
        for row in self.rows:
            yield tuple("" if value is None else value for value in to_plain(row).values())


def interval_bounds(ci: float) -> tuple[float, float]:
    """Return the two probabilities of an equal-tailed interval.

    Raises:
        UsageError: `ci` is not between 0 and 1.
    """
    if not 0 < ci < 1:
        raise UsageError(f"an interval of mass {ci:g} does not exist.", hint="give --ci between 0 and 1, such as 0.95")
    return (1 - ci) / 2, (1 + ci) / 2


def summarize(
    draws: Draws, design: Design, spec: ModelSpec, ci: float = 0.95, *, convergence: Convergence | None = None
) -> Summary:
    """Return the main table; `convergence` saves its computation where `assess(draws.values)` is at hand already.

    Raises:
        UsageError: `ci` is not between 0 and 1.
    """
    probabilities = interval_bounds(ci)
    known = convergence or assess(draws.values)
    values = draws.values.reshape(-1, len(draws.parameters))
    with np.errstate(invalid="ignore"):
        mean, sd = moments.mean(values, axis=0), moments.sd(values, axis=0)
    sd[known.fixed] = 0.0
    lower, upper = np.quantile(values, probabilities, axis=0)
    columns = (mean, sd, lower, upper, known.mcse_mean, known.rhat, known.ess_bulk, known.ess_tail)
    numbers = np.column_stack(columns).tolist()
    rows = tuple(
        SummaryRow(parameter.name, parameter.kind, parameter.group, parameter.term, parameter.predictor, *row)
        for parameter, row in zip(draws.parameters, numbers, strict=True)
    )
    shares = variance_shares(draws, design, spec, probabilities)
    return Summary(rows, ci, shares, at_levels(draws, design, probabilities))
