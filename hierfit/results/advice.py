"""Findings x Design -> the likely cause and what to try next, in order, as flags of the command line that exist.

Sources for the order: Stan's "Runtime warnings and convergence problems" guide; Betancourt, "Hierarchical modeling"
(2020): smaller steps first, then what is plausible (priors), then a smaller model.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from hierfit.model.design import Design, Group
from hierfit.model.formula import INTERCEPT
from hierfit.model.spec import ModelSpec
from hierfit.results.draws import Draws
from hierfit.results.words import coefficients, counted, spread

FEW_LEVELS = 8
ROWS_BEYOND_TERMS = 3
ROWS_PER_COEFFICIENT = 5
SMALL_SD = 0.1
MOST_DRAWS = 20_000
PLAUSIBLE = 0.5


@dataclass(frozen=True)
class Try:
    """One thing to try next.

    Attributes:
        flag: what to add to the command, such as "--adapt-delta 0.99".
        why: what it does, in a clause.
    """

    flag: str
    why: str


@dataclass(frozen=True)
class Trouble:
    """What the checks found, as far as advice depends on it.

    Attributes:
        checks: ids of the checks that found something.
        names: the parameters that findings name.
        factors: grouping factors whose parameters or effects are named by a finding.
        ess_min: smallest effective sample size, NaN where unknown.
        ess_wanted: its threshold.
    """

    checks: Collection[str]
    names: Collection[str]
    factors: Collection[str]
    ess_min: float
    ess_wanted: float


def likely_cause(trouble: Trouble, draws: Draws, design: Design) -> str | None:
    """Return one sentence on what in the data makes the posterior hard to sample, or None where nothing stands out."""
    if not trouble.checks:
        return None
    for group in _suspect_groups(trouble, design):
        cause = _thin_groups(group) or _no_variation(group, draws, design)
        if cause:
            return cause
    n_coefficients = len(design.coefficients) + design.intercept
    if design.n_rows < ROWS_PER_COEFFICIENT * n_coefficients:
        return f"{design.n_rows:,} rows say little about {n_coefficients} coefficients."
    return None


def what_to_try(trouble: Trouble, draws: Draws, design: Design, spec: ModelSpec) -> tuple[Try, ...]:
    """Return what to try next, the cheapest and likeliest first."""
    found = set(trouble.checks)
    tries: list[Try] = []
    if found & {"divergences", "stuck"}:
        tries.append(Try("--adapt-delta 0.99", "smaller steps, 2 to 3 times slower"))
    if "treedepth" in found:
        tries.append(Try(f"--max-treedepth {draws.max_treedepth + 2}", "longer trajectories, up to 4 times slower"))
    if found & {"ess", "rhat"} and not found & {"divergences", "stuck", "nonfinite"}:
        tries.append(_more_draws(trouble, draws))
    if found & {"rhat", "stuck", "ebfmi", "treedepth"}:
        tries.append(Try("--warmup 2000", "more time to find the step size and the scales"))
    if found & {"divergences", "ebfmi", "rhat", "stuck", "nonfinite"}:
        tries.extend(_simpler_models(trouble, design, spec))
    return tuple(tries)


def _suspect_groups(trouble: Trouble, design: Design) -> list[Group]:
    """Groups that a finding names, or all where findings name none."""
    named = [group for group in design.groups if group.factor in trouble.factors]
    return named or list(design.groups)


def _thin_groups(group: Group) -> str | None:
    rows, terms = group.rows_per_level, len(group.terms)
    levels = counted(group.n_levels, group.factor)
    varying = " and ".join(coefficients(term) for term in group.terms[-2:])
    if group.n_levels < FEW_LEVELS:
        return f"{levels} say little about how much their {varying} vary."
    if np.median(rows) <= terms + ROWS_BEYOND_TERMS:
        noun = "row" if rows.max() == 1 else "rows"
        return f"{levels} with {spread(rows.tolist())} {noun} each say little about how {varying} vary."
    return None


def _no_variation(group: Group, draws: Draws, design: Design) -> str | None:
    for index, term in enumerate(group.terms):
        name = sd_name(group.factor, term)
        if np.median(draws.of(name)) * column_scale(group, index) < SMALL_SD * residual_scale(draws, design):
            return f"{name} is close to 0: {coefficients(term)} hardly vary between the {group.n_levels:,} levels."
    return None


def sd_name(factor: str, term: str) -> str:
    """Return the name of the sd of a varying coefficient."""
    return f"sd({factor})" if term == INTERCEPT else f"sd({factor}: {term})"


def column_scale(group: Group, index: int) -> float:
    """Return the size of a varying column: its sd, or 1 where it is constant."""
    scale = float(group.Z[:, index].std())
    return scale if scale > 0 else 1.0


def residual_scale(draws: Draws, design: Design) -> float:
    """Return the posterior median of sigma, or 1 for a family without one."""
    names = {parameter.name for parameter in draws.parameters}
    return float(np.median(draws.of("sigma"))) if "sigma" in names else 1.0


def _more_draws(trouble: Trouble, draws: Draws) -> Try:
    wanted = 2 * draws.n_draws
    if trouble.ess_min > 0:
        wanted = math.ceil(1.3 * draws.n_draws * trouble.ess_wanted / trouble.ess_min)
    wanted = min(MOST_DRAWS, max(2 * draws.n_draws, wanted))
    rounded = math.ceil(wanted / 500) * 500
    return Try(f"--draws {rounded}", f"more draws per chain than the {draws.n_draws:,} of this run")


def _simpler_models(trouble: Trouble, design: Design, spec: ModelSpec) -> list[Try]:
    groups = _suspect_groups(trouble, design)
    tries = [
        Try(f'--prior "{_plausible_prior(group, trouble, design, spec)}"', "tell it what is plausible")
        for group in groups
    ]
    for group in groups:
        slopes = [term for term in group.terms if term != INTERCEPT]
        if group.correlated and len(group.terms) > 1:
            tries.append(Try("--uncorrelated", "leave out the correlations of the varying coefficients"))
        if slopes and INTERCEPT in group.terms:
            tries.append(
                Try(f"without --slope {slopes[-1]}", f"one {slopes[-1]} coefficient for all of {group.factor}")
            )
    return list(dict.fromkeys(tries))


def _plausible_prior(group: Group, trouble: Trouble, design: Design, spec: ModelSpec) -> str:
    """A half normal for the sd in trouble, half the sd of the outcome per sd of the column."""
    named = [index for index, term in enumerate(group.terms) if sd_name(group.factor, term) in trouble.names]
    index = named[0] if named else len(group.terms) - 1
    outcome = float(design.y.std()) if spec.family == "gaussian" else 1.0
    scale = PLAUSIBLE * outcome / column_scale(group, index)
    return f"{sd_name(group.factor, group.terms[index])} ~ normal(0, {scale if scale > 0 else 1.0:.1g})"
