"""Predictions of rows against loops over rows and draws."""

import dataclasses

import numpy as np
import pytest

from hierfit.model.spec import Kind, Parameter
from hierfit.posterior.predict import (
    auxiliary_draws,
    category_shares,
    expected_rows,
    linear_predictor,
    pick_draws,
    replicate,
    trials_of,
)

from .family_draws import family_case

PICKS = np.array([0, 3, 499, 500, 1_999])


def test_linear_predictor_is_the_sum_written_out(synthetic):
    case = synthetic(5, 2)
    group, rows = case.design.groups[0], np.array([0, 7, 30, 59])
    found = linear_predictor(case.draws, case.design, rows, PICKS)
    for s, pick in enumerate(PICKS):
        chain, draw = divmod(int(pick), case.draws.n_draws)
        for r, row in enumerate(rows):
            expected = case.draws.of("Intercept")[chain, draw]
            for k, name in enumerate(("ses", "hours")):
                expected += case.draws.of(name)[chain, draw] * case.design.X[row, k]
            expected += case.draws.effects["school"][chain, draw, group.codes[row]] @ group.Z[row]
            assert found[s, r] == pytest.approx(expected)


def test_a_huge_offset_loses_nothing_where_the_intercept_at_the_mean_is_known(synthetic):
    case = synthetic(5, 1, slopes=0)
    offset = 1e12
    at_mean = case.draws.of("Intercept") + case.draws.of("ses") * case.design.X.mean()
    moved = at_mean - case.draws.of("ses") * (case.design.X.mean() + offset)
    values = np.concatenate([case.draws.values, at_mean[:, :, None]], axis=2)
    values[:, :, 0] = moved
    parameters = (*case.draws.parameters, Parameter("Intercept_at_mean", Kind.COEFFICIENT, None, "Intercept"))
    draws = dataclasses.replace(case.draws, parameters=parameters, values=values)
    design = dataclasses.replace(case.design, X=case.design.X + offset, centered=True)
    rows = np.arange(60)
    # X itself only holds offset + x to 1e-4, times a slope of about 2.
    np.testing.assert_allclose(
        linear_predictor(draws, design, rows, PICKS), linear_predictor(case.draws, case.design, rows, PICKS), atol=2e-3
    )


def test_replicates_have_the_mean_and_the_spread_of_the_model(synthetic):
    case = synthetic(5, 1)
    draws = dataclasses.replace(case.draws, values=np.broadcast_to(case.draws.values.mean(axis=(0, 1)), (4, 500, 6)))
    effects = np.broadcast_to(draws.effects["school"].mean(axis=(0, 1)), (4, 500, 5, 2))
    draws = dataclasses.replace(draws, effects={"school": effects})
    replicated = replicate(draws, case.design, np.random.default_rng(1), 400)
    predictor = linear_predictor(draws, case.design, np.arange(60), np.array([0]))[0]
    sigma = draws.of("sigma").mean()
    # 24,000 independent normal residuals: standard error of their sd sigma / sqrt(48,000), of a row's mean sigma / 20.
    assert (replicated - predictor).std() == pytest.approx(sigma, rel=5 / np.sqrt(48_000))
    assert np.abs(replicated.mean(axis=0) - predictor).max() < 5 * sigma / 20


def test_rows_of_other_precision_spread_as_their_own_variance_says(synthetic):
    case = synthetic(5, 1)
    precision = np.where(np.arange(60) % 2, 4.0, 25.0)
    design = dataclasses.replace(case.design, precision=precision)
    picks = np.arange(2_000)
    residual = replicate(case.draws, design, np.random.default_rng(1), 2_000) - linear_predictor(
        case.draws, design, np.arange(60), picks
    )
    sigma = np.sqrt(np.mean(case.draws.of("sigma") ** 2))
    # 60,000 residuals each: the relative standard error of their sd is 1 / sqrt(120,000), or 0.3 %
    assert residual[:, precision == 4].std() == pytest.approx(sigma / 2, rel=0.015)
    assert residual[:, precision == 25].std() == pytest.approx(sigma / 5, rel=0.015)
    mean_variance = auxiliary_draws(case.draws, design, picks)["sigma"] ** 2
    assert np.allclose(mean_variance[:, 0], case.draws.of("sigma").ravel() ** 2 * np.mean(1 / precision))


