"""data.png of simulated data: of every family and of formulas, with the lines of the truth."""

from dataclasses import replace

import pytest

from hierfit.model.request import FitRequest
from hierfit.posterior.plots import simulated as module
from hierfit.posterior.plots.data import true_draw
from hierfit.posterior.plots.simulated import draw_simulated
from hierfit.simulate.files import write_simulation
from hierfit.simulate.scenarios import find_scenario
from hierfit.simulate.simulate import simulate


@pytest.mark.parametrize(
    "name", ["schools", "slopes-per-row", "few-groups", "crossed", "germination", "fish", "ratings"]
)
def test_every_kind_of_scenario_is_drawn(name, tmp_path, monkeypatch):
    simulation = find_scenario(name).simulation
    simulated = simulate(replace(simulation, missing=0.1) if name == "schools" else simulation)
    request = FitRequest(
        tmp_path, simulation.formula, family=simulation.family, link=simulation.link, roles=simulation.roles
    )
    seen = []

    def draw(material):
        seen.append(material)
        return original(material)

    original = module.draw_data
    monkeypatch.setattr(module, "draw_data", draw)
    write_simulation(
        simulated,
        tmp_path / "sim",
        draw=lambda data, truth, path: draw_simulated(replace(request, data=data), truth, path),
    )
    assert (tmp_path / "sim" / "data.png").read_bytes().startswith(b"\x89PNG")
    (material,) = seen
    assert true_draw(material) is not None, "all true values are known"
    assert material.truth.parameters == simulated.truth.parameters
    assert (material.design.n_rows < simulated.n_rows) == (name == "schools")
