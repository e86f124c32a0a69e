"""What `hierfit simulate` has written -> text: the file, the model, the true values, and the command that fits it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hierfit.cli.lines import joined, paragraph
from hierfit.cli.page import in_lines
from hierfit.model.levels import levels_text
from hierfit.model.roles import Roles
from hierfit.model.simulate import DATA_FILE, TRUTH_FILE, Simulated
from hierfit.model.simulation import TRIALS, Simulation
from hierfit.model.spec import INTERCEPT_AT_MEAN, sd_name
from hierfit.results.words import counted
from hierfit.visible import shell_words

if TYPE_CHECKING:
    from hierfit.model.formula import GroupTerm
    from hierfit.model.formula_simulation import FormulaSimulation
    from hierfit.request import FitRequest


def scenario_text(simulation: Simulation, out: Path, n_rows: int) -> str:
    """Return what a scenario has come to."""
    sizes = [f"{n_rows:,} rows, {simulation.groups:,} groups"]
    if simulation.crossed is not None:
        sizes.append(f"{simulation.crossed.levels:,} levels of {simulation.crossed.name}")
    family = "" if simulation.family == "gaussian" else f"   {simulation.family}"
    return in_lines(
        [
            _written(out, ", ".join(sizes)),
            f"Model    {simulation.formula}{family}",
            _next(out, _scenario_options(simulation)),
        ]
    )


def formula_text(simulation: FormulaSimulation, simulated: Simulated, out: Path) -> str:
    """Return what a formula has come to, with every true value, those that were given first."""
    effects, settings = simulated.truth["effects"], simulated.truth["simulation"]
    sizes = [f"{simulated.n_rows:,} rows", *(counted(len(factor["values"]), name) for name, factor in effects.items())]
    given = settings["true"]
    parameters = simulated.truth["parameters"]
    at_mean = {sd_name(group.factor, INTERCEPT_AT_MEAN) for group in simulation.formula.groups} | {INTERCEPT_AT_MEAN}
    default = {name: value for name, value in parameters.items() if name not in at_mean | given.keys()}
    options = ["--formula", str(simulation.formula)]
    options += _family_options(simulation.family, simulation.link, simulation.roles)
    return in_lines(
        [
            _written(out, ", ".join(sizes)),
            *paragraph("Model", f"{simulation.formula}  ({simulation.family}, {settings['link']} link)"),
            *_values("Truth", given),
            *_values("Default", default),
            _next(out, options),
        ]
    )


def run_text(run: Path, request: FitRequest, simulated: Simulated, out: Path) -> str:
    """Return what new data from a run have come to."""
    origin = simulated.truth["from"]
    options = ["--from", str(run)] if not request.prior_only else _request_options(request)
    return in_lines(
        [
            _written(out, f"{simulated.n_rows:,} rows"),
            f"Model    {simulated.truth['formula']}",
            f"Truth    draw {origin['draw'] + 1:,} of chain {origin['chain'] + 1} of {run}",
            _next(out, options),
        ]
    )


def _written(out: Path, sizes: str) -> str:
    return f"Wrote    {out / DATA_FILE}: {sizes}; {out / TRUTH_FILE}: the true values"


def _next(out: Path, options: list[str]) -> str:
    return f"Next     {shell_words(['hierfit', 'fit', str(out / DATA_FILE), *options])}"


def _values(label: str, values: Mapping[str, float]) -> list[str]:
    return joined(label, [f"{name} = {value:.6g}" for name, value in values.items()]) if values else []


def _family_options(family: str, link: str | None, roles: Roles) -> list[str]:
    """Return the options of a fit that say the outcome's distribution and the further columns."""
    single = {
        "--family": None if family == "gaussian" else family,
        "--link": link,
        "--trials": roles.trials,
        "--offset": roles.offset,
        "--exposure": roles.exposure,
        "--precision-weights": roles.precision,
    }
    options = [word for name, value in single.items() if value is not None for word in (name, value)]
    options += [word for item in roles.references.items() for word in ("--reference", "=".join(item))]
    return options + [word for item in roles.levels.items() for word in ("--levels", levels_text(*item))]


def _request_options(request: FitRequest) -> list[str]:
    """Return the options that fit the model of a run with --prior-only, whose own would leave the outcome out again."""
    options = ["--formula", str(request.formula), *_family_options(request.family, request.link, request.roles)]
    options += [word for prior in request.priors for word in ("--prior", prior)]
    flags = {"--standardize": request.standardize, "--no-center": not request.centered}
    return [*options, *(flag for flag, given in flags.items() if given)]


def _scenario_options(simulation: Simulation) -> list[str]:
    """Return the options of `hierfit fit` for the model that the data come from, as flags where these can say it."""
    roles = Roles(trials=None if simulation.trials is None else TRIALS)
    return _formula_options(simulation) + _family_options(simulation.family, simulation.link, roles)


def _formula_options(simulation: Simulation) -> list[str]:
    formula = simulation.formula
    if len(formula.groups) > 1 and not formula.groups[0].intercept:  # the flag would be of both factors
        return ["--formula", str(formula)]
    options = ["--y", simulation.y]
    for name in simulation.coefficients:
        options += ["--x", name]
    for term in formula.groups:
        options += ["--group", term.factor]
    for term in formula.groups:
        options += _slope_options(simulation, term)
    return options if not formula.groups or formula.groups[0].intercept else [*options, "--no-varying-intercept"]


def _slope_options(simulation: Simulation, term: GroupTerm) -> list[str]:
    if not term.slopes:
        return []
    of = f":{term.factor}" if len(simulation.formula.groups) > 1 else ""
    names = (name for name in simulation.varying if name != "Intercept")
    return [word for name in names for word in ("--slope", f"{name}{of}")]
