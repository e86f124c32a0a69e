"""What is wrong with draws: each reason from its threshold on, numbers as ArviZ has them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from arviz_stats.base.array import array_stats

from hierfit.engines.full.engine import FULL
from hierfit.sampling import SamplerOptions, Sampling
from hierfit.stan.trouble import ebfmi, effective, find_trouble, rhat
from tests.fake_sampling import fake_sampling
from tests.model.cases import design, small_spec

SHAPE = (4, 1000)


def sampling(**stats: Any) -> Sampling:
    made = fake_sampling(FULL.data(small_spec(), design()), SamplerOptions(seed=3))
    own = {"theta_std": np.concatenate([made.variables["sd"], made.variables["aux"]], axis=2)}
    return replace(made, variables=own, stats={**made.stats, **stats})


def test_each_reason_from_its_threshold_on() -> None:
    draws = np.arange(4000).reshape(SHAPE)
    assert find_trouble(sampling()).reasons == ()
    for count, some, severe in ((4, False, False), (5, True, False), (40, True, False), (41, True, True)):
        found = find_trouble(sampling(diverging=draws < count))
        assert (found.many_divergent, bool(found.reasons), bool(found.severe)) == (some, some, severe)
    assert str(found) == "41 divergent"
    lazy = np.full(SHAPE, 0.9)
    lazy[2] = 0.41
    assert str(find_trouble(sampling(acceptance_rate=lazy))) == "acceptance 0.41"
    apart = sampling()
    apart.variables["theta_std"][0] += 0.5 * apart.variables["theta_std"].std()
    assert not find_trouble(apart).severe and find_trouble(apart).reasons[0].startswith("R-hat 1.0")
    apart.variables["theta_std"][0] += apart.variables["theta_std"].std()
    assert find_trouble(apart).severe[0].startswith("R-hat 1.")
    sticky = sampling()
    sticky.variables["theta_std"][:] = np.repeat(sticky.variables["theta_std"][:, ::100], 100, axis=1)
    assert any(reason.startswith("ESS ") for reason in find_trouble(sticky).severe)
    walk = np.cumsum(np.random.default_rng(1).normal(size=SHAPE), axis=1)
    assert find_trouble(sampling(energy=walk)).severe == (f"E-BFMI {ebfmi(walk):.2f}",)


def test_fewer_divergences_are_better_than_more_effective_draws() -> None:
    fine, some = find_trouble(sampling()), find_trouble(sampling(diverging=np.arange(4000).reshape(SHAPE) < 30))
    worse = find_trouble(sampling(diverging=np.arange(4000).reshape(SHAPE) < 300))
    assert min([worse, some, fine], key=lambda found: found.rank) is fine
    assert min([worse, some], key=lambda found: found.rank) is some


def test_a_program_without_parameters_has_no_trouble() -> None:
    made = sampling()
    found = find_trouble(replace(made, variables={}, stats={"lp": made.stats["lp"]}))
    assert found.reasons == () and found.ess == np.inf


def test_rhat_finds_chains_that_differ_in_place_or_width() -> None:
    rng = np.random.default_rng(1)
    same = rng.standard_cauchy((4, 1000))
    assert rhat(same) < 1.01
    assert rhat(same + np.arange(4)[:, None]) > 1.05
    assert rhat(same * np.array([1, 1, 1, 4])[:, None]) > 1.02
    assert rhat(np.sort(same, axis=1)) > 1.5  # all chains drift alike
    assert rhat(np.ones((4, 1000))) == np.inf


@pytest.mark.parametrize("memory", [-0.5, 0.0, 0.5, 0.9, 0.98])
def test_effective_draws_are_those_of_arviz(memory: float) -> None:
    rng = np.random.default_rng(2)
    noise, values = rng.normal(size=SHAPE), np.empty(SHAPE)
    values[:, 0] = noise[:, 0]
    for i in range(1, SHAPE[1]):
        values[:, i] = memory * values[:, i - 1] + np.sqrt(1 - memory**2) * noise[:, i]
    theirs = float(array_stats.ess(values, method="bulk", chain_axis=0, draw_axis=1))
    # Ranks that are uniform and not normal change a little, and so may where the sequences end.
    assert effective(values) == pytest.approx(theirs, rel=0.25)


def test_energies_are_judged_as_arviz_does() -> None:
    energy = np.cumsum(np.random.default_rng(3).normal(size=SHAPE), axis=1) * 0.1
    energy += np.random.default_rng(4).normal(size=SHAPE)
    assert ebfmi(energy) == pytest.approx(np.min(array_stats.bfmi(energy, chain_axis=0, draw_axis=1)), rel=0.01)
