"""Simulated data follow the model they claim, repeat byte for byte, and come with their truth."""

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierfit import __version__
from hierfit.errors import DiskError, HierfitError, RunFolderError, UsageError
from hierfit.model.building import build_design
from hierfit.model.families import FAMILIES
from hierfit.model.prior_choice import build_spec
from hierfit.model.roles import Roles
from hierfit.model.scenarios import DEFAULT_SCENARIO, SCENARIOS, find_scenario, scenario_of
from hierfit.model.simulate import (
    Crossed,
    Predictors,
    Simulated,
    Simulation,
    simulate,
    true_parameters,
    write_simulation,
)
from hierfit.model.table import read_table

SLOPES = Simulation(groups=8, rows_per_group=5, sds={"Intercept": 5.0, "ses": 1.0}, correlations=0.3)


def matrix_of_effects(simulated: Simulated, group: str) -> np.ndarray:
    return np.array(list(simulated.truth["effects"][group]["values"].values()))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_simulation(simulate(replace(SLOPES, seed=seed)), tmp_path / name)
    for file in ("data.csv", "truth.json"):
        a, b, c = ((tmp_path / name / file).read_bytes() for name in "abc")
        assert a == b
        assert a != c


def test_truth_names_settings_parameters_and_effects() -> None:
    truth = simulate(SLOPES).truth
    assert truth["hierfit"] == __version__
    assert truth["seed"] == 1
    assert truth["formula"] == "score ~ 1 + ses + (1 + ses | school)"
    assert truth["parameters"] == {
        "Intercept": 50.0,
        "ses": 2.0,
        "sd(school)": 5.0,
        "sd(school: ses)": 1.0,
        "cor(school: Intercept, ses)": 0.3,
        "sigma": 8.0,
    }
    assert truth["simulation"]["groups"] == 8
    assert truth["simulation"]["predictors"] == {"distribution": "normal", "first": 0.0, "second": 1.0}
    assert truth["effects"]["school"]["terms"] == ["Intercept", "ses"]
    assert list(truth["effects"]["school"]["values"]) == [f"s{j}" for j in range(1, 9)]
    assert all(len(values) == 2 for values in truth["effects"]["school"]["values"].values())


def test_without_noise_every_row_lies_on_the_line_of_its_group() -> None:
    simulated = simulate(replace(SLOPES, sigma=0.0))
    u = simulated.truth["effects"]["school"]["values"]
    intercepts = np.array([50.0 + u[label][0] for label in simulated.columns["school"]])
    slopes = np.array([2.0 + u[label][1] for label in simulated.columns["school"]])
    np.testing.assert_array_equal(simulated.columns["score"], intercepts + slopes * simulated.columns["ses"])


def test_one_slope_per_row() -> None:
    simulated = simulate(find_scenario("slopes-per-row").simulation)
    assert list(simulated.columns) == ["y", "x", "row"]
    assert len(set(simulated.columns["row"])) == len(simulated.columns["y"]) == 100
    assert simulated.truth["formula"] == "y ~ 1 + x + (0 + x | row)"
    assert simulated.truth["parameters"] == {"Intercept": 2.0, "x": 2.0, "sd(row: x)": 1.0, "sigma": 0.0}
    u = matrix_of_effects(simulated, "row")[:, 0]
    np.testing.assert_array_equal(simulated.columns["y"], 2.0 + (2.0 + u) * simulated.columns["x"])
    assert min(simulated.columns["x"]) >= 0 and max(simulated.columns["x"]) <= 10


def test_moments_of_a_large_simulation_are_those_of_the_truth() -> None:
    J, n = 40_000, 3
    simulation = Simulation(
        groups=J,
        rows_per_group=n,
        coefficients={"ses": 2.0, "age": -1.0},
        sds={"ses": 1.5, "Intercept": 5.0, "age": 0.5},
        correlations={"Intercept, ses": 0.6, "age, ses": -0.4},
        predictors=Predictors("uniform", -1.0, 3.0),
    )
    simulated = simulate(simulation)
    u = matrix_of_effects(simulated, "school")
    assert simulated.truth["effects"]["school"]["terms"] == ["Intercept", "ses", "age"]
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


