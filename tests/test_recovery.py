"""For every family: data simulated with a known truth are fitted, and the posterior holds that truth."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from hierfit import workflow
from hierfit.model.families import FAMILIES
from hierfit.model.formula_simulation import FormulaSimulation
from hierfit.model.formula_text import parse_formula
from hierfit.model.roles import Roles
from hierfit.model.scenarios import find_scenario, scenario_of
from hierfit.model.simulate import Simulation, simulate, write_simulation
from hierfit.model.simulate_formula import simulate_formula
from hierfit.model.simulation import TRIALS, true_parameters
from hierfit.request import FitRequest
from hierfit.stan.sampler import SamplerOptions
from hierfit.workflow import Fit

CHEAP = {"gaussian", "bernoulli", "poisson"}
# One chance in a thousand at each end of a count; some 30 counts are made here, with fixed seeds.
TAIL = 0.001


def case(family: str) -> object:
    return pytest.param(family, marks=pytest.mark.stan if family in CHEAP else [pytest.mark.stan, pytest.mark.slow])


def fit(simulation: Simulation, folder: Path) -> Fit:
    write_simulation(simulate(simulation), folder / "sim")
    request = FitRequest(
        folder / "sim" / "data.csv",
        simulation.formula,
        family=simulation.family,
        link=simulation.link,
        roles=Roles(trials=None if simulation.trials is None else TRIALS),
        sampler=SamplerOptions(seed=5),
    )
    return workflow.fit(workflow.prepare(request), folder / "run")


def assert_recovered(done: Fit, simulation: Simulation) -> None:
    for name, value in true_parameters(simulation).items():
        row = done.summary.row(name)
        # Four posterior sds: one estimate in some 15,000 misses, a few times that where the posterior is skewed.
        assert abs(row.mean - value) < 4 * row.sd, (name, value, row.mean, row.sd)
        assert row.rhat < 1.02, name
    truth = workflow.stored_truth(done)
    assert truth is not None
    group = done.design.group(simulation.group)
    # Of population + deviation: levels have data of their own, so that these errors are all but independent between
    # levels; those of the deviations share the population's.
    draws = done.draws.effects[simulation.group][..., 0]
    if not simulation.thresholds:
        draws = draws + done.draws.of("Intercept")[..., np.newaxis]
    true = truth.levels(group, 0)
    for probability in (0.5, 0.95):
        lower, upper = np.quantile(draws, [(1 - probability) / 2, (1 + probability) / 2], axis=(0, 1))
        inside = int(((lower < true) & (true < upper)).sum())
        # The true effects come from the model, so each interval holds its own with its probability: the count is
        # binomial. 95 % of 40 levels can show intervals too narrow; it takes the 50 % to show them too wide.
        least, most = binom.ppf([TAIL, 1 - TAIL], group.n_levels, probability)
        assert least <= inside <= most, (probability, inside, least, most)


@pytest.mark.parametrize("family", [case(family) for family in FAMILIES])
def test_the_truth_of_every_family_is_recovered(family: str, tmp_path: Path) -> None:
    simulation = scenario_of(family).simulation
    assert_recovered(fit(simulation, tmp_path), simulation)


@pytest.mark.stan
@pytest.mark.slow
def test_two_crossed_factors_are_recovered(tmp_path: Path) -> None:
    simulation = find_scenario("crossed").simulation
    done = fit(simulation, tmp_path)
    assert_recovered(done, simulation)
    truth = workflow.stored_truth(done)
    assert truth is not None
    items = done.draws.effects["item"][..., 0]
    error = (items.mean(axis=(0, 1)) - truth.effects["item"][:, 0]) / items.std(axis=(0, 1))
    assert np.abs(error).max() < 4  # one of 24 beyond four posterior sds: a chance of 1 in 600


@pytest.mark.stan
def test_the_truth_of_a_formula_is_recovered(tmp_path: Path) -> None:
    asked = FormulaSimulation(
        parse_formula("score ~ ses * sector + poly(age, 2) + (1 + ses | school)"),
        levels={"school": 60},
        rows=(10, 40),
        categories={"sector": ("Public", "Catholic")},
        per={"sector": "school"},
        true={"cor(school)": 0.4, "sector[Catholic]": -3.0, "ses:sector[Catholic]": 1.0},
        missing=0.02,
        seed=11,
    )
    write_simulation(simulate_formula(asked), tmp_path / "sim")
    data, options = tmp_path / "sim" / "data.csv", SamplerOptions(seed=5)
    request = FitRequest(data, asked.formula, roles=asked.roles, sampler=options)
    done = workflow.fit(workflow.prepare(request), tmp_path / "run")
    truth = workflow.stored_truth(done)
    assert truth is not None
    assert [row.name for row in done.summary.rows] == list(truth.parameters)
    for row in done.summary.rows:
        # Four posterior sds: one estimate in some 15,000 misses.
        assert abs(row.mean - truth.parameters[row.name]) < 4 * row.sd, (row.name, row.mean, row.sd)
    effects = done.draws.effects["school"]
    error = (effects.mean(axis=(0, 1)) - truth.effects["school"]) / effects.std(axis=(0, 1))
    assert np.abs(error).max() < 5  # one of 120 beyond five posterior sds: a chance of 1 in 15,000


@pytest.mark.stan
def test_what_a_run_simulates_is_recovered(tmp_path: Path) -> None:
    """A draw of the posterior is the truth of the data that come from it, so that refitting finds it again."""
    simulation = scenario_of("poisson").simulation
    done = fit(simulation, tmp_path)
    write_simulation(workflow.simulate_from(done.folder, seed=3), tmp_path / "again")
    request = workflow.stored_request(done.folder)
    again = workflow.fit(
        workflow.prepare(
            FitRequest(tmp_path / "again" / "data.csv", request.formula, family="poisson", sampler=request.sampler)
        ),
        tmp_path / "second",
    )
    truth = workflow.stored_truth(again)
    assert truth is not None
    for row in again.summary.rows:
        assert abs(row.mean - truth.parameters[row.name]) < 4 * row.sd, row.name
    effects = again.draws.effects["brood"][..., 0]
    error = (effects.mean(axis=(0, 1)) - truth.effects["brood"][:, 0]) / effects.std(axis=(0, 1))
    assert np.abs(error).max() < 5  # one of 60 beyond five posterior sds: a chance of 1 in 30,000
