"""Chains of the latent engine on small models: their law, their rounds, names and units, and what stops them."""

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.engines.latent import chains
from hierfit.engines.latent.chains import draws_at_a_time, sample
from hierfit.engines.latent.posterior import LatentPosterior
from hierfit.engines.whole import whole_draws
from hierfit.errors import Interrupted
from hierfit.posterior.convergence import assess
from hierfit.sampling import Progress, SamplerOptions
from tests.engines.latent.kernels import CASES, LevelDensity, at
from tests.engines.latent.models import Point, covariance, model, near_posterior, raw_rows
from tests.family_cases import FamilyCase

pytestmark = pytest.mark.stan

Array = NDArray[np.float64]
FAMILY, TEXT, PRIORS = "poisson", "y ~ a + (1 | g)", ("a ~ normal(0, 0.2)",)
OPTIONS = SamplerOptions(seed=4, draws=1000)


@cache
def posterior() -> LatentPosterior:
    return near_posterior(*model(FAMILY, TEXT, *PRIORS), seed=4)


def grid_moments() -> tuple[Array, Array]:
    """Means and sds of the real numbers by the trapezoidal rule, in the axes of the proposal."""
    found = posterior()
    body = found.proposal.parts[0]
    axes = [np.linspace(-9, 9, 61)] * 3
    points = body.mode + np.array(list(product(*axes))) @ body.axes.T
    points[:, 2] = np.abs(points[:, 2])  # an sd, whose real number means the same with either sign
    log_density = found.density(points)
    weights = np.exp(log_density - log_density.max())
    inside = (body.mode + np.array(list(product(*axes))) @ body.axes.T)[:, 2] >= 0
    weights = weights * inside / (weights * inside).sum()
    mean = weights @ points
    return mean, np.sqrt(weights @ (points - mean) ** 2)


def test_moments_are_those_of_a_grid() -> None:
    real = sample(posterior(), model(FAMILY, TEXT, *PRIORS)[1], OPTIONS).variables["real"]
    known = assess(real)
    assert np.nanmax(known.rhat) < 1.01
    mean, sd = grid_moments()
    error = sd / np.sqrt(known.ess_bulk)
    assert np.all(np.abs(real.mean(axis=(0, 1)) - mean) < 4 * error)
    assert np.all(np.abs(real.std(axis=(0, 1)) - sd) < 4 * error)


@pytest.fixture
def any_proposal(monkeypatch: pytest.MonkeyPatch) -> None:
    """40 rows hardly say what some models ask: draws from afar are good enough where only the rest is looked at."""
    monkeypatch.setattr("hierfit.engines.latent.posterior.POOR", 0.0)


@pytest.mark.usefixtures("any_proposal")
def test_effects_have_the_law_that_their_points_give_them() -> None:
    """In the units of the CSV: their means and variances over the points are those of integrals at each point."""
    spec, design = model("negbinomial", "y ~ a + (1 + b | g)", "sd ~ exponential(3)")
    found = sample(near_posterior(spec, design, seed=1), design, replace(OPTIONS, draws=100)).variables
    drawn = found["u"].reshape(400, 8, 2)
    z, spread = [], []
    for index in range(0, 400, 4):
        parts = {name: values.reshape(400, -1)[index] for name, values in found.items()}
        point = Point(*(parts.get(name, np.empty(0)) for name in ("b", "threshold", "b_aux", "aux", "sd", "cor")))
        rows, given = raw_rows(spec, design, point)
        T = np.linalg.cholesky(covariance(point))
        for level in (0, 5):
            v, logs = LevelDensity(rows, at(given, 0), level).grid(0.3)
            share = np.exp(logs - logs.max())
            share /= share.sum()
            u = v @ T.T
            mean = share @ u
            sd = np.sqrt(share @ (u - mean) ** 2)
            z.append((drawn[index, level] - mean) / sd)
            spread.append(share @ ((u - mean) / sd) ** 4)
    n = len(z)
    assert np.all(np.abs(np.mean(z, axis=0)) < 4 / np.sqrt(n))
    assert np.all(np.abs(np.mean(np.square(z), axis=0) - 1) < 4 * np.sqrt((np.mean(spread, axis=0) - 1) / n))


