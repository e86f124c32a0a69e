"""The system of cross-products against one multivariate normal distribution of all rows."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.prior_choice import build_spec
from hierfit.engines.marginal import products
from hierfit.engines.marginal.density import Reduced, reduce_model
from hierfit.engines.marginal.products import Dense, Sparse
from hierfit.engines.marginal.system import draw_rest, solve
from hierfit.model.spec import ModelSpec
from tests.engines.marginal.cases import dense, model
from tests.model.cases import repeated

Array = NDArray[np.float64]
MODELS = {
    "intercepts": ("y ~ a + b + (1 | g) + (1 | h)", ()),
    "three": ("y ~ a + (1 | k) + (1 | g) + (1 | h)", ("Intercept ~ flat()", "a ~ normal(1, 0.5)")),
    "slopes of the largest": ("y ~ a + (1 + a | g) + (1 | h)", ("Intercept ~ normal(20, 3)",)),
    "slopes of another": ("y ~ a + (1 | g) + (1 + b | h)", ()),
    "slopes of all": ("y ~ a + b + (1 + a | g) + (1 + b | k) + (0 + a || h)", ("b ~ constant(-1)",)),
    "no intercept": ("y ~ 0 + a + (1 | g) + (1 | h)", ("a ~ flat()",)),
    "constant intercept": ("y ~ a + (1 | g) + (1 | h)", ("Intercept ~ constant(24)",)),
}


@pytest.fixture(params=[False, True], ids=["dense", "sparse"])
def sparse(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Both ways to sum over the levels of the factor that is eliminated."""
    monkeypatch.setattr(products, "_DENSE_IS_FASTER", 0 if request.param else np.inf)
    return bool(request.param)


def covariances(design: Design, seed: int) -> tuple[list[Array], float]:
    """Cholesky factors of the covariances of effects, and sigma, in the sampler's units."""
    rng = np.random.default_rng(seed)
    sizes = [len(group.terms) for group in design.groups]
    return [np.tril(rng.normal(0, 0.4, (m, m))) + 0.5 * np.eye(m) for m in sizes], float(rng.uniform(0.1, 1))


def expected(reduced: Reduced, spec: ModelSpec, T: list[Array], sigma: float) -> tuple[float, Array, Array]:
    """Log density, and mean and covariance of coefficients and effects, row by row and in the units of the CSV."""
    in_csv = [np.diag(unit) @ factor for unit, factor in zip(reduced.effect_units, T, strict=True)]
    found = dense(spec, reduced.design, [factor @ factor.T for factor in in_csv], sigma * reduced.design.sigma_scale)
    return found.log_density, found.mean, found.covariance


@pytest.mark.parametrize("centered", [True, False], ids=["centred", "raw"])
@pytest.mark.parametrize("name", MODELS)
def test_density_differs_from_that_of_the_rows_by_a_constant(name: str, centered: bool, sparse: bool) -> None:
    text, priors = MODELS[name]
    spec, design = model(text, *priors, centered=centered)
    reduced = reduce_model(spec, design)
    assert isinstance(reduced.products.cross, Sparse if sparse else Dense)
    differences = []
    for seed in range(4):
        T, sigma = covariances(design, seed)
        differences.append(solve(reduced.products, T, sigma).log_density - expected(reduced, spec, T, sigma)[0])
    # A flat prior stands in the rows as one with an sd of 1e4 units, which takes digits of theirs, not of ours.
    assert np.ptp(differences) < (1e-3 if "flat()" in " ".join(priors) else 1e-7)


@pytest.mark.parametrize("name", ["slopes of another", "slopes of all", "no intercept"])
def test_rows_of_other_precision_have_their_own_variance(name: str, sparse: bool) -> None:
    text, priors = MODELS[name]
    spec, design = model(text, *priors)
    design = replace(design, precision=np.random.default_rng(3).gamma(2, 50, design.n_rows))
    reduced = reduce_model(spec, design)
    differences = []
    for seed in range(4):
        T, sigma = covariances(design, seed)
        solved, wanted = solve(reduced.products, T, sigma), expected(reduced, spec, T, sigma)
        differences.append(solved.log_density - wanted[0])
    assert np.ptp(differences) < (1e-3 if "flat()" in " ".join(priors) else 1e-7)
    drawn = [
        np.concatenate(reduced.in_csv_units(*draw_rest(reduced.products, solved, T, sigma, np.random.default_rng(k))))
        for k in range(1_000)
    ]
    sd = np.sqrt(np.maximum(np.diag(wanted[2]), 0))
    moving = sd > 1e-8
    z = (np.mean(drawn, axis=0) - wanted[1])[moving] / sd[moving] * np.sqrt(len(drawn))
    assert np.abs(z).max() < 4.5  # as below


