"""The start at the mode: where it is tried, what it finds, and when it is given up."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hierfit.engines.collapsed.engine import COLLAPSED
from hierfit.engines.collapsed.mode import (
    WARMUP,
    approximate,
    first_guess,
    may_start_at_mode,
    misled,
    sample_from_mode,
)
from hierfit.engines.full.engine import FULL
from hierfit.engines.start import SHORT_WARMUP, is_untouched
from hierfit.model.formula import formula_from_flags
from hierfit.sampling import SamplerOptions, Sampling
from hierfit.stan.executable import Executable, build_executable
from hierfit.stan.programs import render_program
from hierfit.stan.toolchain import bundled_toolchain
from tests.fake_sampling import EXECUTABLE, fake_sampling
from tests.model.cases import design, small_spec

OPTIONS = SamplerOptions(seed=3)


def given(*priors: str, prior_only: bool = False) -> Mapping[str, Any]:
    return COLLAPSED.data(small_spec(*priors, prior_only=prior_only), design())


def test_what_the_user_says_of_the_warmup_is_left_alone() -> None:
    assert is_untouched(SamplerOptions(chains=2, draws=50, seed=1, max_treedepth=12))
    for said in ({"warmup": 1000}, {"adapt_delta": 0.8}, {"step_size": 1.0}, {"metric": "dense_e"}, {"adapt": False}):
        assert not is_untouched(SamplerOptions(**said))  # type: ignore[arg-type]
    assert COLLAPSED.warmup(design(), OPTIONS) == WARMUP
    assert FULL.warmup(design(), OPTIONS) == SHORT_WARMUP
    assert COLLAPSED.warmup(design(), SamplerOptions(warmup=7)) == 7


def test_the_mode_says_little_of_priors_alone_and_of_a_horseshoe() -> None:
    assert may_start_at_mode(given(), OPTIONS)
    assert not may_start_at_mode(given(prior_only=True), OPTIONS)
    assert not may_start_at_mode({**given(), "H": 2}, OPTIONS)
    fixed = ("sd(g) ~ constant(1)", "sd(g: a) ~ constant(1)", "sigma ~ constant(2)")
    assert may_start_at_mode(given(*fixed), OPTIONS)  # the correlation is left


def test_the_first_guess_keeps_to_the_bounds() -> None:
    data = given("a ~ uniform(3, 4)", "b ~ gamma(2, 1)", "sd(g) ~ uniform(0, 1e-6)", "sigma ~ constant(2)")
    guess = first_guess(data)
    scale = data["theta_scale"][data["theta_free"] - 1]
    a, b, first_sd = (guess["theta_std"] * scale)[:3]
    assert a == pytest.approx(3.5) and b > 0
    assert 0 < first_sd < 1e-6
    assert guess["theta_std"][3:] == [0.5] and guess["partial"] == [0.0]


def sampling(**stats: Any) -> Sampling:
    made = fake_sampling(given(), OPTIONS)
    own = {"theta_std": np.concatenate([made.variables["sd"], made.variables["aux"]], axis=2)}
    return replace(made, variables=own, stats={**made.stats, **stats})


def test_what_went_wrong_is_said() -> None:
    shape = (4, 1000)
    assert misled(sampling()) is None
    assert misled(sampling(diverging=np.arange(4000).reshape(shape) == 17)) == "1 divergent"
    lazy = np.full(shape, 0.9)
    lazy[2] = 0.41
    assert misled(sampling(acceptance_rate=lazy)) == "acceptance 0.41"
    apart = sampling()
    apart.variables["theta_std"][0] += 0.3
    assert (misled(apart) or "").startswith("R-hat 1.")


def test_where_there_is_no_mode_the_ordinary_warmup_does_it() -> None:
    asked: list[SamplerOptions] = []

    def sample(executable: Executable, data: Mapping[str, Any], options: SamplerOptions, *_: object) -> Sampling:
        asked.append(options)
        return fake_sampling(data, options)

    _, start = sample_from_mode(EXECUTABLE, given(), OPTIONS, None, sample)
    assert asked == [OPTIONS]
    assert (start.at_mode, start.warmup, start.reason) == (False, 1000, "optimize could not be run")
    _, start = sample_from_mode(EXECUTABLE, given(), SamplerOptions(seed=3, warmup=70), None, sample)
    assert (start.at_mode, start.warmup, start.reason, start.seconds) == (False, 70, None, 0.0)


@pytest.fixture(scope="module")
def collapsed() -> Executable:
    return build_executable(render_program("gaussian", collapsed=True), bundled_toolchain())


@pytest.mark.stan
def test_the_curvature_is_near_the_spread_of_the_posterior(collapsed: Executable) -> None:
    formula = formula_from_flags("y", ["a", "b"], "g")
    data = COLLAPSED.data(small_spec(formula=formula), design(formula))
    found = approximate(collapsed, data, OPTIONS)
    assert len(found.draws) == 4 and found.covariance.shape == (2, 2)
    drawn, start = sample_from_mode(collapsed, data, OPTIONS)
    assert start.at_mode and start.warmup == WARMUP and start.reason is None
    assert (drawn.options.warmup, drawn.options.adapt) == (WARMUP, False)
    np.testing.assert_allclose(drawn.inv_metric, np.tile(found.covariance, (4, 1, 1)), rtol=1e-6)
    log_sigma = np.log(drawn.variables["theta_std"][..., -1])
    # The posterior of log sigma, of 40 rows, is nearly normal: a fifth is what its skewness may do.
    assert abs(log_sigma.std() / np.sqrt(found.covariance[1, 1]) - 1) < 0.2
    assert drawn.stats["acceptance_rate"].mean() > 0.7


@pytest.mark.stan
def test_a_misleading_mode_is_given_up(collapsed: Executable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hierfit.engines.collapsed.mode.STEP_SIZE", 30.0)
    drawn, start = sample_from_mode(collapsed, given(), replace(OPTIONS, draws=200))
    assert not start.at_mode and start.warmup == 1000 and start.reason and start.seconds > 0
    assert drawn.options.adapt and drawn.stats["acceptance_rate"].mean() > 0.7


@pytest.mark.stan
def test_a_model_without_any_parameter_left_is_drawn_from_its_conditional(collapsed: Executable) -> None:
    fixed = ("sd(g) ~ constant(1)", "sd(g: a) ~ constant(0.1)", "sigma ~ constant(2)", "cor(g) ~ lkj(1)")
    data = {**given(*fixed), "correlated": np.array([0])}
    assert not may_start_at_mode(data, OPTIONS)
    drawn, start = sample_from_mode(collapsed, data, replace(OPTIONS, draws=20))
    assert drawn.stats["lp"].shape == (4, 20) and not start.at_mode
