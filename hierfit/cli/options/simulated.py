"""The options of `hierfit simulate` -> the Simulation of a scenario or a formula; what goes with which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hierfit.cli.options.simulate import BESIDE_FROM, OF_FORMULAS, OF_SCENARIOS, SimulateOptions
from hierfit.errors import UsageError

if TYPE_CHECKING:
    from hierfit.simulate.simulation import Simulation


def simulation_of(options: SimulateOptions) -> Simulation:
    """Return a scenario with its changes, or a formula with its true values.

    Raises:
        UsageError: options of the one are given with the other, or one cannot be read.
    """
    given = options.said(*(OF_FORMULAS if options.formula is None else OF_SCENARIOS))
    if given and options.formula is None:
        raise UsageError(
            f"{', '.join(given)} {'goes' if len(given) == 1 else 'go'} with --formula, which is not given.",
            hint='for example --formula "score ~ ses + (1 | school)"; a scenario has --x, --sd, --sigma, --aux',
        )
    if given:
        raise UsageError(
            f"--formula says what the model is, and --true its values; {', '.join(given)} cannot be given beside it.",
            hint='for example --true "ses=2" --true "sd(school)=5" --true "sigma=8"',
        )
    from hierfit.cli.options.scenario import scenario_from
    from hierfit.cli.options.simulation import simulation_from

    return scenario_from(options) if options.formula is None else simulation_from(options)


def refuse_beside_run(options: SimulateOptions) -> None:
    """Refuse what the run decides that data are simulated from.

    Raises:
        UsageError: such an option is given.
    """
    given = options.said_beside(*BESIDE_FROM)
    if given:
        raise UsageError(
            f"--from takes rows and true values from the run; {', '.join(given)} cannot be given too.",
            hint="leave them out, or simulate from a scenario or a formula, without --from",
        )
