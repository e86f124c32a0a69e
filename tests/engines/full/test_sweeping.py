from dataclasses import replace

import numpy as np
import pytest

from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.design.prior_choice import build_spec
from hierfit.design.scaling import scaled_columns, scaled_varying
from hierfit.engines.full.centering import Centering, by_column, place_coefficients
from hierfit.engines.full.sweeping import Sweeping, sweep
from hierfit.model.formula_text import parse_formula
from tests.family_cases import FAMILY_CASES, FORMULA, family_design
from tests.model.cases import crossed_table, nested_table

CROSSED = "y ~ a + b + (1 + a | g) + (1 + a + b | h)"  # g, which is centred, has the intercept and a in its mean


def made(
    formula: str, *priors: str, prior_only: bool = False, centred: str = "11000"
) -> tuple[Design, Centering, Sweeping]:
    """Return what is swept where those varying columns are centred whose digit is 1."""
    parsed = parse_formula(formula)
    design = build_design(parsed, crossed_table())
    spec = build_spec(parsed, design, priors, prior_only=prior_only)
    columns = sum(len(group.terms) for group in design.groups)
    centering = place_coefficients(
        spec, design, np.array([0.5 if digit == "1" else 1.0 for digit in centred[:columns]])
    )
    return design, centering, sweep(spec, design, centering)


def test_columns_are_swept_whose_coefficients_are_not_the_mean_of_their_own_effects() -> None:
    design, centering, found = made(CROSSED)
    columns = [bool((column < 1).all()) for column in by_column(centering.narrowed, design)]
    assert columns == [True, True, False, False, False] and centering.slopes == (-1, 1, -1, -1, -1)
    assert found.swept.tolist() == [False, False, True, True, True]
    assert made("y ~ a + (1 | g)")[2].swept.tolist() == [False]
    assert made("y ~ a + (1 + b | h)", centred="00")[2].swept.tolist() == [True, False]  # b has no coefficient
    assert made(CROSSED, centred="10000")[2].swept.tolist() == [False, True, True, True, True]
    assert made(CROSSED, centred="01000")[2].swept.tolist() == [True, False, True, True, True]


@pytest.mark.parametrize("prior", ["constant(20)", "uniform(0, 40)", "gamma(2, 1)", "normal(20, 0.01)"])
def test_a_coefficient_that_is_not_free_takes_nothing_in(prior: str) -> None:
    assert made("y ~ a + (1 | g) + (1 | h)")[2].swept.any()
    assert not made("y ~ a + (1 | g) + (1 | h)", f"Intercept ~ {prior}")[2].swept.any()


@pytest.mark.parametrize("prior", ["flat()", "student_t(3, 20, 10)", "cauchy(0, 10)", "laplace(0, 20)"])
def test_any_wide_prior_will_do(prior: str) -> None:
    assert made("y ~ a + (1 | g) + (1 | h)", f"Intercept ~ {prior}")[2].swept.tolist() == [False, True]


def test_thresholds_take_in_varying_intercepts() -> None:
    made_ = family_design(next(case for case in FAMILY_CASES if case.family == "cumulative"))  # (1 + b | g) + (1 | h)
    spec = build_spec(FORMULA, made_)
    for narrowed, swept in ((np.ones(3), [True, True, True]), (np.array([0.5, 0.5, 1.0]), [True, False, True])):
        found = sweep(spec, made_, place_coefficients(spec, made_, narrowed))
        assert found.swept.tolist() == swept
        np.testing.assert_array_equal(found.Z_in_thresholds[[0, 2]], 1)
    fixed = build_spec(FORMULA, made_, ("threshold[never|seldom] ~ normal(0, 0.01)",))
    assert sweep(fixed, made_, place_coefficients(fixed, made_, np.ones(3))).swept.tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("centred", "swept"),
    [("000", "111"), ("001", "110"), ("011", "100"), ("010", "101"), ("111", "000"), ("m00", "011"), ("mm0", "001")],
)
def test_inner_factors_that_hold_the_intercept_by_way_of_outer_ones_are_not_swept(centred: str, swept: str) -> None:
    """`m`: centred in some of the levels."""
    formula = parse_formula("y ~ a + (1 | r) + (1 | g) + (1 | h)")
    design = build_design(formula, nested_table())
    spec = build_spec(formula, design)
    columns = {"0": np.ones, "1": np.zeros, "m": lambda size: (np.arange(size) % 3 > 0).astype(float)}
    seen = [columns[digit](group.n_levels) for digit, group in zip(centred, design.groups, strict=True)]
    centering = place_coefficients(spec, design, 0.5 + np.concatenate(seen) / 2)
    assert sweep(spec, design, centering).swept.tolist() == [digit == "1" for digit in swept]


def test_priors_alone_need_no_sweeping() -> None:
    assert not made(CROSSED, prior_only=True)[2].swept.any()


def test_a_slope_along_another_column_is_left_alone() -> None:
    design, centering, found = made(CROSSED)
    assert found.swept[3]
    other = replace(design.groups[1], Z=design.groups[1].Z + np.array([0, 1, 0]))
    spec = build_spec(parse_formula(CROSSED), design)
    moved = sweep(spec, replace(design, groups=(design.groups[0], other)), centering)
    assert moved.swept.tolist() == [False, False, True, False, True]


def test_the_linear_predictor_is_the_same() -> None:
    """X b + Z u = X (b + swept means) + Z (u - swept means)."""
    design, _, found = made(CROSSED)
    rng = np.random.default_rng(1)
    X = scaled_columns(design, design.x_mean)
    b = rng.normal(size=X.shape[1])
    plain, taken, rest, c = X @ b, b.copy(), np.zeros(design.n_rows), 0
    for group in design.groups:
        Z, u = scaled_varying(group, group.mean), rng.normal(size=(group.n_levels, len(group.terms)))
        swept = found.swept[c : c + len(group.terms)]
        plain = plain + np.sum(Z * u[group.codes], axis=1)
        rest = rest + np.sum(Z * (u - u.mean(axis=0) * swept)[group.codes], axis=1)
        taken = taken + u.mean(axis=0) @ found.Z_in_X[c : c + len(group.terms)]
        c += len(group.terms)
    np.testing.assert_allclose(X @ taken + rest, plain, atol=1e-9)
