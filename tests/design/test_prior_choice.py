import json
from dataclasses import replace

import numpy as np
import pytest

from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.design.prior_choice import build_spec
from hierfit.errors import FormulaError, PriorError
from hierfit.model.formula import Formula, formula_from_flags
from hierfit.model.formula_text import parse_formula
from hierfit.model.spec import ModelSpec
from hierfit.plain import from_plain, to_plain
from tests.model.cases import crossed_spec, crossed_table, design, small_spec, table


def test_defaults_follow_the_scale_of_the_data() -> None:
    made, priors = design(), small_spec().priors
    s_y, s_a = np.std(made.y, ddof=1), np.std(made.X[:, 0], ddof=1)
    assert priors["Intercept"].arguments == pytest.approx((made.y.mean(), 2.5 * s_y))
    assert priors["a"].arguments == pytest.approx((0, 2.5 * s_y / s_a))
    assert priors["sd(g)"].arguments == pytest.approx((3, 0, 2.5 * s_y))
    assert priors["sd(g: a)"].arguments == pytest.approx((3, 0, 2.5 * s_y / s_a))
    assert priors["sigma"].arguments == pytest.approx((1 / s_y,))
    assert str(priors["cor(g)"]) == "lkj(1)"


def test_uncentred_intercept_prior_is_what_the_centred_ones_imply_at_zero() -> None:
    made, prior = design(centered=False), small_spec(centered=False).priors["Intercept"]
    # Draws of the centred priors, carried to x = 0: the sd of 400,000 draws is right to 0.11 %, four of these 0.45 %.
    rng, n = np.random.default_rng(1), 400_000
    s_y = np.std(made.y, ddof=1)
    at_mean = rng.normal(made.y.mean(), 2.5 * s_y, n)
    slopes = rng.normal(0, 2.5 * s_y / made.x_scale, (n, 2))
    at_zero = at_mean - slopes @ made.X.mean(axis=0)
    assert prior.arguments[1] == pytest.approx(at_zero.std(), rel=0.0045)


def test_prior_names_are_understood_with_other_spacing_and_long_forms() -> None:
    made = small_spec("sd(g:Intercept) ~ constant(1)", "sd( g:a ) ~ normal(0,1)", "cor(g: Intercept, a) ~ lkj(4)")
    assert str(made.priors["sd(g)"]) == "constant(1)"
    assert str(made.priors["sd(g: a)"]) == "normal(0, 1)"
    assert str(made.priors["cor(g)"]) == "lkj(4)"
    assert made.priors["sd(g)"].source == "set by --prior"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sd(h) ~ normal(0, 1)", "no parameter 'sd(h)'. Did you mean 'sd(g)'"),
        ("aa ~ normal(0, 1)", "no parameter 'aa'"),
        ("cor(g) ~ normal(0, 1)", "takes lkj(eta)"),
        ("a ~ lkj(1)", "any distribution but lkj"),
        ("sigma ~ constant(0)", "must be greater than 0"),
        ("sd(g) ~ uniform(-2, 0)", "leaves it no room"),
    ],
)
def test_priors_that_fit_no_parameter_are_refused(text: str, words: str) -> None:
    with pytest.raises(PriorError) as caught:
        small_spec(text)
    assert words in caught.value.message


def test_prior_only_refuses_what_is_no_distribution() -> None:
    with pytest.raises(PriorError, match="cannot draw a from flat"):
        small_spec("a ~ flat()", prior_only=True)


def test_a_column_named_like_another_parameter_is_refused() -> None:
    source = table()
    renamed = replace(source, numbers={"y": source.numbers["y"], "sigma": source.numbers["a"]})
    formula = formula_from_flags("y", ["sigma"], "g")
    with pytest.raises(FormulaError, match="'sigma' has the name of another parameter"):
        build_spec(formula, build_design(formula, renamed))


