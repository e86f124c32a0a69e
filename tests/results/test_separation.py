"""A predictor that decides an outcome of two values is named, one that does not is left alone."""

import dataclasses

import numpy as np
import pytest

from hierfit.results.advice import Trouble, likely_cause, what_to_try
from hierfit.results.separation import separated, separation

from .family_draws import family_case


def decided(column, y, name="ses"):
    case = family_case("bernoulli", slope=False)
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


@pytest.mark.parametrize("family", ["bernoulli", "gaussian", "poisson", "binomial"])
def test_nothing_is_said_of_ordinary_data(family):
    case = family_case(family)
    assert separation(case.draws, case.design) is None
    assert separated(case.draws, case.design) == {}


def test_separation_is_the_likely_cause_and_a_prior_the_remedy():
    x = np.linspace(0, 10, 240)
    draws, design = decided(x, (x > 4).astype(float))
    found = Trouble(("divergences",), (), (), 50.0, 400.0)
    assert "(separation)" in likely_cause(found, draws, design)
    flags = [step.flag for step in what_to_try(found, draws, design)]
    assert flags[1] == f'--prior "ses ~ normal(0, {2.5 / x.std(ddof=1):.1g})"'
