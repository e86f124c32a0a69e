"""What sigma comes to where it has predictors: against the exponentials written out."""

import dataclasses

import numpy as np
import pytest

from hierfit.model.sigma import SigmaColumns
from hierfit.model.spec import Kind, Parameter, sigma_name
from hierfit.results.residual import sigma_in_units

from .family_draws import family_case

BOUNDS = (0.025, 0.975)


def with_sigma(columns, references=None, levels=None):
    """A case with these columns of log sigma [N each, by name], and draws of their coefficients around 0."""
    case = family_case("gaussian", slope=False)
    n, rng = case.design.n_rows, np.random.default_rng(8)
    columns = {name: np.broadcast_to(column, n).astype(float) for name, column in columns.items()}
    sigma = SigmaColumns(tuple(columns), np.column_stack(list(columns.values())))
    design = dataclasses.replace(case.design, sigma=sigma, references=references or {}, levels=levels or {})
    drawn = {name: rng.normal(0, 0.3, case.draws.values.shape[:2]) for name in columns}
    parameters = tuple(Parameter(sigma_name(name), Kind.SIGMA_COEFFICIENT, None, name) for name in columns)
    draws = dataclasses.replace(case.draws, parameters=parameters, values=np.stack(list(drawn.values()), axis=2))
    return draws, design, drawn


def check(found, values):
    assert found.mean == pytest.approx(values.mean())
    assert found.sd == pytest.approx(values.std(ddof=1))
    assert (found.lower, found.upper) == pytest.approx(tuple(np.quantile(values, BOUNDS)))


def rows(count=240):
    return np.arange(count)


def test_one_sigma_has_nothing_to_say():
    case = family_case("gaussian")
    assert sigma_in_units(case.draws, case.design, BOUNDS) == ()


def test_numbers_are_held_at_their_mean():
    x = rows() / 7 - 3.0
    draws, design, b = with_sigma({"Intercept": 1.0, "x": x})
    (found,) = sigma_in_units(draws, design, BOUNDS)
    assert (found.predictor, found.level) == (None, None)
    check(found, np.exp(b["Intercept"] + b["x"] * x.mean()))


def test_levels_are_compared_with_their_reference_and_numbers_stay_at_their_mean():
    x, arm = rows() / 7 - 3.0, rows() % 2
    columns = {"Intercept": 1.0, "x": x, "arm[trt]": arm, "x:arm[trt]": x * arm}
    draws, design, b = with_sigma(columns, {"arm": "ctl"})
    found = sigma_in_units(draws, design, BOUNDS)
    assert [(sigma.predictor, sigma.level) for sigma in found] == [("arm", "ctl"), ("arm", "trt")]
    at_mean = b["Intercept"] + b["x"] * x.mean()
    check(found[0], np.exp(at_mean))
    check(found[1], np.exp(at_mean + b["arm[trt]"] + b["x:arm[trt]"] * x.mean()))


def test_without_an_intercept_every_level_is_its_own():
    draws, design, b = with_sigma({"C(arm)[1]": rows() % 2 == 0, "C(arm)[2]": rows() % 2 == 1})
    found = sigma_in_units(draws, design, BOUNDS)
    assert [(sigma.predictor, sigma.level) for sigma in found] == [("arm", "1"), ("arm", "2")]
    check(found[1], np.exp(b["C(arm)[2]"]))


def test_levels_stand_in_the_stated_order():
    columns = {"Intercept": 1.0, "dose[low]": rows() % 3 == 0, "dose[high]": rows() % 3 == 1}
    draws, design, b = with_sigma(columns, {"dose": "mid"}, {"dose": ("low", "mid", "high")})
    found = sigma_in_units(draws, design, BOUNDS)
    assert [sigma.level for sigma in found] == ["low", "mid", "high"]
    check(found[1], np.exp(b["Intercept"]))
    check(found[2], np.exp(b["Intercept"] + b["dose[high]"]))


def test_several_text_predictors_are_held_at_their_mean_in_turn():
    columns = {"Intercept": 1.0, "arm[trt]": rows() % 2, "site[b]": rows() % 3 == 0}
    draws, design, b = with_sigma(columns, {"arm": "ctl", "site": "a"})
    found = sigma_in_units(draws, design, BOUNDS)
    assert [(sigma.predictor, sigma.level) for sigma in found] == [
        ("arm", "ctl"), ("arm", "trt"), ("site", "a"), ("site", "b"),
    ]  # fmt: skip
    check(found[1], np.exp(b["Intercept"] + b["arm[trt]"] + b["site[b]"] * np.mean(rows() % 3 == 0)))
