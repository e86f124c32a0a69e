"""`hierfit simulate`: a scenario changed by options, a formula, or a finished run -> data.csv and truth.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hierfit.cli.options.declared import takes_options
from hierfit.cli.options.simulate import SimulateOptions
from hierfit.cli.options.simulated import refuse_beside_run, simulation_of
from hierfit.cli.page import show
from hierfit.errors import DataError, FormulaError, UsageError

if TYPE_CHECKING:
    from hierfit.model.request import FitRequest


@takes_options
def simulate(options: SimulateOptions) -> None:
    """Simulate data with a known truth.

    [dim]hierfit simulate --groups 30 --rows-per-group 20 --seed 1 --out sim[/dim]

    [dim]hierfit simulate slopes --x ses=2 --sd Intercept=5 --sd ses=1 --cor 0.3 --out slopes[/dim]

    [dim]hierfit simulate --family poisson --missing 0.05 --out counts[/dim]

    [dim]hierfit simulate --formula "score ~ ses + (1 + ses | school)" --true ses=2 --true "sd(school)=5"[/dim]
    """
    if options.show_list:
        show(_list_text())
        return
    said = _from_model(options) if options.again is None else _from_run(options)
    if not options.quiet:
        show(said)


def _from_model(options: SimulateOptions) -> str:
    """Write the data of a scenario with its changes, or of a formula; return what to say.

    Raises:
        UsageError: options of the one are given with the other.
    """
    simulation = simulation_of(options)
    from hierfit.cli.show.simulation import simulation_text
    from hierfit.model.request import FitRequest
    from hierfit.simulate.files import write_simulation
    from hierfit.simulate.simulate import simulate as draw

    simulated = draw(simulation)
    request = FitRequest(
        options.out, simulation.formula, family=simulation.family, link=simulation.link, roles=simulation.roles
    )
    picture = _Picture(request, options.out)
    write_simulation(simulated, options.out, options.overwrite, picture.draw if options.plots else None)
    return simulation_text(simulation, simulated, options.out, picture.note)


def _from_run(options: SimulateOptions) -> str:
    """Write new data from a run; return what to say.

    Raises:
        UsageError: options are given that the run decides.
    """
    refuse_beside_run(options)
    from hierfit.cli.show.simulation import run_text
    from hierfit.runs import finished
    from hierfit.simulate.files import write_simulation

    assert options.again is not None
    simulated = finished.simulate_from(options.again, options.seed)
    request = finished.stored_request(options.again)
    picture = _Picture(request, options.out)
    write_simulation(simulated, options.out, options.overwrite, picture.draw if options.plots else None)
    return run_text(options.again, request, simulated, options.out, picture.note)


class _Picture:
    """The picture of what is simulated: no data are lost because it cannot be drawn."""

    def __init__(self, request: FitRequest, out: Path) -> None:
        self._request, self._out = request, out
        self.note = ""

    def draw(self, data: Path, truth: Mapping[str, Any], path: Path) -> None:
        """Draw the data of a fit as a picture; `note` says what came of it."""
        from hierfit.posterior.plots.simulated import draw_simulated
        from hierfit.simulate.files import PICTURE_FILE

        try:
            draw_simulated(replace(self._request, data=data), truth, path)
        except (DataError, FormulaError, UsageError) as error:
            self.note = f"no {PICTURE_FILE}, as no fit could read the data: {error.message}"
        else:
            self.note = f"{self._out / PICTURE_FILE}: a picture of both"


def _list_text() -> str:
    from hierfit.simulate.scenarios import SCENARIOS

    width = max(len(name) for name in SCENARIOS)
    return "\n".join(f"{name:<{width}}  {scenario.description}" for name, scenario in SCENARIOS.items())
