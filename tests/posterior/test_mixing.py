"""Convergence numbers are ArviZ's: of chains that mix well or badly, short or long, with ties or without."""

import warnings

import numpy as np
import pytest

from hierfit.posterior.mixing import error_of_mean, measure, normal_scores, rhat_and_bulk

AXES = {"chain_axis": 0, "draw_axis": 1}


def chains(n_chains, n_draws, rho, seed, shift=0.0):
    """Autoregressive draws, chain by chain apart by `shift`."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(n_chains, n_draws))
    for at in range(1, n_draws):
        steps[:, at] = rho * steps[:, at - 1] + np.sqrt(1 - rho**2) * steps[:, at]
    return steps + shift * np.arange(n_chains)[:, None]


def of_arviz(values):
    from arviz_stats.base.array import array_stats

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        half = values.shape[1] // 2
        two = values if len(values) > 1 else np.concatenate([values[:, :half], values[:, -half:]])
        return [
            array_stats.rhat(two, **AXES, method="rank"),
            array_stats.ess(values, **AXES, method="bulk"),
            array_stats.ess(values, **AXES, method="tail", prob=(0.05, 0.95)),
            array_stats.mcse(values, **AXES, method="mean"),
        ]


def holds(values):
    found, wanted = measure(values), [float(number) for number in of_arviz(values)]
    mine = [found.rhat, found.ess_bulk, found.ess_tail, found.mcse_mean]
    np.testing.assert_allclose(mine, wanted, rtol=1e-9)
    np.testing.assert_allclose(rhat_and_bulk(values), mine[:2], rtol=1e-12)
    np.testing.assert_allclose(error_of_mean(values), mine[3], rtol=1e-12)


@pytest.mark.parametrize("rho", [-0.9, -0.3, 0.0, 0.5, 0.95, 0.999])
@pytest.mark.parametrize(("n_chains", "n_draws"), [(4, 1000), (4, 251), (2, 100), (1, 400), (1, 37), (8, 50)])
def test_of_chains_that_mix_well_or_badly(rho, n_chains, n_draws):
    for seed in range(3):
        holds(chains(n_chains, n_draws, rho, seed))
        holds(chains(n_chains, n_draws, rho, seed, shift=0.7))


@pytest.mark.parametrize("n_draws", range(4, 24))
def test_of_few_draws(n_draws):
    for seed in range(20):
        holds(chains(4, n_draws, 0.4, seed))
        if n_draws >= 8:  # halves of halves have two draws at least
            holds(chains(1, n_draws, 0.4, seed))


@pytest.mark.parametrize("levels", [2, 3, 7])
def test_of_values_that_repeat(levels):
    for seed in range(10):
        holds(np.floor(levels * np.random.default_rng(seed).random((4, 200))))
        holds(np.minimum(0.3, np.abs(chains(4, 200, 0.6, seed))))  # half of them at one end
        holds((chains(4, 300, 0.2, seed) > 2).astype(float))  # rare


def test_of_chains_that_stand_still():
    stuck = chains(4, 100, 0.5, 1)
    stuck[2] = stuck[2, 0]
    holds(stuck)


def test_scores_of_ties_are_those_of_their_average_rank():
    from scipy import stats

    values = np.array([[3.0, 1.0, 1.0], [2.0, 3.0, 3.0]])
    ranks = stats.rankdata(values).reshape(values.shape)
    np.testing.assert_allclose(normal_scores(values), stats.norm.ppf((ranks - 3 / 8) / (6 + 1 / 4)), rtol=1e-12)
