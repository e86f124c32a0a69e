"""What hierfit needs of this machine, looked at and put right: what `hierfit doctor` calls."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

from hierfit.disk.scratch import scratch
from hierfit.engines.latent.building import build_libraries
from hierfit.errors import ToolchainError
from hierfit.model.formula import formula_from_flags
from hierfit.model.request import FitRequest
from hierfit.simulate.files import DATA_FILE, write_simulation
from hierfit.simulate.scenarios import DEFAULT_SCENARIO, find_scenario
from hierfit.simulate.simulate import simulate
from hierfit.stan import doctor
from hierfit.stan.cmdstan_interface import load_cmdstanpy
from hierfit.stan.executable import build_all
from hierfit.stan.toolchain import find_toolchain
from hierfit.workflow import Plan, prepare


def examine(toolchain: str, on_message: Callable[[str], None] | None = None) -> Iterator[doctor.Finding]:
    """Yield what hierfit needs of this machine and what it found; where all is well, a trial fit is the last."""
    findings = doctor.examine(toolchain)
    yield from findings
    if all(finding.ok for finding in findings):
        plan = trial_plan()
        program, data = plan.engine.program(plan.design), plan.engine.data(plan.spec, plan.design)
        yield doctor.trial_fit(program, data, toolchain, on_message)


def trial_plan() -> Plan:
    """Return the plan of a small fit to simulated data, which needs no file of the user's."""
    with scratch() as folder:
        asked = replace(find_scenario(DEFAULT_SCENARIO).simulation, levels={"school": 8}, rows=10)
        write_simulation(simulate(asked), folder)
        return prepare(FitRequest(folder / DATA_FILE, formula_from_flags("score", ["ses"], "school")))


def build_programs(toolchain: str, on_message: Callable[[str], None] | None = None) -> None:
    """Compile every Stan program, and every kernel of the latent engine, that is not compiled yet, side by side.

    Raises:
        ToolchainError: no compiler, no place to write, or a failed build.
    """
    build_all(find_toolchain(toolchain), on_message)
    build_libraries(on_message)


def install_cmdstan(on_message: Callable[[str], None]) -> None:
    """Let cmdstanpy download and build CmdStan in its default place.

    Raises:
        ToolchainError: it could not.
    """
    cmdstanpy = load_cmdstanpy()
    cmdstanpy.enable_logging()
    on_message("Installing CmdStan: downloads and builds about 1 GB, which takes ten minutes or more")
    with contextlib.redirect_stdout(sys.stderr):
        installed = cmdstanpy.install_cmdstan()
    if not installed:
        raise ToolchainError(
            "CmdStan could not be installed; cmdstanpy's messages above say why.",
            hint="install it by hand (mc-stan.org) and set CMDSTAN to its folder",
        )
