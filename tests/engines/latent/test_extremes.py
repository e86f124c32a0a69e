"""The kernel where numbers overflow, underflow or lose digits.

With effects of sd 0 the density of a level is that of its rows, whatever their linear predictors, so those of every
size can be compared with `model.families`, which is held against scipy, at eta from -690 to 690. Where effects are
large a level is held in place by many trials or high counts: its density is near a normal one, and few nodes do.
"""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.engines.latent.kernel import KernelPoints, LatentRows
from hierfit.model.families import FAMILIES
from tests.engines.latent.kernels import CASES, LevelDensity, at, by_level, kernel, only, simple_rows
from tests.engines.latent.models import csv_points, density_of, log_likelihood, model
from tests.family_cases import FamilyCase

pytestmark = pytest.mark.stan

Array = NDArray[np.float64]
ETA = np.array([-690, -500, -400, -300, -160, -80, -30, -5, 0, 5, 30, 80, 160, 300, 400, 500, 690.0])
COUNTS = (0, 1, 1e6)
OUTCOMES = {
    "bernoulli": (0, 1),
    "binomial": (0, 3, 7),
    "beta_binomial": (0, 3, 7),
    "cumulative": (0, 1, 3),
    "gamma": (1e-6, 1, 1e6),
    "beta": (1e-6, 0.4, 1 - 1e-6),
    "student": (0, -5, 1e6),
}


def rows_of(case: FamilyCase, y: Array, **more: object) -> LatentRows:
    """Each outcome in a level of its own."""
    family = FAMILIES[case.family]
    thresholds = {"n_thresholds": 3} if family.has_thresholds else {}
    trials = {"trials": np.full(len(y), 7.0)} if family.has_trials else {}
    return simple_rows(
        case.family, y, np.arange(len(y)), link=family.links.index(case.link), **(trials | thresholds | more)
    )  # type: ignore[arg-type]


def points_at(case: FamilyCase, rows: LatentRows, eta: Array, sd: float) -> KernelPoints:
    n, family = len(eta), FAMILIES[case.family]
    aux = np.array([[(case.auxiliaries or {})[own.name] for own in family.auxiliaries]]).reshape(1, -1)
    threshold = np.array([[-1.0, 0.2, 0.9]]) if family.has_thresholds else np.empty((1, 0))
    more = {"aux": np.repeat(aux, n, axis=0), "threshold": np.repeat(threshold, n, axis=0)}
    return only(rows, b=eta[:, np.newaxis], T=np.full((n, 1, 1), sd), **more)


def rows_alone(rows: LatentRows, points: KernelPoints) -> Array:
    """Log densities of the rows of every level without effects [B, J]."""
    nothing = np.zeros((1, rows.n_varying))
    with np.errstate(over="ignore"):
        return np.array(
            [
                [LevelDensity(rows, at(points, b), j).rows_at(nothing)[0] for j in range(rows.n_levels)]
                for b in range(len(points))
            ]
        )


