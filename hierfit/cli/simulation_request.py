"""The options of `hierfit simulate` as typed -> Simulation: a scenario with what they change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hierfit.errors import UsageError

if TYPE_CHECKING:
    from hierfit.model.simulation import Crossed, Simulation


def simulation_from(given: Mapping[str, Any]) -> Simulation:
    """Return the scenario with what the options change.

    Raises:
        UsageError: an option cannot be read, or makes no sense.
    """
    from dataclasses import replace

    from hierfit.model.scenarios import DEFAULT_SCENARIO, find_scenario, scenario_of
    from hierfit.model.simulation import Predictors

    family, cor = given["family"], given["cor"]
    shown = scenario_of(family) if family and given["scenario"] is None else None
    start = (shown or find_scenario(given["scenario"] or DEFAULT_SCENARIO)).simulation
    sds = _numbers("--sd", given["sd"]) or {}
    changes: dict[str, Any] = {
        "groups": given["groups"],
        "rows_per_group": _range("--rows-per-group", given["rows_per_group"]),
        "crossed": _crossed(given["crossed"], start.crossed, sds),
        "missing": given["missing"],
        "predictors": None if given["predictors"] is None else Predictors.from_text(given["predictors"]),
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
    from hierfit.model.outcome import find_family
    from hierfit.model.simulation import SIGMA

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
        if not name or not number.strip().isdigit():
            raise UsageError(f"--crossed {text} could not be read.", hint="for example --crossed item=24")
        levels = int(number)
    sd = sds.pop(name, start.sd if start else None)
    if sd is None:
        raise UsageError(f"--crossed {text} does not say how much '{name}' varies.", hint=f"add --sd {name}=1")
    return Crossed(name, levels, sd)


def _range(option: str, text: str | None) -> int | tuple[int, int] | None:
    """Read 20 or 2-5."""
    if text is None:
        return None
    low, dash, high = text.partition("-")
    if not low.strip().isdigit() or (dash and not high.strip().isdigit()):
        what = option.removeprefix("--").partition("-")[0]
        raise UsageError(f"{option} {text} is not a number of {what}.", hint="for example 20, or 2-5")
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