@pytest.mark.usefixtures("any_proposal")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_draws_have_the_names_of_the_csv(case: FamilyCase) -> None:
    spec, design = model(case, "y ~ a + b + (1 + a | g)", *case.priors)
    found = sample(near_posterior(spec, design, seed=1), design, replace(OPTIONS, draws=20))
    draws = whole_draws(found, design, spec)
    assert [parameter.name for parameter in draws.parameters] == [parameter.name for parameter in spec.parameters]
    assert draws.values.shape == (4, 20, len(spec.parameters)) and np.isfinite(draws.values).all()
    assert draws.effects["g"].shape == (4, 20, 8, 2) and np.isfinite(draws.effects["g"]).all()
    assert np.all(np.abs(draws.of("cor(g: Intercept, a)")) <= 1) and np.all(draws.of("sd(g)") > 0)


def test_the_same_seed_gives_the_same_draws() -> None:
    design = model(FAMILY, TEXT, *PRIORS)[1]
    first, again = (sample(posterior(), design, replace(OPTIONS, draws=300)) for _ in range(2))
    other = sample(posterior(), design, replace(OPTIONS, draws=300, seed=5))
    np.testing.assert_array_equal(first.variables["u"], again.variables["u"])
    assert not np.array_equal(first.variables["sd"], other.variables["sd"])
    assert (first.variables["sd"][0] != first.variables["sd"][1]).any(axis=1).mean() > 0.9


def test_a_chain_goes_on_from_where_it_stood() -> None:
    design = model(FAMILY, TEXT, *PRIORS)[1]
    first = sample(posterior(), design, replace(OPTIONS, draws=40))
    last = [{name: values[chain, -1] for name, values in first.variables.items()} for chain in range(4)]
    more, again = (sample(posterior(), design, replace(OPTIONS, draws=40, inits=last, first_chain=5)) for _ in range(2))
    np.testing.assert_array_equal(more.variables["real"], again.variables["real"])
    assert not np.array_equal(more.variables["real"], first.variables["real"])
    before = np.array([own["real"] for own in last])
    far = [{**own, "real": before[chain] + [0.0, 5.0, 0.0]} for chain, own in enumerate(last)]
    moved, stuck = (
        sample(posterior(), design, replace(OPTIONS, draws=1, inits=inits, first_chain=5)) for inits in (far, last)
    )
    assert (moved.stats["acceptance_rate"] == 1).all()  # from where the posterior is not, every proposal is taken
    stays = (stuck.variables["real"][:, 0] == before).all(axis=1)
    np.testing.assert_array_equal(~stays, (stuck.variables["real"][:, 0] == moved.variables["real"][:, 0]).all(axis=1))


def test_effects_are_drawn_anew_where_a_chain_stays() -> None:
    found = sample(posterior(), model(FAMILY, TEXT, *PRIORS)[1], replace(OPTIONS, draws=200)).variables
    same = (np.diff(found["real"], axis=1) == 0).all(axis=2)
    assert 10 < same.sum() < 500
    new = (np.diff(found["u"], axis=1) != 0).all(axis=2)
    assert new.all()


def test_densities_and_weights_are_those_of_the_points() -> None:
    found = sample(posterior(), model(FAMILY, TEXT, *PRIORS)[1], replace(OPTIONS, draws=50))
    real = found.variables["real"].reshape(200, -1)
    np.testing.assert_allclose(found.stats["lp"].ravel(), posterior().density(real), atol=1e-3)  # of few nodes
    assert found.stats["log_weight"].shape == (4, 50)
    assert np.isfinite(found.stats["log_weight"]).all()


def test_progress_is_told_and_an_interrupt_keeps_whole_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Progress] = []
    design, size = model(FAMILY, TEXT, *PRIORS)[1], draws_at_a_time(posterior(), 4)

    def stop(progress: Progress) -> None:
        said.append(progress)
        if len(said) == 3:
            raise KeyboardInterrupt

    sampling = sample(posterior(), design, OPTIONS, stop)
    assert sampling.interrupted and sampling.stats["lp"].shape == (4, 3 * size)
    assert all(values.shape[:2] == (4, 3 * size) for values in sampling.variables.values())
    assert said[-1].done == 4 * 3 * size and said[-1].total == 4_000

    def at_once(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(chains, "_weights", at_once)
    with pytest.raises(Interrupted, match="nothing to keep"):
        sample(posterior(), design, OPTIONS)


def test_blocks_are_smaller_where_there_is_more_work(monkeypatch: pytest.MonkeyPatch) -> None:
    found = posterior()
    assert draws_at_a_time(found, 4) == 256
    monkeypatch.setattr(chains, "WORK", found.density.kernel.work * 4 * 30)
    assert draws_at_a_time(found, 4) == 30 and draws_at_a_time(found, 2) == 60
    monkeypatch.setattr(chains, "WORK", 1)
    assert draws_at_a_time(found, 4) == 8