@pytest.mark.parametrize("ones", [True, False], ids=["", "no ones"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_rows_have_their_density_at_every_predictor(case: FamilyCase, ones: bool) -> None:
    """To 1e-10 of its size: densities of 1e200 and more are compared, too."""
    y = np.array(OUTCOMES.get(case.family, COUNTS), dtype=float)
    rows = rows_of(case, y) if ones else rows_of(case, y, Z=np.full((1, len(y)), 2.0))
    points = points_at(case, rows, ETA, 0.0)
    made = kernel(rows, 5)
    found, expected = made.by_level(points), rows_alone(rows, points)
    middle = int(np.flatnonzero(ETA == 0)[0])
    seen = np.isfinite(expected) & (expected > -1e290)
    assert seen.mean() > 0.8
    apart = (found - found[middle]) - (expected - expected[middle])
    assert np.max(np.abs(apart) / (1 + np.abs(expected)), where=seen, initial=0) < 1e-10
    for each in (replace(points, T=np.full_like(points.T, sd)) for sd in (0.0, 1e-10)):
        density, slopes = made.gradient(each)
        near = seen.all(axis=1)
        for part in (density, slopes.b, slopes.T, slopes.aux, slopes.threshold):
            assert np.isfinite(part[near]).all()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rows_have_their_slope_at_every_predictor(case: FamilyCase) -> None:
    """Against central differences in numpy; curvatures are not negative, and no effect is beyond its sd."""
    y = np.array(OUTCOMES.get(case.family, COUNTS), dtype=float)
    eta = ETA[np.abs(ETA) <= 500]
    for each in y:
        rows = rows_of(case, np.array([each]))
        points = points_at(case, rows, eta, 0.0)
        found = kernel(rows, 5).gradient(points)[1].b[:, 0]
        step = 1e-4
        forth, back = (rows_alone(rows, replace(points, b=points.b + way * step))[:, 0] for way in (1, -1))
        expected = (forth - back) / (2 * step)
        rounding = (
            1e-15 * (1 + each) * (20 + np.abs(eta) + np.abs(forth) / (1 + each)) / step
            if each > 0
            else 1e-15 * np.abs(forth) / step
        )
        seen = np.isfinite(expected) & (np.abs(expected) < 1e290)
        assert np.all(np.abs(found - expected)[seen] <= (1e-6 * (1 + np.abs(expected)) + rounding)[seen])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_effects_of_no_size_leave_the_rows_alone(case: FamilyCase) -> None:
    rows = rows_of(case, np.array(OUTCOMES.get(case.family, COUNTS), dtype=float)[:2])
    points = points_at(case, rows, np.array([-1.0, 0.0, 1.0]), 1e-10)
    expected = rows_alone(rows, points)
    found = kernel(rows, 7).by_level(points)
    np.testing.assert_allclose(found - found[0], expected - expected[0], atol=1e-9)


def held(family: str, offset: float, *, long: bool, n_varying: int = 1) -> tuple[LatentRows, KernelPoints]:
    """Levels of many trials or high counts far from 0, the effects being of sd 150: they carry all rows to about 0.

    `long`: the same model with twice the intercept's column and half its effects, which has no short form.
    """
    n = 6
    level, rng = np.repeat([0, 1], 3), np.random.default_rng(2)
    high = {
        "binomial": 5e5 + 300 * np.arange(n),
        "poisson": 1e6 + 300 * np.arange(n),
        "negbinomial": 1e4 + 10 * np.arange(n),
    }
    Z = np.ones((1, n)) if n_varying == 1 else np.stack([rng.normal(size=n), np.ones(n)])
    T = 150.0 * np.eye(n_varying) + (np.array([[0, 0], [30.0, 0]]) if n_varying == 2 else 0)
    if long:
        Z[-1], T[-1] = 2, T[-1] / 2
    more = {"trials": np.full(n, 1e6)} if family == "binomial" else {}
    rows = simple_rows(family, high[family], level, Z=Z, fixed=np.full(n, offset), **more)
    aux = {"aux": np.full((2, 1), 5e3)} if family == "negbinomial" else {}
    return rows, only(rows, b=np.array([[0.0], [0.3]]), T=np.stack([T, 0.8 * T]), **aux)


OFFSETS = [-800.0, -650.0, -90.0, -30.0, 0.0, 70.0, 90.0, 150.0]  # Newton steps down an exponential are of length 1
HELD = [("poisson", offset) for offset in OFFSETS]
HELD += [(name, offset) for name in ("binomial", "negbinomial") for offset in (*OFFSETS, 650.0, 720.0, 760.0, 900.0)]


@pytest.mark.parametrize("n_varying", [1, 2])
@pytest.mark.parametrize(("family", "offset"), HELD)
def test_short_and_long_forms_are_the_same(family: str, offset: float, n_varying: int) -> None:
    rows, points = held(family, offset, long=False, n_varying=n_varying)
    same, as_points = held(family, offset, long=True, n_varying=n_varying)
    (found, slopes), (expected, of_expected) = (
        kernel(*pair).gradient(each) for pair, each in (((rows, 9), points), ((same, 9), as_points))
    )
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-5)  # effects of 700 have 1e-13 of an absolute error,
    np.testing.assert_allclose(slopes.b, of_expected.b, rtol=1e-4, atol=1e-4)  # times counts of 1e6
    moved, again = kernel(rows, 9).effects(points, 3)[0], kernel(same, 9).effects(as_points, 3)[0]
    again[..., -1] *= 2
    np.testing.assert_allclose(moved, again, rtol=1e-3, atol=1e-2)  # a tenth of their sds, or twice


@pytest.mark.parametrize(("family", "offset"), HELD)
def test_levels_far_off_are_found(family: str, offset: float) -> None:
    """With effects that take an offset back, a density differs from that without either by that of the effects."""
    rows, points = held(family, offset, long=False)
    found, expected = (kernel(each, 9).by_level(points) for each in (rows, replace(rows, fixed=np.zeros(len(rows.y)))))
    center = {"binomial": 0.0, "poisson": np.log(1e6), "negbinomial": np.log(1e4)}[family] - points.b[:, 0]
    of_effects = -0.5 * ((center - offset) ** 2 - center**2) / points.T[:, 0, 0] ** 2
    np.testing.assert_allclose(found - expected, np.repeat(of_effects[:, np.newaxis], 2, axis=1), atol=1e-3)


@pytest.mark.parametrize(("sd", "tolerance"), [(3.0, 4e-3), (10.0, 0.1), (150.0, 0.5)])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_levels_that_say_where_they_are_not(case: FamilyCase, sd: float, tolerance: float) -> None:
    """All zeros, or all as high as can be, in eight rows or one, where the integrand is a step: 31 nodes, the most that
    the engine takes, leave an error of up to 0.5 of a level where sds of effects are 150. Nothing is infinite."""
    y = np.array(OUTCOMES.get(case.family, (0, 5)), dtype=float)
    if case.family in ("gamma", "beta", "student"):
        y = np.array([0.3, 0.7])
    outcome, start = np.concatenate([np.repeat(y[[0, -1]], 8), y[[0, -1]]]), np.array([0, 8, 16, 17, 18])
    rows = replace(rows_of(case, outcome), start=start, Z=np.ones((1, 18)))
    points = points_at(case, rows, np.array([-1.0, 0.0, 1.0]), sd)
    made = kernel(rows, 31)
    assert np.ptp(made.by_level(points) - by_level(rows, points), axis=0).max() < tolerance
    slopes = made.gradient(points)[1]
    assert np.isfinite(slopes.b).all() and np.isfinite(slopes.T).all()
    u, moved = made.effects(points, 1)
    assert np.isfinite(u).all() and moved > 0.4


@pytest.mark.parametrize("way", [-1, 1])
@pytest.mark.parametrize("name", ["zero_inflated_poisson", "hurdle_negbinomial"])
def test_probabilities_of_zeros_may_round_to_0_or_1(name: str, way: int) -> None:
    """With a predictor, and for all rows, against the densities of the model, whose probabilities end at 1 - 2^-53."""
    spec, design = model(name, "y ~ a + (1 | g); " + ("zi" if name.startswith("zero") else "hu") + " ~ a")
    density = density_of(spec, design)
    start = np.repeat(density.parameters.start[np.newaxis], 2, axis=0)
    at = sum(density.parameters.sizes[:2])
    start[:, at] = way * np.array([36.0, 60.0])
    values, slopes, _ = density.slopes(start)
    assert np.isfinite(values).all() and np.isfinite(slopes).all()
    expected = [log_likelihood(spec, design, point) for point in csv_points(spec, design, density, start)]
    found = density.kernel.log_density(density.parameters.values(start).points)
    assert np.ptp(found - expected) < 1e-6 * np.abs(expected).max()
