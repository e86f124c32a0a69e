"""Stacking weights against ArviZ, a search over all of them, and what must hold for any models."""

import arviz
import numpy as np
import pytest

from hierfit.posterior.compare.stacking import stacking_weights

SEEDS = range(6)


def densities(seed, n_models=3, n=200):
    rng = np.random.default_rng(seed)
    return [rng.normal(-1 - 0.1 * model, 0.5, n) for model in range(n_models)]


@pytest.mark.parametrize("seed", SEEDS)
def test_two_models_as_a_search_finds_them(seed):
    first, second = densities(seed, 2)
    grid = np.linspace(0, 1, 2_001)
    score = np.log(np.outer(grid, np.exp(first)) + np.outer(1 - grid, np.exp(second))).sum(axis=1)
    assert stacking_weights([first, second])[0] == pytest.approx(grid[score.argmax()], abs=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_weights_are_those_of_arviz(seed):
    elpd = densities(seed)
    models = {}
    for index, own in enumerate(elpd):  # one draw: elpd is its log likelihood
        ll = np.repeat(own[None], 100, axis=0)
        ll += 1e-9 * np.random.default_rng(index).normal(size=ll.shape)  # a tail of one value has no shape
        models[str(index)] = arviz.from_dict(posterior={"x": np.zeros((1, 100))}, log_likelihood={"y": ll[None]})
    theirs = arviz.compare(models, ic="loo", method="stacking")["weight"]
    np.testing.assert_allclose(stacking_weights(elpd), [theirs[str(index)] for index in range(3)], atol=2e-3)


def test_densities_of_whole_groups_do_not_underflow():
    first, second = densities(1, 2)
    np.testing.assert_allclose(stacking_weights([first - 5_000, second - 5_000]), stacking_weights([first, second]))


def test_a_model_that_is_worse_everywhere_has_no_weight():
    first = densities(1, 1)[0]
    np.testing.assert_allclose(stacking_weights([first, first - 2]), [1, 0], atol=1e-6)
    np.testing.assert_allclose(stacking_weights([first - 2, first, first - 3]), [0, 1, 0], atol=1e-6)


def test_one_model_has_all():
    assert stacking_weights(densities(1, 1)).tolist() == [1.0]


@pytest.mark.parametrize("n_models", [2, 4, 7])
def test_weights_are_shares(n_models):
    weights = stacking_weights(densities(n_models, n_models))
    assert np.all(weights >= 0) and weights.sum() == pytest.approx(1)
