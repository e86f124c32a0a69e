"""The options of `hierfit simulate` as typed -> Simulation, a scenario with what they change, or FormulaSimulation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hierfit.errors import UsageError

if TYPE_CHECKING:
    from hierfit.model.formula import Formula
    from hierfit.model.formula_simulation import FormulaSimulation
    from hierfit.model.simulation import Crossed, Predictors, Simulation


def simulation_from(given: Mapping[str, Any]) -> Simulation:
    """Return the scenario with what the options change.

    Raises:
        UsageError: an option cannot be read, or makes no sense.
    """
    from dataclasses import replace

    from hierfit.model.scenarios import DEFAULT_SCENARIO, find_scenario, scenario_of

    family, cor = given["family"], given["cor"]
    shown = scenario_of(family) if family and given["scenario"] is None else None
    start = (shown or find_scenario(given["scenario"] or DEFAULT_SCENARIO)).simulation
    sds = _numbers("--sd", given["sd"]) or {}
    changes: dict[str, Any] = {
        "groups": given["groups"],
        "rows_per_group": _range("--rows-per-group", given["rows_per_group"]),
        "crossed": _crossed(given["crossed"], start.crossed, sds),
        "missing": given["missing"],
        "predictors": _only_predictors(given["predictors"]),
        "y": given["y"],
        "group": given["group"],
        "intercept": given["intercept"],
        "coefficients": _numbers("--x", given["x"]),
        "sds": sds or None,  # those of the scenario where only that of the crossed factor is given
        "correlations": cor,
        "seed": given["seed"],
    }
    kept = {name: value for name, value in changes.items() if value is not None}
    simulation = replace(start, **kept, **_outcome_changes(start, given))
    if cor is not None and len(simulation.varying) < 2:
        raise UsageError(
            f"--cor {cor:g}: only {' and '.join(simulation.varying) or 'nothing'} varies between the groups.",
            hint="let more vary, such as --sd Intercept=5 --sd ses=1, or leave out --cor",
        )
    return simulation


def _outcome_changes(start: Simulation, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return family, link, trials and auxiliary parameters; what another family has not is left behind."""
    from hierfit.model.families import SIGMA
    from hierfit.model.outcome import find_family

    family, _ = find_family(given["family"] or start.family, given["link"])
    names = {auxiliary.name for auxiliary in family.auxiliaries}
    values = {name: value for name, value in start.auxiliaries.items() if name in names}
    values |= _numbers("--aux", given["aux"]) or {}
    sigma = given["sigma"] if given["sigma"] is not None else values.pop(SIGMA, None)
    if sigma is not None and SIGMA not in names:
        raise UsageError(
            f"--sigma {sigma:g}: the family {family.name} has no sigma.",
            hint=f"its further parameters, for --aux: {', '.join(sorted(names)) or 'none'}",
        )
    same = family.name == start.family
    return {
        "family": family.name,
        "link": given["link"] or (start.link if same else None),
        "trials": _range("--trials", given["trials"]) or (start.trials if family.has_trials else None),
        "auxiliaries": values,
        "thresholds": start.thresholds if family.has_thresholds else (),
        "sigma": start.sigma if sigma is None else sigma,
    }


def _crossed(text: str | None, start: Crossed | None, sds: dict[str, float]) -> Crossed | None:
    """Read item=24, and take the sd of that factor out of `sds`."""
    from hierfit.model.simulation import Crossed

    if text is None and start is None:
        return None
    name, levels = (start.name, start.levels) if start else ("", 0)
    if text is not None:
        name, _, number = text.rpartition("=")
        if not name or not number.strip().isdecimal():
            raise UsageError(f"--crossed {text} could not be read.", hint="for example --crossed item=24")
        levels = int(number)
    sd = sds.pop(name, start.sd if start else None)
    if sd is None:
        raise UsageError(f"--crossed {text} does not say how much '{name}' varies.", hint=f"add --sd {name}=1")
    return Crossed(name, levels, sd)


def formula_simulation_from(given: Mapping[str, Any]) -> FormulaSimulation:
    """Return what the options ask for beside --formula.

    Raises:
        UsageError, FormulaError: an option cannot be read, or makes no sense.
    """
    from hierfit.model.formula_simulation import NORMAL, FormulaSimulation
    from hierfit.model.formula_text import parse_formula

    formula = parse_formula(given["formula"])
    distributions = _predictors(given["predictors"])
    counts, names = _levels(given["levels"])
    return FormulaSimulation(
        formula,
        given["family"] or "gaussian",
        given["link"],
        levels=_counts(formula, given, counts),
        rows=_rows(formula, given),
        predictors=distributions.pop("", NORMAL),
        distributions=distributions,
        categories=names,
        per=_pairs("--per", given["per"], "sector=school"),
        trials=_range("--trials", given["trials"]),
        offset=given["offset"],
        references=_pairs("--reference", given["reference"], "sector=Public"),
        true=_true(given["true"]),
        missing=given["missing"] or 0.0,
        seed=given["seed"],
    )


