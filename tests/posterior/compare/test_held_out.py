"""What was held out, against the joint normal distribution of all rows, with exact draws of fits without it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from hierfit.posterior.compare.held_out import joined, levels_held_out, rows_held_out, seen_density
from hierfit.posterior.log_likelihood import LogLikelihood

from ..family_draws import family_case
from .cases import nested_case
from .test_quadrature import integral_of_one

SDS, SIGMA, PRIOR_SD, CHAINS, DRAWS, N_LEVELS, ROWS = (2.0, 1.0), 1.0, 5.0, 4, 2_000, 8, 4


class Known:
    """y ~ 1 + ses + (1 + ses | school) with known sds and sigma, and normal(0, PRIOR_SD) coefficients."""

    def __init__(self) -> None:
        self.made = family_case("gaussian", levels=(N_LEVELS,), rows=ROWS, chains=CHAINS, n_draws=DRAWS)
        (self.group,), n = self.made.design.groups, self.made.design.n_rows
        W = np.zeros((n, 2 * N_LEVELS))
        W[np.arange(n), 2 * self.group.codes], W[np.arange(n), 2 * self.group.codes + 1] = self.group.Z.T
        self.columns = np.column_stack([np.ones(n), self.made.design.X, W])
        self.prior = np.concatenate([np.full(2, PRIOR_SD), np.tile(SDS, N_LEVELS)])
        rng = np.random.default_rng(4)
        self.y = self.columns @ rng.normal(0, self.prior) + SIGMA * rng.normal(size=n)
        self.marginal = self.columns @ np.diag(self.prior**2) @ self.columns.T + SIGMA**2 * np.eye(n)

    def without(self, rows):
        """Exact draws of the model fitted without some rows."""
        kept = np.setdiff1d(np.arange(len(self.y)), rows)
        own = self.columns[kept]
        covariance = np.linalg.inv(own.T @ own / SIGMA**2 + np.diag(self.prior**-2.0))
        mean = covariance @ own.T @ self.y[kept] / SIGMA**2
        drawn = np.random.default_rng(9).multivariate_normal(mean, covariance, size=CHAINS * DRAWS)
        known = dict(zip(("sd(school)", "sd(school: ses)", "sigma"), (*SDS, SIGMA), strict=True))
        known |= {"Intercept": drawn[:, 0], "ses": drawn[:, 1]}
        values = [np.broadcast_to(known[each.name], CHAINS * DRAWS) for each in self.made.draws.parameters]
        draws = replace(
            self.made.draws,
            values=np.stack(values, axis=1).reshape(CHAINS, DRAWS, -1),
            effects={"school": drawn[:, 2:].reshape(CHAINS, DRAWS, N_LEVELS, 2)},
        )
        return LogLikelihood(draws, replace(self.made.design, y=self.y))

    def density(self, rows, left):
        """The log density of rows given all that is not left out."""
        kept = np.setdiff1d(np.arange(len(self.y)), left)
        both = np.concatenate([rows, kept])
        whole = stats.multivariate_normal.logpdf(self.y[both], cov=self.marginal[np.ix_(both, both)])
        return whole - stats.multivariate_normal.logpdf(self.y[kept], cov=self.marginal[np.ix_(kept, kept)])


@pytest.fixture(scope="module")
def known():
    return Known()


def test_rows_are_those_of_fits_without_their_fold(known):
    """Rows of levels that were seen, and all rows of level 2, which was not."""
    left = np.array([0, 5, 8, 9, 10, 11, 30])
    found = rows_held_out(known.without(left), left, 1.0)
    expected = np.array([known.density(np.array([row]), left) for row in left])
    assert np.all(np.abs(found.elpd - expected) < 4.5 * found.mcse)
    assert np.all(found.mcse < 0.05)


def test_effects_that_were_not_seen_are_integrated_out(known):
    """With single draws of them the error is several times as large."""
    left = np.arange(8, 12)
    likelihood = known.without(left)
    own = rows_held_out(likelihood, left, 1.0)
    drawn = np.exp(likelihood.of(left))
    assert np.all(3 * own.mcse < drawn.std(axis=0) / drawn.mean(axis=0) / np.sqrt(CHAINS * DRAWS))


def test_levels_are_those_of_fits_without_their_fold(known):
    levels = np.array([1, 4])
    left = np.flatnonzero(np.isin(known.group.codes, levels))
    found = levels_held_out(known.without(left), known.group, levels, 1.0)
    expected = [known.density(np.flatnonzero(known.group.codes == level), left) for level in levels]
    assert np.all(np.abs(found.elpd - expected) < 4.5 * found.mcse) and np.all(found.mcse < 0.05)
    half = levels_held_out(known.without(left), known.group, levels, 0.25)
    np.testing.assert_allclose(half.mcse, 2 * found.mcse)


def test_a_model_without_the_factor(known):
    likelihood = known.without([])
    plain = LogLikelihood(likelihood.draws, replace(likelihood.design, groups=()))
    found = levels_held_out(plain, known.group, np.array([3]), 1.0)
    rows = np.flatnonzero(known.group.codes == 3)
    assert found.elpd[0] == pytest.approx(np.log(np.exp(plain.of(rows).sum(axis=1)).mean()))


@pytest.mark.parametrize("family", ["bernoulli", "poisson", "student"])
def test_levels_of_other_families_against_a_grid(family):
    case = family_case(family, levels=(6,), rows=6, slope=False, n_draws=25)
    (group,) = case.design.groups
    found = levels_held_out(LogLikelihood(case.draws, case.design), group, np.array([2]), 1.0)
    rows = np.flatnonzero(group.codes == 2)
    exact = [integral_of_one(case, rows, pick, group) for pick in range(100)]
    assert found.elpd[0] == pytest.approx(np.log(np.mean(np.exp(exact))), abs=0.05)


def test_several_factors_of_another_family_are_integrated_out_together():
    """Against the closed form, as a student with very many degrees of freedom is normal."""
    case = nested_case()
    normal = levels_held_out(LogLikelihood(case.draws, case.design), case.design.groups[0], np.arange(6), 1.0)
    nu = replace(case.draws.parameters[-1], name="nu")
    values = np.concatenate([case.draws.values, np.full((*case.draws.values.shape[:2], 1), 1e9)], axis=2)
    draws = replace(case.draws, values=values, parameters=(*case.draws.parameters, nu))
    student = LogLikelihood(draws, replace(case.design, family="student"))
    found = levels_held_out(student, case.design.groups[0], np.arange(6), 1.0)
    np.testing.assert_allclose(found.elpd, normal.elpd, atol=0.15)  # 200 draws


def test_what_was_seen_and_what_is_put_together(known):
    likelihood = known.without([])
    rows = np.arange(len(known.y))
    np.testing.assert_allclose(seen_density(likelihood, None), np.log(np.exp(likelihood.of(rows)).mean(axis=0)))
    whole = seen_density(likelihood, known.group)
    assert whole.shape == (N_LEVELS,)
    parts = [
        (np.array(own), levels_held_out(likelihood, known.group, np.array(own), 1.0))
        for own in ([3, 1, 0], [2, 4, 7, 6, 5])
    ]
    np.testing.assert_allclose(joined(parts, N_LEVELS).elpd, whole)


def test_rows_that_count_for_nothing_teach_nothing(known):
    """A level whose other rows have the weight 0 was not seen either."""
    left = np.arange(8, 12)
    likelihood = known.without(left)
    weights = np.ones(len(known.y))
    weights[9:12] = 0.0
    weighted = LogLikelihood(likelihood.draws, replace(likelihood.design, weights=weights))
    one = rows_held_out(weighted, np.array([8]), 1.0)
    np.testing.assert_allclose(one.elpd, rows_held_out(likelihood, left, 1.0).elpd[0])
