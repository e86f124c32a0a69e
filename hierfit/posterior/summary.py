"""Draws -> Summary: one row per population-level parameter, and how the variance divides between the factors.

Where parameters beside the mean have predictors there is also what they come to in their own units (`at_levels`).

Means, sds and equal-tailed intervals come from all draws with numpy, convergence numbers from `convergence`. All
in the units of the CSV, intercepts at x = 0. Group effects are `group_summary`'s.

The variance shares (ICC for one factor) are sd(f: Intercept)^2 / (sum over factors of sd(f: Intercept)^2 + residual),
draw by draw, for models with a varying intercept; with varying slopes that is the division at the point where all of
these columns are at their means, or 0 where the table has no sds there. The residual variance is sigma^2 for gaussian
outcomes; there are no shares where it differs from row to row. For two values, for successes among trials and for
ordered categories, it is that of the latent variable whose place between thresholds is the outcome: pi^2 / 3 under a
logit link, 1 under a probit; such shares are of the latent scale, not of the outcome (Goldstein, Browne, Rasbash 2002,
Understanding Statistics 1(4); Nakagawa, Schielzeth 2010, Biological Reviews 85(4), table 2). Other families have none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.design import Design
from hierfit.errors import UsageError
from hierfit.model.families import FAMILIES, Support
from hierfit.model.grammar import INTERCEPT
from hierfit.model.spec import Kind, ModelSpec, sd_name
from hierfit.plain import Key, Measured, Within, to_plain
from hierfit.posterior.at_levels import AtLevel, at_levels
from hierfit.posterior.convergence import Convergence, assess
from hierfit.posterior.draws import Draws

Array = NDArray[np.float64]
# Variance of the latent variable by link.
LATENT_VARIANCE = {"logit": math.pi**2 / 3, "probit": 1.0}
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
class VarianceShare:
    """Share of the variance that lies between the levels of one factor.

    Attributes:
        factor: the grouping factor.
        mean: posterior mean of the share.
        lower: lower bound of the equal-tailed interval.
        upper: upper bound.
        at_zero: the varying columns that are 0 where the share holds.
        scale: "outcome", or "latent" where the variance is that of the variable behind outcomes of two values.
        at_mean: the varying columns that are at their means there.
    """

    factor: Annotated[str, Key("group")]
    mean: Measured
    lower: Measured
    upper: Measured
    at_zero: tuple[str, ...]
    scale: Literal["outcome", "latent"] = "outcome"
    at_mean: tuple[str, ...] = ()


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
    return Summary(rows, ci, variance_shares(draws, design, spec, ci), at_levels(draws, design, probabilities))


def variance_shares(draws: Draws, design: Design, spec: ModelSpec, ci: float = 0.95) -> tuple[VarianceShare, ...]:
    """Return the share of the variance of every factor with a varying intercept; nothing where it has no meaning."""
    factors = [group.factor for group in design.groups if INTERCEPT in group.terms]
    residual = _residual_variance(draws, spec) if design.precision is None else None
    if residual is None or not factors:
        return ()
    scale: Literal["outcome", "latent"] = "outcome" if FAMILIES[spec.family].is_normal else "latent"
    own = {group.factor: group.of_mean.terms for group in design.groups}
    sloped = [group for group in spec.groups if own[group.factor] not in ((), (INTERCEPT,))]
    terms = tuple(dict.fromkeys(term for group in sloped for term in own[group.factor] if term != INTERCEPT))
    at_mean = all(map(spec.has_two_sds, sloped))
    names = [sd_name(factor, INTERCEPT) for factor in factors]
    between = np.stack([draws.of(spec.speaks_of(name) if at_mean else name).ravel() ** 2 for name in names])
    zero, mean = ((), terms) if at_mean else (terms, ())
    total = between.sum(axis=0) + residual
    with np.errstate(invalid="ignore"):
        shares = between / total
    bounds = interval_bounds(ci)
    return tuple(
        VarianceShare(factor, float(share.mean()), *_two(np.quantile(share, bounds)), zero, scale, mean)
        for factor, share in zip(factors, shares, strict=True)
    )


def _residual_variance(draws: Draws, spec: ModelSpec) -> Array | float | None:
    """Variance within the levels, of the outcome or of the variable behind it; None where the model has neither."""
    family = FAMILIES[spec.family]
    if family.is_normal:  # around the linear predictor
        return None if spec.distributional else draws.of("sigma").ravel() ** 2
    if family.support in (Support.BINARY, Support.SUCCESSES, Support.CATEGORIES) and not family.auxiliaries:
        return LATENT_VARIANCE.get(spec.link)
    return None


def _two(bounds: Array) -> tuple[float, float]:
    return float(bounds[0]), float(bounds[1])
