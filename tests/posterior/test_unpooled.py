"""Estimates of single levels against least squares, level by level."""

import dataclasses

import numpy as np
import pytest

from hierfit.posterior.unpooled import unpooled_estimates

from .family_draws import family_case


@pytest.mark.parametrize("slopes", [0, 1, 2])
def test_unpooled_estimates_are_least_squares_by_level(synthetic, slopes):
    case = synthetic(12, 2, rows=(2, 9), slopes=slopes)
    group = case.design.groups[0]
    found = unpooled_estimates(case.draws, case.design, group)
    held = case.design.X[:, slopes:] @ [case.draws.of(name).mean() for name in case.design.coefficients[slopes:]]
    for level in range(12):
        rows = group.codes == level
        if rows.sum() <= len(group.terms):
            assert np.isnan(found[level]).all()
            continue
        expected = np.linalg.lstsq(group.Z[rows], (case.design.y - held)[rows], rcond=None)[0]
        np.testing.assert_allclose(found[level], expected, rtol=1e-6, atol=1e-8)


def test_a_level_whose_column_is_constant_has_no_estimate_of_its_own(synthetic):
    case = synthetic(5, 1)
    group = case.design.groups[0]
    X = np.where((group.codes == 2)[:, None], 0.7, case.design.X)
    moved = dataclasses.replace(group, Z=np.column_stack([np.ones(len(X)), X]))
    found = unpooled_estimates(case.draws, dataclasses.replace(case.design, X=X, groups=(moved,)), moved)
    assert np.isnan(found[2]).any()
    assert np.isfinite(found[[0, 1, 3, 4]]).all()


def test_weighted_least_squares_by_level():
    case = family_case("gaussian", levels=(5,), rows=10)
    weights = np.random.default_rng(1).uniform(0.5, 3, 50)
    design = dataclasses.replace(case.design, weights=weights)
    group = design.groups[0]
    found = unpooled_estimates(case.draws, design, group)
    for level in range(5):
        rows = group.codes == level
        root = np.sqrt(weights[rows])
        expected = np.linalg.lstsq(group.Z[rows] * root[:, None], design.y[rows] * root, rcond=None)[0]
        np.testing.assert_allclose(found[level], expected, rtol=1e-6)
