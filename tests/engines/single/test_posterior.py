"""The density of one factor against one multivariate normal distribution of all rows, and its chains."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.scaling import coefficient_scale, effect_scale
from hierfit.engines.marginal.density import reduce_model, threads
from hierfit.engines.marginal.system import solve
from hierfit.engines.single import sums
from hierfit.engines.single.back import lower_root, single_draws
from hierfit.engines.single.chains import sample
from hierfit.engines.single.posterior import SingleModel, find_posterior, reduce_single
from hierfit.model.spec import ModelSpec
from hierfit.posterior.convergence import assess
from hierfit.sampling import SamplerOptions
from tests.engines.marginal.cases import dense, model
from tests.model.cases import repeated

Array = NDArray[np.float64]
MODELS = {
    "intercepts": ("y ~ a + b + (1 | g)", ()),
    "slopes": ("y ~ a + b + (1 + a | g)", ("Intercept ~ normal(20, 3)",)),
    "three": ("y ~ a + b + (1 + a + b | g)", ()),
    "uncorrelated": ("y ~ a + b + (1 + a || g)", ("a ~ normal(1, 0.5)",)),
    "slopes alone": ("y ~ a + b + (0 + a + b | g)", ()),
    "no intercept": ("y ~ 0 + a + (1 | g)", ("a ~ flat()",)),
    "flat intercept": ("y ~ a + (1 + a | g)", ("Intercept ~ flat()",)),
    "constants": ("y ~ a + b + (1 + a | g)", ("Intercept ~ constant(24)", "b ~ constant(-1)")),
    "known spread": ("y ~ a + (1 + a | g)", ("sd(g) ~ constant(1.5)", "sigma ~ constant(2)")),
    "nothing to integrate": ("y ~ a + (1 | g)", ("Intercept ~ constant(24)", "a ~ constant(0.5)")),
}
FEW = 7


def points_of(model: SingleModel, seed: int = 1) -> Array:
    """A few points around where the search begins."""
    start = model.parameters.start
    return np.asarray(start + np.random.default_rng(seed).normal(0, 0.4, (FEW, len(start))))


def differences(spec: ModelSpec, design: Design, of_rows: Design | None = None) -> Array:
    """What the log density is off from that of the rows at several points [s]."""
    model = reduce_single(spec, design)
    points = points_of(model)
    with threads() as pool:
        given = model.given(points, pool)
    values = model.parameters.values(points)
    unit = effect_scale(design, design.groups[0])
    found = []
    for at in range(FEW):
        factor = np.diag(unit) @ values.factors[0].T[at]
        sigma = values.sigma[at] * design.sigma_scale
        wanted = dense(spec, of_rows or design, [factor @ factor.T], sigma).log_density
        found.append(given.log_density[at] - values.log_prior[at] - wanted)
    return np.array(found)


@pytest.mark.parametrize("centered", [True, False], ids=["centred", "raw"])
@pytest.mark.parametrize("name", MODELS)
def test_density_differs_from_that_of_the_rows_by_a_constant(name: str, centered: bool) -> None:
    text, priors = MODELS[name]
    spec, design = model(text, *priors, centered=centered)
    # A flat prior stands in the rows as one with an sd of 1e4 units, which takes digits of theirs, not of ours.
    assert np.ptp(differences(spec, design)) < (1e-3 if "flat()" in " ".join(priors) else 1e-7)


def test_rows_of_other_precision_have_their_own_variance() -> None:
    spec, design = model("y ~ a + b + (1 + a | g)")
    design = replace(design, precision=np.random.default_rng(3).gamma(2, 50, design.n_rows))
    assert np.ptp(differences(spec, design)) < 1e-7


def test_rows_with_weights_are_rows_that_are_repeated() -> None:
    # no column is centred, and no effect, which rows that are repeated would change
    spec, design = model("y ~ a + b + (1 + a || g)", centered=False)
    design = replace(design, weights=np.random.default_rng(3).integers(0, 4, design.n_rows).astype(float))
    assert np.ptp(differences(spec, design, repeated(design))) < 1e-7


@pytest.mark.parametrize("name", ["slopes", "three", "uncorrelated"])
def test_density_is_that_of_the_system_of_several_factors(name: str) -> None:
    text, priors = MODELS[name]
    spec, design = model(text, *priors, rows=400)
    own, other = reduce_single(spec, design), reduce_model(spec, design)
    points = points_of(own)
    with threads() as pool:
        ours = own.given(points, pool).log_density
    values = other.parameters.values(points)
    theirs = [solve(other.products, *values.at(at)).log_density + values.log_prior[at] for at in range(FEW)]
    assert np.ptp(ours - theirs) < 1e-9 * np.abs(theirs).max()


@pytest.mark.parametrize("numbers", [1, 40, 100_000])
def test_blocks_of_levels_and_points_change_no_sum(numbers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, design = model("y ~ a + b + (1 + a + b | g)")
    own = reduce_single(spec, design)
    with threads() as pool:
        whole = own.given(points_of(own), pool).log_density
        monkeypatch.setattr(sums, "_NUMBERS", numbers)
        monkeypatch.setattr(sums, "_POINTS", 3)
        np.testing.assert_allclose(own.given(points_of(own), pool).log_density, whole, rtol=1e-12)


def test_a_point_far_out_has_no_density() -> None:
    spec, design = model("y ~ a + (1 + a | g)")
    own = reduce_single(spec, design)
    far = np.array([own.parameters.start, own.parameters.bounds[:, 0], own.parameters.bounds[:, 1]])
    with threads() as pool:
        density = own.given(far, pool).log_density
    assert np.isfinite(density[0]) and not np.isnan(density).any() and (density[1:] < density[0] - 100).all()


@pytest.mark.parametrize("name", ["slopes", "constants", "uncorrelated"])
def test_coefficients_have_the_moments_of_the_rows(name: str) -> None:
    text, priors = MODELS[name]
    spec, design = model(text, *priors)
    own = reduce_single(spec, design)
    point = points_of(own)[:1]
    with threads() as pool:
        L = own.given(point, pool).L
    n = 20_000
    b = own.rows.at_origin(own.draw(np.repeat(L, n, axis=0), np.random.default_rng(1))) * coefficient_scale(design)
    values = own.parameters.values(point)
    factor = np.diag(effect_scale(design, design.groups[0])) @ values.factors[0].T[0]
    wanted = dense(spec, design, [factor @ factor.T], values.sigma[0] * design.sigma_scale)
    K = b.shape[1]
    sd = np.sqrt(np.maximum(np.diag(wanted.covariance)[:K], 0))
    # Five Monte Carlo standard errors of a mean and of an sd; 1e-7 for constants.
    assert (np.abs(b.mean(axis=0) - wanted.mean[:K]) < 5 * sd / np.sqrt(n) + 1e-7).all()
    assert (np.abs(b.std(axis=0) - sd) < 5 * sd / np.sqrt(2 * n) + 1e-7).all()


@pytest.mark.parametrize("sd", ["normal(0, 4)", "normal(0, 0.05)"], ids=["apart", "near 0"])
def test_chains_have_the_moments_of_integration(sd: str) -> None:
    """With one sd alone to sample, everything follows from a sum over a grid of it."""
    spec, design = model("y ~ a + (1 | g)", "sigma ~ constant(2)", f"sd(g) ~ {sd}")
    posterior = find_posterior(spec, design, 1)
    sampling = sample(posterior, SamplerOptions(chains=4, draws=2_000, seed=3))
    draws = single_draws(sampling, posterior.model, design, spec)
    names = [parameter.name for parameter in draws.parameters]
    grid = np.linspace(1e-4, 12, 4_000)
    prior = spec.priors["sd(g)"]
    found = [dense(spec, design, [np.array([[value**2]])], 2.0) for value in grid]
    log = np.array([each.log_density for each in found]) + prior.log_density(grid)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    at = names.index("sd(g)")
    error = assess(draws.values).mcse_mean[at]
    assert abs(draws.values[..., at].mean() - weight @ grid) < 5 * error
    effects = draws.effects["g"].reshape(-1, design.groups[0].n_levels)
    mean = weight @ np.array([each.mean[2:] for each in found])
    second = weight @ np.array([np.diag(each.covariance)[2:] + each.mean[2:] ** 2 for each in found])
    spread = np.sqrt(second - mean**2)
    # 4,000 effective draws at least
    assert (np.abs(effects.mean(axis=0) - mean) < 5 * spread / np.sqrt(4_000)).all()
    np.testing.assert_allclose(effects.std(axis=0), spread, rtol=0.1)


def test_the_same_seed_gives_the_same_draws_and_rounds_go_on() -> None:
    spec, design = model("y ~ a + (1 + a | g)")
    posterior = find_posterior(spec, design, 1)
    options = SamplerOptions(chains=2, draws=20, seed=3)
    first, again = sample(posterior, options), sample(posterior, options)
    np.testing.assert_array_equal(first.variables["real"], again.variables["real"])
    one, other = (single_draws(each, posterior.model, design, spec) for each in (first, again))
    np.testing.assert_array_equal(one.effects["g"], other.effects["g"])
    np.testing.assert_array_equal(one.values, other.values)
    inits = [{"real": real} for real in first.variables["real"][:, -1]]
    more = sample(posterior, replace(options, inits=inits, first_chain=3))
    assert not np.array_equal(first.variables["real"], more.variables["real"])


def test_roots_are_lower_triangular() -> None:
    T = np.random.default_rng(1).normal(size=(5, 3, 3))
    T[2, :, 1] = 0
    root = lower_root(T)
    np.testing.assert_allclose(root @ np.swapaxes(root, 1, 2), T @ np.swapaxes(T, 1, 2), atol=1e-12)
    assert not np.triu(root, 1).any() and (np.diagonal(root, axis1=1, axis2=2) >= 0).all()
    lower = np.tril(T)
    assert lower_root(lower) is lower
