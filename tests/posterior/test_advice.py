"""What is proposed where checks fail: options that exist, in order."""

import dataclasses
import shlex

import numpy as np

from hierfit.model.formula_text import parse_formula
from hierfit.model.priors import Prior
from hierfit.posterior.advice import what_to_try
from hierfit.posterior.trouble import Asked

from .conftest import trouble
from .family_draws import family_case


def flags(case, found, draws=None):
    return [step.flag for step in what_to_try(found, draws or case.draws, case.design)]


def test_few_divergences_want_smaller_steps_many_another_model(synthetic):
    case = synthetic(40)
    models = [
        "--formula 'mathach ~ 1 + ses + (1 | school)'",
        "--formula 'mathach ~ 1 + ses + (1 + ses || school)'",
    ]
    steps = "--adapt-delta 0.99"
    few = flags(case, trouble(case, "divergences", divergent=0.004))
    many = flags(case, trouble(case, "divergences", divergent=0.2))
    assert few[-3:] == [steps, *models]
    assert all(flag.startswith("--prior") for flag in few[:-3])
    assert many[-3:] == [*models, steps]
    assert steps not in flags(case, trouble(case, "divergences", asked=Asked(adapt_delta=0.99)))
    stats = {**case.draws.stats, "acceptance_rate": np.full(case.draws.values.shape[:2], 0.99)}
    small_already = dataclasses.replace(case.draws, stats=stats)
    assert steps not in flags(case, trouble(case, "divergences"), small_already)


def test_what_the_user_set_too_low_comes_first_and_alone(synthetic):
    case = synthetic(40)
    draws = dataclasses.replace(case.draws, max_treedepth=4)
    found = trouble(case, "divergences", "rhat", "treedepth", asked=Asked(warmup=20, adapt_delta=0.5))
    assert flags(case, found, draws) == ["--warmup 1000", "--adapt-delta 0.8", "--max-treedepth 10"]


def proposed_prior(case, found, draws=None):
    """Return (name, scale) of the prior proposed for an sd, or None."""
    priors = [shlex.split(flag)[1] for flag in flags(case, found, draws) if flag.startswith("--prior")]
    assert len(priors) <= 1
    for prior in priors:
        name, _, distribution = prior.partition(" ~ normal(0, ")
        return name, float(distribution.rstrip(")"))
    return None


def test_the_prior_proposed_is_of_the_sd_in_trouble_and_leaves_room_for_the_draws(synthetic):
    case = synthetic(40)
    wide = {name: Prior("student_t", (3.0, 0.0, 100.0), "x") for name in ("sd(school)", "sd(school: ses)")}
    spec = dataclasses.replace(case.spec, priors={**case.spec.priors, **wide})
    found = dataclasses.replace(trouble(case, "divergences", names=("sd(school)",)), spec=spec)
    name, scale = proposed_prior(case, found)
    assert name == "sd(school)"
    assert scale == float(f"{0.5 * case.design.y.std():.2g}")
    larger = case.draws.values.copy()
    larger[:, :, [parameter.name for parameter in case.draws.parameters].index("sd(school)")] *= 20
    _, room = proposed_prior(case, found, dataclasses.replace(case.draws, values=larger))
    assert 2 * room >= 0.95 * np.quantile(20 * case.draws.of("sd(school)"), 0.975), "no prior against the data"


def test_no_prior_is_proposed_that_is_no_narrower_than_the_one_in_force(synthetic):
    case = synthetic(40)
    narrow = {name: Prior("normal", (0.0, 0.1), "x") for name in ("sd(school)", "sd(school: ses)")}
    spec = dataclasses.replace(case.spec, priors={**case.spec.priors, **narrow})
    assert proposed_prior(case, dataclasses.replace(trouble(case, "divergences"), spec=spec)) is None
    fixed = {name: Prior("constant", (1.0,), "x") for name in narrow}
    spec = dataclasses.replace(case.spec, priors={**case.spec.priors, **fixed})
    assert proposed_prior(case, dataclasses.replace(trouble(case, "divergences"), spec=spec)) is None


