"""A predictor that decides an outcome of two values is named, one that does not is left alone."""

import dataclasses

import numpy as np
import pytest

from hierfit.posterior.advice import what_to_try
from hierfit.posterior.likely import likely_cause
from hierfit.posterior.separation import separated, separation
from hierfit.posterior.trouble import Asked

from .conftest import trouble
from .family_draws import family_case


def decided(column, y, name="ses", family="bernoulli"):
    case = family_case(family, slope=False)
    design = dataclasses.replace(case.design, X=column[:, None], y=y, coefficients=(name,))
    parameters = tuple(dataclasses.replace(p, name=name) if p.name == "ses" else p for p in case.draws.parameters)
    return dataclasses.replace(case.draws, parameters=parameters), design


def test_a_value_that_parts_the_outcomes_is_named():
    x = np.linspace(0, 10, 240)
    sentence = separation(*decided(x, (x > 4).astype(float)))
    assert sentence.startswith("Here answer = yes wherever ses is above ")
    assert 3.9 < float(sentence.split("above ")[1].split()[0]) < 4.1
    assert "below" in separation(*decided(x, (x < 4).astype(float)))


def test_a_category_with_one_outcome_is_named():
    rng = np.random.default_rng(1)
    private = (np.arange(240) < 30).astype(float)
    y = np.where(private == 1, 0.0, rng.integers(0, 2, 240))
    sentence = separation(*decided(private, y, "sector[Private]"))
    assert sentence.startswith("Where sector[Private] = 1 (30 rows), answer = yes holds never, so that the data set no")
    assert list(separated(*decided(private, y, "sector[Private]"))) == ["sector[Private]"]


def test_a_huge_coefficient_is_a_hint():
    case = family_case("bernoulli", slope=False)
    values = case.draws.values.copy()
    values[:, :, 1] += 40
    draws = dataclasses.replace(case.draws, values=values)
    assert separation(draws, case.design).startswith("The coefficient of ses is 40.6 on the scale of the link")


@pytest.mark.parametrize("family", ["bernoulli", "gaussian", "poisson", "binomial", "cumulative"])
def test_nothing_is_said_of_ordinary_data(family):
    case = family_case(family)
    assert separation(case.draws, case.design) is None
    assert separated(case.draws, case.design) == {}


def test_separation_is_the_likely_cause_and_a_prior_the_remedy():
    x = np.linspace(0, 10, 240)
    draws, design = decided(x, (x > 4).astype(float))
    found = trouble(family_case("bernoulli"), "divergences", factors=(), ess=50.0)
    assert "(separation)" in likely_cause(found, draws, design)
    flags = [step.flag for step in what_to_try(found, draws, design)]
    assert flags[0] == f"--prior 'ses ~ normal(0, {2.5 / x.std(ddof=1):.2g})'"


def test_ordered_categories_in_the_order_of_a_predictor():
    x = np.linspace(0, 10, 240)
    y = np.digitize(x, [2, 5, 9]).astype(float)
    for column in (x, -x):
        sentence = separation(*decided(column, y, family="cumulative"))
        assert sentence.startswith(
            "Here ses puts the categories of answer in their order, so that the data set no bound"
        )
    assert list(separated(*decided(x, y, family="cumulative"))) == ["ses"]
    y[100] = 3  # one row out of order, and the coefficient is bound
    assert separation(*decided(x, y, family="cumulative")) is None


def test_a_category_at_one_end_of_an_ordered_outcome():
    rng = np.random.default_rng(1)
    private = (np.arange(240) < 30).astype(float)
    others = rng.integers(0, 4, 240)
    highest = np.where(private == 1, 3.0, others)
    sentence = separation(*decided(private, highest, "sector[Private]", "cumulative"))
    assert sentence.startswith("Where sector[Private] = 1 (30 rows), answer is always always, so that")
    # in between, the thresholds hold the coefficient
    middle = np.where(private == 1, 2.0, others)
    assert separation(*decided(private, middle, "sector[Private]", "cumulative")) is None


def test_a_huge_coefficient_of_ordered_categories():
    case = family_case("cumulative", slope=False)
    values = case.draws.values.copy()
    values[:, :, 0] += 40
    sentence = separation(dataclasses.replace(case.draws, values=values), case.design)
    assert sentence.endswith("it may tell the categories of answer apart almost without error (separation).")


def test_with_standardize_the_remedy_is_per_sd():
    x = np.linspace(0, 10, 240)
    draws, design = decided(x, (x > 4).astype(float))
    found = trouble(family_case("bernoulli"), "divergences", factors=(), ess=50.0, asked=Asked(standardize=True))
    assert what_to_try(found, draws, design)[0].flag == "--prior 'ses ~ normal(0, 2.5)'"