def test_rows_per_group_cover_their_range() -> None:
    simulated = simulate(Simulation(groups=300, rows_per_group=(2, 5)))
    counts = np.unique(np.array(simulated.columns["school"]), return_counts=True)[1]
    assert set(counts.tolist()) == {2, 3, 4, 5}


def test_nothing_varies_when_no_sd_is_given() -> None:
    simulated = simulate(Simulation(sds={}, coefficients={}, sigma=0.0))
    assert simulated.truth["formula"] == "score ~ 1"
    assert simulated.truth["effects"] == {}
    assert set(np.asarray(simulated.columns["score"]).tolist()) == {50.0}


def linear_predictor(simulated: Simulated, simulation: Simulation) -> np.ndarray:
    """Return intercept, predictors and true intercepts of the levels, for a simulation in which no slope varies."""
    eta = simulation.intercept + sum(
        np.asarray(simulated.columns[name]) * value for name, value in simulation.coefficients.items()
    )
    for factor, effects in simulated.truth["effects"].items():
        assert effects["terms"] == ["Intercept"]
        eta = eta + np.array([effects["values"][label][0] for label in simulated.columns[factor]])
    return np.asarray(eta)


@pytest.mark.parametrize(("family", "link"), [(f.name, link) for f in FAMILIES.values() for link in f.links])
def test_outcomes_follow_their_family(family: str, link: str) -> None:
    start = scenario_of(family).simulation
    simulation = replace(start, groups=400, rows_per_group=20, link=link, sds={"Intercept": 0.3}, seed=4)
    simulated = simulate(simulation)
    record = FAMILIES[family]
    eta = linear_predictor(simulated, simulation)
    auxiliaries = {name: np.array([value]) for name, value in simulation.auxiliary_values.items()}
    if record.has_thresholds:
        auxiliaries["threshold"] = np.array(simulation.thresholds)[:, np.newaxis]
    mean = record.mean(eta, link, auxiliaries)
    trials = np.asarray(simulated.columns["trials"]) if record.has_trials else np.ones(len(eta))
    y = np.asarray(simulated.columns[simulation.y]) - record.has_thresholds
    residuals = y - record.expected(mean, auxiliaries, trials)
    # Five standard errors of a mean, for all rows and for those whose mean is low and high: a wrong link shows there.
    for rows in (eta > -np.inf, eta < np.median(eta), eta >= np.median(eta)):
        assert abs(residuals[rows].mean()) < 5 * residuals[rows].std() / np.sqrt(rows.sum())
    # Under the true auxiliary parameters the rows are likelier than under ones a quarter off, by three standard errors.
    density = record.log_density(y, mean, auxiliaries, trials)
    for name in auxiliaries:
        for factor in (0.75, 1.25):
            other = {**auxiliaries, name: auxiliaries[name] * factor}
            gain = density - record.log_density(y, record.mean(eta, link, other), other, trials)
            assert gain.mean() > 3 * gain.std() / np.sqrt(len(gain)), (name, factor)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fit_takes_what_is_simulated_and_calls_it_the_same(family: str, tmp_path: Path) -> None:
    simulation = scenario_of(family).simulation
    write_simulation(simulate(simulation), tmp_path)
    trials = () if simulation.trials is None else ("trials",)
    numbers = [simulation.y, *simulation.coefficients, *trials]
    table = read_table(tmp_path / "data.csv", numbers, [simulation.group])
    design = build_design(
        simulation.formula,
        table,
        family=family,
        link=simulation.link,
        roles=Roles(trials=trials[0] if trials else None),
    )
    names = {parameter.name for parameter in build_spec(simulation.formula, design).parameters}
    assert names - {"Intercept_at_mean"} == set(json.loads((tmp_path / "truth.json").read_text())["parameters"])