def _levels(texts: Sequence[str] | None) -> tuple[dict[str, Any], dict[str, tuple[str, ...]]]:
    """Read "school=30" and "class=2-5", how many levels there are, and "sector=Public,Catholic", which ones."""
    from hierfit.model.levels import parse_levels

    counts: dict[str, Any] = {}
    names: dict[str, tuple[str, ...]] = {}
    for text in texts or ():
        column, _, value = (part.strip() for part in text.rpartition("="))
        is_list = "," in text or '"' in text
        if not is_list and not (column and value[:1].isdecimal()):
            raise UsageError(
                f"--levels {text} says neither how many levels nor which.",
                hint="for example --levels school=30, a range class=2-5, or --levels sector=Public,Catholic",
            )
        if is_list:
            column, levels = parse_levels(text)
        if column in (names if is_list else counts):
            raise UsageError(f"--levels says '{column}' more than once.", hint="leave one out")
        if is_list:
            names[column] = levels
        else:
            counts[column] = _range("--levels", value, text)
    return counts, names


def _counts(formula: Formula, given: Mapping[str, Any], counts: dict[str, Any]) -> dict[str, Any]:
    """Return how many levels the groups have; --groups says that of the only one."""
    columns = formula.label_columns
    if given["groups"] is None:
        return counts
    if not columns:
        raise UsageError(f"--groups {given['groups']}: the formula has no groups.", hint="for example --rows 200")
    if len(columns) > 1 or counts:
        raise UsageError(
            f"--groups {given['groups']}: --levels says how many levels {' and '.join(columns)} have.",
            hint=" ".join(f"--levels {name}={given['groups']}" for name in columns),
        )
    return {columns[0]: given["groups"]}


def _rows(formula: Formula, given: Mapping[str, Any]) -> Any:
    """Return the rows of each group, or all of them."""
    if given["rows"] is not None and formula.groups:
        raise UsageError(
            f"--rows {given['rows']}: the formula has groups, which say how many rows there are.",
            hint="--rows-per-group 20, or a range 2-5",
        )
    if given["rows_per_group"] is not None and not formula.groups:
        raise UsageError(
            f"--rows-per-group {given['rows_per_group']}: the formula has no groups.",
            hint="for example --rows 200",
        )
    return given["rows"] or _range("--rows-per-group", given["rows_per_group"])


def _predictors(texts: Sequence[str] | None) -> dict[str, Predictors]:
    """Read "normal(0, 1)", the distribution of all columns, under no name, and "age ~ uniform(8, 16)", that of one."""
    from hierfit.model.simulation import Predictors

    found: dict[str, Predictors] = {}
    for text in texts or ():
        name, _, distribution = text.rpartition("~")
        name = name.strip().strip("`")
        if name in found:
            what = f"that of '{name}'" if name else "that of all columns"
            raise UsageError(f"--predictors gives {what} more than once.", hint="leave one out")
        found[name] = Predictors.from_text(distribution)
    return found


def _only_predictors(texts: Sequence[str] | None) -> Predictors | None:
    """Return the one distribution of a scenario's predictors."""
    found = _predictors(texts)
    if any(found):
        raise UsageError(
            "a scenario draws all its predictors from one distribution.",
            hint='for example --predictors "uniform(0, 10)"; "age ~ uniform(8, 16)" goes with --formula',
        )
    return found.get("")


def _true(texts: Sequence[str] | None) -> dict[str, float]:
    """Read NAME=number pairs, where names may hold brackets and commas."""
    found: dict[str, float] = {}
    for text in texts or ():
        name, _, number = (part.strip() for part in text.rpartition("="))
        try:
            value = float(number)
        except ValueError:
            name = ""
        if not name:
            raise UsageError(f'--true "{text}" could not be read.', hint='for example --true "sd(school)=5"')
        if name in found:
            raise UsageError(f"--true gives '{name}' more than once.", hint="leave one out")
        found[name] = value
    return found


def _pairs(option: str, texts: Sequence[str] | None, example: str) -> dict[str, str]:
    """Read NAME=text pairs."""
    found: dict[str, str] = {}
    for text in texts or ():
        name, _, value = (part.strip() for part in text.partition("="))
        if not name or not value:
            raise UsageError(f"{option} {text} could not be read.", hint=f"for example {option} {example}")
        if name in found:
            raise UsageError(f"{option} gives '{name}' more than once.", hint="leave one out")
        found[name] = value
    return found


def _range(option: str, text: str | None, shown: str | None = None) -> int | tuple[int, int] | None:
    """Read 20 or 2-5."""
    if text is None:
        return None
    low, dash, high = text.partition("-")
    if not low.strip().isdecimal() or (dash and not high.strip().isdecimal()):
        what = re.findall(r"[a-z]+", option)[0]
        raise UsageError(f"{option} {shown or text} is not a number of {what}.", hint="for example 20, or 2-5")
    return (int(low), int(high)) if dash else int(low)


def _numbers(option: str, texts: Sequence[str] | None) -> dict[str, float] | None:
    """Read NAME=number pairs."""
    if not texts:
        return None
    numbers = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            numbers[name] = float(number)
        except ValueError:
            name = ""
        if not name:
            example = {"--sd": "Intercept=5", "--aux": "shape=2"}.get(option, "ses=2")
            raise UsageError(f"{option} {text} could not be read.", hint=f"for example {option} {example}")
    return numbers
