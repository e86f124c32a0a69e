"""True values: the names of a fit's table in any spelling, classes of them, defaults, and what is refused."""

from collections.abc import Mapping

import pytest

from hierfit.design.building import build_design
from hierfit.design.prior_choice import build_spec
from hierfit.errors import UsageError
from hierfit.model.formula_text import parse_formula
from hierfit.simulate.true_values import given_values, true_values
from tests.model.cases import crossed_table

FORMULA = "y ~ a + b + (1 + a + b | g) + (1 + b || h)"
CORRELATIONS = ("cor(g: Intercept, a)", "cor(g: Intercept, b)", "cor(g: a, b)")


def values(given: Mapping[str, float], text: str = FORMULA) -> dict[str, float]:
    formula = parse_formula(text)
    design = build_design(formula, crossed_table())
    spec = build_spec(formula, design)
    found = true_values(spec, design, given_values(spec, given))
    assert list(found) == [parameter.name for parameter in spec.parameters]
    return found


def test_defaults_are_those_of_the_scenario_per_unit_of_the_column() -> None:
    found = values({})
    # a has an sd of 2, b one of 0.3: the nearest powers of ten are 1 and 0.1 (log10 of 0.26 is -0.6).
    assert (found["Intercept"], found["a"], found["b"], found["sigma"]) == (50, 2, 20, 8)
    assert (found["sd(g)"], found["sd(g: a)"], found["sd(g: b)"], found["sd(h: b)"]) == (5, 1, 10, 10)
    assert {found[name] for name in CORRELATIONS} == {0}


def test_the_intercept_at_the_mean_follows() -> None:
    design = build_design(parse_formula(FORMULA), crossed_table())
    found = values({"Intercept": 7, "a": 1, "b": -2})
    assert found["Intercept_at_mean"] == pytest.approx(7 + design.x_mean[0] - 2 * design.x_mean[1])


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("sd(g:a)", "sd(g: a)"),
        ("sd(g: Intercept)", "sd(g)"),
        (" sd( g ) ", "sd(g)"),
        ("cor(g: a, Intercept)", "cor(g: Intercept, a)"),
        ("cor(g:b,a)", "cor(g: a, b)"),
    ],
)
def test_other_spellings(written: str, name: str) -> None:
    assert values({written: 0.25})[name] == 0.25


def test_a_value_of_one_goes_before_that_of_its_class_in_any_order() -> None:
    for given in (
        {"cor(g: a, b)": 0.1, "cor(g)": 0.2, "b": 3.0, "sd": 0.5, "sd(h)": 4.0},
        {"cor": 0.2, "cor(g:a,b)": 0.1},
    ):
        found = values(given)
        assert [found[name] for name in CORRELATIONS] == [0.2, 0.2, 0.1]
    found = values({"sd(h)": 4.0, "sd": 0.5})
    assert (found["sd(g)"], found["sd(g: a)"], found["sd(h: b)"], found["sd(h)"]) == (0.5, 0.5, 0.5, 4.0)


def test_a_column_named_as_a_class_goes_before_it() -> None:
    found = values({"b": 3.0})
    assert (found["a"], found["b"]) == (2, 3)
    assert values({"b": 3.0}, "y ~ a + (1 | g)")["a"] == 3


def test_nothing_but_an_intercept() -> None:
    assert values({"sigma": 0}, "y ~ 1") == {"Intercept": 50, "sigma": 0}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"c": 1}, r"no parameter 'c'"),
        ({"sd(f)": 1}, r"no parameter 'sd\(f\)'\. Did you mean 'sd\(\w\)'\?"),
        ({"cor(h: Intercept, b)": 0.1}, "no parameter"),
        ({"Intercept_at_mean": 1}, "follows from Intercept"),
        ({"sd(g)": 1, "sd(g: Intercept)": 2}, r"'sd\(g\)' more than once"),
        ({"sd(g)": -1}, r"sd\(g\) is negative: -1"),
        ({"sigma": -1}, "sigma cannot be -1"),
        ({"a": float("inf")}, "a = inf is not a finite number"),
        ({"cor(g: a, b)": 1.0}, r"cor\(g: a, b\) cannot be 1"),
        ({"cor(g)": -0.6}, "between Intercept, a, b contradict each other"),
    ],
)
def test_refusals(given: Mapping[str, float], says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        values(given)
    assert caught.value.hint


def test_a_column_of_words_is_near_its_coefficients() -> None:
    with pytest.raises(UsageError, match=r"no parameter 'C\(h\)'\. Did you mean 'C\(h\)\[h1\]'\?"):
        values({"C(h)": 1}, "y ~ C(h) + (1 | g)")


def test_classes_without_members_are_not_offered() -> None:
    with pytest.raises(UsageError, match="no parameter 'cor'") as caught:
        values({"cor": 0.1}, "y ~ (1 | g)")
    assert caught.value.hint == "parameters: Intercept, sd(g), sigma; classes of them: sd"