def test_levels_and_interactions_have_priors_of_their_own() -> None:
    source, levels = table(), ("low", "high", "mid")
    with_text = replace(
        source,
        labels={**source.labels, "dose": (np.arange(40) % 3).astype(np.int32)},
        levels={**source.levels, "dose": levels},
    )
    formula = parse_formula("y ~ a * dose + (1 + dose | g)")
    priors = ("dose[low] ~ normal(0, 1)", "a:dose[mid] ~ normal(0, 2)", "sd(g: dose[low]) ~ normal(0, 3)")
    made = build_spec(formula, build_design(formula, with_text), priors)
    assert made.coefficients == ("a", "dose[low]", "dose[mid]", "a:dose[low]", "a:dose[mid]")
    set_by_user = {name: str(prior) for name, prior in made.priors.items() if prior.source == "set by --prior"}
    assert set_by_user == {
        "dose[low]": "normal(0, 1)", "a:dose[mid]": "normal(0, 2)", "sd(g: dose[low])": "normal(0, 3)",
    }  # fmt: skip


def test_a_slope_and_a_factor_of_two_columns_are_told_apart() -> None:
    made = crossed_spec("y ~ h + (1 + h | g) + (1 | g:h)", "sd(g: h) ~ normal(0, 1)", "sd(g:h) ~ normal(0, 2)")
    assert (str(made.priors["sd(g: h)"]), str(made.priors["sd(g:h)"])) == ("normal(0, 1)", "normal(0, 2)")


def test_a_class_stands_for_all_its_parameters_and_one_of_them_goes_before_it() -> None:
    formula = "y ~ a + h + (1 + a | g) + (1 + a | h)"
    made = crossed_spec(formula, "sd(h) ~ normal(0, 9)", "sd ~ exponential(2)", "b ~ normal(0, 1)", "cor ~ lkj(3)")
    assert {name: str(prior) for name, prior in made.priors.items() if prior.source == "set by --prior"} == {
        "a": "normal(0, 1)", "h": "normal(0, 1)",
        "sd(g)": "exponential(2)", "sd(g: a)": "exponential(2)", "sd(h)": "normal(0, 9)", "sd(h: a)": "exponential(2)",
        "cor(g)": "lkj(3)", "cor(h)": "lkj(3)",
    }  # fmt: skip


def test_a_column_goes_before_the_class_of_its_name() -> None:
    made = small_spec("b ~ normal(0, 1)")
    assert made.priors["a"].source != "set by --prior" and made.priors["b"].source == "set by --prior"


STANDARD = (
    "b ~ normal(0, 1)",
    "sd ~ exponential(2)",
    "cor ~ lkj(2)",
    "Intercept ~ normal(5, 3)",
    "sigma ~ exponential(1)",
)


def test_standardized_priors_are_carried_to_the_units_of_each_column() -> None:
    formula, made = formula_from_flags("y", ["a", "b"], "g", ["a"]), design()
    priors = build_spec(formula, made, (*STANDARD[1:], "a ~ normal(1, 2)"), standardize=True).priors
    s_a = np.std(made.X[:, 0], ddof=1)
    assert priors["a"].arguments == pytest.approx((1 / s_a, 2 / s_a))
    assert priors["sd(g: a)"].arguments == pytest.approx((2 * s_a,))
    assert priors["a"].source == "set by --prior: normal(1, 2) per sd of a"
    assert priors["sd(g: a)"].source == "set by --prior: exponential(2) per sd of a"
    # what belongs to no column keeps its numbers, and so do the defaults
    for name, text in {"sd(g)": "exponential(2)", "Intercept": "normal(5, 3)", "sigma": "exponential(1)"}.items():
        assert (str(priors[name]), priors[name].source) == (text, "set by --prior")
    assert priors["b"] == small_spec().priors["b"]
    assert str(priors["cor(g)"]) == "lkj(2)"


