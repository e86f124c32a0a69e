"""Rows left out: against what is known in closed form where the posterior is normal, and against ArviZ."""

import numpy as np
import pytest
from arviz_stats.base.array import array_stats
from scipy import stats

from hierfit.posterior.compare.left_out import k_threshold, leave_out, leave_out_on_all_cores, log_sum

SIGMA, PRIOR_SD, N_DRAWS = 1.5, 10.0, 20_000


def regression(n=30, seed=1, outlier=0.0):
    """Columns [N, 3] and an outcome of a regression with known sigma and normal(0, PRIOR_SD) coefficients."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    y = X @ [2.0, -1.0, 0.5] + SIGMA * rng.normal(size=n)
    y[0] += outlier
    return X, y


def posterior(X, y):
    """Mean and covariance of the coefficients."""
    precision = X.T @ X / SIGMA**2 + np.eye(3) / PRIOR_SD**2
    covariance = np.linalg.inv(precision)
    return covariance @ X.T @ y / SIGMA**2, covariance


def refitted(X, y):
    """The log density of each row under the fit to all others, written down [N]."""
    others = [np.arange(len(y)) != row for row in range(len(y))]
    return np.array([predicted(X[row], y[row], X[kept], y[kept]) for row, kept in enumerate(others)])


def predicted(x_new, y_new, X, y):
    """The log density of a row under a fit."""
    mean, covariance = posterior(X, y)
    return stats.norm.logpdf(y_new, x_new @ mean, np.sqrt(SIGMA**2 + x_new @ covariance @ x_new))


def log_likelihood(X, y, seed=2, n_draws=N_DRAWS):
    """The log likelihood of each row under exact draws [S, N]."""
    b = np.random.default_rng(seed).multivariate_normal(*posterior(X, y), size=n_draws)
    return stats.norm.logpdf(y, b @ X.T, SIGMA)


@pytest.mark.parametrize("seed", range(5))
def test_elpd_is_that_of_refits(seed):
    X, y = regression(seed=seed)
    found = leave_out([log_likelihood(X, y)], 1.0)
    expected = refitted(X, y)
    # 30 rows whose errors are about normal and hang together: none beyond five standard errors.
    assert np.all(np.abs(found.elpd - expected) < 5 * found.mcse)
    assert found.elpd.sum() == pytest.approx(expected.sum(), abs=0.1)
    assert np.all(found.k < k_threshold(N_DRAWS)) and len(found.doubtful) == 0
    seen = sum(predicted(X[row], y[row], X, y) for row in range(len(y)))
    assert found.p.sum() == pytest.approx(seen - expected.sum(), abs=0.1)


def test_the_standard_error_is_how_elpd_scatters():
    X, y = regression(10)
    runs = [leave_out([log_likelihood(X, y, seed, 1_000)], 1.0) for seed in range(200)]
    scatter = np.std([run.elpd for run in runs], axis=0)
    # An sd of 200 numbers has a relative error of 5 %; smoothing makes the error itself a few percent wrong.
    np.testing.assert_allclose(np.mean([run.mcse for run in runs], axis=0), scatter, rtol=0.25)


def test_a_row_far_out_is_found_doubtful():
    X, y = regression(outlier=25.0)
    found = leave_out([log_likelihood(X, y, n_draws=1_000)], 1.0)
    assert found.doubtful[0] == 0 and found.k[0] > found.threshold
    assert np.all(np.diff(found.k[found.doubtful]) <= 0)


@pytest.mark.parametrize("efficiency", [1.0, 0.4])
def test_numbers_are_those_of_arviz(efficiency):
    ll = log_likelihood(*regression(), n_draws=2_000)
    found = leave_out([ll], efficiency)
    elpd, k, p = array_stats.loo(ll.reshape(4, 500, -1), chain_axis=0, draw_axis=1, r_eff=efficiency)
    np.testing.assert_allclose(found.elpd, elpd, rtol=1e-10)
    np.testing.assert_allclose(found.k, k, rtol=1e-10)
    np.testing.assert_allclose(found.p, p, rtol=1e-8, atol=1e-10)


def test_blocks_and_the_order_of_rows_do_not_matter():
    ll, heard = log_likelihood(*regression(), n_draws=1_000), []
    whole = leave_out([ll], 0.8)
    cut = leave_out([ll[:, :7], ll[:, 7:8], ll[:, 8:]], 0.8, heard.append)
    order = np.random.default_rng(3).permutation(30)
    moved = leave_out([ll[:, order]], 0.8)
    for name in ("elpd", "p", "k", "mcse"):
        np.testing.assert_array_equal(getattr(cut, name), getattr(whole, name))
        np.testing.assert_array_equal(getattr(moved, name), getattr(whole, name)[order])
    assert heard == [7, 8, 30]


def test_all_cores_find_the_same():
    ll, heard = log_likelihood(*regression(), n_draws=1_000), []
    blocks = np.array_split(np.arange(30), 7)
    whole = leave_out([ll], 0.8)
    found = leave_out_on_all_cores(blocks, lambda rows: ll[:, rows], 0.8, heard.append)
    for name in ("elpd", "p", "k", "mcse"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))
    assert heard == np.cumsum([len(block) for block in blocks]).tolist()


def test_what_one_core_meets_stops_all():
    asked = []

    def failing(rows):
        asked.append(rows)
        raise MemoryError

    with pytest.raises(MemoryError):
        leave_out_on_all_cores([np.array([row]) for row in range(5_000)], failing, 1.0)
    assert len(asked) < 5_000


def test_rows_that_every_draw_holds_for_equally_likely():
    """A weight of 0, or parameters that are all constant: nothing is learnt from the row, and nothing is in doubt."""
    ll = log_likelihood(*regression(), n_draws=1_000)
    ll[:, 3], ll[:, 5] = 0.0, -2.5
    found = leave_out([ll], 1.0)
    np.testing.assert_allclose(found.elpd[[3, 5]], [0.0, -2.5], atol=1e-12)
    assert np.isnan(found.k[[3, 5]]).all() and np.isfinite(np.delete(found.k, [3, 5])).all()
    assert found.p[3] == pytest.approx(0, abs=1e-12) and np.isfinite(found.mcse).all()


def test_the_threshold_is_that_of_the_number_of_draws():
    assert k_threshold(100) == 0.5 and k_threshold(1_000) == pytest.approx(2 / 3)
    assert k_threshold(2_200) == 0.7 == k_threshold(10**6)  # from 2,155 draws on


def test_sums_of_exponentials_do_not_overflow():
    values = np.array([[-2_000.0, -2_000.0], [3_000.0, 0.0]])
    np.testing.assert_allclose(log_sum(values), [-2_000 + np.log(2), 3_000])
