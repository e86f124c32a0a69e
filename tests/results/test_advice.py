"""What is said about the likely cause, and the flags proposed, in order."""

import dataclasses

import numpy as np
import pytest

from hierfit.model.priors import HORSESHOE_SCALE
from hierfit.model.sigma import SigmaColumns
from hierfit.model.spec import Kind, Parameter
from hierfit.results.advice import Trouble, likely_cause, residual_scale, what_to_try

from .family_draws import family_case


def trouble(*checks, names=(), factors=("school",), ess=200.0):
    return Trouble(checks, names, factors, ess, 400.0)


def flags(case, found):
    return [step.flag for step in what_to_try(found, case.draws, case.design)]


def test_few_levels_are_the_likely_cause(synthetic):
    case = synthetic(5)
    sentence = likely_cause(trouble("rhat"), case.draws, case.design)
    assert sentence == "5 schools say little about how much their intercepts and slopes of ses vary."


def test_few_rows_per_level_are_the_likely_cause(synthetic):
    case = synthetic(12, 1, rows=(2, 5))
    sentence = likely_cause(trouble("divergences"), case.draws, case.design)
    assert sentence == "12 schools with 2 to 5 rows each say little about how intercepts and slopes of ses vary."


def test_an_sd_near_zero_is_the_likely_cause(synthetic):
    case = synthetic(40)
    values = case.draws.values.copy()
    values[:, :, 3] *= 0.01
    draws = dataclasses.replace(case.draws, values=values)
    sentence = likely_cause(trouble("divergences"), draws, case.design)
    assert sentence == "sd(school: ses) is close to 0: slopes of ses hardly vary between the 40 levels."


def test_more_coefficients_than_rows_can_tell_are_the_likely_cause(synthetic):
    case = synthetic(12, 30, rows=12, slopes=0)
    design = dataclasses.replace(case.design, y=case.design.y[:100], groups=())
    assert likely_cause(trouble("ess"), case.draws, design) == "100 rows say little about 31 coefficients."


def test_nothing_is_said_where_nothing_stands_out_or_nothing_is_wrong(synthetic):
    case = synthetic(40)
    assert likely_cause(trouble("ess"), case.draws, case.design) is None
    few = synthetic(5)
    assert likely_cause(trouble(), few.draws, few.design) is None


def test_divergences_smaller_steps_then_priors_then_a_smaller_model(synthetic):
    case = synthetic(40)
    sd_y = f"{0.5 * case.design.y.std() / case.design.X.std():.1g}"
    assert flags(case, trouble("divergences")) == [
        "--adapt-delta 0.99",
        f'--prior "sd(school: ses) ~ normal(0, {sd_y})"',
        "(1 + ses || school)",
        "leave out the varying slope of ses",
    ]


def test_the_prior_proposed_is_of_the_sd_in_trouble(synthetic):
    case = synthetic(40)
    proposed = flags(case, trouble("divergences", names=("sd(school)",)))[1]
    assert proposed == f'--prior "sd(school) ~ normal(0, {0.5 * case.design.y.std():.1g})"'


def test_low_ess_asks_for_enough_draws(synthetic):
    case = synthetic(40)
    # 500 draws per chain gave 100 of the 400 wanted: four times as many, and 30 % to be sure.
    assert flags(case, trouble("ess", ess=100.0)) == ["--draws 3000"]
    assert flags(case, trouble("ess", ess=390.0)) == ["--draws 1000"]
    assert flags(case, trouble("ess", ess=0.1)) == ["--draws 20000"]
    assert flags(case, trouble("ess", ess=np.nan)) == ["--draws 1000"]


def test_treedepth_raises_the_limit_of_this_run(synthetic):
    case = synthetic(40)
    draws = dataclasses.replace(case.draws, max_treedepth=8)
    steps = what_to_try(trouble("treedepth"), draws, case.design)
    assert [step.flag for step in steps] == ["--max-treedepth 10", "--warmup 2000"]


def test_a_lone_varying_slope_is_not_dropped(synthetic):
    case = synthetic(40, 1, rows=1, intercept=False, factor="row")
    assert not any("leave out" in flag for flag in flags(case, trouble("divergences", factors=("row",))))


def test_with_standardize_the_prior_proposed_is_per_sd_of_the_column(synthetic):
    case = synthetic(40)
    found = dataclasses.replace(trouble("divergences"), standardize=True)
    proposed = f"{0.5 * case.design.y.std():.1g}"
    assert flags(case, found)[1] == f'--prior "sd(school: ses) ~ normal(0, {proposed})"'
    assert proposed != f"{0.5 * case.design.y.std() / (2 * case.design.X.std()):.1g}"


def test_a_rare_category_is_the_likely_cause_where_a_threshold_is_in_trouble():
    case = family_case("cumulative")
    y = case.design.y.copy()
    y[y == 3] = 2
    y[:2] = 3
    design = dataclasses.replace(case.design, y=y)
    found = trouble("ess", names=("threshold[often|always]",), factors=())
    assert likely_cause(found, case.draws, design) == (
        "2 rows of answer = always say little about the thresholds beside it."
    )
    assert likely_cause(trouble("ess", names=("ses",), factors=()), case.draws, design) is None
    assert likely_cause(found, case.draws, case.design) is None


def test_a_sigma_of_each_level_instead_of_differences_from_one():
    case = family_case("gaussian", sigma=True)
    named = trouble("ess", names=("sigma_Intercept",), factors=())
    assert flags(case, named)[-1] == "fewer predictors in --sigma"
    levels = SigmaColumns(("Intercept", "school[s2]", "school[s3]"), np.ones((case.design.n_rows, 3)))
    design = dataclasses.replace(case.design, sigma=levels)
    tries = what_to_try(named, case.draws, design)
    assert tries[-1].flag == "--sigma '0 + school'"
    assert not any("--sigma" in step.flag for step in what_to_try(trouble("ess"), case.draws, design))


def test_a_horseshoe_needs_small_steps():
    case = family_case("gaussian", slope=False)
    draws = dataclasses.replace(
        case.draws,
        parameters=(*case.draws.parameters, Parameter(HORSESHOE_SCALE, Kind.AUXILIARY)),
        values=np.concatenate([case.draws.values, np.full((*case.draws.values.shape[:2], 1), 0.1)], axis=2),
    )
    found = trouble("divergences", factors=())
    steps = what_to_try(found, draws, case.design)
    assert (steps[0].flag, steps[-1].flag) == ("--adapt-delta 0.99", "leave out the horseshoe")
    assert "which a horseshoe needs" in steps[0].why
    assert "horseshoe_scale" in likely_cause(found, draws, case.design)
    assert "horseshoe" not in what_to_try(found, case.draws, case.design)[0].why


def test_the_size_of_sigma_where_it_has_predictors(synthetic):
    case = family_case("gaussian", sigma=True)
    at_mean = np.exp(case.draws.of("sigma_Intercept") + case.draws.of("sigma_ses") * case.design.X[:, 0].mean())
    assert residual_scale(case.draws, case.design) == pytest.approx(np.median(at_mean))
    assert residual_scale(family_case("poisson").draws, family_case("poisson").design) == 1
