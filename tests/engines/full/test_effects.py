"""The way back from z to the effects; the linear predictor that they make is in tests/posterior/test_collect.py."""

import numpy as np
from numpy.typing import NDArray

from hierfit.design.building import build_design
from hierfit.design.prior_choice import build_spec
from hierfit.engines.full.effects import effects_of
from hierfit.engines.full.engine import FULL
from hierfit.model.formula_text import parse_formula
from hierfit.stan.theta import part
from tests.engines.test_back import OPTIONS
from tests.fake_sampling import fake_sampling
from tests.model.cases import nested_table

Array = NDArray[np.float64]


def test_an_inner_level_that_is_centred_counts_from_the_total_around_it() -> None:
    """Of g the even levels hold the total; h, around it, is seen over its sd, its mean swept out."""
    formula = parse_formula("y ~ 1 + (1 | g) + (1 | h)")
    design = build_design(formula, nested_table())
    narrowed = np.where(np.arange(12) % 2, 1.0, 0.5)
    narrowed[8:] = 1.0
    data = FULL.data(build_spec(formula, design), design, narrowed=narrowed)
    variables = fake_sampling(data, OPTIONS).variables
    assert "partial" not in variables
    found = effects_of(variables, data)
    z, sd = variables["z"], variables["sd"] / part(data["theta_scale"], "sd", data)
    h = sd[..., 1:] * z[..., 8:]
    np.testing.assert_allclose(found.own[1][..., 0, :], h)
    np.testing.assert_allclose(found.in_b[..., 0], h.mean(axis=-1))
    b = variables["b"] / part(data["theta_scale"], "b", data)
    mean = b + h - h.mean(axis=-1, keepdims=True)  # the intercept is in that of g
    np.testing.assert_allclose(found.own[0][..., 0, 0::2], z[..., 0:8:2] - mean)  # two levels of g in each of h
    np.testing.assert_allclose(found.own[0][..., 0, 1::2], sd[..., :1] * z[..., 1:8:2])


def test_without_coefficients_there_are_effects_all_the_same() -> None:
    formula = parse_formula("y ~ 0 + (1 | g)")
    design = build_design(formula, nested_table())
    data = FULL.data(build_spec(formula, design), design, narrowed=np.ones(8))
    variables = fake_sampling(data, OPTIONS).variables
    assert "b" not in variables
    own = effects_of(variables, data).own[0]
    np.testing.assert_allclose(own[..., 0, :], variables["sd"] / part(data["theta_scale"], "sd", data) * variables["z"])
