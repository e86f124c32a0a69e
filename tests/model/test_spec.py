import json

from hierfit.model.formula import Formula, GroupTerm
from hierfit.model.spec import Kind, ModelSpec
from hierfit.plain import from_plain, to_plain
from tests.model.cases import crossed_spec, small_spec


def test_parameters_in_the_order_of_the_tables() -> None:
    names = [parameter.name for parameter in small_spec().parameters]
    assert names == [
        "Intercept", "Intercept_at_mean", "a", "b", "sd(g)", "sd(g: a)", "sd(g: Intercept_at_mean)",
        "cor(g: Intercept, a)", "sigma",
    ]  # fmt: skip
    raw = small_spec(centered=False)
    assert not any(parameter.is_at_mean for parameter in raw.parameters)


def test_priors_speak_of_the_mean_where_there_are_two() -> None:
    made, raw = small_spec(), small_spec(centered=False)
    assert [made.speaks_of(name) for name in ("Intercept", "sd(g)", "sd(g: a)")] == [
        "Intercept_at_mean", "sd(g: Intercept_at_mean)", "sd(g: a)",
    ]  # fmt: skip
    assert [raw.speaks_of(name) for name in raw.priors] == list(raw.priors)
    without = {parameter.name for parameter in made.parameters if parameter.prior is None}
    assert without == {"Intercept", "sd(g)", "cor(g: Intercept, a)"}


def test_correlations_run_row_by_row_below_the_diagonal() -> None:
    formula = Formula("y", ("a", "b"), (GroupTerm("g", True, ("a", "b")),))
    correlations = [p.term for p in small_spec(formula=formula).parameters if p.kind == Kind.CORRELATION]
    assert correlations == ["Intercept, a", "Intercept, b", "a, b"]


def test_only_sds_and_auxiliaries_are_positive() -> None:
    made = small_spec()
    assert [p.name for p in made.parameters if p.within == (0, float("inf"))] == [
        "sd(g)", "sd(g: a)", "sd(g: Intercept_at_mean)", "sigma",
    ]  # fmt: skip


def test_it_survives_json() -> None:
    made = small_spec("a ~ student_t(3, 0, 1)")
    assert from_plain(ModelSpec, json.loads(json.dumps(to_plain(made)))) == made


def test_parameters_of_factors_that_several_predictors_have() -> None:
    made = crossed_spec("y ~ a + (1 | p | g) + (1 | h); sigma ~ b + (1 + b | p | g) + (1 + b | h)", "cor(h) ~ lkj(3)")
    assert [parameter.name for parameter in made.parameters] == [
        "Intercept", "Intercept_at_mean", "a",
        "sd(g)", "sd(g: sigma_Intercept)", "sd(g: sigma_b)", "sd(h)", "sd(h: sigma_Intercept)", "sd(h: sigma_b)",
        "cor(g: Intercept, sigma_Intercept)", "cor(g: Intercept, sigma_b)", "cor(g: sigma_Intercept, sigma_b)",
        "cor(h: sigma_Intercept, sigma_b)", "sigma_Intercept", "sigma_b",
    ]  # fmt: skip
    assert [p.predictor for p in made.parameters if p.kind is Kind.SD] == [
        None,
        "sigma",
        "sigma",
        None,
        "sigma",
        "sigma",
    ]
    assert [str(made.priors[name]) for name in ("cor(g)", "cor(h)")] == ["lkj(1)", "lkj(3)"]
    assert from_plain(ModelSpec, json.loads(json.dumps(to_plain(made)))) == made


def test_parameters_of_several_factors() -> None:
    made = crossed_spec(
        "y ~ a + (1 + a | g) + (a || h) + (1 | g:h)", "sd(g:h) ~ normal(0, 1)", "sd(h: a) ~ normal(0, 2)"
    )
    assert [parameter.name for parameter in made.parameters] == [
        "Intercept", "Intercept_at_mean", "a",
        "sd(g)", "sd(g: a)", "sd(h)", "sd(h: a)", "sd(g:h)", "sd(g: Intercept_at_mean)",
        "cor(g: Intercept, a)", "sigma",
    ]  # fmt: skip
    assert str(made.priors["sd(g:h)"]) == "normal(0, 1)"
    assert str(made.priors["sd(h: a)"]) == "normal(0, 2)"
    assert from_plain(ModelSpec, json.loads(json.dumps(to_plain(made)))) == made
