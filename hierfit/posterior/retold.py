"""Summary x draws -> its rows told otherwise: by medians, at chosen quantiles, coefficients as ratios.

The spread beside a median is the MAD sd, 1.4826 times the median distance from it, the sd of a normal posterior (as
rstanarm has it). A ratio is exp of a coefficient; its median is exp of the coefficient's, its mean would not be, so
ratios are told by medians. R-hat and ESS go by ranks and are those of the coefficients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.errors import UsageError
from hierfit.model.families import FAMILIES, Support, auxiliary_of
from hierfit.model.grammar import INTERCEPT
from hierfit.model.spec import Kind, ModelSpec
from hierfit.plain import Measured
from hierfit.posterior.draws import Draws
from hierfit.posterior.summary import Summary, SummaryRow, interval_bounds

Array = NDArray[np.float64]

_MAD = 1.482602218505602  # 1 / normal quantile of 0.75


@dataclass(frozen=True)
class Telling:
    """How rows are told.

    Attributes:
        median: by median and MAD sd, not mean and sd.
        ratios: coefficients alone, as exp of them.
        quantiles: probabilities of quantiles in place of the interval; empty for that.
    """

    median: bool = False
    ratios: bool = False
    quantiles: tuple[float, ...] = ()

    @property
    def by_median(self) -> bool:
        """Whether the number in the middle is the median."""
        return self.median or self.ratios


@dataclass(frozen=True)
class Retold:
    """One row, told otherwise.

    Attributes:
        row: what it was.
        what: "odds ratio", "odds", ...; None for the parameter itself.
        centre: mean or median.
        spread: sd or MAD sd.
        bounds: the quantiles, or lower and upper end of the interval.
    """

    row: SummaryRow
    what: str | None
    centre: Measured
    spread: Measured
    bounds: tuple[Measured, ...]


def retell(draws: Draws, summary: Summary, spec: ModelSpec, telling: Telling) -> tuple[Retold, ...]:
    """Return the rows of a summary, told otherwise.

    Raises:
        UsageError: ratios are asked for, and exp of a coefficient is none.
    """
    names = _ratio_names(spec) if telling.ratios else ("", "")
    found = []
    for row in summary.rows:
        if telling.ratios and row.kind not in (Kind.COEFFICIENT, Kind.DISTRIBUTIONAL):
            continue
        values, what = draws.of(row.name).ravel(), None
        if telling.ratios:
            with np.errstate(over="ignore"):
                values, what = np.exp(values), _what(row, names)
        found.append(_retold(row, what, values, summary.ci, telling))
    if not found:
        raise UsageError("--exp: this model has no coefficients.", hint="leave --exp out")
    return tuple(found)


def _retold(row: SummaryRow, what: str | None, values: Array, ci: float, telling: Telling) -> Retold:
    bounds = tuple(np.quantile(values, telling.quantiles or interval_bounds(ci)).tolist())
    if not telling.by_median:
        return Retold(row, what, row.mean, row.sd, bounds)
    median = float(np.median(values))
    spread = 0.0 if row.fixed else _MAD * float(np.median(np.abs(values - median)))
    return Retold(row, what, median, spread, bounds)


def ratio_names(family: str, link: str) -> tuple[str, str] | None:
    """Return what exp of a coefficient is, and exp of an intercept; None where that is nothing in particular."""
    own = FAMILIES[family]
    if own.linear is np.log:
        return "ratio of medians", "median"
    return {
        "logit": ("odds ratio", "odds"),
        "log": ("rate ratio", "rate") if own.support is Support.COUNT else ("ratio of means", "mean"),
        "cloglog": ("hazard ratio", "hazard"),
    }.get(link)


def _ratio_names(spec: ModelSpec) -> tuple[str, str]:
    found = ratio_names(spec.family, spec.link)
    if found is None:
        said = "coefficients are differences of the outcome itself" if spec.link == "identity" else "no odds, no rates"
        raise UsageError(
            f"--exp: exp of a coefficient is no ratio under the link {spec.link} ({said}).",
            hint="leave --exp out; hierfit effects RUN says what predictors do to the outcome",
        )
    return found


def _what(row: SummaryRow, names: Sequence[str]) -> str:
    """Return what exp of a coefficient is."""
    level = row.term == INTERCEPT
    if row.kind is Kind.COEFFICIENT:
        return names[level]
    auxiliary = auxiliary_of(str(row.predictor))
    if auxiliary.link == "logit":
        return f"odds of {auxiliary.name}" if level else f"odds ratio of {auxiliary.name}"
    of = f"{auxiliary.name} - 1" if auxiliary.link == "logm1" else auxiliary.name
    return of if level else f"ratio of {of}"
