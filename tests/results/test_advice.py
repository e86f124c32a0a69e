"""What is said about the likely cause, and the flags proposed, in order."""

import dataclasses

import numpy as np

from hierfit.results.advice import Trouble, likely_cause, what_to_try


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
