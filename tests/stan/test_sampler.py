"""Sampling against closed forms.

With the fixture's data mu | y is normal with precision 1/9 + 4/4 and mean (sum(y)/4) / precision, and rate | counts is
gamma(12, 6).
"""

import resource
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hierfit.errors import DiskError, Interrupted, SamplerError, UsageError
from hierfit.sampling import Progress, SamplerOptions, Sampling
from hierfit.stan.children import start_child
from hierfit.stan.executable import Executable
from hierfit.stan.sampler import _best_chains, sample
from hierfit.stan.stan_csv import ChainOutput

PRECISION = 1 / 9 + 1
MU, MU_SD = 11 / 4 / PRECISION, PRECISION**-0.5
RATE, RATE_SD = 2.0, (12 / 36) ** 0.5
QUICK = SamplerOptions(chains=2, warmup=200, draws=200, seed=7)
stan = pytest.mark.stan


def output(draws: int) -> ChainOutput:
    return ChainOutput(("lp__",), np.arange(float(draws))[:, None], np.empty(0), 0.0, 0.0)


@pytest.mark.parametrize(
    ("lengths", "kept"),
    [
        ([10, 10, 10, 10], [10, 10, 10, 10]),
        ([10, 9, 10, 8], [8, 8, 8, 8]),
        ([1000, 1000, 3, 0], [1000, 1000]),  # 2 x 1000 draws are more than 3 x 3
        ([0, 0], []),
    ],
)
def test_an_interrupt_keeps_the_chains_that_make_the_most_draws(lengths: list[int], kept: list[int]) -> None:
    assert [len(chain.draws) for chain in _best_chains([output(length) for length in lengths])] == kept


@pytest.fixture(scope="module")
def fit(conjugate: Executable) -> Sampling:
    data = {
        "N": 4,
        "y": np.array([1.0, 2.0, 4.5, 3.5]),
        "sigma": 2.0,
        "prior_sd": 3.0,
        "M": 5,
        "counts": np.array([3, 0, 2, 4, 1]),
        "K": 0,
        "X": np.empty((0, 2)),
        "bounds": np.array([-np.inf, np.inf]),
    }
    return sample(conjugate, data, SamplerOptions(seed=1))


@stan
def test_posteriors_in_closed_form(fit: Sampling) -> None:
    mu, rate = fit.variables["mu"], fit.variables["rate"]
    assert mu.shape == rate.shape == (4, 1000)
    # 4,000 draws worth at least 1,000 independent ones: means +- 5 sd/sqrt(1000), sds +- 5/sqrt(2000) of themselves
    assert abs(mu.mean() - MU) < 0.16 * MU_SD and abs(mu.std() / MU_SD - 1) < 0.12
    # a gamma(12) has kurtosis 3.5: its sd is a little noisier
    assert abs(rate.mean() - RATE) < 0.16 * RATE_SD and abs(rate.std() / RATE_SD - 1) < 0.15


@stan
def test_shapes_names_and_types(fit: Sampling) -> None:
    assert set(fit.variables) == {"mu", "rate", "replicate", "grid", "low"}  # b is empty
    assert fit.variables["grid"].shape == (4, 1000, 2, 3)
    np.testing.assert_allclose(fit.variables["grid"][0, 0, :, :2], [[1, 2], [4, 5]])
    np.testing.assert_array_equal(fit.variables["grid"][:, :, 1, 2], fit.variables["mu"])
    assert np.all(np.isneginf(fit.variables["low"]))  # infinities pass through the data
    types = {name: array.dtype.kind for name, array in fit.stats.items()}
    assert types == {
        "lp": "f",
        "acceptance_rate": "f",
        "step_size": "f",
        "tree_depth": "i",
        "n_steps": "i",
        "diverging": "b",
        "energy": "f",
    }
    assert all(array.shape == (4, 1000) for array in fit.stats.values())


