"""What is said about the likely cause."""

import dataclasses

import numpy as np
import pytest

from hierfit.posterior.likely import likely_cause
from hierfit.posterior.trouble import Asked, residual_scale

from .conftest import trouble
from .family_draws import family_case


def test_few_levels_are_the_likely_cause(synthetic):
    case = synthetic(5)
    sentence = likely_cause(trouble(case, "rhat"), case.draws, case.design)
    assert sentence == "5 schools say little about how much their intercepts and slopes of ses vary."


def test_few_rows_per_level_are_the_likely_cause(synthetic):
    case = synthetic(12, 1, rows=(2, 5))
    sentence = likely_cause(trouble(case, "divergences"), case.draws, case.design)
    assert sentence == "12 schools with 2 to 5 rows each say little about how intercepts and slopes of ses vary."


def test_an_sd_near_zero_is_the_likely_cause(synthetic):
    case = synthetic(40)
    values = case.draws.values.copy()
    values[:, :, 3] *= 0.01
    draws = dataclasses.replace(case.draws, values=values)
    sentence = likely_cause(trouble(case, "divergences"), draws, case.design)
    assert sentence == "sd(school: ses) is close to 0: slopes of ses hardly vary between the 40 levels."


def test_more_coefficients_than_rows_can_tell_are_the_likely_cause(synthetic):
    case = synthetic(12, 30, rows=12, slopes=0)
    design = dataclasses.replace(case.design, y=case.design.y[:100], groups=())
    assert likely_cause(trouble(case, "ess"), case.draws, design) == "100 rows say little about 31 coefficients."


def test_nothing_is_said_where_nothing_stands_out_or_nothing_is_wrong(synthetic):
    case = synthetic(40)
    assert likely_cause(trouble(case, "ess"), case.draws, case.design) is None
    few = synthetic(5)
    assert likely_cause(trouble(case), few.draws, few.design) is None


def test_a_rare_category_is_the_likely_cause_where_a_threshold_is_in_trouble():
    case = family_case("cumulative")
    y = case.design.y.copy()
    y[y == 3] = 2
    y[:2] = 3
    design = dataclasses.replace(case.design, y=y)
    found = trouble(case, "ess", names=("threshold[often|always]",), factors=())
    assert likely_cause(found, case.draws, design) == (
        "2 rows of answer = always say little about the thresholds beside it."
    )
    assert likely_cause(trouble(case, "ess", names=("ses",), factors=()), case.draws, design) is None
    assert likely_cause(found, case.draws, case.design) is None


def test_draws_that_disagree_on_an_sd_say_nothing_of_its_size(synthetic):
    case = synthetic(40)
    values = case.draws.values.copy()
    values[:, :, 3] *= 0.01
    draws = dataclasses.replace(case.draws, values=values)
    found = dataclasses.replace(trouble(case, "rhat"), disagreeing={"sd(school: ses)"})
    assert likely_cause(found, draws, case.design) is None


def test_too_short_a_warmup_is_the_likely_cause(synthetic):
    case = synthetic(5)
    for warmup, said in ((5, True), (1000, False), (None, False)):
        found = trouble(case, "rhat", asked=Asked(warmup=warmup))
        assert likely_cause(found, case.draws, case.design).startswith(f"--warmup {warmup}: ") == said


def test_the_size_of_sigma_where_it_has_predictors(synthetic):
    case = family_case("gaussian", sigma=True)
    at_mean = np.exp(case.draws.of("sigma_Intercept") + case.draws.of("sigma_ses") * case.design.X[:, 0].mean())
    assert residual_scale(case.draws, case.design) == pytest.approx(np.median(at_mean))
    assert residual_scale(family_case("poisson").draws, family_case("poisson").design) == 1