def test_counts_are_written_as_whole_numbers(tmp_path: Path) -> None:
    write_simulation(simulate(find_scenario("germination").simulation), tmp_path)
    header, *rows = [line.split(",") for line in (tmp_path / "data.csv").read_text().splitlines()]
    assert header == ["germinated", "trials", "moisture", "tray"]
    assert all(row[0].isdigit() and row[1].isdigit() and "." in row[2] for row in rows)
    assert {int(row[1]) for row in rows} == set(range(10, 31))


def test_proportions_never_reach_the_ends() -> None:
    simulation = replace(scenario_of("beta").simulation, intercept=3.0, auxiliaries={"phi": 0.02})
    y = np.asarray(simulate(simulation).columns["cover"])
    assert 0 < y.min() < 1e-50 and y.max() == 1 - 2.0**-53


def test_counts_that_cannot_be_fitted_are_refused() -> None:
    with pytest.raises(UsageError, match="more than 2,147,483,647 cannot be fitted"):
        simulate(replace(scenario_of("poisson").simulation, intercept=50.0))


def test_crossed_factors_meet_each_other_evenly() -> None:
    simulation = find_scenario("crossed").simulation
    simulated = simulate(simulation)
    pairs = set(zip(simulated.columns["person"], simulated.columns["item"], strict=True))
    assert len(pairs) == len(simulated.columns["correct"]) == 100 * 24
    assert simulated.truth["formula"] == "correct ~ 1 + (1 | person) + (1 | item)"
    assert simulated.truth["parameters"] == {"Intercept": 0.5, "sd(person)": 1.0, "sd(item)": 0.8}
    assert list(simulated.truth["effects"]) == ["person", "item"]
    assert list(simulated.truth["effects"]["item"]["values"])[:2] == ["i01", "i02"]


def test_the_effects_of_a_crossed_factor_are_in_the_outcome() -> None:
    crossed = Crossed("teacher", 300, 3.0)
    simulation = replace(SLOPES, sds={"Intercept": 5.0}, rows_per_group=200, sigma=0.0, crossed=crossed)
    simulated = simulate(simulation)
    np.testing.assert_allclose(simulated.columns["score"], linear_predictor(simulated, simulation), rtol=1e-12)
    v = matrix_of_effects(simulated, "teacher")
    assert abs(v.std() - 3) < 5 * 3 / np.sqrt(2 * 300)  # five standard errors of an sd
    alone = simulate(replace(simulation, sds={}))
    assert alone.truth["formula"] == "score ~ 1 + ses + (1 | teacher)" and list(alone.truth["effects"]) == ["teacher"]


def test_missing_cells_leave_the_rest_as_it_was(tmp_path: Path) -> None:
    simulation = replace(find_scenario("litters").simulation, groups=200, missing=0.1)
    whole, holes = simulate(replace(simulation, missing=0.0)), simulate(simulation)
    assert whole.truth["parameters"] == holes.truth["parameters"] and whole.truth["effects"] == holes.truth["effects"]
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


def test_odd_names_are_quoted_in_the_formula() -> None:
    simulation = Simulation(coefficients={"family income": 1.0}, sds={"family income": 1.0}, group="the school")
    expected = "score ~ 1 + `family income` + (0 + `family income` | `the school`)"
    assert simulate(simulation).truth["formula"] == expected


def test_what_is_written_reads_back_exactly(tmp_path: Path) -> None:
    simulated = simulate(SLOPES)
    write_simulation(simulated, tmp_path / "new" / "sim")
    table = read_table(tmp_path / "new" / "sim" / "data.csv", ["score", "ses"], ["school"])
    np.testing.assert_array_equal(table.numbers["score"], simulated.columns["score"])
    np.testing.assert_array_equal(table.numbers["ses"], simulated.columns["ses"])
    labels = [table.levels["school"][code] for code in table.labels["school"]]
    assert labels == list(simulated.columns["school"])
    stored = json.loads((tmp_path / "new" / "sim" / "truth.json").read_text())
    assert stored.pop("data_sha256") == table.sha256
    assert stored == simulated.truth
    assert sorted(path.name for path in (tmp_path / "new" / "sim").iterdir()) == ["data.csv", "truth.json"]


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    simulated = simulate(SLOPES)
    write_simulation(simulated, tmp_path)
    with pytest.raises(RunFolderError, match=r"is not empty: data\.csv, truth\.json") as caught:
        write_simulation(simulated, tmp_path)
    assert caught.value.hint is not None and "--overwrite" in caught.value.hint
    write_simulation(simulate(replace(SLOPES, seed=9)), tmp_path, overwrite=True)
    assert json.loads((tmp_path / "truth.json").read_text())["seed"] == 9
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(RunFolderError, match=r"did not write: thesis\.tex"):
        write_simulation(simulated, tmp_path, overwrite=True)
    with pytest.raises(RunFolderError, match="is a file, not a folder"):
        write_simulation(simulated, tmp_path / "thesis.tex")
    with pytest.raises(DiskError, match="could not be written: Not a directory"):
        write_simulation(simulated, tmp_path / "thesis.tex" / "below")


