import numpy as np
import pytest

from hierfit.results.checks import predict_from_prior


def test_the_share_outside_the_data_is_that_of_the_normal(synthetic):
    """With tiny effects the replicated outcomes are normal(mean, sigma): the share beyond the data is known."""
    from dataclasses import replace

    from scipy.stats import norm

    case = synthetic(n_levels=5, n_x=1)
    values = np.zeros_like(case.draws.values)
    names = [parameter.name for parameter in case.draws.parameters]
    values[:, :, names.index("Intercept")] = case.design.y.mean()
    values[:, :, names.index("sigma")] = 2 * case.design.y.std()
    effects = {name: np.zeros_like(effect) for name, effect in case.draws.effects.items()}
    found = predict_from_prior(replace(case.draws, values=values, effects=effects), case.design, seed=1)
    low, high = case.design.y.min(), case.design.y.max()
    z = (np.array([low, high]) - case.design.y.mean()) / (2 * case.design.y.std())
    expected = norm.cdf(z[0]) + norm.sf(z[1])
    # 1,000 draws of some 60 rows: five binomial standard errors.
    n = 1000 * min(200, case.design.n_rows)
    assert found.outside == pytest.approx(expected, abs=5 * np.sqrt(expected * (1 - expected) / n))
    assert (found.data_lower, found.data_upper) == (low, high)
    assert found.lower == pytest.approx(case.design.y.mean() - 1.96 * 2 * case.design.y.std(), rel=0.02)
