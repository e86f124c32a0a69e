"""Findings x Design -> the likely cause and what to try next, in order: flags that exist, or changes of the model.

Models come from flags or from a formula, so changes of the model are said in the formula's words.

Sources for the order: Stan's "Runtime warnings and convergence problems" guide; Betancourt, "Hierarchical modeling"
(2020): smaller steps first, then what is plausible (priors), then a smaller model.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from hierfit.model.design import Design, Group
from hierfit.model.families import SIGMA
from hierfit.model.formula import INTERCEPT
from hierfit.model.priors import HORSESHOE_SCALE
from hierfit.model.spec import sd_name, sigma_name, threshold_name
from hierfit.results.columns import base
from hierfit.results.draws import Draws
from hierfit.results.predict import auxiliary_draws
from hierfit.results.separation import PRIOR_SCALE, separated, separation
from hierfit.results.words import coefficients, counted, plural, spread

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
        flag: what to add to the command or to change in the model: "--adapt-delta 0.99", "(1 + ses || school)".
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
        standardize: whether the command reads priors of coefficients and slopes per sd of their column.
    """

    checks: Collection[str]
    names: Collection[str]
    factors: Collection[str]
    ess_min: float
    ess_wanted: float
    standardize: bool = False


def likely_cause(trouble: Trouble, draws: Draws, design: Design) -> str | None:
    """Return one sentence on what in the data makes the posterior hard to sample, or None where nothing stands out."""
    if not trouble.checks:
        return None
    divided = separation(draws, design)
    if divided:
        return divided
    for group in _suspect_groups(trouble, design):
        cause = _thin_groups(group) or _no_variation(group, draws, design)
        if cause:
            return cause
    cause = _rare_category(trouble, design) or _horseshoe_funnel(trouble, draws)
    if cause:
        return cause
    n_coefficients = len(design.coefficients) + design.intercept + len(design.thresholds)
    if design.n_rows < ROWS_PER_COEFFICIENT * n_coefficients:
        return f"{design.n_rows:,} rows say little about {n_coefficients} coefficients."
    return None


def what_to_try(trouble: Trouble, draws: Draws, design: Design) -> tuple[Try, ...]:
    """Return what to try next, the cheapest and likeliest first."""
    found = set(trouble.checks)
    tries: list[Try] = []
    if found & {"divergences", "stuck"}:
        horseshoe = ", which a horseshoe needs" if _has_horseshoe(draws) else ""
        tries.append(Try("--adapt-delta 0.99", f"smaller steps{horseshoe}, 2 to 3 times slower"))
    if "treedepth" in found:
        tries.append(Try(f"--max-treedepth {draws.max_treedepth + 2}", "longer trajectories, up to 4 times slower"))
    if found & {"ess", "rhat"} and not found & {"divergences", "stuck", "nonfinite"}:
        tries.append(_more_draws(trouble, draws))
    if found & {"rhat", "ess", "stuck"} and "tree_depth" not in draws.stats:
        tries.append(Try("--engine full", "Stan's sampler instead of independence Metropolis"))
    elif found & {"rhat", "stuck", "ebfmi", "treedepth"}:
        tries.append(Try("--warmup 2000", "more time to find the step size and the scales"))
    tries.extend(_other_sigma(trouble, design))
    if found & {"divergences", "ebfmi", "rhat", "stuck", "nonfinite"}:
        tries.extend(_simpler_models(trouble, draws, design))
    if found & {"divergences", "stuck"} and _has_horseshoe(draws):
        tries.append(Try("leave out the horseshoe", "the default priors shrink less, and are easier to sample"))
    return tuple(tries)


def _has_horseshoe(draws: Draws) -> bool:
    return any(parameter.name == HORSESHOE_SCALE for parameter in draws.parameters)


def _horseshoe_funnel(trouble: Trouble, draws: Draws) -> str | None:
    if "divergences" not in trouble.checks or not _has_horseshoe(draws):
        return None
    return f"Coefficients near 0 leave {HORSESHOE_SCALE} little room, which takes small steps."


