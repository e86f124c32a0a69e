"""R-hat, ESS, MCSE and E-BFMI against ArviZ called directly, closed forms and planted failures."""

import math

import arviz
import numpy as np
import pytest

from hierfit.posterior.convergence import (
    EXACT_EFFECTS,
    assess,
    batch_ess,
    energy_bfmi,
    is_fixed,
    mean_error,
    screen_effects,
    split_rhat,
)

RNG_SEED = 20


def autoregressive(rho, shape, seed=RNG_SEED):
    """Stationary AR(1) draws [C, D, P] with unit variance; ESS = S (1 - rho) / (1 + rho)."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=shape)
    values = np.empty(shape)
    values[:, 0] = noise[:, 0]
    for t in range(1, shape[1]):
        values[:, t] = rho * values[:, t - 1] + np.sqrt(1 - rho**2) * noise[:, t]
    return values


def test_numbers_are_those_of_arviz():
    values = autoregressive(0.5, (4, 300, 3))
    found = assess(values)
    for column in range(3):
        draws = values[:, :, column]
        assert found.rhat[column] == pytest.approx(float(arviz.rhat(draws)), rel=1e-9)
        assert found.ess_bulk[column] == pytest.approx(float(arviz.ess(draws, method="bulk")), rel=1e-9)
        assert found.ess_tail[column] == pytest.approx(float(arviz.ess(draws, method="tail")), rel=1e-9)
        assert found.mcse_mean[column] == pytest.approx(float(arviz.mcse(draws, method="mean")), rel=1e-9)


@pytest.mark.parametrize(("offset", "scale"), [(0.0, 1e-20), (1e9, 1.0), (0.0, 1e20), (-7.0, 3.0)])
def test_units_do_not_matter(offset, scale):
    values = autoregressive(0.3, (4, 200, 1))
    plain, moved = assess(values), assess(offset + scale * values)
    assert moved.rhat == pytest.approx(plain.rhat, rel=1e-5)
    assert moved.ess_bulk == pytest.approx(plain.ess_bulk, rel=1e-5)
    assert moved.mcse_mean / scale == pytest.approx(plain.mcse_mean, rel=1e-4)


def test_a_constant_is_fixed_and_has_no_numbers():
    values = np.stack([np.ones((4, 100)), autoregressive(0, (4, 100, 1))[:, :, 0]], axis=2)
    found = assess(values)
    assert found.fixed.tolist() == [True, False]
    assert np.isnan([found.rhat[0], found.ess_bulk[0], found.ess_tail[0], found.mcse_mean[0]]).all()
    assert np.isfinite(found.rhat[1])


def test_rounding_noise_counts_as_fixed_but_a_small_spread_does_not():
    values = np.full((2, 10, 2), 0.1)
    values[0, 0] = (0.1 + 1e-17, 0.1 + 1e-12)
    assert is_fixed(values).tolist() == [True, False]


def test_non_finite_draws_have_no_numbers():
    values = autoregressive(0, (4, 100, 2))
    values[1, 3, 0], values[2, 7, 1] = np.nan, np.inf
    found = assess(values)
    assert np.isnan(found.rhat).all()
    assert not found.fixed.any()


def test_a_single_chain_has_a_split_rhat():
    values = autoregressive(0, (1, 1_000, 1))
    drifting = values + np.linspace(0, 4, 1_000)[None, :, None]
    assert assess(values).rhat[0] < 1.02
    assert assess(drifting).rhat[0] > 1.5


def test_three_draws_are_too_few():
    found = assess(np.random.default_rng(1).normal(size=(4, 3, 2)))
    assert np.isnan(found.rhat).all()
    assert np.isnan(found.ess_bulk).all()


def test_split_rhat_of_numbers_worked_out_by_hand():
    # Halves (0, 2), (0, 2), (10, 12), (10, 12): W = 2, variance of the means 1, 1, 11, 11 = 100 / 3, n = 2.
    values = np.array([[0.0, 2.0, 0.0, 2.0], [10.0, 12.0, 10.0, 12.0]])[:, :, None]
    assert split_rhat(values)[0] == pytest.approx(np.sqrt(1 / 2 + (100 / 3) / 2))


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_batch_ess_of_autoregressive_draws(rho):
    values = autoregressive(rho, (4, 900, 200))
    # The mean of 200 estimates, each with a relative sd of sqrt(2 / 120) = 13 %, so 1 % for the mean; batches of 30
    # draws underestimate the variance by about rho / (15 (1 - rho^2)), 6 % at rho = 0.6: within 12 % in all.
    assert batch_ess(values).mean() == pytest.approx(3_600 * (1 - rho) / (1 + rho), rel=0.12)


def test_few_effects_get_the_numbers_of_arviz():
    effects = autoregressive(0.2, (4, 100, 12)).reshape(4, 100, 6, 2)
    screen = screen_effects(effects)
    assert screen.exact
    assert screen.rhat == pytest.approx(assess(effects.reshape(4, 100, 12)).rhat.reshape(6, 2))
    assert screen.ess == pytest.approx(assess(effects.reshape(4, 100, 12)).ess_bulk.reshape(6, 2))


def test_a_bad_effect_among_many_is_found_and_gets_the_number_of_arviz():
    n_levels = EXACT_EFFECTS * 5
    effects = np.random.default_rng(3).normal(size=(4, 200, n_levels, 1))
    effects[0, :, 777, 0] += 3
    effects[:, :, 500, 0] = autoregressive(0.95, (4, 200, 1))[:, :, 0]
    effects[:, :, 12, 0] = 4.0
    screen = screen_effects(effects)
    assert not screen.exact
    assert np.nanargmax(screen.rhat) == 777
    assert screen.rhat[777, 0] == pytest.approx(assess(effects[:, :, 777]).rhat[0])
    assert np.nanargmin(screen.ess) in (500, 777)
    assert screen.ess[500, 0] == pytest.approx(assess(effects[:, :, 500]).ess_bulk[0])
    assert np.isnan(screen.rhat[12, 0])


def test_bfmi_of_independent_and_of_sticky_energies():
    independent = np.random.default_rng(4).normal(size=(1, 4_000))
    # E (e_t - e_{t-1})^2 / var = 2 (1 - rho).
    assert energy_bfmi(independent)[0] == pytest.approx(2.0, rel=0.1)
    sticky = autoregressive(0.95, (1, 4_000, 1))[:, :, 0]
    assert energy_bfmi(sticky)[0] == pytest.approx(0.1, rel=0.35)
    assert np.isnan(energy_bfmi(np.ones((2, 2)))).all()


def test_the_error_of_a_mean_is_that_of_all_numbers_together():
    values = np.random.default_rng(6).normal(3.0, 2.0, (4, 500))
    assert mean_error(values) == assess(values[..., None]).mcse_mean[0] == pytest.approx(2 / math.sqrt(2_000), rel=0.15)
    assert math.isnan(mean_error(np.ones((4, 500)))) and math.isnan(mean_error(values[:, :3]))
    values[0, 0] = np.nan
    assert math.isnan(mean_error(values))