def test_a_standardized_prior_says_the_same_in_any_unit() -> None:
    """y ~ a and y ~ 1000 a with normal(0, 1) per sd: the same prior of a's contribution."""
    source, formula = table(), formula_from_flags("y", ["a"])
    scaled = replace(source, numbers={**source.numbers, "a": 1000 * source.numbers["a"]})
    one, other = (
        build_spec(formula, build_design(formula, data), ("b ~ normal(0, 1)",), standardize=True).priors["a"]
        for data in (source, scaled)
    )
    assert np.array(one.arguments) == pytest.approx(1000 * np.array(other.arguments))


def test_without_standardize_priors_keep_their_numbers() -> None:
    assert str(small_spec("a ~ normal(1, 2)").priors["a"]) == "normal(1, 2)"


def test_a_beta_prior_cannot_be_standardized() -> None:
    formula = formula_from_flags("y", ["a", "b"], "g", ["a"])
    with pytest.raises(PriorError, match=r'--prior "a ~ beta\(1, 2\)": with --standardize') as caught:
        build_spec(formula, design(), ("a ~ beta(1, 2)",), standardize=True)
    assert "--standardize" in str(caught.value.hint)
    made = build_spec(formula, design(), ("Intercept ~ beta(1, 2)",), standardize=True)
    assert str(made.priors["Intercept"]) == "beta(1, 2)"


def test_a_class_without_members_is_refused() -> None:
    with pytest.raises(PriorError, match="the model has no correlations"):
        crossed_spec("y ~ a + (1 | g)", "cor ~ lkj(2)")


# thresholds, predictors of sigma, the horseshoe


def ordered_spec(*priors: str, text: str = "y ~ a + (1 | g)") -> ModelSpec:
    source, formula = table(), parse_formula(text)
    numbers = {**source.numbers, "y": (np.arange(40) * 7 % 4).astype(np.float64)}
    return build_spec(formula, build_design(formula, replace(source, numbers=numbers), family="cumulative"), priors)


def test_thresholds_take_the_place_of_the_intercept() -> None:
    priors = ordered_spec().priors
    names = ["threshold[0|1]", "threshold[1|2]", "threshold[2|3]"]
    assert {str(priors[name]) for name in names} == {"student_t(3, 0, 2.5)"}
    assert {priors[name].source for name in names} == {"brms"}
    assert "Intercept" not in priors


def test_the_class_of_thresholds_and_one_of_them() -> None:
    priors = ordered_spec("threshold[1|2] ~ normal(1, 1)", "threshold ~ cauchy(0, 2)").priors
    set_by_user = {name: str(prior) for name, prior in priors.items() if prior.source == "set by --prior"}
    assert set_by_user == {
        "threshold[0|1]": "cauchy(0, 2)", "threshold[1|2]": "normal(1, 1)", "threshold[2|3]": "cauchy(0, 2)",
    }  # fmt: skip


@pytest.mark.parametrize("distribution", ["constant(1)", "exponential(1)", "uniform(0, 1)", "lkj(1)", "beta(1, 1)"])
def test_thresholds_take_distributions_over_the_whole_line(distribution: str) -> None:
    with pytest.raises(PriorError, match=r"threshold\[0\|1\] takes flat, normal, student_t, cauchy, laplace, logistic"):
        ordered_spec(f"threshold[0|1] ~ {distribution}")


def test_other_models_have_no_thresholds() -> None:
    with pytest.raises(PriorError, match="the model has no thresholds"):
        small_spec("threshold ~ normal(0, 1)")


def sigma_spec(terms: str, *priors: str) -> tuple[ModelSpec, Design]:
    formula = parse_formula(f"y ~ a + (1 | g); sigma ~ {terms}")
    made = build_design(formula, table())
    return build_spec(formula, made, priors), made


