"""Rows and levels left out of a normal model with groups, whose densities without them are known in closed form."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from hierfit.errors import UsageError
from hierfit.posterior.compare import parts
from hierfit.posterior.compare.left_out import leave_out
from hierfit.posterior.compare.parts import leave_levels_out, leave_rows_out
from hierfit.posterior.compare.quadrature import hermite, levels_of
from hierfit.posterior.log_likelihood import LogLikelihood

from ..family_draws import family_case
from .cases import nested_case

SD, SLOPE_SD, SIGMA, PRIOR_SD, CHAINS, DRAWS = 2.0, 1.0, 1.0, 5.0, 4, 1_000
N_LEVELS, ROWS = 12, 3


def exact_case():
    """y ~ 1 + ses + (1 + ses | school) with known sds and sigma, normal(0, PRIOR_SD) coefficients, and exact draws.

    Three rows for each school, of which the draws of its two effects say much more than of the coefficients.
    """
    made = family_case("gaussian", levels=(N_LEVELS,), rows=ROWS, chains=CHAINS, n_draws=DRAWS)
    (group,), n = made.design.groups, made.design.n_rows
    rng = np.random.default_rng(4)
    X = np.column_stack([np.ones(n), made.design.X])
    W = np.zeros((n, 2 * N_LEVELS))
    W[np.arange(n), 2 * group.codes], W[np.arange(n), 2 * group.codes + 1] = group.Z.T
    columns = np.column_stack([X, W])
    prior = np.concatenate([np.full(2, PRIOR_SD), np.tile([SD, SLOPE_SD], N_LEVELS)])
    y = columns @ rng.normal(0, prior) + SIGMA * rng.normal(size=n)
    covariance = np.linalg.inv(columns.T @ columns / SIGMA**2 + np.diag(prior**-2.0))
    drawn = rng.multivariate_normal(covariance @ columns.T @ y / SIGMA**2, covariance, size=CHAINS * DRAWS)
    known = {
        "Intercept": drawn[:, 0],
        "ses": drawn[:, 1],
        "sd(school)": SD,
        "sd(school: ses)": SLOPE_SD,
        "sigma": SIGMA,
    }
    values = [np.broadcast_to(known[each.name], CHAINS * DRAWS) for each in made.draws.parameters]
    draws = replace(
        made.draws,
        values=np.stack(values, axis=1).reshape(CHAINS, DRAWS, -1),
        effects={"school": drawn[:, 2:].reshape(CHAINS, DRAWS, N_LEVELS, 2)},
    )
    marginal = columns @ np.diag(prior**2) @ columns.T + SIGMA**2 * np.eye(n)
    return LogLikelihood(draws, replace(made.design, y=y)), marginal


@pytest.fixture(scope="module")
def exact():
    return exact_case()


def known(likelihood, marginal, left):
    """The log density of rows given all others, of the joint normal distribution of all."""
    y, everything = likelihood.design.y, np.arange(likelihood.design.n_rows)
    kept = np.setdiff1d(everything, left)
    whole = stats.multivariate_normal.logpdf(y, np.zeros(len(y)), marginal)
    return whole - stats.multivariate_normal.logpdf(y[kept], np.zeros(len(kept)), marginal[np.ix_(kept, kept)])


def test_rows_are_those_of_refits(exact):
    likelihood, marginal = exact
    found = leave_rows_out(likelihood, 1.0)
    expected = np.array([known(likelihood, marginal, [row]) for row in range(36)])
    assert found.elpd.sum() == pytest.approx(expected.sum(), abs=0.3)
    assert np.all(np.abs(found.elpd - expected) < np.maximum(5 * found.mcse, 0.01))
    assert len(found.doubtful) == 0
    plain = leave_out(map(likelihood.of, likelihood.blocks()), 1.0)
    assert len(plain.doubtful) > 5  # given effects, rows can hardly be left out of the draws
    assert abs(plain.elpd.sum() - expected.sum()) > 5 * abs(found.elpd.sum() - expected.sum())
    # with the row or without: the density of rows that were seen is the same, however the rest is found
    np.testing.assert_allclose(found.elpd + found.p, plain.elpd + plain.p)


def test_levels_are_those_of_refits(exact):
    likelihood, marginal = exact
    (group,) = likelihood.design.groups
    heard = []
    found = leave_levels_out(likelihood, group, 1.0, heard.append)
    expected = np.array([known(likelihood, marginal, np.flatnonzero(group.codes == j)) for j in range(N_LEVELS)])
    assert np.all(np.abs(found.elpd - expected) < np.maximum(5 * found.mcse, 0.01)) and len(found.doubtful) == 0
    assert heard[-1] == N_LEVELS


def test_levels_of_a_factor_that_the_model_does_not_have():
    case = family_case("poisson", levels=(6, 4), n_draws=50)
    school, item = case.design.groups
    likelihood = LogLikelihood(case.draws, replace(case.design, groups=(item,)))
    found = leave_levels_out(likelihood, school, 1.0)
    rows = likelihood.of(np.arange(72))
    summed = np.stack([rows[:, school.codes == level].sum(axis=1) for level in range(6)], axis=1)
    np.testing.assert_allclose(found.elpd, leave_out([summed], 1.0).elpd)


@pytest.mark.parametrize("numbers", [1, 4_000, 10**6])
def test_levels_that_hold_levels_and_blocks(numbers, monkeypatch):
    case = nested_case()
    likelihood, (school, item) = LogLikelihood(case.draws, case.design), case.design.groups
    whole = leave_levels_out(likelihood, school, 0.7)
    inner = leave_levels_out(likelihood, item, 0.7)
    assert (len(whole.elpd), len(inner.elpd)) == (6, 24)
    monkeypatch.setattr(parts, "BLOCK_NUMBERS", numbers)
    np.testing.assert_allclose(leave_levels_out(likelihood, school, 0.7).elpd, whole.elpd)
    # and in whatever order levels are numbered
    renumbered = replace(school, codes=(5 - school.codes).astype(np.int32), labels=school.labels[::-1])
    np.testing.assert_allclose(leave_levels_out(likelihood, renumbered, 0.7).elpd, whole.elpd[::-1])


def densities(likelihood, group, nodes=19):
    """The log density of every level under every draw, by more nodes than are needed [S, J]."""
    levels = levels_of(likelihood, group)
    fine = hermite(nodes, len(group.terms))
    return np.concatenate([levels.density(rows, fine) for rows in levels.batches(np.arange(group.n_levels))], axis=1)


@pytest.mark.parametrize("family", ["bernoulli", "poisson", "cumulative"])
def test_levels_of_other_families_are_left_out_by_nodes(family):
    case = family_case(family, levels=(8, 4), n_draws=50)
    likelihood, school = LogLikelihood(case.draws, case.design), case.design.groups[0]
    heard = []
    found = leave_levels_out(likelihood, school, 0.7, heard.append)
    expected = leave_out([densities(likelihood, school)], 0.7)
    np.testing.assert_allclose(found.elpd, expected.elpd, atol=0.01)
    np.testing.assert_allclose(found.elpd + found.p, expected.elpd + expected.p, atol=0.01)
    assert heard[-1] == 8


def test_levels_within_a_level_of_another_family_are_left_out_together():
    """Classes in schools, where schools have no effects of their own: the classes of a school say what they do."""
    case = nested_case()
    school, item = case.design.groups
    y = (case.design.y > np.median(case.design.y)).astype(float)
    design = replace(case.design, y=y, family="bernoulli", link="logit", groups=(item,), distributional=())
    likelihood = LogLikelihood(case.draws, design)
    by_item = densities(likelihood, item)
    summed = np.stack([by_item[:, np.unique(item.codes[school.codes == j])].sum(axis=1) for j in range(6)], axis=1)
    found = leave_levels_out(likelihood, school, 0.7)
    np.testing.assert_allclose(found.elpd, leave_out([summed], 0.7).elpd, atol=0.02)


def test_what_cannot_be_integrated_out_is_refused():
    case = nested_case()
    likelihood = LogLikelihood(case.draws, replace(case.design, family="student"))
    with pytest.raises(UsageError, match=r"--by school: .* effects of school and item, .* several factors") as error:
        leave_levels_out(likelihood, case.design.groups[0], 1.0)
    assert error.value.hint.startswith("add --folds 10")
    case = family_case("gaussian", levels=(6,), n_draws=50)
    group = replace(case.design.groups[0], parameters=(None, "sigma"))
    likelihood = LogLikelihood(case.draws, replace(case.design, groups=(group,)))
    with pytest.raises(UsageError, match="on other parameters than the mean"):
        leave_levels_out(likelihood, group, 1.0)


def test_what_nodes_do_not_reach_is_refused(monkeypatch):
    case = family_case("bernoulli", levels=(6,), n_draws=50)
    monkeypatch.setattr(parts, "TOLERABLE", 1e-9)
    with pytest.raises(UsageError, match=r"not had to 1e-09 by quadrature \(\S+ with \d+ nodes\)"):
        leave_levels_out(LogLikelihood(case.draws, case.design), case.design.groups[0], 1.0)


def test_other_families_are_left_out_given_effects():
    case = family_case("poisson", levels=(40,), rows=2, n_draws=100)
    likelihood = LogLikelihood(case.draws, case.design)
    np.testing.assert_array_equal(
        leave_rows_out(likelihood, 1.0).elpd, leave_out(map(likelihood.of, likelihood.blocks()), 1.0).elpd
    )
