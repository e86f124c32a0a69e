"""What `hierfit simulate` has written -> text: the file, the model, the true values, and the command that fits it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hierfit.cli.page import in_lines
from hierfit.cli.show.lines import joined, paragraph
from hierfit.design.levels import levels_text
from hierfit.design.outcome import find_family
from hierfit.model.formula import Formula
from hierfit.model.grammar import column_of
from hierfit.model.roles import Roles
from hierfit.model.spec import INTERCEPT_AT_MEAN, sd_name
from hierfit.posterior.words import counted
from hierfit.simulate.files import DATA_FILE, TRUTH_FILE, Simulated
from hierfit.simulate.truth import Origin
from hierfit.visible import shell_words

if TYPE_CHECKING:
    from hierfit.model.request import FitRequest
    from hierfit.simulate.simulation import Simulation


def simulation_text(simulation: Simulation, simulated: Simulated, out: Path, picture: str = "") -> str:
    """Return what a simulation has come to, with every true value, those that were given first.

    `picture` says what came of it.
    """
    truth = simulated.truth
    sizes = [f"{simulated.n_rows:,} rows", *(counted(len(factor.labels), factor.name) for factor in truth.factors)]
    at_mean = {sd_name(group.factor, INTERCEPT_AT_MEAN) for group in simulation.formula.groups} | {INTERCEPT_AT_MEAN}
    default = {name: value for name, value in truth.parameters.items() if name not in at_mean | truth.given.keys()}
    _, link = find_family(simulation.family, simulation.link)
    options = _flags(simulation.formula) if simulation.of_scenario else ["--formula", str(simulation.formula)]
    options += _family_options(simulation.family, simulation.link, simulation.roles)
    return in_lines(
        [
            *_written(out, ", ".join(sizes), picture),
            *paragraph("Model", f"{simulation.formula}  ({simulation.family}, {link} link)"),
            *_values("Truth", truth.given),
            *_values("Default", default),
            _next(out, options),
        ]
    )


def run_text(run: Path, request: FitRequest, simulated: Simulated, out: Path, picture: str = "") -> str:
    """Return what new data from a run have come to; `picture` as above."""
    origin = simulated.truth.origin
    assert isinstance(origin, Origin)
    options = ["--from", str(run)] if not request.prior_only else _request_options(request)
    return in_lines(
        [
            *_written(out, f"{simulated.n_rows:,} rows", picture),
            f"Model    {simulated.truth.formula}",
            f"Truth    draw {origin.draw + 1:,} of chain {origin.chain + 1} of {run}",
            _next(out, options),
        ]
    )


def _written(out: Path, sizes: str, picture: str) -> list[str]:
    said = f"{out / DATA_FILE}: {sizes}; {out / TRUTH_FILE}: the true values"
    return paragraph("Wrote", f"{said}; {picture}" if picture else said)


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
    options += [word for name, own in roles.contrasts.items() for word in ("--contrasts", f"{name}={own.written}")]
    return options + [word for item in roles.levels.items() for word in ("--levels", levels_text(*item))]


def _request_options(request: FitRequest) -> list[str]:
    """Return the options that fit the model of a run with --prior-only, whose own would leave the outcome out again."""
    options = ["--formula", str(request.formula), *_family_options(request.family, request.link, request.roles)]
    options += [word for prior in request.priors for word in ("--prior", prior)]
    flags = {"--standardize": request.standardize, "--no-center": not request.centered}
    return [*options, *(flag for flag, given in flags.items() if given)]


def _flags(formula: Formula) -> list[str]:
    """Return the flags that say the formula of a scenario, or --formula where they cannot."""
    if len(formula.groups) > 1 and not formula.groups[0].intercept:  # the flag would be of both factors
        return ["--formula", str(formula)]
    said = [("--y", formula.response), *(("--x", column_of(term) or term) for term in formula.terms)]
    said += [("--group", term.factor) for term in formula.groups]
    for term in formula.groups:
        of = f":{term.factor}" if len(formula.groups) > 1 else ""
        said += [("--slope", f"{column_of(slope)}{of}") for slope in term.slopes]
    options = [word for pair in said for word in pair]
    return options if all(term.intercept for term in formula.groups) else [*options, "--no-varying-intercept"]
