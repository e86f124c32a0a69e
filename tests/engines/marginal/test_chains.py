"""Chains of independence Metropolis on small models: their law, their rounds, and what stops them."""

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.design.prior_choice import build_spec
from hierfit.engines.marginal import chains
from hierfit.engines.marginal.chains import sample
from hierfit.engines.marginal.density import MarginalPosterior, find_posterior, reduce_model, threads
from hierfit.engines.proposal import NoProposalError
from hierfit.engines.whole import whole_draws
from hierfit.errors import Interrupted
from hierfit.model.formula_text import parse_formula
from hierfit.posterior.convergence import assess
from hierfit.sampling import Progress, SamplerOptions
from tests.engines.marginal.cases import model

Array = NDArray[np.float64]
TEXT = "y ~ a + b + (1 | g) + (1 | h)"
OPTIONS = SamplerOptions(seed=4, draws=1000)


@cache
def posterior() -> MarginalPosterior:
    return find_posterior(*model(TEXT), seed=4)


def grid_moments() -> tuple[Array, Array]:
    """Means and sds of the real numbers by the trapezoidal rule, which is exact to many digits for smooth densities."""
    reduced = reduce_model(*model(TEXT))
    axes = [np.linspace(0, 6.6, 31), np.linspace(0, 6.6, 31), np.linspace(-2.6, -1.2, 16)]
    points = np.array(list(product(*axes)))
    with threads() as pool:
        log_density, _ = reduced.log_densities(points, pool)
    ends = np.prod([np.where(np.isin(points[:, i], axes[i][[0, -1]]), 0.5, 1) for i in range(3)], axis=0)
    weights = ends * np.exp(log_density - log_density.max())
    weights /= weights.sum()
    mean = weights @ points
    return mean, np.sqrt(weights @ (points - mean) ** 2)


def test_moments_are_those_of_a_grid() -> None:
    real = sample(posterior(), OPTIONS).variables["real"]
    known = assess(real)
    assert np.nanmax(known.rhat) < 1.01
    mean, sd = grid_moments()
    error = sd / np.sqrt(known.ess_bulk)
    assert np.all(np.abs(real.mean(axis=(0, 1)) - mean) < 4 * error)
    assert np.all(np.abs(real.std(axis=(0, 1)) - sd) < 4 * error)  # that of an sd is 1 / sqrt(2) of it, or a bit more


def test_the_draws_have_the_names_of_the_csv() -> None:
    spec, design = model("y ~ a + b + (1 + a | g) + (1 | h) + (1 | k)")
    found = sample(find_posterior(spec, design, seed=1), replace(OPTIONS, draws=30))
    draws = whole_draws(found, design, spec)
    assert [parameter.name for parameter in draws.parameters] == [parameter.name for parameter in spec.parameters]
    assert draws.values.shape == (4, 30, len(spec.parameters)) and np.isfinite(draws.values).all()
    assert {name: u.shape for name, u in draws.effects.items()} == {
        "g": (4, 30, 8, 2), "h": (4, 30, 5, 1), "k": (4, 30, 3, 1),
    }  # fmt: skip
    cor = draws.of("cor(g: Intercept, a)")
    assert np.all(np.abs(cor) < 1) and np.ptp(cor) > 0.01


def test_the_draws_of_a_lognormal_outcome_are_those_of_its_logarithm() -> None:
    _, design = model(TEXT)
    lognormal = replace(design, y=np.exp(design.y / 10), family="lognormal")
    ours, theirs = (
        sample(find_posterior(build_spec(parse_formula(TEXT), each), each, 1), replace(OPTIONS, draws=20)).variables
        for each in (lognormal, replace(design, y=np.log(lognormal.y)))
    )
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_the_same_seed_gives_the_same_draws() -> None:
    first, again = sample(posterior(), OPTIONS), sample(posterior(), OPTIONS)
    other = sample(posterior(), replace(OPTIONS, seed=5))
    np.testing.assert_array_equal(first.variables["u"], again.variables["u"])
    assert not np.array_equal(first.variables["sd"], other.variables["sd"])
    chains_differ = first.variables["sd"][0] != first.variables["sd"][1]
    assert chains_differ.any(axis=1).mean() > 0.9


def test_a_chain_goes_on_from_where_it_stood() -> None:
    first = sample(posterior(), replace(OPTIONS, draws=40))
    last = [{name: values[chain, -1] for name, values in first.variables.items()} for chain in range(4)]
    more = sample(posterior(), replace(OPTIONS, draws=40, inits=last, first_chain=5))
    again = sample(posterior(), replace(OPTIONS, draws=40, inits=last, first_chain=5))
    np.testing.assert_array_equal(more.variables["real"], again.variables["real"])
    assert not np.array_equal(more.variables["real"], first.variables["real"])
    # A chain that refuses the first proposal is still where the earlier one ended, and nowhere else.
    before = np.array([at["real"] for at in last])
    far = [{**at, "real": before[chain] + [0.0, 15.0, 0.0]} for chain, at in enumerate(last)]
    moved = sample(posterior(), replace(OPTIONS, draws=1, inits=far, first_chain=5))
    stuck = sample(posterior(), replace(OPTIONS, draws=1, inits=last, first_chain=5))
    assert (moved.stats["acceptance_rate"] == 1).all()  # from where the posterior is not, every proposal is taken
    stays = (stuck.variables["real"][:, 0] == before).all(axis=1)
    np.testing.assert_array_equal(~stays, (stuck.variables["real"][:, 0] == moved.variables["real"][:, 0]).all(axis=1))


def test_effects_are_drawn_anew_where_a_chain_stays() -> None:
    found = sample(posterior(), replace(OPTIONS, draws=200)).variables
    same = (np.diff(found["real"], axis=1) == 0).all(axis=2)
    assert 10 < same.sum() < 400
    new = (np.diff(found["u"], axis=1) != 0).all(axis=2)
    assert new[same].mean() > 0.8 and new[~same].all()


def test_progress_is_told_and_an_interrupt_keeps_whole_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Progress] = []

    def stop(progress: Progress) -> None:
        said.append(progress)
        if len(said) == 3:
            raise KeyboardInterrupt

    sampling = sample(posterior(), OPTIONS, stop)
    assert sampling.interrupted and sampling.stats["lp"].shape == (4, 3 * chains.AT_A_TIME)
    assert said[-1].done == 4 * 3 * chains.AT_A_TIME and said[-1].total == 4_000

    def at_once(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(chains, "_propose", at_once)
    with pytest.raises(Interrupted, match="nothing to keep"):
        sample(posterior(), OPTIONS)


def test_a_point_without_a_density_is_never_taken() -> None:
    found = posterior()
    real = np.array([found.proposal.mode, [19.9, 19.9, -20.0]])  # sds e^40 times sigma: no factorisation
    with threads() as pool:
        near, far = found.points(real, [np.random.default_rng(1)] * 2, pool)
    assert np.isfinite(near.weight) and far.weight == -np.inf
    assert [step.point for step in chains._walk(chains.Step(near), [far] * 5, np.random.default_rng(1))] == [near] * 5


def test_an_outcome_without_residual_is_left_to_stan() -> None:
    spec, design = model(TEXT)
    exact = replace(design, y=design.X @ [2.0, -1.0] + 3.0 * design.groups[0].codes - design.groups[1].codes)
    with pytest.raises(NoProposalError):
        find_posterior(spec, exact, seed=1)
