"""A scenario with what options change of it: formula, true values and layout, and what is refused."""

import pytest

from hierfit.cli.options.scenario import scenario_from
from hierfit.cli.options.simulate import SimulateOptions
from hierfit.errors import UsageError
from hierfit.simulate.scenarios import SCENARIOS
from hierfit.simulate.simulate import simulate


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_said_changes_nothing(name: str) -> None:
    before, asked = SCENARIOS[name].simulation, scenario_from(SimulateOptions(scenario=name))
    assert asked.formula == before.formula and asked.true == before.true and asked.all_trials == before.all_trials
    given, drawn = simulate(before), simulate(asked)
    assert {**given.truth.content, "simulation": None} == {**drawn.truth.content, "simulation": None}
    assert [list(column) for column in given.columns.values()] == [list(column) for column in drawn.columns.values()]


def test_every_part_can_be_said_anew() -> None:
    asked = scenario_from(
        SimulateOptions(
            scenario="slopes", y="mark", group="the class", groups=7, rows_per_group="2-9", seed=4, cor=0.5, sigma=3.0,
            x=["age=1.5", "family income=-2"], sd=["family income=2", "Intercept=6", "item=0.7"], crossed="item=9",
            predictors=["uniform(0, 1)"], missing=0.1, intercept=-1.0,
        )
    )  # fmt: skip
    assert str(asked.formula) == ("mark ~ 1 + age + `family income` + (1 + `family income` | `the class`) + (1 | item)")
    assert asked.true == {
        "Intercept": -1.0, "age": 1.5, "family income": -2.0, "sd(the class)": 6.0, "sd(the class: family income)": 2.0,
        "cor(the class)": 0.5, "sd(item)": 0.7, "sigma": 3.0,
    }  # fmt: skip
    assert (asked.levels, asked.rows, asked.missing, asked.seed) == ({"the class": 7, "item": 9}, (2, 9), 0.1, 4)
    assert str(asked.predictors) == "uniform(0, 1)"
    columns = simulate(asked).columns
    assert set(columns["the class"]) == {f"s{number}" for number in range(1, 8)}  # labels stay those of the scenario


def test_another_family_keeps_what_it_has_too() -> None:
    asked = scenario_from(SimulateOptions(scenario="parasites", family="negbinomial"))
    assert asked.true.keys() == {"Intercept", "size", "sd(pond)", "shape"}
    asked = scenario_from(SimulateOptions(scenario="litters", family="binomial"))
    assert asked.trials == (4, 14) and "phi" not in asked.true
    asked = scenario_from(SimulateOptions(scenario="schools", family="cumulative"))
    assert "Intercept" not in asked.true and "threshold[1|2]" in simulate(asked).truth.parameters
    asked = scenario_from(SimulateOptions(scenario="readings", aux=["sigma=2", "nu=5"]))
    assert (asked.true["sigma"], asked.true["nu"]) == (2.0, 5.0)


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({"groups": 0}, "0 levels per school cannot be simulated.", "at least 1 level"),
        ({"groups": 1}, "'school' has 1 level, but the variation between groups needs at least two", "for example 30"),
        ({"rows_per_group": "0"}, "0 rows per group cannot be simulated.", "at least 1 row"),
        ({"rows_per_group": "0-3"}, "0 rows per group cannot be simulated.", "at least 1 row"),
        ({"rows_per_group": "5-2"}, "the wrong way round: 5 to 2.", "write 2 to 5"),
        ({"sd": ["Intercept=-1"]}, "sd(school) is negative: -1.", "0 or more"),
        ({"sigma": -2.0}, "sigma cannot be -2.", "sigma is 0 or more"),
        ({"x": ["ses=nan"]}, "ses = nan is not a finite number.", "finite"),
        ({"sd": ["Intercept=1", "ses=1"], "cor": 1.5}, "cor(school: Intercept, ses) cannot be 1.5.", "between -1 and"),
        (
            {"x": ["a=1", "b=1"], "sd": ["Intercept=1", "a=1", "b=1"], "cor": -0.9},
            "the correlations between Intercept, a, b contradict each other", "closer to 0",
        ),
        ({"sd": ["Intercept=1", "sess=1"]}, "the slope of 'sess' cannot vary: no predictor has that name. Did you mean "
         "'ses'?", "what can vary: Intercept, ses"),
        ({"x": ["ses=1", "ses=2"]}, "--x gives 'ses' more than once.", "leave one out"),
        ({"y": "ses"}, "the column name 'ses' is used 2 times among: ses, ses, school.", "different names"),
        ({"group": " "}, "a column cannot be named ' '.", "another name"),
        ({"crossed": "school=3", "sd": ["school=1"]}, "the column name 'school' is used 2", "different"),
        ({"crossed": "item=0", "sd": ["item=1"]}, "0 levels per item", "at least 1 level"),
        ({"crossed": "item=3", "sd": ["item=-1"]}, "sd(item) is negative: -1.", "0 or more"),
        ({"link": "logit"}, "the family gaussian has no link 'logit'.", "links: identity"),
        ({"scenario": "schools", "trials": "3"}, "the family gaussian has no trials.", "families with trials"),
        ({"family": "binomial", "trials": "0-4"}, "0 trials per row cannot be simulated.", "at least 1 trial"),
        ({"family": "gamma", "aux": ["shape=0"]}, "shape cannot be 0.", "shape is greater than 0"),
        ({"family": "fish", "scenario": "fish"}, "there is no family 'fish'", "families: gaussian"),
        ({"scenario": "fish", "aux": ["zi=1"]}, "zi cannot be 1.", "zi is greater than 0 and less than 1"),
        ({"family": "beta", "aux": ["phy=1"]}, "no further parameter 'phy'. Did you mean 'phi'?", "--aux: phi"),
        ({"family": "cumulative", "intercept": 2.0}, "thresholds in the place of an intercept", "leave out"),
        ({"missing": 1.0}, "a share of 1 of the cells cannot be missing.", "such as 0.05"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(given: dict[str, object], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        simulate(scenario_from(SimulateOptions(**given)))  # type: ignore[arg-type]
    assert message in caught.value.message
    assert caught.value.hint is not None and hint in caught.value.hint