@pytest.mark.parametrize("text", ["y ~ a + b + (1 | g) + (1 | h)", "y ~ a + (1 + a || g) + (1 + b || k) + (0 + a | h)"])
def test_rows_with_weights_are_rows_that_are_repeated(text: str, sparse: bool) -> None:
    spec, design = model(text, centered=False)  # no column is centred, which rows that are repeated would change
    design = replace(design, weights=np.random.default_rng(3).integers(0, 4, design.n_rows).astype(float))
    reduced, often = reduce_model(spec, design), repeated(design)
    differences = []
    for seed in range(4):
        T, sigma = covariances(design, seed)
        in_csv = [np.diag(unit) @ factor for unit, factor in zip(reduced.effect_units, T, strict=True)]
        wanted = dense(spec, often, [factor @ factor.T for factor in in_csv], sigma * design.sigma_scale)
        differences.append(solve(reduced.products, T, sigma).log_density - wanted.log_density)
    assert np.ptp(differences) < 1e-7


@pytest.mark.parametrize("name", MODELS)
def test_draws_have_the_moments_of_the_rows(name: str, sparse: bool) -> None:
    text, priors = MODELS[name]
    spec, design = model(text, *priors)
    reduced = reduce_model(spec, design)
    T, sigma = covariances(design, 1)
    _, mean, covariance = expected(reduced, spec, T, sigma)
    solved, rng = solve(reduced.products, T, sigma), np.random.default_rng(5)
    drawn = [reduced.in_csv_units(*draw_rest(reduced.products, solved, T, sigma, rng)) for _ in range(4_000)]
    values = np.array([np.concatenate(both) for both in drawn])
    sd = np.sqrt(np.maximum(np.diag(covariance), 0))
    moving = sd > 1e-8
    np.testing.assert_allclose(values[:, ~moving], np.broadcast_to(mean[~moving], values[:, ~moving].shape), atol=1e-9)
    z = (values[:, moving].mean(axis=0) - mean[moving]) / sd[moving] * np.sqrt(len(values))
    assert np.abs(z).max() < 4.5  # at most 40 means: above 4.5 standard errors once in 3,000 such tests
    correlation = np.corrcoef(values[:, moving].T)
    wanted = covariance[np.ix_(moving, moving)] / np.outer(sd[moving], sd[moving])
    assert np.abs(correlation - wanted).max() < 5 / np.sqrt(len(values))  # a thousand pairs, errors below 1 / sqrt(n)
    ratio = values[:, moving].std(axis=0) / sd[moving]
    assert np.abs(ratio - 1).max() < 4.5 / np.sqrt(2 * len(values))


def test_an_sd_of_zero_is_nothing_special(sparse: bool) -> None:
    spec, design = model("y ~ a + (1 | g) + (1 | h)")
    reduced = reduce_model(spec, design)
    none = [np.zeros((1, 1)), np.zeros((1, 1))]
    solved = solve(reduced.products, none, 0.4)
    nearly = solve(reduced.products, [np.full((1, 1), 1e-9)] * 2, 0.4)
    assert solved.log_density == pytest.approx(nearly.log_density, abs=1e-9)
    effects, _ = draw_rest(reduced.products, solved, none, 0.4, np.random.default_rng(1))
    assert all(not effect.any() for effect in effects)


def test_an_offset_of_the_outcome_loses_nothing() -> None:
    spec, design = model("y ~ a + (1 | g) + (1 | h)")
    y, X = np.round(design.y * 1024) / 1024, np.round(design.X * 1024) / 1024
    T, sigma = covariances(design, 1)
    densities = []
    for far in (0.0, 2.0**40):  # about 1e12; the sums are exact, and so are the differences
        made = replace(design, y=y + far, X=X + far)
        densities.append(solve(reduce_model(build_spec(spec.formula, made), made).products, T, sigma).log_density)
    assert abs(np.diff(densities)[0]) < 1e-3  # the mean of numbers near 1e12 is right to 1e-4, and counted from