@stan
def test_what_was_adapted_comes_back(fit: Sampling) -> None:
    np.testing.assert_array_equal(fit.step_size, fit.stats["step_size"][:, -1])
    assert fit.inv_metric.shape == (4, 2)
    # the metric of mu is its posterior variance, from the 500 draws of the last window, worth at least 100:
    # +- 5 x sqrt(2/100)
    assert np.all(np.abs(fit.inv_metric[:, 0] / MU_SD**2 - 1) < 0.71)
    assert fit.seconds.wall > 0 and fit.seconds.warmup > 0 and fit.seconds.sampling > 0
    assert fit.seed == 1 and not fit.interrupted


@stan
def test_same_seed_same_draws_another_chain_other_draws(
    conjugate: Executable, conjugate_data: Mapping[str, Any]
) -> None:
    first, second = (sample(conjugate, conjugate_data, QUICK).variables["mu"] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first[0], first[1])
    later = sample(conjugate, conjugate_data, replace(QUICK, first_chain=2)).variables["mu"]
    np.testing.assert_array_equal(later[0], first[1])
    assert not np.array_equal(later[1], first[0])


@stan
def test_a_seed_is_drawn_and_reported(conjugate: Executable, conjugate_data: Mapping[str, Any]) -> None:
    drawn = sample(conjugate, conjugate_data, replace(QUICK, seed=None))
    again = sample(conjugate, conjugate_data, replace(QUICK, seed=drawn.seed))
    np.testing.assert_array_equal(drawn.variables["mu"], again.variables["mu"])


@stan
def test_adapt_delta_and_max_treedepth_are_respected(conjugate: Executable, conjugate_data: Mapping[str, Any]) -> None:
    careful = sample(conjugate, conjugate_data, replace(QUICK, adapt_delta=0.99))
    hasty = sample(conjugate, conjugate_data, replace(QUICK, adapt_delta=0.6, max_treedepth=1))
    assert careful.step_size.max() < 0.8 * hasty.step_size.min()
    assert hasty.stats["tree_depth"].max() <= 1 and hasty.stats["n_steps"].max() <= 1


@stan
def test_a_dense_metric(conjugate: Executable, conjugate_data: Mapping[str, Any]) -> None:
    fit = sample(conjugate, conjugate_data, replace(QUICK, metric="dense_e"))
    assert fit.inv_metric.shape == (2, 2, 2)
    np.testing.assert_allclose(fit.inv_metric, fit.inv_metric.transpose(0, 2, 1))


@stan
@pytest.mark.parametrize(("metric", "chains"), [("diag_e", 2), ("dense_e", 2), ("diag_e", 1)])
def test_chains_go_on_where_they_stopped(
    conjugate: Executable, conjugate_data: Mapping[str, Any], metric: Any, chains: int
) -> None:
    before = sample(conjugate, conjugate_data, replace(QUICK, metric=metric, chains=chains, draws=1))
    go_on = SamplerOptions(
        chains=chains,
        warmup=0,
        draws=2000 // chains,
        seed=7,
        first_chain=3,
        adapt=False,
        metric=metric,
        step_size=before.step_size,
        inv_metric=list(before.inv_metric),
        inits=[{name: draws[chain, -1] for name, draws in before.variables.items()} for chain in range(chains)],
    )
    after = sample(conjugate, conjugate_data, go_on)
    # the CSV's comments carry as many digits as its draws
    np.testing.assert_allclose(
        after.stats["step_size"], before.step_size[:, None].repeat(2000 // chains, axis=1), rtol=1e-9
    )
    # 2,000 draws worth at least 400: mean +- 5 sd/sqrt(400)
    assert abs(after.variables["mu"].mean() - MU) < 0.25 * MU_SD


@stan
def test_inits_are_where_the_chain_starts(conjugate: Executable, conjugate_data: Mapping[str, Any]) -> None:
    stay = replace(QUICK, warmup=0, draws=1, adapt=False, step_size=1e-9, inits={"mu": 5.0, "rate": 0.5})
    fit = sample(conjugate, conjugate_data, stay)
    np.testing.assert_allclose(fit.variables["mu"], 5.0, atol=1e-5)
    np.testing.assert_allclose(fit.variables["rate"], 0.5, atol=1e-5)


@stan
def test_zero_size_and_full_matrices_reach_the_program(
    conjugate: Executable, conjugate_data: Mapping[str, Any]
) -> None:
    fit = sample(conjugate, {**conjugate_data, "K": 3, "X": np.ones((3, 2))}, QUICK)
    assert fit.variables["b"].shape == (2, 200, 3)


@stan
def test_progress_goes_up_to_the_end(conjugate: Executable, conjugate_data: Mapping[str, Any]) -> None:
    seen: list[Progress] = []
    sample(conjugate, conjugate_data, replace(QUICK, draws=20_000), seen.append)
    done = [progress.done for progress in seen]
    assert done == sorted(done) and done[-1] == seen[-1].total == 2 * 20_200
    assert seen[-1].phase == "sampling" and seen[-1].by_chain == (20_200, 20_200)


@stan
def test_an_interrupt_keeps_the_finished_draws(conjugate: Executable, conjugate_data: Mapping[str, Any]) -> None:
    def stop(progress: Progress) -> None:
        # Side by side: of two chains one of which is more than twice as long, only that one would be kept.
        if progress.done > 100_000 and min(progress.by_chain) > 0.7 * max(progress.by_chain):
            raise KeyboardInterrupt

    endless = SamplerOptions(chains=2, draws=3_000_000, seed=1, parallel_chains=2)
    fit = sample(conjugate, conjugate_data, endless, stop)
    chains, draws = fit.variables["mu"].shape
    assert fit.interrupted and chains == 2 and draws > 1000
    assert np.isfinite(fit.variables["mu"]).all() and fit.inv_metric.shape == (2, 2)


@stan
def test_an_interrupt_in_warmup_has_nothing_to_keep(conjugate: Executable, conjugate_data: Mapping[str, Any]) -> None:
    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="nothing to keep"):
        sample(conjugate, conjugate_data, SamplerOptions(chains=1, warmup=3_000_000, seed=1), stop)


