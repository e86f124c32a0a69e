import numpy as np
import pytest

from hierfit.plain import to_plain
from hierfit.posterior.checks import PriorCategories, predict_from_prior

from .family_draws import CATEGORIES, family_case


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


def test_of_ordered_categories_the_share_of_each():
    """Half of the draws put all rows into the lowest category, half of them a third into each of the others."""
    from dataclasses import replace

    from scipy.special import logit

    case = family_case("cumulative", slope=False)
    values = np.zeros_like(case.draws.values)
    names = [parameter.name for parameter in case.draws.parameters]
    cut = [names.index(f"threshold[{between}]") for between in case.design.thresholds]
    values[0::2, :, cut] = [30.0, 31.0, 32.0]
    values[1::2, :, cut] = [-30.0, logit(1 / 3), logit(2 / 3)]
    effects = {name: np.zeros_like(effect) for name, effect in case.draws.effects.items()}
    found = predict_from_prior(replace(case.draws, values=values, effects=effects), case.design, seed=1)
    assert isinstance(found, PriorCategories)
    assert tuple(found.shares) == tuple(found.data_shares) == CATEGORIES
    # exactly half of the 1,000 draws; 500 draws of 200 rows each: five binomial standard errors
    error = 5 * np.sqrt(2 / 9 / (500 * 200)) / 2
    assert found.shares["never"] == pytest.approx(0.5, abs=1e-9)
    for name in CATEGORIES[1:]:
        assert found.shares[name] == pytest.approx(1 / 6, abs=error)
    assert found.dominated == pytest.approx(0.5)
    counts = [float(np.mean(case.design.y == code)) for code in range(4)]
    assert list(found.data_shares.values()) == pytest.approx(counts)
    assert to_plain(found)["shares"] == found.shares
