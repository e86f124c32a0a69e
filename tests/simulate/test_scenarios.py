"""Scenarios: data of their formulas and true values, drawn in the order in which a seed has always given its file."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierfit import __version__
from hierfit.data.table import read_table
from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.design.prior_choice import build_spec
from hierfit.errors import UsageError
from hierfit.model.families import FAMILIES
from hierfit.model.formula_text import parse_formula
from hierfit.model.spec import ModelSpec
from hierfit.simulate.effects import Factor, linear_predictor
from hierfit.simulate.files import Simulated, write_simulation
from hierfit.simulate.outcome import true_auxiliaries
from hierfit.simulate.predictors import Predictors
from hierfit.simulate.scenarios import DEFAULT_SCENARIO, SCENARIOS, find_scenario, scenario_of
from hierfit.simulate.simulate import simulate
from hierfit.simulate.simulation import Simulation

SLOPES = replace(find_scenario("slopes").simulation, levels={"school": 8}, rows=5)


def effects_of(simulated: Simulated, group: str) -> np.ndarray:
    return np.array(list(simulated.truth.content["effects"][group]["values"].values()))


def read_as_a_fit(simulated: Simulated, asked: Simulation, folder: Path) -> tuple[Design, ModelSpec]:
    write_simulation(simulated, folder)
    formula, roles = asked.formula, asked.roles
    numbers = [formula.response, *formula.predictors, *roles.columns]
    table = read_table(folder / "data.csv", numbers, formula.label_columns)
    design = build_design(formula, table, family=asked.family, link=asked.link, roles=roles)
    return design, build_spec(formula, design)


def test_truth_names_settings_parameters_and_effects() -> None:
    truth = simulate(SLOPES).truth.content
    assert truth["hierfit"] == __version__
    assert truth["seed"] == 1
    assert truth["formula"] == truth["simulation"]["formula"] == "score ~ 1 + ses + (1 + ses | school)"
    given = {"sd(school)": 5, "sd(school: ses)": 1.5, "cor(school: Intercept, ses)": 0.3, "sigma": 8}
    assert truth["simulation"]["true"] == {"Intercept": 50, "ses": 2, **given}
    assert truth["parameters"].items() >= truth["simulation"]["true"].items()
    assert (truth["simulation"]["levels"], truth["simulation"]["rows"]) == ({"school": 8}, 5)
    assert truth["simulation"]["predictors"] == {"distribution": "normal", "first": 0.0, "second": 1.0}
    assert truth["effects"]["school"]["terms"] == ["Intercept", "ses"]
    assert list(truth["effects"]["school"]["values"]) == [f"s{j}" for j in range(1, 9)]
    assert all(len(values) == 2 for values in truth["effects"]["school"]["values"].values())


def test_random_numbers_come_in_the_order_that_files_have_always_had() -> None:
    """Rows, effects, predictors row by row, then the second factor and its effects, trials, outcome."""
    formula = parse_formula("hits ~ a + b + (1 + b | g) + (1 | h)")
    true = {"Intercept": 0.5, "a": 1.0, "b": -1.0, "sd(g)": 0.5, "sd(g: b)": 0.3, "cor(g)": 0.4, "sd(h)": 0.2}
    asked = Simulation(
        formula, "binomial", levels={"g": 12, "h": 5}, rows=(3, 8), true=true, seed=6, of_scenario=True, trials=(4, 9)
    )
    rng = np.random.default_rng(6)
    counts = rng.integers(3, 8, size=12, endpoint=True)
    codes = np.repeat(np.arange(12), counts)
    u = (rng.normal(size=(12, 2)) @ np.linalg.cholesky([[1, 0.4], [0.4, 1]]).T) * [0.5, 0.3]
    X = rng.normal(size=(len(codes), 2))
    levels = np.concatenate([np.resize(rng.permutation(5), count) for count in counts])
    v = 0.2 * rng.normal(size=5)
    trials = rng.integers(4, 9, size=len(codes), endpoint=True)
    eta = 0.5 + u[codes, 0] + X[:, 0] + X[:, 1] * (u[codes, 1] - 1) + v[levels]
    y = rng.binomial(trials, 1 / (1 + np.exp(-eta)))
    columns = simulate(asked).columns
    for name, expected in (("a", X[:, 0]), ("b", X[:, 1]), ("trials", trials), ("hits", y)):
        np.testing.assert_array_equal(columns[name], expected)
    assert columns["g"] == tuple(f"g{code + 1:02d}" for code in codes)
    assert columns["h"] == tuple(f"h{level + 1}" for level in levels)


def test_without_noise_every_row_lies_on_the_line_of_its_group() -> None:
    simulated = simulate(replace(SLOPES, true={**SLOPES.true, "sigma": 0.0}))
    u = simulated.truth.content["effects"]["school"]["values"]
    intercepts = np.array([50.0 + u[label][0] for label in simulated.columns["school"]])
    slopes = np.array([2.0 + u[label][1] for label in simulated.columns["school"]])
    np.testing.assert_array_equal(simulated.columns["score"], intercepts + slopes * simulated.columns["ses"])


def test_one_slope_per_row() -> None:
    simulated = simulate(find_scenario("slopes-per-row").simulation)
    assert list(simulated.columns) == ["y", "x", "row"]
    assert len(set(simulated.columns["row"])) == len(simulated.columns["y"]) == 100
    assert simulated.columns["row"][0] == "001"
    assert simulated.truth.content["formula"] == "y ~ 1 + x + (0 + x | row)"
    assert simulated.truth.given == {
        "Intercept": 2.0,
        "x": 2.0,
        "sd(row: x)": 1.0,
        "sigma": 0.0,
    }
    u = effects_of(simulated, "row")[:, 0]
    np.testing.assert_array_equal(simulated.columns["y"], 2.0 + (2.0 + u) * simulated.columns["x"])
    assert min(simulated.columns["x"]) >= 0 and max(simulated.columns["x"]) <= 10


def test_moments_of_a_large_simulation_are_those_of_the_truth() -> None:
    J, n = 40_000, 3
    true = {"Intercept": 50.0, "ses": 2.0, "age": -1.0, "sd(school)": 5.0, "sd(school: ses)": 1.5, "sigma": 8.0}
    true |= {"sd(school: age)": 0.5, "cor(school: Intercept, ses)": 0.6, "cor(school: age, ses)": -0.4}
    asked = Simulation(
        parse_formula("score ~ ses + age + (1 + ses + age | school)"),
        levels={"school": J},
        rows=n,
        true=true,
        predictors=Predictors("uniform", -1.0, 3.0),
        of_scenario=True,
    )
    simulated = simulate(asked)
    u = effects_of(simulated, "school")
    assert simulated.truth.content["effects"]["school"]["terms"] == ["Intercept", "ses", "age"]
    sds, R = np.array([5.0, 1.5, 0.5]), np.array([[1, 0.6, 0], [0.6, 1, -0.4], [0, -0.4, 1]])
    # Monte Carlo errors: a mean has sd / sqrt(J), an sd has sd / sqrt(2 J), a correlation (1 - rho^2) / sqrt(J).
    # Five of them: a wrong program fails, and the fixed seed makes the outcome the same every time.
    assert np.all(np.abs(u.mean(axis=0)) < 5 * sds / np.sqrt(J))
    assert np.all(np.abs(u.std(axis=0) - sds) < 5 * sds / np.sqrt(2 * J))
    found = np.corrcoef(u.T)
    for a, b in combinations(range(3), 2):
        assert abs(found[a, b] - R[a, b]) < 5 * (1 - R[a, b] ** 2) / np.sqrt(J)
    X = np.column_stack([simulated.columns["ses"], simulated.columns["age"]])
    assert abs(X.mean() - 1.0) < 5 * (4 / np.sqrt(12)) / np.sqrt(X.size)
    codes = np.repeat(np.arange(J), n)
    lines = 50 + u[codes, 0] + np.sum(X * (np.array([2.0, -1.0]) + u[codes, 1:]), axis=1)
    noise = np.asarray(simulated.columns["score"]) - lines
    assert abs(noise.mean()) < 5 * 8 / np.sqrt(J * n)
    assert abs(noise.std() - 8) < 5 * 8 / np.sqrt(2 * J * n)
    assert abs(np.corrcoef(noise, u[codes, 0])[0, 1]) < 5 / np.sqrt(J * n)


@pytest.mark.parametrize(("family", "link"), [(f.name, link) for f in FAMILIES.values() for link in f.links])
def test_outcomes_follow_their_family(family: str, link: str, tmp_path: Path) -> None:
    start = scenario_of(family).simulation
    factor = start.formula.factors[0]
    true = {**start.true, f"sd({factor})": 0.3}
    simulated = simulate(replace(start, levels={factor: 400}, rows=20, link=link, true=true, seed=4))
    design, _ = read_as_a_fit(simulated, replace(start, link=link), tmp_path)
    factors = [Factor(g.factor, g.labels, g.codes, g.terms, effects_of(simulated, g.factor)) for g in design.groups]
    eta = linear_predictor(design, simulated.truth.parameters, factors)
    record, auxiliaries = FAMILIES[family], true_auxiliaries(design, simulated.truth.parameters, factors)
    trials = np.ones(design.n_rows) if design.trials is None else design.trials
    mean = record.mean(eta, link, auxiliaries)
    residuals = design.y - record.expected(mean, auxiliaries, trials)
    # Five standard errors of a mean, for all rows and for those whose mean is low and high: a wrong link shows there.
    for rows in (eta > -np.inf, eta < np.median(eta), eta >= np.median(eta)):
        assert abs(residuals[rows].mean()) < 5 * residuals[rows].std() / np.sqrt(rows.sum())
    # Under the true auxiliary parameters the rows are likelier than under ones a quarter off, by three standard errors.
    density = record.log_density(design.y, mean, auxiliaries, trials)
    for name in auxiliaries:
        for scale in (0.75, 1.25):
            other = {**auxiliaries, name: auxiliaries[name] * scale}
            gain = density - record.log_density(design.y, record.mean(eta, link, other), other, trials)
            assert gain.mean() > 3 * gain.std() / np.sqrt(len(gain)), (name, scale)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_fit_takes_every_scenario_and_calls_its_parameters_the_same(name: str, tmp_path: Path) -> None:
    scenario = find_scenario(name)
    asked = scenario.simulation
    simulated = simulate(asked)
    _, spec = read_as_a_fit(simulated, asked, tmp_path)
    assert list(simulated.truth.parameters) == [parameter.name for parameter in spec.parameters]
    # Nothing is left to the defaults, which come from here.
    at_mean = {parameter.name for parameter in spec.parameters if parameter.is_at_mean}
    assert simulated.truth.given.keys() == simulated.truth.parameters.keys() - at_mean
    assert scenario.name == name and "\n" not in scenario.description
    assert f"{next(iter(asked.levels.values())):,} " in scenario.description


@pytest.mark.parametrize(
    "changes",
    [
        {"formula": parse_formula("score ~ ses + (1 | school/class)")},
        {"formula": parse_formula("score ~ ses + (1 | school) + (1 + ses | teacher)")},
        {"formula": parse_formula("score ~ poly(ses, 2) + (1 | school)")},
        {"formula": parse_formula("score ~ ses + school + (1 | school)")},
        {"formula": parse_formula("score ~ ses + (1 | school); sigma ~ ses")},
        {"formula": parse_formula("score ~ ses"), "levels": {}},
        {"per": {"ses": "school"}},
        {"categories": {"ses": ("low", "high")}},
        {"offset": "days"},
    ],
    ids=["nested", "second slope", "call", "group as predictor", "sigma", "no group", "per", "words", "offset"],
)
def test_what_is_no_scenario_is_not_drawn_as_one(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="is no scenario"):
        replace(SLOPES, **changes)
    assert simulate(replace(SLOPES, **changes, of_scenario=False, true={})).n_rows >= 5


def test_unknown_scenarios_are_refused() -> None:
    assert DEFAULT_SCENARIO in SCENARIOS
    with pytest.raises(UsageError, match=r"there is no scenario 'slope'\. Did you mean 'slopes'\?"):
        find_scenario("slope")


def test_every_family_has_a_scenario() -> None:
    assert scenario_of("gaussian").name == DEFAULT_SCENARIO
    for family in FAMILIES:
        scenario = scenario_of(family)
        assert scenario.simulation.family == family
        assert family == "gaussian" or scenario.description.startswith(f"{family}: ")


def test_proportions_never_reach_the_ends() -> None:
    start = scenario_of("beta").simulation
    y = np.asarray(simulate(replace(start, true={**start.true, "Intercept": 3.0, "phi": 0.02})).columns["cover"])
    assert 0 < y.min() < 1e-50 and y.max() == 1 - 2.0**-53


def test_crossed_factors_meet_each_other_evenly() -> None:
    simulated = simulate(find_scenario("crossed").simulation)
    pairs = set(zip(simulated.columns["person"], simulated.columns["item"], strict=True))
    assert len(pairs) == len(simulated.columns["correct"]) == 100 * 24
    assert simulated.truth.content["formula"] == "correct ~ 1 + (1 | person) + (1 | item)"
    assert list(simulated.truth.content["effects"]) == ["person", "item"]
    assert sorted(simulated.truth.content["effects"]["item"]["values"])[:2] == ["i01", "i02"]


def test_missing_cells_leave_the_rest_as_it_was(tmp_path: Path) -> None:
    asked = replace(find_scenario("litters").simulation, levels={"farm": 200}, missing=0.1)
    whole, holes = simulate(replace(asked, missing=0.0)), simulate(asked)
    assert whole.truth.content["effects"] == holes.truth.content["effects"]
    for name in ("survived", "weight"):
        values, left = np.asarray(whole.columns[name]), np.asarray(holes.columns[name])
        missing = np.isnan(left)
        np.testing.assert_array_equal(values[~missing], left[~missing])
        # Five binomial standard errors.
        assert abs(missing.mean() - 0.1) < 5 * np.sqrt(0.1 * 0.9 / len(left))
    for name in ("trials", "farm"):
        assert list(whole.columns[name]) == list(holes.columns[name])
    write_simulation(holes, tmp_path)
    table = read_table(tmp_path / "data.csv", ["survived", "weight", "trials"], ["farm"])
    gone = np.isnan(holes.columns["survived"]) | np.isnan(holes.columns["weight"])
    assert table.n_read - table.n_rows == gone.sum() > 0
    np.testing.assert_array_equal(table.numbers["survived"], np.asarray(holes.columns["survived"])[~gone])
