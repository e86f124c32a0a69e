"""For every family: data simulated with a known truth are fitted, and the posterior holds that truth."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, poisson

from hierfit import workflow
from hierfit.model.families import FAMILIES
from hierfit.model.formula_text import parse_formula
from hierfit.model.request import FitRequest
from hierfit.model.roles import Roles
from hierfit.runs import finished
from hierfit.runs.finished import Fit
from hierfit.sampling import SamplerOptions
from hierfit.simulate.files import write_simulation
from hierfit.simulate.scenarios import find_scenario, scenario_of
from hierfit.simulate.simulate import simulate
from hierfit.simulate.simulation import Simulation

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
        roles=simulation.roles,
        sampler=SamplerOptions(seed=5),
    )
    return workflow.fit(workflow.prepare(request), folder / "run")


def assert_recovered(done: Fit) -> None:
    truth = finished.stored_truth(done)
    assert truth is not None and set(truth.parameters) == {row.name for row in done.summary.rows}
    for name, value in truth.parameters.items():
        row = done.summary.row(name)
        # Four posterior sds: one estimate in some 15,000 misses, a few times that where the posterior is skewed.
        assert abs(row.mean - value) < 4 * row.sd, (name, value, row.mean, row.sd)
        assert row.rhat < 1.02, name
    group = done.design.groups[0]
    # Of population + deviation: levels have data of their own, so that these errors are all but independent between
    # levels; those of the deviations share the population's.
    draws = done.draws.effects[group.factor][..., 0]
    if done.design.intercept:
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
    assert_recovered(fit(simulation, tmp_path))


@pytest.mark.stan
@pytest.mark.slow
def test_two_crossed_factors_are_recovered(tmp_path: Path) -> None:
    simulation = find_scenario("crossed").simulation
    done = fit(simulation, tmp_path)
    assert_recovered(done)
    truth = finished.stored_truth(done)
    assert truth is not None
    items = done.draws.effects["item"][..., 0]
    error = (items.mean(axis=(0, 1)) - truth.effects["item"][:, 0]) / items.std(axis=(0, 1))
    assert np.abs(error).max() < 4  # one of 24 beyond four posterior sds: a chance of 1 in 600


@pytest.mark.stan
def test_the_truth_of_a_formula_is_recovered(tmp_path: Path) -> None:
    asked = Simulation(
        parse_formula("score ~ ses * sector + poly(age, 2) + (1 + ses | school)"),
        levels={"school": 60},
        rows=(10, 40),
        categories={"sector": ("Public", "Catholic")},
        per={"sector": "school"},
        true={"cor(school)": 0.4, "sector[Catholic]": -3.0, "ses:sector[Catholic]": 1.0},
        missing=0.02,
        seed=11,
    )
    write_simulation(simulate(asked), tmp_path / "sim")
    data, options = tmp_path / "sim" / "data.csv", SamplerOptions(seed=5)
    request = FitRequest(data, asked.formula, roles=asked.roles, sampler=options)
    done = workflow.fit(workflow.prepare(request), tmp_path / "run")
    truth = finished.stored_truth(done)
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
    write_simulation(finished.simulate_from(done.folder, seed=3), tmp_path / "again")
    request = finished.stored_request(done.folder)
    again = workflow.fit(
        workflow.prepare(
            FitRequest(tmp_path / "again" / "data.csv", request.formula, family="poisson", sampler=request.sampler)
        ),
        tmp_path / "second",
    )
    truth = finished.stored_truth(again)
    assert truth is not None
    for row in again.summary.rows:
        assert abs(row.mean - truth.parameters[row.name]) < 4 * row.sd, row.name
    effects = again.draws.effects["brood"][..., 0]
    error = (effects.mean(axis=(0, 1)) - truth.effects["brood"][:, 0]) / effects.std(axis=(0, 1))
    assert np.abs(error).max() < 5  # one of 60 beyond five posterior sds: a chance of 1 in 30,000


# Data made here: ordered categories, hurdles, predictors of sigma, the horseshoe.


def fit_columns(columns: Mapping[str, Any], formula: str, folder: Path, **options: Any) -> Fit:
    """Write columns to a CSV file and fit a formula to it."""
    folder.mkdir(exist_ok=True)
    with (folder / "data.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(np.asarray(column).tolist() for column in columns.values()), strict=True))
    sampler = SamplerOptions(seed=5, draws=500, adapt_delta=options.pop("adapt_delta", 0.8))
    request = FitRequest(folder / "data.csv", parse_formula(formula), sampler=sampler, **options)
    return workflow.fit(workflow.prepare(request), folder / "run")


def assert_near_truth(done: Fit, truth: Mapping[str, float]) -> None:
    for name, value in truth.items():
        row = done.summary.row(name)
        # Four posterior sds, as above; half the draws per chain, so that R-hats scatter more.
        assert abs(row.mean - value) < 4 * row.sd, (name, value, row.mean, row.sd)
        assert row.rhat < 1.03, (name, row.rhat)


@pytest.mark.stan
def test_ordered_categories_are_recovered(tmp_path: Path) -> None:
    rng, groups = np.random.default_rng(21), np.repeat(np.arange(40), 25)
    x = rng.normal(3, 1, len(groups))  # not around 0, so that thresholds are carried a way
    u = rng.normal(0, 0.7, 40)
    cut = np.array([1.0, 1.8, 3.0])
    rating = np.array(["bad", "poor", "fair", "good"])[np.digitize(0.6 * x + u[groups] + rng.normal(size=len(x)), cut)]
    done = fit_columns(
        {"rating": rating, "x": x, "judge": [f"j{g}" for g in groups]},
        "rating ~ x + (1 | judge)", tmp_path, family="cumulative", link="probit",
        roles=Roles(levels={"rating": ("bad", "poor", "fair", "good")}),
    )  # fmt: skip
    names = [f"threshold[{between}]" for between in ("bad|poor", "poor|fair", "fair|good")]
    assert_near_truth(done, {"x": 0.6, "sd(judge)": 0.7, **dict(zip(names, cut.tolist(), strict=True))})
    effects = done.draws.effects["judge"][..., 0]
    order = [f"j{g}" for g in range(40)]
    assert list(done.design.groups[0].labels) == order
    error = (effects.mean(axis=(0, 1)) - u) / effects.std(axis=(0, 1))
    assert np.abs(error).max() < 4.5  # one of 40 beyond four and a half posterior sds: a chance of 1 in 3,500


@pytest.mark.stan
def test_hurdles_are_recovered(tmp_path: Path) -> None:
    rng, groups = np.random.default_rng(22), np.repeat(np.arange(40), 25)
    x, u = rng.normal(size=len(groups)), rng.normal(0, 0.5, 40)
    mean = np.exp(0.7 + 0.4 * x + u[groups])
    # inverse distribution function beyond 0: none of the program's own ways to draw
    above = poisson.cdf(0, mean) + rng.random(len(x)) * poisson.sf(0, mean)
    y = np.where(rng.random(len(x)) < 0.35, 0, poisson.ppf(above, mean)).astype(int)
    columns = {"visits": y, "x": x, "clinic": [f"c{g}" for g in groups]}
    done = fit_columns(columns, "visits ~ x + (1 | clinic)", tmp_path, family="hurdle_poisson")
    assert_near_truth(done, {"Intercept": 0.7, "x": 0.4, "sd(clinic)": 0.5, "hu": 0.35})


@pytest.mark.stan
def test_a_sigma_of_each_group_is_recovered(tmp_path: Path) -> None:
    rng, groups = np.random.default_rng(23), np.repeat(np.arange(8), 60)
    sigma = np.exp(rng.normal(1, 0.6, 8))
    x, u = rng.normal(size=len(groups)), rng.normal(0, 2, 8)
    y = 50 + 1.5 * x + u[groups] + sigma[groups] * rng.normal(size=len(x))
    columns = {"y": y, "x": x, "g": [f"g{g}" for g in groups]}
    done = fit_columns(columns, "y ~ x + (1 | g); sigma ~ 0 + g", tmp_path, adapt_delta=0.95)
    truth = {f"sigma_g[g{level}]": float(np.log(value)) for level, value in enumerate(sigma)}
    assert_near_truth(done, {"x": 1.5, **truth})
    assert [at.level for at in done.summary.at_levels] == [f"g{level}" for level in range(8)]
    for at, value in zip(done.summary.at_levels, sigma, strict=True):
        assert abs(at.mean - value) < 4 * at.sd


@pytest.mark.stan
def test_a_horseshoe_shrinks_the_small_and_leaves_the_large(tmp_path: Path) -> None:
    rng, large = np.random.default_rng(24), {"x0": 2.0, "x5": -1.5, "x11": 1.2}
    X = rng.normal(size=(150, 20))
    names = [f"x{k}" for k in range(20)]
    y = 10 + X @ [large.get(name, 0.0) for name in names] + rng.normal(0, 2, 150)
    columns = {"y": y, **dict(zip(names, X.T, strict=True))}
    formula = f"y ~ {' + '.join(names)}"
    horseshoe = fit_columns(columns, formula, tmp_path / "a", priors=("b ~ horseshoe(3)",), adapt_delta=0.99)
    normal = fit_columns(columns, formula, tmp_path / "b")
    assert_near_truth(horseshoe, large)
    means = {
        label: np.array([done.summary.row(name).mean for name in names if name not in large])
        for label, done in (("horseshoe", horseshoe), ("normal", normal))
    }
    # On these data the sum of squares of the 17 small ones falls to a quarter; half would show that it shrinks.
    assert np.sum(means["horseshoe"] ** 2) < 0.5 * np.sum(means["normal"] ** 2)
    for name in large:
        assert abs(horseshoe.summary.row(name).mean) > 0.8 * abs(normal.summary.row(name).mean)


PREDICTED = [(name, auxiliary.name) for name, family in FAMILIES.items() for auxiliary in family.auxiliaries]
QUICK = {("zero_inflated_poisson", "zi"), ("negbinomial", "shape")}


@pytest.mark.parametrize(
    ("family", "parameter"),
    [
        pytest.param(*each, marks=[pytest.mark.stan, *([] if each in QUICK else [pytest.mark.slow])])
        for each in PREDICTED
    ],
)
def test_predictors_of_every_parameter_are_recovered(family: str, parameter: str, tmp_path: Path) -> None:
    formula = parse_formula(f"y ~ x + (1 | g); {parameter} ~ x + arm")
    true = {f"{parameter}_x": 0.5, f"{parameter}_arm[b]": -0.6}
    asked = Simulation(
        formula, family, levels={"g": 40}, rows=40, categories={"arm": ("a", "b")}, true=true, seed=4
    )  # fmt: skip
    done = fit(asked, tmp_path)
    assert_recovered(done)
    a, b = (at.mean for at in done.summary.at_levels)
    assert a > b


@pytest.mark.parametrize(
    ("family", "parameter"),
    [
        pytest.param(*each, marks=[pytest.mark.stan, *([] if each in QUICK else [pytest.mark.slow])])
        for each in PREDICTED
    ],
)
def test_what_varies_of_every_parameter_is_recovered(family: str, parameter: str, tmp_path: Path) -> None:
    formula = parse_formula(f"y ~ x + (1 | p | g); {parameter} ~ x + (1 | p | g)")
    true = {f"{parameter}_x": 0.4, f"sd(g: {parameter}_Intercept)": 0.5, "cor(g)": 0.5}
    done = fit(Simulation(formula, family, levels={"g": 40}, rows=25, true=true, seed=4), tmp_path)
    assert_recovered(done)
    truth = finished.stored_truth(done)
    assert truth is not None
    known = truth.levels(done.design.groups[0], 1)
    drawn = done.draws.effects["g"][..., 1] + done.draws.of(f"{parameter}_Intercept")[..., np.newaxis]
    assert known is not None
    # Each level has few rows to say so much; of effects that had nothing to do with the true ones 3 in 100 would pass.
    assert np.corrcoef(drawn.mean(axis=(0, 1)), known)[0, 1] > 0.3
