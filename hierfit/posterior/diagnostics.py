"""Draws -> Diagnosis: may these numbers be used, and if not, which, why, and what to try next.

Checks: R-hat, bulk and tail ESS, divergences, tree depth, E-BFMI; the weights of an independence sampler's points;
chains that never moved or were killed; draws that are not finite. Each has two levels: `warn` (read with care) and
`fail` (do not use the numbers); their thresholds are in `verdict` and nowhere else. Population-level parameters are
checked one by one. Of thousands of group effects some exceed any threshold by chance, so they warn or fail when more
than `EFFECT_SHARE` of a factor's do, and warn when any reaches the level of fail; R-hat of few draws has to exceed 1 +
`CHANCE` / draws besides. What has no spread (a prior `constant(1)`) is never a failure.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.model.priors import HORSESHOE_SCALE
from hierfit.model.spec import Kind, ModelSpec
from hierfit.posterior.advice import what_to_try
from hierfit.posterior.convergence import (
    Convergence,
    EffectScreen,
    Weights,
    assess,
    energy_bfmi,
    is_fixed,
    screen_effects,
    weigh,
)  # fmt: skip
from hierfit.posterior.digits import format_count, format_number, format_rhat, format_share
from hierfit.posterior.draws import Draws
from hierfit.posterior.likely import likely_cause
from hierfit.posterior.trouble import Asked, Trouble
from hierfit.posterior.verdict import THRESHOLDS as THRESHOLDS
from hierfit.posterior.verdict import Diagnosis as Diagnosis
from hierfit.posterior.verdict import Finding as Finding
from hierfit.posterior.verdict import Level as Level
from hierfit.posterior.verdict import ess_wanted as ess_wanted
from hierfit.posterior.words import all_in_words, listed, plural, what_disagrees

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
EFFECT_SHARE = 0.01
CHANCE = 4  # split R-hat of four chains of D draws, half as many effective ones, exceeds 1 + 4 / D once in a hundred
MOST = 0.8
CONCENTRATED = 0.4
ROUNDED = 1_000  # units of the last digit: a correlation of intercepts far from the data is 1 but for such
LARGE_WEIGHT = 10  # times the average; while none is larger, neither shape nor share say anything


def diagnose(
    draws: Draws,
    design: Design,
    spec: ModelSpec,
    *,
    convergence: Convergence | None = None,
    asked: Asked | None = None,
) -> Diagnosis:
    """Return the verdict; `convergence` saves its computation where `assess(draws.values)` is at hand already.

    What the user asked of the sampler decides what there is left to try.
    """
    known = convergence or assess(draws.values)
    screens = {group.factor: screen_effects(draws.effects_of(group)) for group in _kept(draws, design)}
    bfmi = energy_bfmi(draws.stats["energy"]) if "energy" in draws.stats else np.full(draws.n_chains, np.nan)
    weights = weights_of(draws)
    candidates = (
        _check_lost(draws),
        _check_finite(draws),
        _check_stuck(draws),
        _check_rhat(draws, design, known, screens),
        _check_ess(draws, design, known, screens),
        _check_divergences(draws),
        _check_treedepth(draws),
        _check_bfmi(bfmi),
        None if weights is None else check_weights(weights),
    )
    findings = sorted((found for found in candidates if found), key=lambda found: found.level is Level.WARN)
    ess_min = np.fmin(_least(known.ess_bulk), _least(known.ess_tail))
    divergent = int(np.count_nonzero(draws.stats["diverging"])) if "diverging" in draws.stats else 0
    trouble = Trouble(
        checks=[found.check for found in findings],
        names={name for found in findings for name in found.parameters},
        disagreeing={name for found in findings if found.check in ("rhat", "stuck") for name in found.parameters},
        factors=_factors_named(findings, draws, design),
        ess_min=float(ess_min),
        ess_wanted=ess_wanted(draws.n_chains),
        divergent=divergent / (draws.n_chains * draws.n_draws),
        spec=spec,
        asked=asked or Asked(),
    )
    return Diagnosis(
        findings[0].level if findings else Level.OK,
        tuple(findings),
        likely_cause(trouble, draws, design),
        what_to_try(trouble, draws, design),
        -_least(-known.rhat),
        _least(known.ess_bulk),
        _least(known.ess_tail),
        divergent,
        draws.n_chains * draws.n_draws,
        _least(bfmi),
        weights,
    )


def weights_of(draws: Draws) -> Weights | None:
    """Return what the weights of proposed points say; None where the sampler is no independence sampler."""
    log_weights = draws.stats.get("log_weight")
    return None if log_weights is None else weigh(np.asarray(log_weights, dtype=np.float64))


def one_dominates(weights: Weights) -> bool:
    """Whether one weight is too much of all, and not only because there are few."""
    return weights.share > THRESHOLDS["weight"].warn and weights.largest > LARGE_WEIGHT


def check_weights(weights: Weights) -> Finding | None:
    """Return what is wrong with the weights of an independence sampler, or None."""
    k, share, one = THRESHOLDS["pareto_k"], THRESHOLDS["weight"], one_dominates(weights)
    heavy = weights.largest > LARGE_WEIGHT and weights.pareto_k > k.warn
    if not (heavy or one):
        return None
    value = f"Pareto k {format_number(weights.pareto_k, 2)}, largest {format_share(weights.share)} of all"
    return Finding(
        "weight" if one else "pareto_k",
        Level.FAIL if (heavy and weights.pareto_k > k.fail) or (one and weights.share > share.fail) else Level.WARN,
        value,
        f"k <= {k.warn:g}, largest <= {format_share(share.warn)}",
        (),
        "the proposal misses a part of the posterior, so sds may be too small, or too large where a chain was held",
    )


def _kept(draws: Draws, design: Design) -> list[Group]:
    return [group for group in design.groups if group.factor in draws.effects]


def _least(values: Array) -> float:
    return float(np.nanmin(values)) if np.isfinite(values).any() else float("nan")


def _factors_named(findings: Iterable[Finding], draws: Draws, design: Design) -> set[str]:
    """Factors of the parameters that findings name, and those whose effects they speak of."""
    words = {text for found in findings for text in found.parameters}
    of_parameters = {parameter.group for parameter in draws.parameters if parameter.name in words}
    return {
        group.factor
        for group in design.groups
        if group.factor in of_parameters or any(text.endswith(f" {plural(group.factor)}") for text in words)
    }


def _check_lost(draws: Draws) -> Finding | None:
    if not draws.lost_chains:
        return None
    value = f"{draws.lost_chains} of {draws.n_chains + draws.lost_chains} chains"
    meaning = "killed, most often for want of memory: --parallel-chains 1 needs less. The others' draws are kept"
    return Finding("lost", Level.WARN, value, "0", (), meaning)


def _check_finite(draws: Draws) -> Finding | None:
    bad: Flags = ~np.isfinite(draws.values)
    names = [
        parameter.name
        for parameter, any_bad in zip(draws.parameters, np.asarray(bad.any(axis=(0, 1))), strict=True)
        if any_bad
    ]
    names += [f"effects of {plural(factor)}" for factor, effects in draws.effects.items() if not _all_finite(effects)]
    if not names:
        return None
    worst = int(bad.any(axis=2).sum())
    value = f"{worst:,} of {draws.n_chains * draws.n_draws:,} draws" if worst else "some group effects"
    return Finding("nonfinite", Level.FAIL, value, "none", tuple(names), "the numbers are infinite or undefined")


def _all_finite(effects: Array) -> bool:
    # A sum is finite when all terms are, short of overflow, and needs no array of flags as large as the draws.
    return bool(np.isfinite(effects.sum())) or bool(np.isfinite(effects).all())


def _check_stuck(draws: Draws) -> Finding | None:
    """A chain that repeats one value, of a parameter that others move or that differs between chains."""
    if draws.n_draws < 2:
        return None
    fixed = is_fixed(draws.values, ROUNDED)
    still: Flags = np.stack([is_fixed(chain[None]) for chain in draws.values]) & ~fixed
    if not still.any():
        return None
    chains = [str(chain + 1) for chain in np.flatnonzero(still.any(axis=1))]
    names = [
        parameter.name
        for parameter, stuck in zip(draws.parameters, np.asarray(still.any(axis=0)), strict=True)
        if stuck
    ]
    value = f"chain {', '.join(chains)} never moved" if len(chains) == 1 else f"chains {', '.join(chains)} never moved"
    return Finding("stuck", Level.FAIL, value, "every chain moves", tuple(names), "a chain repeats a single value")


def _check_rhat(draws: Draws, design: Design, known: Convergence, screens: dict[str, EffectScreen]) -> Finding | None:
    limits = THRESHOLDS["rhat"]
    most = max(limits.warn, 1 + CHANCE / draws.n_draws)
    shares = {factor: (screen.rhat > most, screen.rhat > limits.fail) for factor, screen in screens.items()}
    worst = np.where(np.isnan(known.rhat), -np.inf, known.rhat)
    named, level = _named(draws, worst, worst > limits.warn, worst > limits.fail)
    effect_words, effect_level = _effects_named(design, shares)
    if not named and not effect_words:
        return None
    effects_worst = max((-_least(-screen.rhat) for screen in screens.values()), default=np.nan)
    value = -_least(-known.rhat) if named else effects_worst
    return Finding(
        "rhat", max_level(level, effect_level), format_rhat(value), f"< {limits.warn:g}", (*named, *effect_words),
        f"{what_disagrees(draws.n_chains)}, so the estimates depend on the {'chain' if draws.n_chains > 1 else 'half'}",
    )  # fmt: skip


def _check_ess(draws: Draws, design: Design, known: Convergence, screens: dict[str, EffectScreen]) -> Finding | None:
    wanted, least = ess_wanted(draws.n_chains), THRESHOLDS["ess"].fail
    unknown = np.isnan(known.ess_bulk) & ~known.fixed & np.isfinite(draws.values).all(axis=(0, 1))
    ess = np.where(unknown, 0.0, np.fmin(known.ess_bulk, known.ess_tail))
    ess = np.where(np.isnan(ess), np.inf, ess)
    named, level = _named(draws, -ess, ess < wanted, ess < least)
    shares = {factor: (screen.ess < wanted, screen.ess < least) for factor, screen in screens.items()}
    effect_words, effect_level = _effects_named(design, shares)
    if not named and not effect_words:
        return None
    value = f"{format_count(_least(known.ess_bulk))} bulk, {format_count(_least(known.ess_tail))} tail"
    if not named:
        value = f"{format_count(min(_least(screen.ess) for screen in screens.values()))} bulk"
    return Finding(
        "ess", max_level(level, effect_level), value, f">= {wanted:g}", (*named, *effect_words),
        "few independent draws, so means and intervals are noisy",
    )  # fmt: skip


def _named(draws: Draws, badness: Array, warns: Flags, fails: Flags) -> tuple[list[str], Level]:
    """Names of the parameters that warn, worst first, and the level of the worst."""
    order = [index for index in np.argsort(-badness, kind="stable") if warns[index]]
    return [draws.parameters[index].name for index in order], Level.FAIL if fails.any() else Level.WARN


def _effects_named(design: Design, shares: dict[str, tuple[Flags, Flags]]) -> tuple[list[str], Level]:
    """Words like "slopes of ses of 6 of 12 schools", and the level."""
    words, level = [], Level.WARN
    for group in design.groups:
        if group.factor not in shares:
            continue
        warns, fails = shares[group.factor]
        allowed = EFFECT_SHARE * warns.size
        if warns.sum() <= allowed and not fails.any():
            continue
        level = Level.FAIL if fails.sum() > allowed else level
        concerned = [index for index in range(len(group.terms)) if warns[:, index].any()]
        what = all_in_words(group.named, concerned[0]) if len(concerned) == 1 else "effects"
        words.append(f"{what} of {warns.any(axis=1).sum():,} of {group.n_levels:,} {plural(group.factor)}")
    return words, level


def max_level(*levels: Level) -> Level:
    """Return the worst of several levels."""
    return max(levels, key=list(Level).index)


def _check_divergences(draws: Draws) -> Finding | None:
    diverging = np.asarray(draws.stats.get("diverging", np.zeros((1, 1))), dtype=bool)
    count = int(diverging.sum())
    if not count:
        return None
    share = count / diverging.size
    value = f"{count:,} of {diverging.size:,} draws ({format_share(share)})"
    where = where_divergent(draws, diverging)
    return Finding(
        "divergences",
        Level.FAIL if share >= THRESHOLDS["divergences"].fail else Level.WARN,
        f"{value}, most with {where[1]}" if where else value,
        "0",
        (where[0],) if where else (),
        "the sampler cannot follow the posterior there, so the estimates may be biased",
    )


def where_divergent(draws: Draws, diverging: Flags) -> tuple[str, str] | None:
    """Return the sd, or scale of a horseshoe, that is small in most divergent draws while in few at all, and how.

    The limit is rounded up, so that what is said of most divergent draws holds of `MOST` of them.
    """
    best, share = None, CONCENTRATED
    for index, parameter in enumerate(draws.parameters):
        values = draws.values[:, :, index]
        narrows = parameter.kind in (Kind.SD, Kind.SD_AT_MEAN) or parameter.name == HORSESHOE_SCALE
        if not narrows or is_fixed(values[:, :, None])[0] or not np.isfinite(values).all():
            continue
        limit = _rounded_up(float(np.quantile(values[diverging], MOST, method="higher")))
        below = float(np.mean(values <= limit))
        if below < share:
            best, share = (parameter.name, f"{parameter.name} up to {limit:g}"), below
    return best


def _rounded_up(value: float) -> float:
    """Return the next number of two significant digits."""
    if value <= 0:
        return 0.0
    step = 10.0 ** (np.floor(np.log10(value)) - 1)
    return float(f"{np.ceil(value / step * (1 - 1e-12)) * step:.2g}")


def _check_treedepth(draws: Draws) -> Finding | None:
    depth = draws.stats.get("tree_depth")
    hits = 0 if depth is None else int(np.sum(np.asarray(depth) >= draws.max_treedepth))
    if depth is None or hits <= THRESHOLDS["treedepth"].warn:
        return None
    value = f"{hits:,} of {depth.size:,} draws ({format_share(hits / depth.size)}) at {draws.max_treedepth}"
    return Finding("treedepth", Level.WARN, value, "0", (), "slow exploration, which is not a bias")


def _check_bfmi(bfmi: Array) -> Finding | None:
    limits = THRESHOLDS["ebfmi"]
    low = np.flatnonzero(bfmi < limits.warn)
    if not len(low):
        return None
    chains = listed([str(chain + 1) for chain in low], most=4)
    value = f"{format_number(float(np.nanmin(bfmi)), 2)} in chain{'s' if len(low) > 1 else ''} {chains}"
    level = Level.FAIL if np.nanmin(bfmi) < limits.fail else Level.WARN
    return Finding("ebfmi", level, value, f">= {limits.warn:g}", (), "the chains explore the tails slowly")
