"""What the collapsed engine keeps of the rows, against sums over the rows themselves."""

import tracemalloc
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from hierfit.design.design import Group
from hierfit.design.prior_choice import build_spec
from hierfit.design.scaling import scaled_columns, scaled_outcome, scaled_varying
from hierfit.engines.collapsed.reduction import collapse, gather, project
from hierfit.model.formula import formula_from_flags
from tests.model.cases import design

SLOPES = formula_from_flags("y", ["a", "b"], "g", ["a", "b"])
ONE_SLOPE = formula_from_flags("y", ["a", "b"], "g", ["a"])
NO_INTERCEPT = formula_from_flags("y", ["a", "b"], "g", ["a"], varying_intercept=False)


CENTERS = {"mean": lambda group: group.mean, "0": lambda group: 0 * group.mean}


@pytest.mark.parametrize("at", CENTERS)
@pytest.mark.parametrize("formula", [SLOPES, ONE_SLOPE, NO_INTERCEPT], ids=str)
def test_factors_and_products_are_those_of_the_rows(formula: object, at: str) -> None:
    made = design(formula, rows=37)  # type: ignore[arg-type]
    group, center = made.groups[0], CENTERS[at](made.groups[0])
    Z, columns = (
        scaled_varying(group, center),
        np.column_stack([scaled_columns(made, made.x_mean), scaled_outcome(made)]),
    )
    levels, within = project(group, center, columns)
    rest = np.zeros_like(within)
    for j in range(group.n_levels):
        rows, S, q = group.codes == j, levels.S[:, :, j], levels.q[:, j]
        np.testing.assert_allclose(S.T @ S, Z[rows].T @ Z[rows], rtol=1e-10)
        np.testing.assert_allclose(S.T @ q, Z[rows].T @ columns[rows], rtol=1e-9, atol=1e-9)
        rest += columns[rows].T @ columns[rows] - q.T @ q
        assert np.allclose(S, np.triu(S))
    np.testing.assert_allclose(within, rest, atol=1e-9)


def test_rows_of_other_precision_are_multiplied_by_its_root() -> None:
    made = design(SLOPES, rows=37)
    precision = np.random.default_rng(1).gamma(2, 100, 37)
    made = replace(made, precision=precision)
    rows, root = collapse(build_spec(SLOPES, made), made), np.sqrt(precision / precision.mean())
    group = made.groups[0]
    Z = scaled_varying(group, group.mean) * root[:, None]
    columns = np.column_stack([scaled_columns(made, made.x_mean), scaled_outcome(made)]) * root[:, None]
    columns[:, -1] -= columns[:, :-1] @ rows.reference
    for j in range(group.n_levels):
        at, S, q = group.codes == j, rows.levels.S[:, :, j], rows.levels.q[:, j]
        np.testing.assert_allclose(S.T @ S, Z[at].T @ Z[at], rtol=1e-9)
        np.testing.assert_allclose(S.T @ q, Z[at].T @ columns[at], rtol=1e-8, atol=1e-9)
    assert made.sigma_scale == pytest.approx(made.y_scale * np.sqrt(precision.mean()))


def one_level(x: np.ndarray) -> Group:
    codes = np.repeat(np.arange(2), len(x)).astype(np.int32)
    column = np.concatenate([x, x[::-1]])
    Z = np.column_stack([np.ones(len(column)), column])
    return Group("g", ("a", "b"), codes, ("Intercept", "x"), Z, True)


def test_an_offset_of_1e12_in_a_varying_column_loses_nothing() -> None:
    x = np.array([0.25, 1.5, 3.0, 4.75, 5.25])
    near, far = one_level(x), one_level(x + 1e12)
    columns = np.random.default_rng(1).normal(size=(10, 2))
    at_zero = np.zeros(2)
    levels, within = project(far, at_zero, columns)
    expected, expected_within = project(near, at_zero, columns)
    np.testing.assert_allclose(levels.S[1, 1], expected.S[1, 1], rtol=1e-9)
    np.testing.assert_allclose(within, expected_within, rtol=1e-9)
    # sum of x over sqrt(n), in units of the sd of x
    total = sum(Fraction(value) for value in x + 1e12)
    np.testing.assert_allclose(levels.S[0, 1] * np.sqrt(5) * near.Z[:, 1].std(ddof=1), float(total), rtol=1e-12)
    np.testing.assert_allclose(
        project(far, far.mean, columns)[0].S, project(near, near.mean, columns)[0].S, atol=1e-4
    )  # of the mean


