from dataclasses import replace

import numpy as np
import pytest

from hierfit.design.building import build_design
from hierfit.design.prior_choice import build_spec
from hierfit.engines.full.engine import FULL
from hierfit.model.formula import Formula, formula_from_flags
from hierfit.model.formula_text import parse_formula
from hierfit.stan.theta import part
from tests.family_cases import FAMILY_CASES, FORMULA, FamilyCase, family_design
from tests.model.cases import design, table
from tests.stan.test_data import data


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_outcomes_are_scaled_only_where_that_leaves_them_in_their_family(case: FamilyCase) -> None:
    made = family_design(case, further=True)
    given = FULL.data(build_spec(FORMULA, made), made)
    if case.family in ("gaussian", "student", "lognormal"):
        y = np.log(made.y) if case.family == "lognormal" else made.y
        np.testing.assert_allclose(given["y"], (y - y.mean()) / y.std(ddof=1))
        np.testing.assert_allclose(given["offsets"], made.offset / y.std(ddof=1))
        assert part(given["theta_scale"], "aux", given)[0] == pytest.approx(y.std(ddof=1))
    else:
        np.testing.assert_array_equal(given["y"], made.y + bool(made.thresholds))  # Stan counts categories from 1
        np.testing.assert_array_equal(given["offsets"], made.offset)
        assert (made.y_mean, made.y_scale) == (0, 1)
        scale = part(given["theta_scale"], "b", given)
        np.testing.assert_allclose(scale, [*([1] * made.intercept), *(1 / made.x_scale)])
        if made.intercept:
            assert given["theta_location"][0] == given["origin"] == made.intercept_location


def test_what_the_mean_of_the_effects_has_is_not_in_the_rows() -> None:
    formula, made = formula_from_flags("y", ["a", "b"], "g", ["a"]), design()
    given = FULL.data(build_spec(formula, made), made, narrowed=np.array([0.5, 0.4]))
    assert (given["narrowed"] == np.repeat([0.5, 0.4], 8)).all() and given["slope"].tolist() == [0, 2]
    assert given["in_rows"].tolist() == [3] and given["X"].shape == (40, 1)
    np.testing.assert_array_equal(given["level_X"][:, 0], 1)


def test_columns_are_centred_and_scaled() -> None:
    given = data(formula=Formula("y", ("a", "b")))  # without groups, whose means could take columns out of the rows
    np.testing.assert_allclose(given["y"].mean(), 0, atol=1e-12)
    np.testing.assert_allclose(given["y"].std(ddof=1), 1)
    np.testing.assert_array_equal(given["X"][:, 0], 1)
    np.testing.assert_allclose(given["X"][:, 1:].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(given["X"][:, 1:].std(axis=0, ddof=1), 1)


def test_columns_are_only_scaled_where_a_prior_binds_the_intercept_at_0() -> None:
    given = data("Intercept ~ uniform(-99, 99)", formula=Formula("y", ("a", "b")), centered=False)
    source = table()
    np.testing.assert_allclose(given["X"][:, 1], source.numbers["a"] / np.std(source.numbers["a"], ddof=1))


@pytest.mark.parametrize(("bar", "centred"), [("|", True), ("||", False)])
def test_varying_columns_are_centred_where_that_is_the_same_model(bar: str, centred: bool) -> None:
    given, a = data(formula=parse_formula(f"y ~ a + (1 + a {bar} g)")), table().numbers["a"]
    np.testing.assert_array_equal(given["is_intercept"], [1, 0])
    np.testing.assert_allclose(given["Z"][1], (a - centred * a.mean()) / np.std(a, ddof=1), atol=1e-12)


def test_levels_count_from_one() -> None:
    assert data()["level"].min() == 1 and data()["level"].max() == 8


def test_an_offset_of_1e12_loses_nothing() -> None:
    source = table()
    y = 1e12 + np.round(source.numbers["y"] * 4) / 4  # quarters are exact in double precision even there
    shifted = replace(source, numbers={**source.numbers, "y": y, "a": source.numbers["a"]})
    formula = formula_from_flags("y", ["a"], "g")
    made = build_design(formula, shifted)
    given = FULL.data(build_spec(formula, made), made)
    expected = (y - 1e12) - (y - 1e12).mean()
    # The mean of numbers near 1e12 is itself rounded to about 1e-4.
    np.testing.assert_allclose(given["y"] * made.y_scale, expected, atol=3e-4)