@stan
def test_a_chain_that_is_killed_costs_its_own_draws_only(
    conjugate: Executable, conjugate_data: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    chains: list[subprocess.Popen[Any]] = []

    def start(*arguments: Any, **named: Any) -> "subprocess.Popen[Any]":
        chains.append(start_child(*arguments, **named))
        return chains[-1]

    def kill_one(progress: Progress) -> None:
        if progress.phase == "sampling" and len(chains) == 3:
            chains[1].kill()

    monkeypatch.setattr("hierfit.stan.chains.start_child", start)
    options = SamplerOptions(chains=3, draws=60_000, seed=1, parallel_chains=3, sig_figs=4)
    fit = sample(conjugate, conjugate_data, options, kill_one)
    assert fit.variables["mu"].shape == (2, 60_000) and fit.step_size.shape == (2,)
    assert len(fit.lost) == 1 and not fit.interrupted


@stan
def test_no_room_for_temporary_files(conjugate: Executable, conjugate_data: Mapping[str, Any], tmp_path: Path) -> None:
    # A limit to the size of files, which is the full disk that needs no rights; what it says differs.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        with pytest.raises(DiskError, match=r"temporary files in .* could not be written: it is too large"):
            sample(conjugate, conjugate_data, replace(QUICK, draws=20_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@stan
def test_failures_are_told_in_a_line(conjugate: Executable, conjugate_data: Mapping[str, Any]) -> None:
    lacking = {name: value for name, value in conjugate_data.items() if name != "y"}
    with pytest.raises(SamplerError, match=r"lack.*variable name=y"):
        sample(conjugate, lacking, QUICK)
    with pytest.raises(SamplerError, match="another shape"):
        sample(conjugate, {**conjugate_data, "y": np.ones(3)}, QUICK)
    with pytest.raises(SamplerError, match=r"no starting point.*variable is -1"):
        sample(conjugate, conjugate_data, replace(QUICK, inits={"rate": -1.0}))
    with pytest.raises(UsageError, match="sampler does not take"):
        sample(conjugate, conjugate_data, replace(QUICK, draws=-5))


@stan
def test_the_caller_can_keep_the_files(
    conjugate: Executable, conjugate_data: Mapping[str, Any], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sample(conjugate, conjugate_data, QUICK, folder=tmp_path)
    assert len(list(tmp_path.glob("*.csv"))) == 2
    assert capfd.readouterr() == ("", "")