def test_data_that_simulate_did_not_write_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("y,x\n1,2\n")
    with pytest.raises(RunFolderError, match=r"holds a data\.csv that hierfit simulate did not write"):
        write_simulation(simulate(SLOPES), tmp_path, overwrite=True)
    assert (tmp_path / "data.csv").read_text() == "y,x\n1,2\n"
    write_simulation(simulate(SLOPES), tmp_path / "sim")
    with (tmp_path / "sim" / "data.csv").open("a") as stream:
        stream.write("\n")
    with pytest.raises(RunFolderError, match="or that was changed since"):
        write_simulation(simulate(SLOPES), tmp_path / "sim", overwrite=True)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_runs_and_says_what_it_is(name: str) -> None:
    scenario = find_scenario(name)
    simulated = simulate(scenario.simulation)
    assert len({len(column) for column in simulated.columns.values()}) == 1
    assert simulated.truth["parameters"] == true_parameters(scenario.simulation)
    assert scenario.name == name and "\n" not in scenario.description
    assert f"{scenario.simulation.groups:,} " in scenario.description


def test_the_default_scenario_is_the_default_simulation() -> None:
    assert find_scenario(DEFAULT_SCENARIO).simulation == Simulation()
    with pytest.raises(UsageError, match=r"there is no scenario 'slope'\. Did you mean 'slopes'\?"):
        find_scenario("slope")


def test_every_family_has_a_scenario() -> None:
    assert scenario_of("gaussian").name == DEFAULT_SCENARIO
    for family in FAMILIES:
        scenario = scenario_of(family)
        assert scenario.simulation.family == family
        assert family == "gaussian" or scenario.description.startswith(f"{family}: ")


