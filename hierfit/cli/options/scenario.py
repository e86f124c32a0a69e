"""The options of `hierfit simulate` without --formula as typed -> Simulation: a scenario, and what they change of it.

A scenario has one grouping factor, perhaps a second one across it, and columns of numbers. Its formula and true values
are made anew from what is said and what is left of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hierfit.cli.options.pairs import number_or_range, numbers
from hierfit.cli.options.simulate import SimulateOptions
from hierfit.cli.options.simulation import distributions_of
from hierfit.design.outcome import find_family
from hierfit.errors import UsageError, did_you_mean
from hierfit.model.families import SIGMA, THRESHOLD, Family
from hierfit.model.formula import Formula, GroupTerm
from hierfit.model.grammar import INTERCEPT, column_of, quoted
from hierfit.model.spec import cor_name, sd_name
from hierfit.simulate.checks import Count
from hierfit.simulate.predictors import Predictors
from hierfit.simulate.scenarios import DEFAULT_SCENARIO, find_scenario, scenario_of
from hierfit.simulate.simulation import TRIALS, Simulation


def scenario_from(options: SimulateOptions) -> Simulation:
    """Return the scenario with what the options change.

    Raises:
        UsageError: an option cannot be read, or makes no sense.
    """
    shown = scenario_of(options.family) if options.family and options.scenario is None else None
    start = (shown or find_scenario(options.scenario or DEFAULT_SCENARIO)).simulation
    family, _ = find_family(options.family or start.family, options.link)
    own = start.formula.groups[0]
    y, group = options.y or start.formula.response, options.group or own.factor
    coefficients = numbers("--x", options.x, "ses=2") or {name: start.true[name] for name in start.formula.predictors}
    sds = numbers("--sd", options.sd, "Intercept=5")
    second, spread = _across(options.crossed, start, sds)
    varying = sds or {name: start.true[sd_name(own.factor, name)] for name in _varying(own)}
    rows = number_or_range("--rows-per-group", options.rows_per_group)
    trials = number_or_range("--trials", options.trials)
    if trials is None and family.has_trials:
        trials = start.all_trials
    _check_names([y, *([] if trials is None else [TRIALS]), *coefficients, group, *second])
    _check_slopes(varying, coefficients)
    slopes = tuple(quoted(name) for name in varying if name != INTERCEPT)
    groups = (GroupTerm(group, INTERCEPT in varying, slopes), *map(GroupTerm, second))
    return replace(
        start,
        formula=Formula(y, tuple(map(quoted, coefficients)), groups),
        family=family.name,
        link=options.link or (start.link if family.name == start.family else None),
        levels={group: start.levels[own.factor] if options.groups is None else options.groups, **second},
        rows=start.rows if rows is None else rows,
        predictors=_predictors(options.predictors) or start.predictors,
        trials=trials,
        true={
            **_intercept(options, start, family),
            **coefficients,
            **{sd_name(group, name): sd for name, sd in varying.items()},
            **_correlation(options.cor, start, group, list(varying)),
            **{sd_name(name, INTERCEPT): sd for name, sd in spread.items()},
            **_auxiliaries(options, start, family),
        },
        missing=start.missing if options.missing is None else options.missing,
        seed=options.seed,
        prefixes={group: start.prefixes.get(own.factor, own.factor[0])},
    )


def _varying(group: GroupTerm) -> list[str]:
    """Return what varies between the levels of a factor, by the names of columns."""
    return [INTERCEPT] * group.intercept + [name for name in map(column_of, group.slopes) if name is not None]


def _across(text: str | None, start: Simulation, sds: dict[str, float]) -> tuple[dict[str, Count], dict[str, float]]:
    """Read item=24 -> levels and sd of a second factor by its name, where there is one; take the sd from `sds`."""
    own = start.formula.factors[1:]
    if text is None and not own:
        return {}, {}
    name, levels = (own[0], start.levels[own[0]]) if own else ("", 0)
    if text is not None:
        name, _, number = text.rpartition("=")
        if not name or not number.strip().isdecimal():
            raise UsageError(f"--crossed {text} could not be read.", hint="for example --crossed item=24")
        levels = int(number)
    sd = sds.pop(name, start.true[sd_name(own[0], INTERCEPT)] if own else None)
    if sd is None:
        raise UsageError(f"--crossed {text} does not say how much '{name}' varies.", hint=f"add --sd {name}=1")
    return {name: levels}, {name: sd}


def _predictors(texts: Sequence[str] | None) -> Predictors | None:
    """Return the one distribution of a scenario's predictors."""
    found = distributions_of(texts)
    if any(found):
        raise UsageError(
            "a scenario draws all its predictors from one distribution.",
            hint='for example --predictors "uniform(0, 10)"; "age ~ uniform(8, 16)" goes with --formula',
        )
    return found.get("")


def _intercept(options: SimulateOptions, start: Simulation, family: Family) -> dict[str, float]:
    if not family.has_thresholds:
        return {INTERCEPT: start.true.get(INTERCEPT, 0.0) if options.intercept is None else options.intercept}
    if options.intercept is not None:
        raise UsageError(
            f"the family {family.name} has thresholds in the place of an intercept.", hint="leave out --intercept"
        )
    return {}


def _correlation(cor: float | None, start: Simulation, group: str, varying: Sequence[str]) -> dict[str, float]:
    """Return the correlation of all that varies, where two or more do."""
    if cor is not None and len(varying) < 2:
        raise UsageError(
            f"--cor {cor:g}: only {' and '.join(varying) or 'nothing'} varies between the groups.",
            hint="let more vary, such as --sd Intercept=5 --sd ses=1, or leave out --cor",
        )
    kept = start.true.get(cor_name(start.formula.factors[0])) if cor is None else cor
    return {} if kept is None or len(varying) < 2 else {cor_name(group): kept}


def _auxiliaries(options: SimulateOptions, start: Simulation, family: Family) -> dict[str, float]:
    """Return auxiliary parameters and thresholds: those given, and those of the scenario that the family has too."""
    names = [auxiliary.name for auxiliary in family.auxiliaries]
    given = numbers("--aux", options.aux, "shape=2") | ({} if options.sigma is None else {SIGMA: options.sigma})
    further = f"its further parameters, for --aux: {', '.join(names) or 'none'}"
    for name, value in given.items():
        if name == SIGMA and name not in names:
            raise UsageError(f"--sigma {value:g}: the family {family.name} has no sigma.", hint=further)
        if name not in names:
            raise UsageError(
                f"the family {family.name} has no further parameter '{name}'.{did_you_mean(name, names)}", hint=further
            )
    thresholds = {name: value for name, value in start.true.items() if name.startswith(f"{THRESHOLD}[")}
    kept = {name: value for name, value in start.true.items() if name in names}
    return {**(thresholds if family.has_thresholds else {}), **kept, **given}


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if not name.strip():
            raise UsageError(f"a column cannot be named '{name}'.", hint="choose another name")
        if names.count(name) > 1:
            raise UsageError(
                f"the column name '{name}' is used {names.count(name)} times among: {', '.join(names)}.",
                hint="give outcome, predictors and group different names",
            )


def _check_slopes(varying: Iterable[str], predictors: Iterable[str]) -> None:
    known = (INTERCEPT, *predictors)
    for name in varying:
        if name not in known:
            raise UsageError(
                f"the slope of '{name}' cannot vary: no predictor has that name.{did_you_mean(name, known)}",
                hint=f"what can vary: {', '.join(known)}",
            )
