"""The kernel of every family and link against numerical integration, differences, and itself with more nodes.

Levels are integrated by the trapezoidal rule (`kernels`). With enough nodes both are exact to rounding, so densities
agree to 1e-8 of a log density; how many are enough was seen by more of them changing less. What the kernel leaves out
of the density depends on the outcome alone: differences between points are compared.
"""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.engines.latent.kernel import Kernel, KernelPoints
from tests.engines.latent.kernels import (
    CASES,
    POINT_PARTS,
    Layout,
    at,
    by_level,
    case_of,
    kernel,
    made_points,
    made_rows,
)
from tests.family_cases import FamilyCase

pytestmark = pytest.mark.stan

Array = NDArray[np.float64]
EXACT = 1e-8
ENOUGH = {1: 61, 2: 41, 3: 27}
PLAIN, ALL, NO_ONES = Layout(), Layout(weighted=True, predicted=True, others=True), Layout(ones=False, weighted=True)
TWO, TWO_ALL = Layout(2, weighted=True), Layout(2, predicted=True, others=True, sizes=(4, 0, 1, 7))
THREE = Layout(3, sizes=(3, 0, 1, 5))
FEW = [case_of(name) for name in ("bernoulli", "poisson", "negbinomial", "cumulative", "student")]
MADE = [(case, layout) for case in CASES for layout in (PLAIN, ALL, NO_ONES, TWO, TWO_ALL)]
MADE += [(case, THREE) for case in FEW] + [(case, Layout(2, ones=False)) for case in FEW]


def test_every_family_is_there() -> None:
    from hierfit.engines.latent.building import STRUCTS

    assert {case.family for case in CASES} == set(STRUCTS)


def apart(found: Array, expected: Array) -> float:
    """The largest difference of differences between points [B, ...]."""
    assert np.ptp(expected, axis=0).max() > 0.05, "the points must differ for the comparison to say anything"
    return float(np.ptp(found - expected, axis=0).max())


@pytest.mark.parametrize(("case", "layout"), MADE, ids=str)
def test_densities_of_levels_are_integrals(case: FamilyCase, layout: Layout) -> None:
    rows = made_rows(case, layout)
    points = made_points(case, rows, 3 if layout.n_varying == 1 else 2, sd=0.5)
    made = kernel(rows, ENOUGH[layout.n_varying])
    found = made.by_level(points)
    assert apart(found, by_level(rows, points)) < EXACT
    np.testing.assert_allclose(made.log_density(points), found.sum(axis=1), rtol=1e-13)
    np.testing.assert_allclose(found[:, 1], 0, atol=1e-13)  # a level without rows


@pytest.mark.parametrize("case", [case for case in CASES if case.family == "bernoulli"], ids=str)
def test_nothing_is_left_out_of_probabilities(case: FamilyCase) -> None:
    rows = made_rows(case, Layout(weighted=True))
    points = made_points(case, rows)
    np.testing.assert_allclose(kernel(rows, 61).by_level(points), by_level(rows, points), atol=EXACT)


@pytest.mark.parametrize("layout", [PLAIN, ALL, TWO_ALL, THREE], ids=str)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_derivatives_are_those_of_the_density(case: FamilyCase, layout: Layout) -> None:
    """Against central differences: 1e-5 apart, of log densities of about 100 with 16 digits, they have eight or so."""
    rows = made_rows(case, layout)
    points = made_points(case, rows, 2, sd=0.5)
    made = kernel(rows, ENOUGH[layout.n_varying] if layout.n_varying < 3 else 15)
    density, slopes = made.gradient(points)
    np.testing.assert_array_equal(density, made.log_density(points))
    for name in POINT_PARTS:
        expected, found = differences(made, points, name), getattr(slopes, name)
        if name == "T":
            assert (found == np.tril(found)).all()
            expected = np.tril(expected)
        used = rows.S_of[rows.S_of > 0].size == 0 if name == "aux" else True
        if used and expected.size:
            assert np.abs(expected).max() > 1e-3, name
            np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6, err_msg=name)
        elif name == "aux":
            np.testing.assert_array_equal(found, 0)


def differences(made: Kernel, points: KernelPoints, name: str, step: float = 1e-5) -> Array:
    """Central differences of the log density in every number of one part, all of them worked out at once."""
    given = getattr(points, name)
    n, size = len(points), int(np.prod(given.shape[1:]))
    found = np.zeros((n, size))
    for b in range(n):
        around = {part: np.repeat(getattr(points, part)[[b]], 2 * size, axis=0) for part in POINT_PARTS}
        steps = step * np.concatenate([np.eye(size), -np.eye(size)])
        around[name] = around[name] + steps.reshape(2 * size, *given.shape[1:])
        if size:
            forth, back = np.split(made.log_density(KernelPoints(**around)), 2)
            found[b] = (forth - back) / (2 * step)
    return found.reshape(given.shape)


