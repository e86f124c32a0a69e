"""Hamiltonian steps through posteriors of real models: their gradient, their draws, when they are not taken."""

from dataclasses import replace

import numpy as np
import pytest

from hierfit.design.design import Design
from hierfit.engines.chain_state import ChainState
from hierfit.engines.engine import EngineName, Wanted
from hierfit.engines.latent import posterior, walked
from hierfit.engines.latent.chains import sample
from hierfit.engines.latent.engine import LATENT
from hierfit.engines.latent.hamiltonian import WARMUP
from hierfit.engines.latent.posterior import FarPosterior, LatentPosterior, find_posterior
from hierfit.engines.latent.source import LatentSource, open_latent
from hierfit.engines.latent.walked import WalkedPosterior, walk_through
from hierfit.engines.proposal import NoProposalError
from hierfit.engines.whole import whole_draws
from hierfit.model.spec import ModelSpec
from hierfit.posterior.convergence import assess
from hierfit.sampling import SamplerOptions
from tests.engines.latent.models import model
from tests.test_latent_calibration import CROSSED, Case, simulated

pytestmark = pytest.mark.stan

OPTIONS = SamplerOptions(draws=1000, seed=3)


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is close enough, and no data are too small."""
    monkeypatch.setattr(posterior, "POOR", 2.0)
    monkeypatch.setattr(walked, "LEAST_ROWS", 0)


def small(seed: int = 3) -> tuple[Design, ModelSpec]:
    rng = np.random.default_rng(2)
    for _ in range(seed):
        design, spec, _ = simulated(Case("bernoulli", CROSSED), rng)
    return design, spec


def through(design: Design, spec: ModelSpec) -> WalkedPosterior:
    far = find_posterior(spec, design, seed=1)
    assert isinstance(far, FarPosterior)
    return walk_through(far, 1)


@pytest.mark.parametrize(
    ("family", "text"),
    [("bernoulli", "y ~ a + (1 | g) + (1 + a | h)"), ("negbinomial", "y ~ a + (1 | g) + (1 | h); shape ~ b")],
)
def test_gradients_are_those_of_differences(family: str, text: str) -> None:
    """To 1e-3 of the largest: Fisher's identity holds for the integral, and nodes leave a little of it."""
    spec, design = model(family, text)
    density = find_posterior(spec, design, seed=1).density
    density = replace(density, kernel=density.kernel.with_nodes(31))
    d, U = density.parameters.n_real, density.parameters.n_other
    assert U > 0
    points = np.random.default_rng(4).normal(0, 0.2, (3, d + U))
    points[:, :d] += density.parameters.start
    found = density.gradient(points)
    steps = 1e-5 * np.eye(d + U)
    expected = np.stack([(density(points + step) - density(points - step)) / 2e-5 for step in steps], axis=1)
    np.testing.assert_allclose(found[0], density(points))
    np.testing.assert_allclose(found[1], expected, atol=1e-3 * np.abs(expected).max())


def test_both_ways_of_drawing_agree(monkeypatch: pytest.MonkeyPatch, forced: None) -> None:
    """Means within four standard errors of their difference, and shares below quantiles."""
    design, spec = small()
    own = through(design, spec)
    monkeypatch.setattr(posterior, "POOR", 0.25)
    near = find_posterior(spec, design, seed=1)
    assert isinstance(near, LatentPosterior)
    source = LatentSource(open_latent(Wanted(spec, design)).program, own, 0.0, Wanted(spec, design))
    longer = replace(OPTIONS, draws=2500)
    ours = source.draws(source.first(longer, None)[0])
    theirs = whole_draws(sample(near, design, longer), design, spec)
    ours_at, theirs_at = assess(ours.values), assess(theirs.values)
    assert np.nanmin(ours_at.ess_bulk) > 800 and np.nanmax(ours_at.rhat) < 1.02
    for at, parameter in enumerate(ours.parameters):
        one, other = ours.values[..., at].ravel(), theirs.values[..., at].ravel()
        sizes = np.array([ours_at.ess_bulk[at], theirs_at.ess_bulk[at]])
        error = np.sqrt(one.var() / sizes[0] + other.var() / sizes[1])
        assert abs(one.mean() - other.mean()) < 4 * error, parameter.name
        for probability in (0.05, 0.5, 0.95):
            share = np.mean(other < np.quantile(one, probability))
            assert abs(share - probability) < 5 * np.sqrt(probability * (1 - probability) * (1 / sizes).sum())


