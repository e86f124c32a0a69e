"""Densities of sets of rows by nodes and by points, against integrals on fine grids."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from hierfit.model.families import FAMILIES
from hierfit.posterior.compare import quadrature
from hierfit.posterior.compare.integrated import level_density
from hierfit.posterior.compare.quadrature import drawn_density, hermite, is_quadrable, levels_of, nodes_for
from hierfit.posterior.log_likelihood import LogLikelihood
from hierfit.posterior.predict.new_levels import level_scales

from ..family_draws import family_case
from .cases import nested_case, shuffled

PICKS = (0, 31, 99)
FAMILY = ["bernoulli", "binomial", "poisson", "negbinomial", "cumulative", "gamma", "beta", "student",
          "zero_inflated_poisson", "hurdle_poisson", "beta_binomial"]  # fmt: skip


def conditional(case, rows, pick, factors):
    """The log likelihood of rows under one draw as a function of what is added to their predictors [points, rows]."""
    likelihood = LogLikelihood(case.draws, case.design).some(np.array([pick]))
    design, family = case.design, FAMILIES[case.design.family]
    eta, auxiliaries = likelihood.predictor(rows, factors), likelihood.auxiliaries(rows)
    trials = np.ones(len(rows)) if design.trials is None else design.trials[rows]
    weights = likelihood.weights(rows)

    def at(added):
        logs = family.log_density_at(design.y[rows], eta + added, design.link, auxiliaries, trials)
        return (weights * logs).sum(axis=-1)

    return at


def integral_of_one(case, rows, pick, group, n=4001):
    """The log density of rows of a level, an effect integrated out: the trapezoidal rule, exact where all is smooth."""
    at, sd = conditional(case, rows, pick, (group.factor,)), float(level_scales(case.draws, group)[pick, 0, 0])
    grid = np.linspace(-9, 9, n) * sd
    logs = at(np.outer(grid, group.Z[rows, 0])) + stats.norm.logpdf(grid, 0, sd)
    return logsumexp(logs) + np.log(grid[1] - grid[0])


def integral_of_two(case, rows, pick, group, n=241):
    """The same of two effects."""
    at, T = conditional(case, rows, pick, (group.factor,)), level_scales(case.draws, group)[pick]
    places = np.linspace(-8, 8, n)
    points = np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)
    logs = at(points @ T.T @ group.Z[rows].T) - (points**2).sum(axis=1) / 2 - np.log(2 * np.pi)
    return logsumexp(logs) + 2 * np.log(places[1] - places[0])


@pytest.mark.parametrize("family", FAMILY)
def test_one_effect_against_a_grid(family):
    case = family_case(family, levels=(8,), rows=6, slope=False, n_draws=25)
    (group,) = case.design.groups
    levels = levels_of(LogLikelihood(case.draws, case.design), group)
    nodes, error = nodes_for(levels)
    assert error < quadrature.ENOUGH
    found = np.concatenate([levels.density(rows, nodes) for rows in levels.batches(np.arange(8))], axis=1)
    for level in (0, 3, 7):
        rows = np.flatnonzero(group.codes == level)
        for pick in PICKS:
            assert found[pick, level] == pytest.approx(integral_of_one(case, rows, pick, group), abs=0.005)


@pytest.mark.parametrize("family", ["bernoulli", "poisson"])
def test_two_effects_against_a_grid(family):
    case = family_case(family, levels=(6,), rows=8, n_draws=25)
    (group,) = case.design.groups
    levels = levels_of(LogLikelihood(case.draws, case.design), group)
    nodes, _ = nodes_for(levels)
    found = np.concatenate([levels.density(rows, nodes) for rows in levels.batches(np.arange(6))], axis=1)
    for level, pick in ((0, 0), (5, 99)):
        rows = np.flatnonzero(group.codes == level)
        assert found[pick, level] == pytest.approx(integral_of_two(case, rows, pick, group), abs=0.005)


def test_blocks_of_rows_and_draws_change_nothing():
    case = family_case("poisson", levels=(6,), rows=8, n_draws=25)
    (group,) = case.design.groups
    levels, nodes = levels_of(LogLikelihood(case.draws, case.design), group), hermite(7, 2)
    wanted = np.array([1, 4, 5])
    whole = levels.density(next(levels.batches(wanted, 10**7)), nodes)
    for numbers in (1, 500, 3_000):
        parts = [levels.density(rows, nodes, numbers=numbers) for rows in levels.batches(wanted, numbers)]
        # where the search for a mode stops depends on the slowest of a block
        np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=2e-3)
    picks = np.array([3, 50, 99])
    np.testing.assert_allclose(
        levels.density(next(levels.batches(wanted, 10**7)), nodes, picks), whole[picks], atol=2e-3
    )


def test_weights_count():
    case = family_case("bernoulli", levels=(4,), rows=6, slope=False, n_draws=10)
    (group,) = case.design.groups
    often = np.arange(24) % 3
    twice = np.repeat(np.arange(24), often)
    again = replace(
        case.design, y=case.design.y[twice], X=case.design.X[twice], lines=case.design.lines[twice],
        groups=(replace(group, codes=group.codes[twice], Z=group.Z[twice]),),
    )  # fmt: skip
    weighted = replace(case.design, weights=often.astype(float))
    found = []
    for design in (weighted, again):
        levels = levels_of(LogLikelihood(case.draws, design), design.groups[0])
        found.append(levels.density(next(levels.batches(np.arange(4), 10**7)), hermite(9, 1)))
    np.testing.assert_allclose(*found, atol=1e-3)


def test_points_agree_with_nodes_and_with_the_closed_form():
    """The mean over draws of estimated densities is that of the densities, for one factor, and for two nested ones."""
    case = family_case("bernoulli", levels=(6,), rows=8, n_draws=250)
    (group,) = case.design.groups
    likelihood, rng = LogLikelihood(case.draws, case.design), np.random.default_rng(5)
    levels = levels_of(likelihood, group)
    rows = next(levels.batches(np.array([2]), 10**7))
    exact = levels.density(rows, hermite(15, 2))[:, 0]
    found = drawn_density(likelihood, rows, [group], [level_scales(case.draws, group)], rng)
    assert np.log(np.exp(found - exact).mean()) == pytest.approx(0, abs=0.02)  # 1,000 draws of about 0.1
    assert 0.01 < (found - exact).std() < 0.5
    case = shuffled(nested_case())
    likelihood, groups = LogLikelihood(case.draws, case.design), case.design.groups
    scales = [level_scales(case.draws, group) for group in groups]
    rows = np.flatnonzero(groups[0].codes == 3)
    exact = level_density(likelihood, rows, groups, scales)
    for numbers in (100, 10**6):
        found = drawn_density(likelihood, rows, groups, scales, rng, numbers)
        assert np.log(np.exp(found - exact).mean()) == pytest.approx(0, abs=0.15)


@pytest.mark.parametrize("sd", [0.0, 1e-9, 30.0])
def test_sds_of_any_size_are_survived(sd):
    case = family_case("bernoulli", levels=(6,), rows=8, n_draws=10)
    names = [parameter.name for parameter in case.draws.parameters]
    values = case.draws.values.copy()
    values[..., [names.index("sd(school)"), names.index("sd(school: ses)")]] = sd
    (group,) = case.design.groups
    likelihood = LogLikelihood(replace(case.draws, values=values), case.design)
    levels = levels_of(likelihood, group)
    found = levels.density(next(levels.batches(np.arange(6), 10**7)), nodes_for(levels)[0])
    assert np.isfinite(found).all()
    if sd < 1:
        rows = np.arange(48)
        none = likelihood.predictor(rows, ("school",))
        alone = -np.logaddexp(0, np.where(case.design.y > 0, -none, none))
        np.testing.assert_allclose(found, alone.reshape(40, 6, 8).sum(axis=2), atol=1e-6)


def test_rare_events_take_more_nodes_than_plenty():
    """All rows 0 and a large sd: the integrand is far from normal, and a rule of few nodes is off."""
    case = family_case("bernoulli", levels=(6,), rows=8, slope=False, n_draws=10)
    names = [parameter.name for parameter in case.draws.parameters]
    values = case.draws.values.copy()
    values[..., names.index("sd(school)")] = 6.0
    rare = LogLikelihood(replace(case.draws, values=values), replace(case.design, y=np.zeros(48)))
    levels = levels_of(rare, case.design.groups[0])
    nodes, error = nodes_for(levels)
    assert len(nodes.x) > 7 and error < quadrature.ENOUGH
    rows = np.flatnonzero(case.design.groups[0].codes == 2)
    changed = replace(case, draws=rare.draws, design=rare.design)
    expected = integral_of_one(changed, rows, 5, case.design.groups[0])
    assert levels.density(rows, nodes)[5, 0] == pytest.approx(expected, abs=0.01)


def test_which_effects_nodes_are_for():
    case = family_case("bernoulli", levels=(6, 4), n_draws=10)
    school, item = case.design.groups
    assert is_quadrable(case.design, [school]) and is_quadrable(case.design, [item])
    assert not is_quadrable(case.design, [school, item])
    assert not is_quadrable(case.design, [replace(school, parameters=(None, "sigma"))])
    assert not is_quadrable(case.design, [replace(school, terms=("Intercept", "a", "b"))])