def test_with_standardize_the_prior_proposed_is_per_sd_of_the_column(synthetic):
    case = synthetic(40, scale=5.0)
    wide = {name: Prior("student_t", (3.0, 0.0, 100.0), "x") for name in ("sd(school)", "sd(school: ses)")}
    spec = dataclasses.replace(case.spec, priors={**case.spec.priors, **wide})
    found = dataclasses.replace(trouble(case, "divergences"), spec=spec)
    _, plain = proposed_prior(case, found)
    _, standardized = proposed_prior(case, dataclasses.replace(found, asked=Asked(standardize=True)))
    column = case.design.groups[0].Z[:, 1].std()
    assert abs(standardized / (plain * column) - 1) < 0.06  # both are rounded to two digits


def test_low_ess_asks_for_enough_draws(synthetic):
    case = synthetic(40)
    # 500 draws per chain gave 100 of the 400 wanted: four times as many, and 30 % to be sure.
    assert flags(case, trouble(case, "ess", ess=100.0)) == ["--draws 3000"]
    assert flags(case, trouble(case, "ess", ess=390.0)) == ["--draws 1000"]
    assert flags(case, trouble(case, "ess", ess=0.1)) == ["--draws 20000"]
    assert flags(case, trouble(case, "ess", ess=np.nan)) == ["--draws 1000"]


def test_treedepth_raises_the_limit_of_this_run(synthetic):
    case = synthetic(40)
    for limit, said in ((8, "--max-treedepth 10"), (10, "--max-treedepth 12")):
        draws = dataclasses.replace(case.draws, max_treedepth=limit)
        assert flags(case, trouble(case, "treedepth"), draws) == [said]
    slow = flags(case, trouble(case, "treedepth", "ess", "rhat", factors=()), draws)
    (more,) = (flag for flag in slow if flag.startswith("--draws"))
    assert slow.index(said) < slow.index(more), "what may cure comes before what costs most"


def test_a_lone_varying_slope_is_not_dropped(synthetic):
    case = synthetic(40, 1, rows=1, intercept=False, factor="row")
    assert not any("--formula" in flag for flag in flags(case, trouble(case, "divergences", factors=("row",))))


def test_slopes_are_named_as_the_formula_has_them(synthetic):
    """`level[hi]` is a column of the term `level`: the formula that is proposed has the term."""
    case = synthetic(40)
    formula = parse_formula("mathach ~ ses + level + (1 + ses + level | school)")
    found = trouble(case, "divergences")
    found = dataclasses.replace(found, spec=dataclasses.replace(found.spec, formula=formula))
    assert flags(case, found)[-2:] == [
        "--formula 'mathach ~ 1 + ses + level + (1 + ses | school)'",
        "--formula 'mathach ~ 1 + ses + level + (1 + ses + level || school)'",
    ]


def test_sigma_of_its_levels_then_of_fewer_predictors_then_one():
    case = family_case("gaussian", sigma=True)
    named = trouble(case, "ess", names=("sigma_Intercept",), factors=())

    def step(sigma, references=()):
        formula = parse_formula(f"{case.design.response} ~ ses + (1 + ses | school); sigma ~ {sigma}")
        design = dataclasses.replace(case.design, references=dict.fromkeys(references, "a"))
        found = dataclasses.replace(named, checks={"rhat"}, spec=dataclasses.replace(case.spec, formula=formula))
        steps = what_to_try(found, case.draws, design)
        return next(step.flag for step in steps if "sigma" in step.flag or "sigma" in step.why)

    assert step("school", ["school"]) == "--sigma '0 + school'"
    assert step("ses + hours") == "--sigma '1 + ses'"
    assert step("ses") == f"--formula '{case.design.response} ~ 1 + ses + (1 + ses | school)'"


def test_a_horseshoe_gives_way_to_normal_priors():
    case = family_case("gaussian", slope=False)
    shrunk = dataclasses.replace(case.spec, priors={**case.spec.priors, "ses": Prior("horseshoe", (3.0,), "x")})
    found = dataclasses.replace(trouble(case, "divergences", factors=(), divergent=0.2), spec=shrunk)
    scale = 2.5 * case.design.y.std() / case.design.x_scale[0]
    assert flags(case, found)[0] == f"--prior 'ses ~ normal(0, {scale:.2g})'"


def test_a_longer_warmup_is_for_chains_that_do_not_diverge(synthetic):
    case = synthetic(40)
    assert "--warmup 2000" in flags(case, trouble(case, "rhat", divergent=0.0))
    assert "--warmup 2000" not in flags(case, trouble(case, "rhat", "divergences", divergent=0.01))