@pytest.mark.parametrize("case", FEW, ids=str)
@pytest.mark.parametrize("layout", [ALL, TWO_ALL], ids=str)
def test_threads_change_nothing(case: FamilyCase, layout: Layout) -> None:
    rows = made_rows(case, replace(layout, sizes=tuple(1 + at % 7 for at in range(60))))
    for n in (1, 8, 21):
        points = made_points(case, rows, n)
        one, three = (kernel(rows, 7, n_threads) for n_threads in (1, 3))
        np.testing.assert_array_equal(one.by_level(points), three.by_level(points))
        for first, second in zip(both_sums(one, points), both_sums(three, points), strict=True):
            np.testing.assert_allclose(first, second, rtol=1e-11, atol=1e-11)  # added up in another order
        np.testing.assert_array_equal(one.effects(points, 5)[0], three.effects(points, 5)[0])
        assert one.remember(points) == pytest.approx(three.remember(points), rel=1e-12)


def both_sums(made: Kernel, points: KernelPoints) -> list[Array]:
    density, slopes = made.gradient(points)
    return [density, *(getattr(slopes, name) for name in POINT_PARTS)]


@pytest.mark.parametrize("layout", [PLAIN, TWO, THREE], ids=str)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_more_nodes_change_next_to_nothing(case: FamilyCase, layout: Layout) -> None:
    rows = made_rows(case, layout)
    points = made_points(case, rows, 8, sd=0.3)
    few = kernel(rows, {1: 15, 2: 15, 3: 9}[layout.n_varying])
    more = few.with_nodes(few.n_nodes + (25 if layout.n_varying < 3 else 10))
    assert (
        np.abs(few.log_density(points) - more.log_density(points)).max() < {1: 1e-6, 2: 1e-6, 3: 1e-4}[layout.n_varying]
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_where_modes_were_searched_before_changes_next_to_nothing(case: FamilyCase) -> None:
    rows = made_rows(case, Layout(2))
    points = made_points(case, rows, 4)
    made = kernel(rows, 41)
    before = made.log_density(points)
    made.remember(made_points(case, rows, 1, sd=2.0, seed=5))
    np.testing.assert_allclose(made.log_density(points), before, atol=1e-7)


def test_auxiliaries_beyond_the_most_precise_stay_there() -> None:
    """Log gamma functions of 1e8 have 1e-7 of an absolute error, in numpy too."""
    for name in ("negbinomial", "beta_binomial", "student", "zero_inflated_negbinomial", "hurdle_negbinomial", "gamma"):
        case = case_of(name)
        rows = made_rows(case)
        a = next(a for a, most in enumerate(rows.aux_most) if np.isfinite(most))
        points = made_points(case, rows, 3)
        for own, value in enumerate((1e8, 3e8, 1e300)):
            points.aux[own] = points.aux[0]
            points.aux[own, a] = value
            points.b[own], points.T[own] = points.b[0], points.T[0]
        made = kernel(rows, 61)
        density, slopes = made.gradient(points)
        np.testing.assert_array_equal(density, density[0])
        assert np.isfinite(slopes.b).all()
        if name != "gamma":  # whose integrand is next to a spike
            less = replace(points, aux=points.aux.copy())
            less.aux[0, a] = 1e7
            both = by_level(rows, less).sum(axis=1)
            assert made.log_density(less)[0] - density[1] == pytest.approx(both[0] - both[1], abs=2e-5)


def test_predicted_auxiliaries_beyond_the_most_precise_stay_there() -> None:
    rows = made_rows(case_of("negbinomial"), Layout(predicted=True))
    points = made_points(case_of("negbinomial"), rows, 2)
    for part in POINT_PARTS:
        getattr(points, part)[1] = getattr(points, part)[0]
    points.b_aux[:] = [[25.0, 0.1], [40.0, 0.3]]
    density, slopes = kernel(rows, 31).gradient(points)
    assert density[0] == density[1]
    np.testing.assert_allclose(slopes.b_aux, 0, atol=1e-4)  # rounding of log gamma functions


@pytest.mark.parametrize("name", ["bernoulli", "poisson", "cumulative"])
def test_other_effects_are_coefficients_of_columns(name: str) -> None:
    case = case_of(name)
    rows = made_rows(case, Layout(2, others=True))
    points = made_points(case, rows)
    columns = np.zeros((rows.n_other, len(rows.y)))
    for code, column in zip(rows.code, rows.V, strict=True):
        columns[code, np.arange(len(rows.y))] += column
    plain = replace(
        rows, X=np.concatenate([rows.X, columns]), code=np.empty((0, 0), np.int64), V=np.empty((0, 0)), n_other=0
    )
    same = replace(points, b=np.concatenate([points.b, points.other], axis=1), other=np.empty((len(points), 0)))
    (one, of_one), (two, of_two) = kernel(rows, 9).gradient(points), kernel(plain, 9).gradient(same)
    np.testing.assert_allclose(one, two, rtol=1e-12)
    np.testing.assert_allclose(np.concatenate([of_one.b, of_one.other], axis=1), of_two.b, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("sd", [0.5, 8.0])
def test_densities_do_not_depend_on_the_points_beside_them(sd: float) -> None:
    case = case_of("bernoulli", "logit")
    rows = made_rows(case, Layout(sizes=(5,) * 60))
    points = made_points(case, rows, 16, sd=sd)
    made = kernel(rows, 15)
    alone = [made.log_density(at(points, index))[0] for index in range(16)]
    np.testing.assert_array_equal(made.log_density(points), alone)
