"""Data of any formula and family: a fit gives its parameters the truth's names, and the truth explains the data."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierfit import workflow
from hierfit.design.design import Design
from hierfit.errors import DataError, FormulaError, HierfitError, UsageError
from hierfit.model.families import FAMILIES
from hierfit.model.formula_text import parse_formula
from hierfit.model.request import FitRequest
from hierfit.posterior.truth import Truth
from hierfit.runs.stored import truth_beside
from hierfit.simulate.effects import Factor
from hierfit.simulate.files import Simulated, write_simulation
from hierfit.simulate.outcome import true_auxiliaries
from hierfit.simulate.predictors import Predictors
from hierfit.simulate.simulate import simulate
from hierfit.simulate.simulation import Simulation

ROOT = Path(__file__).parents[2]
WORDS = {"sector": ("Public", "Church", "Private")}
AGE = Predictors("uniform", 8.0, 16.0)
EVERYTHING = (
    "score ~ ses * sector + poly(age, 2) + bs(size, df=4) + (1 + ses + sector | school) + (0 + ses || district)"
    " + (1 | school:class)"
)
VARYING_TERM = "score ~ scale(age) + (1 + scale(age) | school)"


def documented_formulas() -> list[str]:
    """The formulas of the tables of docs/formulas.md."""
    text = (ROOT / "docs" / "formulas.md").read_text().replace("\\|", "|")
    found = re.findall(r"^\| (`+) ?(score ~.*?) ?\1 \|", text, re.MULTILINE)
    assert len(found) > 30
    return [formula for _, formula in found]


def simulation(text: str, **settings: Any) -> Simulation:
    formula = parse_formula(text)
    words = {name: levels for name, levels in WORDS.items() if name in formula.predictors}
    return Simulation(formula, **{"predictors": AGE, "categories": words, **settings})


def written(asked: Simulation, folder: Path) -> tuple[Simulated, workflow.Plan]:
    """Simulate, write, and read again as a fit does."""
    simulated = simulate(asked)
    write_simulation(simulated, folder, overwrite=True)
    request = FitRequest(folder / "data.csv", asked.formula, family=asked.family, link=asked.link, roles=asked.roles)
    return simulated, workflow.prepare(request)


def assert_same_names(simulated: Simulated, plan: workflow.Plan) -> None:
    assert list(simulated.truth.parameters) == [parameter.name for parameter in plan.spec.parameters]
    assert list(simulated.truth.content["effects"]) == [group.factor for group in plan.design.groups]
    for group in plan.design.groups:
        effects = simulated.truth.content["effects"][group.factor]
        assert tuple(effects["terms"]) == group.terms
        assert set(effects["values"]) >= set(group.labels)


def linear_predictor(design: Design, content: Mapping[str, Any]) -> np.ndarray:
    """What the truth says of every row of a design, as a fit would read it."""
    truth = Truth.from_json(content, design)
    b = np.array([truth.parameters[name] for name in design.coefficients])
    eta = truth.parameters.get("Intercept", 0.0) + design.X @ b
    eta = eta if design.offset is None else eta + design.offset
    for group in design.groups:
        m = group.columns_of(None)
        eta = eta + np.sum(group.Z[:, m] * truth.effects[group.factor][group.codes][:, m], axis=1)
    return np.asarray(eta)


def factors_of(design: Design, content: Mapping[str, Any]) -> list[Factor]:
    """The true effects of the levels that the rows have."""
    effects = Truth.from_json(content, design).effects
    return [Factor(g.factor, g.labels, g.codes, g.terms, effects[g.factor]) for g in design.groups]


@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("formula", [*documented_formulas(), EVERYTHING, VARYING_TERM])
def test_the_truth_explains_the_rows_that_a_fit_keeps(formula: str, missing: float, tmp_path: Path) -> None:
    simulated, plan = written(simulation(formula, missing=missing, true={"sigma": 1e-9}), tmp_path)
    assert_same_names(simulated, plan)
    assert (plan.table.n_rows < plan.table.n_read) == (missing > 0)
    # Ten of the residual's sds, and the rounding of sums of several thousands.
    np.testing.assert_allclose(
        plan.design.y, linear_predictor(plan.design, simulated.truth.content), atol=1e-8, rtol=1e-10
    )
    at_mean = simulated.truth.parameters.get("Intercept_at_mean")
    if at_mean is not None:
        b = [simulated.truth.parameters[name] for name in plan.design.coefficients]
        assert at_mean == pytest.approx(simulated.truth.parameters["Intercept"] + plan.design.x_mean @ b)


def test_a_fit_finds_the_truth(tmp_path: Path) -> None:
    simulated, plan = written(simulation("score ~ ses + (1 | school)"), tmp_path)
    assert truth_beside(plan.table.path, plan.table.sha256) is not None
    stored = json.loads((tmp_path / "truth.json").read_text())
    assert stored["parameters"] == simulated.truth.parameters
    settings = stored["simulation"]
    assert (settings["formula"], settings["levels"], settings["rows"]) == (
        "score ~ 1 + ses + (1 | school)", {"school": 30}, 20,
    )  # fmt: skip


@pytest.mark.parametrize(("family", "link"), [(f.name, link) for f in FAMILIES.values() for link in f.links])
def test_outcomes_of_every_family(family: str, link: str, tmp_path: Path) -> None:
    asked = simulation(
        "y ~ a * sector + (1 + a | g) + (1 | h)",
        family=family,
        link=link,
        predictors=Predictors(),
        levels={"g": 200, "h": 12},
        rows=(10, 30),
        offset="exposure",
        distributions={"exposure": Predictors("normal", 0.0, 0.2)},
        true={"sd": 0.2, "cor(g)": -0.4},
        seed=7,
    )
    simulated, plan = written(asked, tmp_path)
    assert_same_names(simulated, plan)
    record, design = FAMILIES[family], plan.design
    eta = linear_predictor(design, simulated.truth.content)
    trials = np.ones(design.n_rows) if design.trials is None else design.trials
    auxiliaries = true_auxiliaries(design, simulated.truth.parameters, factors_of(design, simulated.truth.content))
    residuals = design.y - record.expected(record.mean(eta, link, auxiliaries), auxiliaries, trials)
    # Five standard errors of a mean, for all rows and for those whose mean is low and high: a wrong link shows there.
    for rows in (eta > -np.inf, eta < np.median(eta), eta >= np.median(eta)):
        assert abs(residuals[rows].mean()) < 5 * residuals[rows].std() / np.sqrt(rows.sum())


def test_effects_have_the_sds_and_correlations_asked_for() -> None:
    true = {
        "sd(g)": 5.0, "sd(g: a)": 1.5, "sd(g: b)": 0.5, "sd(h)": 3.0, "sigma": 2.0,
        "cor(g: Intercept, a)": 0.6, "cor(g: a, b)": -0.4,
    }  # fmt: skip
    levels = {"g": 20_000, "h": 3_000}
    asked = Simulation(parse_formula("y ~ a + b + (1 + a + b | g) + (1 | h)"), levels=levels, rows=(1, 3), true=true)
    simulated = simulate(asked)
    effects = {factor.name: factor.effects for factor in simulated.truth.factors}
    assert {name: len(u) for name, u in effects.items()} == levels
    u, sds, R = effects["g"], [5.0, 1.5, 0.5], {(0, 1): 0.6, (0, 2): 0.0, (1, 2): -0.4}
    # Five Monte Carlo errors: a mean has sd / sqrt(J), an sd has sd / sqrt(2 J), a correlation (1 - rho^2) / sqrt(J).
    J = len(u)
    assert np.all(np.abs(u.mean(axis=0)) < 5 * np.array(sds) / np.sqrt(J))
    assert np.all(np.abs(u.std(axis=0) - sds) < 5 * np.array(sds) / np.sqrt(2 * J))
    for pair in combinations(range(3), 2):
        assert abs(np.corrcoef(u.T)[pair] - R[pair]) < 5 * (1 - R[pair] ** 2) / np.sqrt(J)
    assert abs(effects["h"].std() - 3.0) < 5 * 3.0 / np.sqrt(2 * 3_000)


def test_without_correlations_the_effects_have_none() -> None:
    asked = Simulation(parse_formula("y ~ a + (1 + a || g)"), levels={"g": 10_000}, rows=1)
    truth = simulate(asked).truth.content
    assert not any(name.startswith("cor(") for name in truth["parameters"])
    u = np.array(list(truth["effects"]["g"]["values"].values()))
    assert abs(np.corrcoef(u.T)[0, 1]) < 5 / np.sqrt(len(u))  # five standard errors


def test_levels_and_rows_are_those_asked_for(tmp_path: Path) -> None:
    asked = simulation(
        "score ~ ses + (1 | school/class) + (1 | item)", levels={"school": 12, "class": (2, 5), "item": 7}, rows=(7, 20)
    )
    _, plan = written(asked, tmp_path)
    school, classes, item = plan.design.groups
    assert (school.factor, classes.factor, item.factor) == ("school", "school:class", "item")
    assert (school.n_levels, item.n_levels) == (12, 7)
    within = [sum(label.startswith(f"{one}:") for label in classes.labels) for one in school.labels]
    assert sum(within) == classes.n_levels and set(within) <= {2, 3, 4, 5} and len(set(within)) > 1
    assert {label.partition(":")[2] for label in classes.labels} == {f"c{number}" for number in range(1, 6)}
    assert 7 <= classes.rows_per_level.min() < classes.rows_per_level.max() <= 20
    for code in range(classes.n_levels):  # every class meets every item, with at least as many rows as items
        assert len(set(item.codes[classes.codes == code].tolist())) == 7


def test_rows_without_groups() -> None:
    assert simulate(simulation("score ~ ses")).n_rows == 200
    assert simulate(simulation("score ~ ses", rows=31)).n_rows == 31


def test_columns_are_as_asked_for() -> None:
    asked = simulation(
        "score ~ ses + sector + size + C(grade) + (1 | school/class)",
        distributions={"size": Predictors("normal", 100.0, 1.0)},
        per={"sector": "school", "size": "school:class"},
    )
    columns = simulate(asked).columns
    assert list(columns) == ["score", "ses", "sector", "size", "grade", "school", "class"]
    assert all(8 <= value <= 16 for value in columns["ses"]) and all(90 < value < 110 for value in columns["size"])
    assert set(columns["grade"]) == {1, 2, 3}
    assert sorted(set(columns["sector"])) == sorted(WORDS["sector"])
    classes = list(zip(columns["school"], columns["class"], strict=True))
    assert len(set(zip(columns["school"], columns["sector"], strict=True))) == 30
    assert len(set(zip(classes, columns["size"], strict=True))) == len(set(columns["size"])) == 30 * 4
    # Levels are equally frequent: here among 30 schools.
    assert sum(sector == "Church" for _, sector in set(zip(columns["school"], columns["sector"], strict=True))) == 10


def test_a_group_can_be_a_predictor_too(tmp_path: Path) -> None:
    simulated, plan = written(simulation("score ~ year + (1 | year)", levels={"year": 12}), tmp_path)
    assert_same_names(simulated, plan)
    assert plan.design.coefficients == ("year",) and plan.design.X.max() == 12
    assert plan.design.groups[0].labels[:2] == ("01", "02")
    words = simulation("score ~ sector + (1 | sector)")
    assert_same_names(*written(words, tmp_path))
    assert words.all_levels == {"sector": 3}


def test_outcomes_in_words(tmp_path: Path) -> None:
    settings = {"family": "bernoulli", "categories": {"passed": ("no", "yes")}, "true": {"Intercept": 3.0, "a": 0.0}}
    asked = simulation("passed ~ a + (1 | g)", **settings)
    simulated, plan = written(asked, tmp_path)
    assert plan.design.categories == ("no", "yes")
    assert plan.design.y.mean() > 0.8
    assert list(np.unique(simulated.columns["passed"])) == ["no", "yes"]
    for turned in (replace(asked, references={"passed": "yes"}), replace(asked, categories={"passed": ("yes", "no")})):
        design = written(turned, tmp_path)[1].design
        assert design.categories == ("yes", "no") and design.y.mean() > 0.8


def test_ordered_categories(tmp_path: Path) -> None:
    words = ("low", "mid", "high")
    asked = simulation(
        "pain ~ a + (1 | g)", family="cumulative", categories={"pain": words}, true={"sd(g)": 0.0, "a": 0.0}
    )
    simulated, plan = written(asked, tmp_path)
    assert_same_names(simulated, plan)
    assert plan.design.categories == words
    # As likely by default: five binomial standard errors of a third of 600 rows.
    assert np.all(np.abs(np.bincount(plan.design.y.astype(int)) - 200) < 5 * np.sqrt(600 * 2 / 9))
    thresholds = {"threshold[low|mid]": -2.0, "threshold[mid|high]": 2.0}
    y = written(replace(asked, true={**asked.true, **thresholds}), tmp_path)[1].design.y
    assert (y == 1).mean() > 0.7
    simulated, plan = written(replace(asked, categories={}), tmp_path)
    assert_same_names(simulated, plan)
    assert plan.design.categories == ("1", "2", "3", "4", "5")


@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("groups", ["(1 | g)", "(1 | p | g)"])
def test_predictors_of_sigma(groups: str, missing: float, tmp_path: Path) -> None:
    formula = f"y ~ a + {groups}; sigma ~ scale(a) + sector + {groups} + (0 + a | h)"
    asked = simulation(formula, rows=200, missing=missing, true={"sigma_Intercept": 0.5, "sd(h: sigma_a)": 0.02})
    simulated, plan = written(asked, tmp_path)
    assert_same_names(simulated, plan)
    factors = factors_of(plan.design, simulated.truth.content)
    sigma = true_auxiliaries(plan.design, simulated.truth.parameters, factors)["sigma"]
    residuals = (plan.design.y - linear_predictor(plan.design, simulated.truth.content)) / sigma
    # Standard normal where sigma is small and where it is large, within five standard errors of an sd.
    for rows in (sigma < np.median(sigma), sigma >= np.median(sigma)):
        assert abs(residuals[rows].std() - 1) < 5 / np.sqrt(2 * rows.sum())
    assert sigma.max() > 1.5 * sigma.min()


def test_sigma_of_every_group(tmp_path: Path) -> None:
    assert_same_names(*written(simulation("y ~ a + (1 | g); sigma ~ 0 + g", levels={"g": 9}), tmp_path))


def test_references_and_odd_names(tmp_path: Path) -> None:
    asked = simulation(
        "score ~ `family income` * sector + (1 + `family income` | `the school`)",
        references={"sector": "Public"},
        true={"family income": -3.0, "sd(the school: family income)": 0.25},
    )
    simulated, plan = written(asked, tmp_path)
    assert_same_names(simulated, plan)
    assert "sector[Church]" in simulated.truth.parameters and "sector[Public]" not in simulated.truth.parameters
    assert simulated.truth.parameters["family income"] == -3.0


def test_the_seed_decides_and_true_values_leave_the_columns_alone(tmp_path: Path) -> None:
    asked = simulation(EVERYTHING, missing=0.05)
    for name, one in (("a", asked), ("b", asked), ("c", replace(asked, seed=2))):
        write_simulation(simulate(one), tmp_path / name)
    for file in ("data.csv", "truth.json"):
        a, b, c = ((tmp_path / name / file).read_bytes() for name in "abc")
        assert a == b != c
    first, other = simulate(asked).columns, simulate(replace(asked, true={"b": 9.0})).columns
    whole = simulate(replace(asked, missing=0.0)).columns
    for name, column in first.items():
        if name == "score":
            assert not np.array_equal(np.asarray(column), np.asarray(other[name]), equal_nan=True)
            continue
        assert np.array_equal(np.asarray(column), np.asarray(other[name]), equal_nan=isinstance(column, np.ndarray))
        filled = [cell == cell and cell != "" for cell in column]
        assert [c for c, there in zip(column, filled, strict=True) if there] == [
            c for c, there in zip(whole[name], filled, strict=True) if there
        ]


def test_missing_cells_are_of_outcome_and_predictors_alone() -> None:
    asked = simulation("score ~ ses + sector + year + (1 | year) + (1 | school)", missing=0.2, offset="exposure")
    columns = simulate(asked).columns
    share = {name: np.mean([cell == "" or cell != cell for cell in column]) for name, column in columns.items()}
    assert {name for name, missing in share.items() if missing > 0} == {"score", "ses", "sector"}
    # Five binomial standard errors.
    assert all(abs(share[name] - 0.2) < 5 * np.sqrt(0.16 / 600) for name in ("score", "ses", "sector"))


def test_counts_are_bounded() -> None:
    with pytest.raises(UsageError, match="more than 2,147,483,647 cannot be fitted"):
        simulate(simulation("y ~ (1 | g)", family="poisson", true={"Intercept": 50.0}))


@pytest.mark.parametrize(
    ("formula", "settings", "error", "says"),
    [
        ("y ~ log(a) + (1 | g)", {"predictors": Predictors()}, FormulaError, "log.a.' is no finite number"),
        ("y ~ C(a, Treatment(4))", {}, FormulaError, "reference not in levels"),
        ("y ~ sigma", {}, FormulaError, "'sigma' has the name of another parameter"),
        ("y ~ a + (1 | g)", {"levels": {"g": 2}, "rows": 1}, DataError, "2 complete rows"),
        ("y ~ a + (1 | g)", {"levels": {"h": 2}}, UsageError, "'h' is no group"),
        ("y ~ a + (1 | g)", {"levels": {"g": 1}}, UsageError, "at least two groups"),
        ("y ~ a + (1 | g)", {"levels": {"g": (2, 5)}}, UsageError, "not nested"),
        ("y ~ (1 | g/h)", {"levels": {"h": (5, 2)}}, UsageError, "wrong way round"),
        ("y ~ a", {"rows": (0, 3)}, UsageError, "0 rows per simulation"),
        ("y ~ a", {"categories": {"b": ("A", "B")}}, UsageError, "'b' is no column"),
        ("y ~ a", {"categories": {"a": ("A", "A")}}, UsageError, "two or more different levels"),
        ("y ~ a", {"categories": {"a": ("A", "n/a")}}, UsageError, "'n/a' reads as a missing value"),
        ("y ~ a", {"categories": {"y": ("A", "B")}}, UsageError, "gaussian is any number"),
        ("y ~ (1 | g)", {"categories": {"g": ("A", "B")}, "levels": {"g": 3}}, UsageError, "asks for 3 levels"),
        ("y ~ a", {"categories": {"a": ("A", "B")}, "references": {"a": "C"}}, UsageError, "no level 'C'"),
        ("y ~ a", {"distributions": {"b": AGE}}, UsageError, "'b' is no column of numbers"),
        ("y ~ C(a)", {"distributions": {"a": AGE}}, UsageError, "'a' is of named or numbered levels"),
        ("y ~ a + (1 | g)", {"distributions": {"g": AGE}}, UsageError, "'g' is a group"),
        ("y ~ a + (1 | g)", {"per": {"b": "g"}}, UsageError, "'b' is no predictor"),
        ("y ~ a + (1 | g/h)", {"per": {"a": "h"}}, UsageError, "'h' is no group"),
        ("y ~ a", {"trials": 3}, UsageError, "has no trials"),
        ("y ~ trials", {"family": "binomial"}, UsageError, "cannot be named 'trials'"),
        ("y ~ a", {"offset": "y"}, UsageError, "is the outcome or a group"),
        ("y ~ a", {"missing": 1.0}, UsageError, "a share of 1"),
        ("y ~ a", {"seed": -1}, UsageError, "negative"),
        ("y ~ a", {"true": {"sd(g)": 1.0}}, UsageError, r"no parameter 'sd\(g\)'"),
        (
            "y ~ a", {"family": "bernoulli", "categories": {"y": ("no", "yes")}, "true": {"Intercept": -99.0}},
            UsageError, "no row came out as 'yes'",
        ),
        (
            "y ~ a", {"categories": {"a": tuple("ABCDEFGH")}, "rows": 40, "missing": 0.45}, UsageError, "no row holds",
        ),
        ("y ~ C(a)", {"rows": 12, "missing": 0.6, "seed": 4}, DataError, "so many cells are missing"),
        ("y ~ a", {"family": "cumulative", "true": {"threshold[3|4]": -5.0}}, UsageError, "are not in order"),
        ("y ~ a; sigma ~ a", {"family": "poisson"}, UsageError, "poisson has no sigma"),
    ],
)  # fmt: skip
def test_refusals(formula: str, settings: dict[str, Any], error: type[HierfitError], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        simulate(simulation(formula, **settings))
    assert caught.value.hint