def _rare_category(trouble: Trouble, design: Design) -> str | None:
    """A category of few rows beside a threshold that a finding names."""
    if not any(threshold_name(between) in trouble.names for between in design.thresholds):
        return None
    rows = np.bincount(design.y.astype(np.int64), minlength=len(design.categories))
    rarest = int(rows.argmin())
    if rows[rarest] >= ROWS_PER_COEFFICIENT:
        return None
    count = f"{rows[rarest]:,} row{'s' if rows[rarest] != 1 else ''}"
    return f"{count} of {design.response} = {design.categories[rarest]} say little about the thresholds beside it."


def _other_sigma(trouble: Trouble, design: Design) -> list[Try]:
    """A sigma of each level in place of a reference, which all others depend on; else fewer predictors."""
    if design.sigma is None or not any(sigma_name(term) in trouble.names for term in design.sigma.coefficients):
        return []
    predictors = {base(name) for name in design.sigma.coefficients if name != INTERCEPT}
    are_levels = all(name.endswith("]") for name in design.sigma.coefficients if name != INTERCEPT)
    if design.sigma.intercept and are_levels and len(predictors) == 1:
        predictor = predictors.pop()
        return [Try(f"--sigma '0 + {predictor}'", "a sigma of each level, none compared with a reference")]
    return [Try("fewer predictors in --sigma", "or a stronger prior on their coefficients")]


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


def column_scale(group: Group, index: int) -> float:
    """Return the size of a varying column: its sd, or 1 where it is constant."""
    scale = float(group.Z[:, index].std())
    return scale if scale > 0 else 1.0


def residual_scale(draws: Draws, design: Design) -> float:
    """Return the posterior median of sigma, at the mean of its predictors, or 1 for a family without one."""
    sigma = auxiliary_draws(draws, design, np.arange(draws.n_chains * draws.n_draws)).get(SIGMA)
    return 1.0 if sigma is None else float(np.median(sigma))


def _more_draws(trouble: Trouble, draws: Draws) -> Try:
    wanted = 2 * draws.n_draws
    if trouble.ess_min > 0:
        wanted = math.ceil(1.3 * draws.n_draws * trouble.ess_wanted / trouble.ess_min)
    wanted = min(MOST_DRAWS, max(2 * draws.n_draws, wanted))
    rounded = math.ceil(wanted / 500) * 500
    return Try(f"--draws {rounded}", f"more draws per chain than the {draws.n_draws:,} of this run")


def _simpler_models(trouble: Trouble, draws: Draws, design: Design) -> list[Try]:
    groups = _suspect_groups(trouble, design)
    scales = separated(draws, design)
    if trouble.standardize:
        scales = dict.fromkeys(scales, PRIOR_SCALE)
    priors = [f"{name} ~ normal(0, {scale:.1g})" for name, scale in scales.items()]
    priors += [_plausible_prior(group, trouble, design) for group in groups]
    tries = [Try(f'--prior "{prior}"', "tell it what is plausible") for prior in priors]
    for group in groups:
        slopes = [term for term in group.terms if term != INTERCEPT]
        if group.correlated and len(group.terms) > 1:
            tries.append(Try(_without_correlations(group), "no correlations between them (with flags: --uncorrelated)"))
        if slopes and INTERCEPT in group.terms:
            flag = f"leave out the varying slope of {slopes[-1]}"
            tries.append(Try(flag, f"one {slopes[-1]} coefficient for all {plural(group.factor)}"))
    return list(dict.fromkeys(tries))


def _without_correlations(group: Group) -> str:
    varying = ["1" if INTERCEPT in group.terms else "0", *(term for term in group.terms if term != INTERCEPT)]
    return f"({' + '.join(varying)} || {group.factor})"


def _plausible_prior(group: Group, trouble: Trouble, design: Design) -> str:
    """A half normal for the sd in trouble: half the sd of the outcome (1 if unscaled) per sd of the column."""
    named = [index for index, term in enumerate(group.terms) if sd_name(group.factor, term) in trouble.names]
    index = named[0] if named else len(group.terms) - 1
    outcome = float(design.linear_outcome.std()) if design.is_scaled else 1.0
    scale = PLAUSIBLE * outcome / (1.0 if trouble.standardize else column_scale(group, index))
    return f"{sd_name(group.factor, group.terms[index])} ~ normal(0, {scale if scale > 0 else 1.0:.1g})"