def test_draws_go_on_and_have_names(forced: None) -> None:
    design, spec = small()
    source = open_latent(Wanted(spec, design, seed=1))
    assert isinstance(source, LatentSource) and isinstance(source.posterior, WalkedPosterior)
    short = replace(OPTIONS, draws=30)
    first, start = source.first(short, None)
    again, _ = source.first(short, None)
    np.testing.assert_array_equal(first.variables["u"], again.variables["u"])
    assert (start.origin, start.warmup) == ("adaptation", WARMUP)
    assert start.tried == "Hamiltonian steps, not independence Metropolis"
    assert start.reason is not None and "of a pilot sample were effective" in start.reason
    assert first.stats["diverging"].dtype == bool and first.stats["n_steps"].min() >= 1
    assert not np.array_equal(first.variables["real"][0], first.variables["real"][1])
    state = ChainState.after(first)
    more = source.more(state, short, None)
    apart = np.abs(more.variables["real"][:, 0] - first.variables["real"][:, -1])
    assert 0 < apart.max() < 4 and not np.array_equal(more.variables["real"], first.variables["real"])
    draws = source.draws(more)
    assert [parameter.name for parameter in draws.parameters] == [parameter.name for parameter in spec.parameters]
    assert (draws.of("sd(h)") >= 0).all() and draws.effects["h"].shape == (4, 30, 6, 1)


def test_small_data_are_left_to_stan(monkeypatch: pytest.MonkeyPatch) -> None:
    design, spec = small()
    monkeypatch.setattr(posterior, "POOR", 2.0)
    far = find_posterior(spec, design, seed=1)
    assert isinstance(far, FarPosterior)
    with pytest.raises(NoProposalError, match=r"effective, and of fewer than 1,000 rows the full engine .* faster"):
        walk_through(far, 1)
    heard: list[str] = []
    assert open_latent(Wanted(spec, design, seed=1), heard.append).engine is EngineName.FULL
    assert heard[-1].startswith("The full engine stands in for the latent one: only ")


def test_many_effects_are_walked_through_without_a_proposal(monkeypatch: pytest.MonkeyPatch) -> None:
    design, spec = small()
    monkeypatch.setattr(posterior, "MOST_JOINT", 5)
    far = find_posterior(spec, design, seed=1)
    assert isinstance(far, FarPosterior) and far.reason.endswith("have 6 effects, more than 5")
    monkeypatch.setattr(walked, "LEAST_ROWS", 0)
    found = walk_through(far, 1)
    assert found.walk.steps < 20 and found.node_error < 0.02


def test_bounds_of_coefficients_are_left_to_stan(monkeypatch: pytest.MonkeyPatch) -> None:
    spec, design = model("bernoulli", "y ~ a + (1 | g) + (1 | h)", "a ~ exponential(1)")
    monkeypatch.setattr(posterior, "MOST_JOINT", 0)
    far = find_posterior(spec, design, seed=1)
    assert isinstance(far, FarPosterior)
    with pytest.raises(NoProposalError, match="coefficients have bounds"):
        walk_through(far, 1)


def test_a_plan_says_what_many_effects_of_others_will_take(monkeypatch: pytest.MonkeyPatch) -> None:
    design, spec = small()
    wanted = Wanted(spec, design, seed=1)
    near, few = LATENT.estimate(wanted, OPTIONS), LATENT.warmup(design, OPTIONS)
    monkeypatch.setattr(posterior, "MOST_JOINT", 2)
    far = LATENT.estimate(wanted, OPTIONS)
    assert few is None and LATENT.warmup(design, OPTIONS) == WARMUP
    assert near is not None and far is not None and near.steps == 1 < far.steps
    assert far.seconds > far.gradient * far.steps * OPTIONS.chains * OPTIONS.draws