def test_predictors_are_read_from_their_text() -> None:
    assert Predictors.from_text("uniform(0, 10)") == Predictors("uniform", 0.0, 10.0)
    assert Predictors.from_text(" normal ( 1e2,.5 ) ") == Predictors("normal", 100.0, 0.5)
    assert str(Predictors("uniform", 0.0, 10.0)) == "uniform(0, 10)"


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no groups": ({"groups": 0}, "0 groups cannot be simulated.", "at least 1 group"),
    "no rows": ({"rows_per_group": 0}, "0 rows per group cannot be simulated.", "at least 1 row"),
    "range from 0": ({"rows_per_group": (0, 3)}, "0 rows per group cannot be simulated.", "at least 1 row"),
    "range upside down": ({"rows_per_group": (5, 2)}, "the wrong way round: 5 to 2.", "write 2 to 5"),
    "seed": ({"seed": -1}, "the seed -1 is negative.", "from 0 on"),
    "sd": ({"sds": {"Intercept": -1.0}}, "the sd 'Intercept' is negative: -1.", "0 or more"),
    "sigma": ({"sigma": -2.0}, "the sd 'sigma' is negative: -2.", "0 or more"),
    "nan": ({"coefficients": {"ses": float("nan")}}, "ses = nan is not a finite number.", "finite"),
    "correlation": (
        {"sds": {"Intercept": 1.0, "ses": 1.0}, "correlations": 1.5},
        "the correlation of 'Intercept, ses' is 1.5.",
        "between -1 and 1",
    ),
    "correlations that contradict": (
        {
            "coefficients": {"a": 1.0, "b": 1.0},
            "sds": {"Intercept": 1.0, "a": 1.0, "b": 1.0},
            "correlations": {"Intercept, a": 0.9, "Intercept, b": 0.9, "a, b": -0.9},
        },
        "the correlations between Intercept, a, b contradict each other",
        "closer to 0",
    ),
    "correlation of a stranger": (
        {"sds": {"Intercept": 1.0, "ses": 1.0}, "correlations": {"Intercept, sess": 0.2}},
        "there is no correlation of 'Intercept, sess'. Did you mean 'Intercept, ses'?",
        "what varies: Intercept, ses",
    ),
    "slope of a stranger": (
        {"sds": {"Intercept": 1.0, "sess": 1.0}},
        "the slope of 'sess' cannot vary: no predictor has that name. Did you mean 'ses'?",
        "what can vary: Intercept, ses",
    ),
    "same name": ({"y": "ses"}, "the column name 'ses' is used 2 times among: ses, ses, school.", "different names"),
    "no name": ({"group": " "}, "a column cannot be named ' '.", "another name"),
    "reserved name": ({"coefficients": {"sigma": 1.0}}, "a column cannot be named 'sigma'.", "another name"),
    "family": ({"family": "poison"}, "there is no family 'poison'. Did you mean 'poisson'?", "families: gaussian"),
    "link": ({"link": "logit"}, "the family gaussian has no link 'logit'.", "links: identity"),
    "no trials": ({"family": "binomial"}, "the family binomial needs a number of trials.", "binomial"),
    "trials": ({"trials": 3}, "the family gaussian has no trials.", "families with trials: binomial"),
    "0 trials": ({"family": "binomial", "trials": (0, 4)}, "0 trials per row cannot be simulated.", "at least 1 trial"),
    "no shape": ({"family": "gamma"}, "the family gamma needs a true value of 'shape'.", "shape is greater than 0"),
    "shape": ({"family": "gamma", "auxiliaries": {"shape": 0.0}}, "shape cannot be 0.", "shape is greater than 0"),
    "zi": (
        {"family": "zero_inflated_poisson", "auxiliaries": {"zi": 1.0}},
        "zi cannot be 1.",
        "zi is greater than 0 and less than 1",
    ),
    "shape of a stranger": (
        {"family": "beta", "auxiliaries": {"phi": 2.0, "phy": 1.0}},
        "the family beta has no further parameter 'phy'. Did you mean 'phi'?",
        "its further parameters: phi",
    ),
    "crossed with itself": ({"crossed": Crossed("school", 3, 1.0)}, "the column name 'school' is used 2", "different"),
    "crossed, no level": ({"crossed": Crossed("item", 0, 1.0)}, "0 levels of 'item'", "at least 1 level"),
    "crossed, negative": ({"crossed": Crossed("item", 3, -1.0)}, "the sd 'item' is negative: -1.", "0 or more"),
    "missing": ({"missing": 1.0}, "a share of 1 of the cells cannot be missing.", "such as 0.05"),
}


@pytest.mark.parametrize(("settings", "message", "hint"), WRONG.values(), ids=WRONG.keys())
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        Simulation(**settings)
    assert message in caught.value.message
    assert caught.value.hint is not None and hint in caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("norml(0, 1)", "predictors cannot be drawn from 'norml'. Did you mean 'normal'?"),
        ("normal(0, -1)", "predictors cannot be drawn from normal(0, -1)."),
        ("uniform(3, 1)", "predictors cannot be drawn from uniform(3, 1)."),
        ("uniform(0, inf)", "predictors cannot be drawn from uniform(0, inf)."),
        ("normal(0)", "'normal(0)' is no distribution of predictors."),
        ("normal(a, b)", "'normal(a, b)' is no distribution of predictors."),
    ],
)
def test_predictors_that_make_no_sense_are_refused(text: str, message: str) -> None:
    with pytest.raises(HierfitError) as caught:
        Predictors.from_text(text)
    assert caught.value.message == message