def test_default_priors_of_log_sigma() -> None:
    made, columns = sigma_spec("b")
    assert "sigma" not in made.priors
    level, slope = made.priors["sigma_Intercept"], made.priors["sigma_b"]
    assert (level.distribution, slope.distribution) == ("student_t", "normal")
    assert level.arguments == pytest.approx((3, np.log(np.std(columns.y, ddof=1)), 2.5))
    assert slope.arguments == pytest.approx((0, 1 / np.std(table().numbers["b"], ddof=1)))


def test_every_level_without_an_intercept_has_the_prior_of_the_level() -> None:
    made, columns = sigma_spec("0 + g")
    wanted = (3, np.log(np.std(columns.y, ddof=1)), 2.5)
    assert len(made.distributional[0].names) == 8
    for name in made.distributional[0].terms:
        assert made.priors[f"sigma_{name}"].arguments == pytest.approx(wanted)


def test_priors_of_log_sigma_can_be_set_and_may_be_below_zero() -> None:
    made, _ = sigma_spec("b", "sigma_b ~ normal(-1, 2)", "sigma_Intercept ~ constant(-0.5)")
    assert str(made.priors["sigma_b"]) == "normal(-1, 2)"
    assert made.priors["sigma_Intercept"].constant == -0.5
    with pytest.raises(PriorError, match="no parameter 'sigma'"):
        sigma_spec("b", "sigma ~ exponential(1)")


@pytest.mark.parametrize("name", ["a", "sd(g)", "sd", "Intercept", "sigma"])
def test_a_horseshoe_is_of_all_coefficients_together(name: str) -> None:
    with pytest.raises(PriorError, match="a horseshoe is a prior of all coefficients together") as refused:
        crossed_spec("y ~ a + h + (1 | g)", f"{name} ~ horseshoe(1)")
    assert 'write --prior "b ~ horseshoe(1)"' in str(refused.value.hint)


def test_the_scale_that_a_horseshoe_shares() -> None:
    made = crossed_spec("y ~ a * h + I(a^2) + I(h^2) + (1 | g)", "b ~ horseshoe(2)", "h ~ normal(0, 1)")
    assert made.shrunk == ("a", "a:h", "I(a ** 2)", "I(h ** 2)")
    scale = made.priors["horseshoe_scale"]
    assert scale.distribution == "cauchy"
    assert scale.arguments == pytest.approx((0, 2 / (4 - 2) / np.sqrt(40)))
    assert "2 of 4 coefficients, 40 rows" in scale.source
    assert made.parameters[-1].name == "horseshoe_scale" and made.range_of("horseshoe_scale") == (0, np.inf)


def test_without_a_horseshoe_there_is_no_scale() -> None:
    made = crossed_spec("y ~ a + h + (1 | g)", "b ~ horseshoe(1)", "a ~ normal(0, 1)", "h ~ normal(0, 1)")
    assert made.shrunk == () and "horseshoe_scale" not in made.priors


@pytest.mark.parametrize("expected", ["2", "3.5"])
def test_a_horseshoe_expects_fewer_large_coefficients_than_there_are(expected: str) -> None:
    with pytest.raises(PriorError, match="all of the 2 coefficients that it is a prior of would be far from 0"):
        crossed_spec("y ~ a + h + (1 | g)", f"b ~ horseshoe({expected})")


def test_a_horseshoe_speaks_of_no_unit() -> None:
    formula = parse_formula("y ~ a + h + (1 | g)")
    made = build_spec(formula, _crossed_design(formula), ("b ~ horseshoe(1)",), standardize=True)
    assert made.priors["a"].arguments == (1.0,)


def test_priors_of_these_models_survive_storage() -> None:
    for spec in (ordered_spec(), sigma_spec("b")[0], crossed_spec("y ~ a + h", "b ~ horseshoe(1)")):
        assert from_plain(ModelSpec, json.loads(json.dumps(to_plain(spec)))) == spec


def _crossed_design(formula: Formula) -> Design:
    source = crossed_table()
    return build_design(formula, replace(source, numbers={**source.numbers, "h": source.labels["h"].astype(float)}))