def test_picks_are_different_and_never_more_than_there_are(synthetic):
    draws = synthetic(5).draws
    picks = pick_draws(draws, 100, np.random.default_rng(1))
    assert len(set(picks.tolist())) == 100
    assert len(pick_draws(draws, 10**6, np.random.default_rng(1))) == 2_000


@pytest.mark.parametrize("family", ["bernoulli", "binomial", "poisson", "gamma", "lognormal"])
def test_expected_rows_are_the_mean_of_replicates(family):
    case = family_case(family, levels=(4,), rows=5)
    rows, picks = np.arange(20), np.arange(400)
    found = expected_rows(case.draws, case.design, rows, picks) * trials_of(case.design, rows)
    seeds = map(np.random.default_rng, range(20))
    replicated = np.concatenate([replicate(case.draws, case.design, rng, 1_000) for rng in seeds])
    error = replicated.std(axis=0) / np.sqrt(len(replicated))
    # Both average over posterior draws, 400 and 1,000 of them, whose own spread adds a few percent.
    assert (np.abs(replicated.mean(axis=0) - found) < 5 * error + 0.04 * found).all()


def test_the_offset_is_added():
    case = family_case("poisson", slope=False)
    without = dataclasses.replace(case.design, offset=None)
    rows, picks = np.array([0, 7]), np.array([0, 3])
    found, bare = (linear_predictor(case.draws, design, rows, picks) for design in (case.design, without))
    np.testing.assert_allclose(found - bare, np.broadcast_to(case.design.offset[rows], (2, 2)))


def test_two_factors_add_up():
    case = family_case("bernoulli", levels=(10, 5), slope=False)
    row, pick = 17, 3
    found = linear_predictor(case.draws, case.design, np.array([row]), np.array([pick]))[0, 0]
    expected = case.draws.of("Intercept")[0, pick] + case.draws.of("ses")[0, pick] * case.design.X[row, 0]
    for group in case.design.groups:
        expected += case.draws.effects[group.factor][0, pick, group.codes[row], 0]
    assert found == pytest.approx(expected)


def test_sigma_of_each_row_is_what_replications_spread_by():
    case = family_case("gaussian", sigma=True, slope=False, n_draws=500)
    rows, rng = np.array([3, 40, 170]), np.random.default_rng(5)
    every = np.arange(2_000)
    b = [case.draws.of(f"sigma_{term}").ravel() for term in ("Intercept", "ses")]
    sigma = np.exp(b[0][:, None] + b[1][:, None] * case.design.X[rows, 0])
    np.testing.assert_allclose(auxiliary_draws(case.draws, case.design, every, rows)["sigma"], sigma)
    at_mean = np.exp(b[0] + b[1] * case.design.X[:, 0].mean())
    np.testing.assert_allclose(auxiliary_draws(case.draws, case.design, every)["sigma"][:, 0], at_mean)
    error = replicate(case.draws, case.design, rng, 2_000, rows) - linear_predictor(
        case.draws, case.design, rows, every
    )
    # The sum of 2,000 squared standard normals has an sd of sqrt(4,000): five of these.
    assert np.all(np.abs(np.square(error / sigma).sum(axis=0) - 2_000) < 5 * np.sqrt(4_000))


def test_replicated_categories_are_as_frequent_as_their_probabilities():
    case = family_case("cumulative", slope=False)
    rows = np.array([5, 100])
    drawn = replicate(case.draws, case.design, np.random.default_rng(2), 1_000, rows)
    every = np.arange(1_000)
    predictor = linear_predictor(case.draws, case.design, rows, every)
    shares = category_shares(case.design, predictor, auxiliary_draws(case.draws, case.design, every)).mean(axis=1)
    for code in range(4):
        error = np.sqrt(shares[code] * (1 - shares[code]) / 1_000)
        assert np.all(np.abs((drawn == code).mean(axis=0) - shares[code]) < 5 * error)
