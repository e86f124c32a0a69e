"""Where the sampler's intercepts are: what it sees must not depend on where a column has its 0."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.design.origin import moved_scales, x_at_prior, x_center, z_at_prior, z_center
from hierfit.design.prior_choice import build_spec
from hierfit.engines.collapsed.engine import COLLAPSED
from hierfit.engines.engine import Engine
from hierfit.engines.full.engine import FULL
from hierfit.engines.marginal.products import multiply_out
from hierfit.model.formula_text import parse_formula
from hierfit.model.spec import ModelSpec
from tests.family_cases import FAMILY_CASES, FORMULA, family_design
from tests.model.cases import crossed_table

Array = NDArray[np.float64]
ONE, TWO = "y ~ a + b + (1 + a + b | g)", "y ~ a + (1 + a | g) + (1 + a + b | h)"
SHIFTS = [20.0, 200.0, 2_000.0, 1e6]
# Numbers of a shifted column are rounded to shift x 1e-16, and sums of forty of them by ten times that.
ROUNDING = 1e-14


def shifted(text: str, shift: float, *priors: str, centered: bool = True) -> tuple[ModelSpec, Design]:
    """Return the model of a formula whose columns a and b are higher."""
    source, formula = crossed_table(), parse_formula(text)
    numbers = {name: column + shift * (name in ("a", "b")) for name, column in source.numbers.items()}
    design = build_design(formula, replace(source, numbers=numbers), centered=centered)
    return build_spec(formula, design, priors), design


def assert_same(found: dict[str, Any], expected: dict[str, Any], shift: float) -> None:
    assert found.keys() == expected.keys()
    for name in found.keys() - {"X_at_prior", "Z_at_prior"}:
        size = float(np.abs(np.asarray(expected[name], dtype=float)).max(initial=1.0))
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=shift * ROUNDING * size, err_msg=name)


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize(("text", "engine"), [(ONE, COLLAPSED), (ONE, FULL), (TWO, FULL)])
def test_the_stan_programs_see_the_same_wherever_a_column_has_its_0(text: str, engine: Engine, shift: float) -> None:
    seen = [dict(engine.data(*shifted(text, by))) for by in (0.0, shift)]
    assert_same(seen[1], seen[0], shift)
    assert not seen[1]["Z_at_prior"].any()


@pytest.mark.parametrize("shift", SHIFTS)
def test_so_do_the_chains_of_several_factors(shift: float) -> None:
    near, far = (multiply_out(*shifted(TWO, by)) for by in (0.0, shift))
    np.testing.assert_allclose(far.own, near.own, atol=shift * ROUNDING * np.abs(near.own).max())
    np.testing.assert_allclose(far.cross.rest, near.cross.rest, atol=shift * ROUNDING * np.abs(near.cross.rest).max())


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_priors_at_0_change_where_they_speak_and_not_what_the_sampler_sees(case: Any) -> None:
    seen = []
    for centered in (True, False):
        design = family_design(case, centered=centered)
        narrowed = np.array([0.4, 1.0, 0.6])
        seen.append(dict(FULL.data(build_spec(FORMULA, design, case.priors), design, narrowed=narrowed)))
    for name in ("X", "Z", "level_X", "slope", "in_rows"):
        np.testing.assert_allclose(seen[0][name], seen[1][name], err_msg=name)
    assert not seen[0]["X_at_prior"].any() and seen[1]["X_at_prior"].any()
    assert not seen[0]["Z_at_prior"].any() and seen[1]["Z_at_prior"].any()


def test_the_sampler_stays_at_0_where_a_prior_binds_there() -> None:
    spec, design = shifted(ONE, 20, "Intercept ~ uniform(-500, 500)", "sd(g) ~ constant(40)", centered=False)
    assert not x_center(spec, design).any() and not z_center(spec, design.groups[0]).any()
    assert not x_at_prior(spec, design).any() and not z_at_prior(spec, design.groups[0]).any()
    spec, design = shifted(ONE, 20, "Intercept ~ cauchy(0, 50)", "sd(g) ~ exponential(0.1)", centered=False)
    np.testing.assert_allclose(x_center(spec, design), design.X.mean(axis=0))
    np.testing.assert_allclose(z_at_prior(spec, design.groups[0]), x_at_prior(spec, design))


@pytest.mark.parametrize("text", ["y ~ a + (1 + a || g)", "y ~ a + (0 + a + b | g)"])
def test_without_correlated_intercepts_columns_stay_as_they_are(text: str) -> None:
    spec, design = shifted(text, 20)
    assert not z_center(spec, design.groups[0]).any()
    assert not any(parameter.name.endswith("Intercept_at_mean)") for parameter in spec.parameters)


def test_moved_scales_are_those_of_moved_effects() -> None:
    rng = np.random.default_rng(1)
    T = np.tril(rng.normal(size=(5, 3, 3))) + np.eye(3)
    V = T @ np.swapaxes(T, 1, 2)
    distance, below = np.array([0.0, 3.0, -2.0]), np.tril_indices(3, -1)

    def scales(V: Array) -> tuple[Array, Array]:
        sd = np.sqrt(np.diagonal(V, axis1=1, axis2=2))
        return sd, (V / (sd[:, :, None] * sd[:, None, :]))[:, *below]

    way = np.eye(3) + np.outer([1, 0, 0], distance)
    moved = moved_scales(*scales(V), distance)
    for found, expected in zip(moved, scales(way @ V @ way.T), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    for found, expected in zip(moved_scales(*moved, -distance), scales(V), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_an_sd_of_0_is_moved_too() -> None:
    sd, cor = moved_scales(np.zeros((1, 2)), np.array([[0.5]]), np.array([0.0, 3.0]))
    assert sd.tolist() == [[0.0, 0.0]] and cor.tolist() == [[0.0]]
    sd, cor = moved_scales(np.array([[2.0, 0.0]]), np.array([[0.5]]), np.array([0.0, 3.0]))
    assert sd.tolist() == [[2.0, 0.0]] and cor.tolist() == [[0.5]]
