"""What sigma comes to where it has predictors: against the exponentials written out."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hierfit.data.table import table_of
from hierfit.design.distributional import PredictorColumns
from hierfit.design.terms import evaluate_terms
from hierfit.model.spec import Kind, Parameter, coefficient_name
from hierfit.posterior.at_levels import at_levels

from .family_draws import family_case

BOUNDS = (0.025, 0.975)


ARM, SITE, X = np.arange(240) % 2, np.arange(240) % 3, np.arange(240) / 7 - 3.0
WORDS = {"arm": (("ctl", "trt"), ARM.astype(np.int32)), "site": (("a", "b", "c"), SITE.astype(np.int32))}


def with_sigma(*terms, intercept=True, references=None, orders=None):
    """A case whose log sigma has these terms, and draws of their coefficients around 0, by name."""
    case, rng = family_case("gaussian", slope=False), np.random.default_rng(8)
    rows = table_of(Path("a.csv"), {"x": X, "judge": ARM + 1.0}, WORDS, np.arange(240), orders)
    found = evaluate_terms(terms, rows, references or {}, intercept=intercept)
    names = (("Intercept",) if intercept else ()) + found.names
    columns = np.column_stack([np.ones((240, int(intercept))), found.values])
    own = PredictorColumns("sigma", names, columns, found.terms)
    design = dataclasses.replace(case.design, distributional=(own,), inputs=rows)
    drawn = {name: rng.normal(0, 0.3, case.draws.values.shape[:2]) for name in names}
    parameters = tuple(
        Parameter(coefficient_name("sigma", name), Kind.DISTRIBUTIONAL, None, name, "sigma") for name in names
    )
    draws = dataclasses.replace(case.draws, parameters=parameters, values=np.stack(list(drawn.values()), axis=2))
    return draws, design, drawn


def check(found, values):
    assert found.mean == pytest.approx(values.mean())
    assert found.sd == pytest.approx(values.std(ddof=1))
    assert (found.lower, found.upper) == pytest.approx(tuple(np.quantile(values, BOUNDS)))


def test_one_sigma_has_nothing_to_say():
    case = family_case("gaussian")
    assert at_levels(case.draws, case.design, BOUNDS) == ()


def test_numbers_are_held_at_their_mean():
    draws, design, b = with_sigma("x")
    (found,) = at_levels(draws, design, BOUNDS)
    assert (found.predictor, found.level) == (None, None)
    check(found, np.exp(b["Intercept"] + b["x"] * X.mean()))


def test_levels_are_compared_with_their_reference_and_numbers_stay_at_their_mean():
    draws, design, b = with_sigma("x", "arm", "x:arm")
    found = at_levels(draws, design, BOUNDS)
    assert [(sigma.predictor, sigma.level) for sigma in found] == [("arm", "ctl"), ("arm", "trt")]
    at_mean = b["Intercept"] + b["x"] * X.mean()
    check(found[0], np.exp(at_mean))
    check(found[1], np.exp(at_mean + b["arm[trt]"] + b["x:arm[trt]"] * X.mean()))


def test_without_an_intercept_every_level_is_its_own():
    draws, design, b = with_sigma("C(judge)", intercept=False)
    found = at_levels(draws, design, BOUNDS)
    assert [(sigma.predictor, sigma.level) for sigma in found] == [("judge", "1"), ("judge", "2")]
    check(found[1], np.exp(b["C(judge)[2]"]))


@pytest.mark.parametrize("written", ["site", "C(site)"])
def test_levels_stand_in_the_stated_order(written):
    draws, design, b = with_sigma(written, references={"site": "b"}, orders={"site": ("c", "b", "a")})
    found = at_levels(draws, design, BOUNDS)
    assert [sigma.level for sigma in found] == ["c", "b", "a"]
    check(found[1], np.exp(b["Intercept"]))
    check(found[2], np.exp(b["Intercept"] + b[f"{written}[a]"]))


def test_sum_contrasts_add_up_to_nothing():
    draws, design, b = with_sigma("S(site)")
    found = at_levels(draws, design, BOUNDS)
    own = [b["S(site)[a]"], b["S(site)[b]"], -b["S(site)[a]"] - b["S(site)[b]"]]
    for sigma, deviation in zip(found, own, strict=True):
        check(sigma, np.exp(b["Intercept"] + deviation))


def test_several_text_predictors_are_held_at_their_mean_in_turn():
    draws, design, b = with_sigma("arm", "site")
    found = at_levels(draws, design, BOUNDS)
    assert [(sigma.predictor, sigma.level) for sigma in found] == [
        ("arm", "ctl"), ("arm", "trt"), ("site", "a"), ("site", "b"), ("site", "c"),
    ]  # fmt: skip
    shares = b["site[b]"] / 3 + b["site[c]"] / 3
    check(found[1], np.exp(b["Intercept"] + b["arm[trt]"] + shares))
    check(found[3], np.exp(b["Intercept"] + b["arm[trt]"] / 2 + b["site[b]"]))