def test_the_columns_are_left_as_they_were() -> None:
    group, columns = one_level(np.array([1.0, 2.0, 4.0])), np.random.default_rng(1).normal(size=(2, 6)).T
    before = columns.copy()
    project(group, np.zeros(2), columns)
    np.testing.assert_array_equal(columns, before)


def test_memory_is_a_few_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """[X, y] in the sampler's units are four columns, the varying ones two; a block of rows is small beside them."""
    monkeypatch.setattr("hierfit.engines.collapsed.reduction._BLOCK_ROWS", 1000)
    made = design(ONE_SLOPE, rows=100_000)
    spec = build_spec(ONE_SLOPE, made)
    tracemalloc.start()
    collapse(spec, made)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 9 * made.y.nbytes  # 7.4; two copies of [X, y] would be more


def test_blocks_of_rows_do_not_change_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    group, columns = design(SLOPES).groups[0], np.random.default_rng(1).normal(size=(40, 3))
    whole, within = project(group, group.mean, columns)
    monkeypatch.setattr("hierfit.engines.collapsed.reduction._BLOCK_ROWS", 7)
    parts, within_parts = project(group, group.mean, columns)
    np.testing.assert_allclose(parts.S, whole.S, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(parts.q, whole.q, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(within_parts, within, rtol=1e-10, atol=1e-12)


def test_coefficients_without_a_normal_prior_are_kept() -> None:
    made = design(SLOPES)
    assert collapse(build_spec(SLOPES, made, ("a ~ student_t(3, 0, 1)",)), made).kept.tolist() == [1]
    assert collapse(build_spec(SLOPES, made), made).kept.tolist() == []


def test_a_column_that_is_constant_in_a_level_leaves_no_direction() -> None:
    group = one_level(np.array([3.1, 3.1, 3.1]))
    group = replace(group, Z=group.Z + np.array([0, 1.0]) * (group.codes == 1)[:, None])
    levels, _ = project(group, group.mean, np.random.default_rng(1).normal(size=(6, 2)))
    np.testing.assert_array_equal(levels.S[1, 1], 0)
    np.testing.assert_array_equal(levels.q[1], 0)


def test_nothing_cancels_when_the_predictors_explain_all() -> None:
    made = design(formula_from_flags("y", ["a", "b"], "g"))
    noise = np.random.default_rng(2).normal(0, 1e-10, made.n_rows)
    exact = replace(made, y=3 + made.X @ np.array([2.0, -1.0]) + noise)
    formula = formula_from_flags("y", ["a", "b"], "g")
    rows = collapse(build_spec(formula, exact), exact)
    # The residual sum of squares within levels, in units of 1e-20: rounding of y itself is 1e-15.
    at_random = noise / exact.y_scale
    assert 0.5 < rows.within[-1, -1] / np.sum((at_random - at_random.mean()) ** 2) < 1.1


def test_equal_levels_are_a_class_in_whatever_order_their_rows_come() -> None:
    visits = np.array([0.0, 1.0, 2.5, 4.0])
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.permutation(visits) for _ in range(50)])
    codes = np.repeat(np.arange(50), 4).astype(np.int32)
    group = Group("g", tuple(map(str, range(50))), codes, ("Intercept", "x"), np.column_stack([np.ones(200), x]), True)
    levels, _ = project(group, group.mean, rng.normal(size=(200, 3)))
    classes = gather(levels)
    assert classes.count.tolist() == [50] and classes.q.shape == (2, 6, 3)
    for a, b in ((0, 0), (1, 0), (1, 1)):
        np.testing.assert_allclose(classes.q[a].T @ classes.q[b], levels.q[a].T @ levels.q[b], atol=1e-12)
