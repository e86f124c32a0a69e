import json
from dataclasses import replace

import numpy as np
import pytest

from hierfit.errors import FormulaError, PriorError
from hierfit.model.design import build_design
from hierfit.model.formula import Formula, GroupTerm, formula_from_flags
from hierfit.model.formula_text import parse_formula
from hierfit.model.spec import Kind, ModelSpec, build_spec
from tests.model.cases import crossed_table, design, table


def spec(*priors: str, centered: bool = True, formula: Formula | None = None, prior_only: bool = False) -> ModelSpec:
    made = design(formula, centered=centered)
    formula = formula or formula_from_flags("y", ["a", "b"], "g", ["a"])
    return build_spec(formula, made, priors, prior_only=prior_only)


def test_parameters_in_the_order_of_the_tables() -> None:
    names = [parameter.name for parameter in spec().parameters]
    assert names == [
        "Intercept", "Intercept_at_mean", "a", "b", "sd(g)", "sd(g: a)", "cor(g: Intercept, a)", "sigma",
    ]  # fmt: skip
    assert "Intercept_at_mean" not in [parameter.name for parameter in spec(centered=False).parameters]


def test_correlations_run_row_by_row_below_the_diagonal() -> None:
    formula = Formula("y", ("a", "b"), (GroupTerm("g", True, ("a", "b")),))
    correlations = [p.term for p in spec(formula=formula).parameters if p.kind == Kind.CORRELATION]
    assert correlations == ["Intercept, a", "Intercept, b", "a, b"]


def test_defaults_follow_the_scale_of_the_data() -> None:
    made, priors = design(), spec().priors
    s_y, s_a = np.std(made.y, ddof=1), np.std(made.X[:, 0], ddof=1)
    assert priors["Intercept"].arguments == pytest.approx((made.y.mean(), 2.5 * s_y))
    assert priors["a"].arguments == pytest.approx((0, 2.5 * s_y / s_a))
    assert priors["sd(g)"].arguments == pytest.approx((3, 0, 2.5 * s_y))
    assert priors["sd(g: a)"].arguments == pytest.approx((3, 0, 2.5 * s_y / s_a))
    assert priors["sigma"].arguments == pytest.approx((1 / s_y,))
    assert str(priors["cor(g)"]) == "lkj(1)"


def test_uncentred_intercept_prior_is_what_the_centred_ones_imply_at_zero() -> None:
    made, prior = design(centered=False), spec(centered=False).priors["Intercept"]
    # Draws of the centred priors, carried to x = 0: the sd of 400,000 draws is right to 0.11 %, four of these 0.45 %.
    rng, n = np.random.default_rng(1), 400_000
    s_y = np.std(made.y, ddof=1)
    at_mean = rng.normal(made.y.mean(), 2.5 * s_y, n)
    slopes = rng.normal(0, 2.5 * s_y / made.x_scale, (n, 2))
    at_zero = at_mean - slopes @ made.X.mean(axis=0)
    assert prior.arguments[1] == pytest.approx(at_zero.std(), rel=0.0045)


def test_prior_names_are_understood_with_other_spacing_and_long_forms() -> None:
    made = spec("sd(g:Intercept) ~ constant(1)", "sd( g:a ) ~ normal(0,1)", "cor(g: Intercept, a) ~ lkj(4)")
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
        spec(text)
    assert words in caught.value.message


def test_prior_only_refuses_what_is_no_distribution() -> None:
    with pytest.raises(PriorError, match="cannot draw a from flat"):
        spec("a ~ flat()", prior_only=True)


def test_a_column_named_like_another_parameter_is_refused() -> None:
    source = table()
    renamed = replace(source, numbers={"y": source.numbers["y"], "sigma": source.numbers["a"]})
    formula = formula_from_flags("y", ["sigma"], "g")
    with pytest.raises(FormulaError, match="'sigma' has the name of another parameter"):
        build_spec(formula, build_design(formula, renamed))


def test_only_sds_and_auxiliaries_are_positive() -> None:
    made = spec()
    assert [p.name for p in made.parameters if made.is_positive(p.name)] == ["sd(g)", "sd(g: a)", "sigma"]


def test_it_survives_json() -> None:
    made = spec("a ~ student_t(3, 0, 1)")
    assert ModelSpec.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def crossed(text: str, *priors: str) -> ModelSpec:
    """Return the model of a formula on a table with the factors g and h, h as numbers too."""
    source = crossed_table()
    made = replace(source, numbers={**source.numbers, "h": source.labels["h"].astype(np.float64)})
    formula = parse_formula(text)
    return build_spec(formula, build_design(formula, made), priors)


def test_parameters_of_several_factors() -> None:
    made = crossed("y ~ a + (1 + a | g) + (a || h) + (1 | g:h)", "sd(g:h) ~ normal(0, 1)", "sd(h: a) ~ normal(0, 2)")
    assert [parameter.name for parameter in made.parameters] == [
        "Intercept", "Intercept_at_mean", "a",
        "sd(g)", "sd(g: a)", "sd(h)", "sd(h: a)", "sd(g:h)", "cor(g: Intercept, a)", "sigma",
    ]  # fmt: skip
    assert str(made.priors["sd(g:h)"]) == "normal(0, 1)"
    assert str(made.priors["sd(h: a)"]) == "normal(0, 2)"
    assert ModelSpec.from_dict(json.loads(json.dumps(made.to_dict()))) == made


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
    made = crossed("y ~ h + (1 + h | g) + (1 | g:h)", "sd(g: h) ~ normal(0, 1)", "sd(g:h) ~ normal(0, 2)")
    assert (str(made.priors["sd(g: h)"]), str(made.priors["sd(g:h)"])) == ("normal(0, 1)", "normal(0, 2)")
