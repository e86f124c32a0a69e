"""Densities with effects integrated out against scipy's multivariate normal distribution."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from hierfit.model.families import FAMILIES
from hierfit.posterior.compare.integrated import is_integrable, level_density, levels, rows_given_others
from hierfit.posterior.log_likelihood import LogLikelihood
from hierfit.posterior.predict.new_levels import level_scales

from .cases import CASES, covariance, plain_case

PICKS = (0, 31, 99)


@pytest.fixture(params=CASES, scope="module")
def case(request):
    return CASES[request.param]()


def log_density(case, rows, pick, factors):
    mean, V = covariance(case, rows, pick, factors)
    y = case.design.y[rows]
    if FAMILIES[case.design.family].is_normal:
        return stats.multivariate_normal.logpdf(y, mean, V)
    return stats.multivariate_normal.logpdf(np.log(y), mean, V) - np.log(y).sum()


def given_others(case, group, wanted, numbers=10**6):
    found = {}
    for rows, density in rows_given_others(LogLikelihood(case.draws, case.design), group, wanted, numbers):
        found.update(zip(rows.tolist(), density.T, strict=True))
    return found


@pytest.mark.parametrize("numbers", [1, 2_000, 10**6])
def test_levels_have_the_density_of_their_rows(case, numbers):
    group = case.design.groups[0]
    likelihood = LogLikelihood(case.draws, case.design)
    found = np.concatenate(list(levels(likelihood, group, numbers)), axis=1)
    assert found.shape == (likelihood.n_draws, group.n_levels)
    for level in (0, 3, group.n_levels - 1):
        rows = np.flatnonzero(group.codes == level)
        for pick in PICKS:
            assert found[pick, level] == pytest.approx(log_density(case, rows, pick, [group.factor]), rel=1e-9)


@pytest.mark.parametrize("numbers", [1, 2_000, 10**6])
def test_a_row_has_its_density_given_the_others_of_its_level(case, numbers):
    group = case.design.groups[-1]
    wanted = np.array([2, 3, 17, case.design.n_rows - 1])
    found = given_others(case, group, wanted, numbers)
    assert sorted(found) == sorted(wanted.tolist())
    for row in wanted.tolist():
        rows = np.flatnonzero(group.codes == group.codes[row])
        for pick in PICKS:
            whole = log_density(case, rows, pick, [group.factor])
            others = log_density(case, rows[rows != row], pick, [group.factor]) if len(rows) > 1 else 0.0
            assert found[row][pick] == pytest.approx(whole - others, rel=1e-8)


@pytest.mark.parametrize("numbers", [1, 3_000, 10**6])
def test_what_varies_within_a_level_is_integrated_out_with_it(numbers):
    case = CASES["shuffled nested"]()
    likelihood, groups = LogLikelihood(case.draws, case.design), case.design.groups
    scales = [level_scales(case.draws, group) for group in groups]
    for level in (0, 5):
        rows = np.flatnonzero(groups[0].codes == level)
        both = level_density(likelihood, rows, groups, scales, numbers)
        inner = level_density(likelihood, rows, groups[1:], scales[1:], numbers)
        none = level_density(likelihood, rows, [], [], numbers)
        for pick in PICKS:
            assert both[pick] == pytest.approx(log_density(case, rows, pick, ["school", "item"]), rel=1e-9)
            assert inner[pick] == pytest.approx(log_density(case, rows, pick, ["item"]), rel=1e-9)
            assert none[pick] == pytest.approx(log_density(case, rows, pick, []), rel=1e-9)


def test_a_weight_stands_for_equal_rows():
    """Weights 0, 1, 2 and 3 are those of rows that are not there, once, twice and three times."""
    made = plain_case()
    weights = (np.arange(made.design.n_rows) % 4).astype(float)
    weighted = replace(made, design=replace(made.design, weights=weights))
    often = np.repeat(np.arange(len(weights)), weights.astype(int))
    (group,) = made.design.groups
    repeated = replace(
        made.design, y=made.design.y[often], X=made.design.X[often], lines=made.design.lines[often],
        groups=(replace(group, codes=group.codes[often], Z=group.Z[often]),),
    )  # fmt: skip
    one, other = (LogLikelihood(made.draws, design) for design in (weighted.design, repeated))
    scales = [level_scales(made.draws, group)]
    for level in range(8):
        rows, again = (np.flatnonzero(own.groups[0].codes == level) for own in (weighted.design, repeated))
        np.testing.assert_allclose(
            level_density(one, rows, weighted.design.groups, scales),
            level_density(other, again, repeated.groups, scales),
        )
    np.testing.assert_allclose(
        *(np.concatenate(list(levels(own, own.design.groups[0])), axis=1) for own in (one, other))
    )
    found = given_others(weighted, group, np.arange(8))
    for row in range(4):  # all copies of a row are left out together
        rows = np.flatnonzero(group.codes == group.codes[row])
        left = replace(weighted.design, weights=np.where(np.arange(len(weights)) == row, 0.0, weights))
        without = level_density(LogLikelihood(made.draws, left), rows, left.groups, scales)
        whole = level_density(one, rows, weighted.design.groups, scales)
        np.testing.assert_allclose(found[row], whole - without, atol=1e-9)


@pytest.mark.parametrize("sd", [0.0, 1e-9, 1e3, 1e6, 1e12])
def test_sds_of_any_size_are_survived(sd):
    case = plain_case()
    names = [parameter.name for parameter in case.draws.parameters]
    values = case.draws.values.copy()
    values[..., [names.index("sd(school)"), names.index("sd(school: ses)")]] = sd
    (group,) = case.design.groups
    alone = replace(
        group,
        codes=np.arange(case.design.n_rows, dtype=np.int32),
        labels=tuple(map(str, range(99)))[: case.design.n_rows],
    )
    for own in (group, alone):
        likelihood = LogLikelihood(replace(case.draws, values=values), replace(case.design, groups=(own,)))
        for rows, density in rows_given_others(likelihood, own, np.arange(case.design.n_rows)):
            assert density.shape == (100, len(rows)) and np.isfinite(density).all()
        assert all(np.isfinite(density).all() for density in levels(likelihood, own))


def test_which_effects_can_be_integrated_out():
    design = CASES["crossed"]().design
    assert is_integrable(design, ["school"]) and is_integrable(design, ["school", "item"]) and is_integrable(design, [])
    assert is_integrable(CASES["lognormal"]().design, ["school"])
    assert not is_integrable(replace(design, family="student"), ["school"])
    group = replace(design.groups[0], parameters=(None, "sigma"))
    assert not is_integrable(replace(design, groups=(group,)), ["school"])
    assert is_integrable(replace(design, groups=(group,)), ["item"])
