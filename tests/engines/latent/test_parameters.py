"""Real numbers and what they stand for: their number, ends and order, and the priors on them, without a kernel.

That priors are carried to the real numbers as they should be is shown with the likelihood in `test_density`; here they
are held against scipy's densities one by one.
"""

from dataclasses import fields

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.engines.latent.kernel import KernelPoints
from hierfit.engines.latent.parameters import LatentParameters, latent_parameters
from tests.engines.latent.models import model

Array = NDArray[np.float64]
MODELS = {
    "intercepts": ("bernoulli", "y ~ a + b + (1 | g)", ()),
    "slopes": ("poisson", "y ~ a + (1 + a + b | g)", ("cor(g) ~ lkj(2)",)),
    "uncorrelated": ("poisson", "y ~ a + (1 + a || g)", ()),
    "no intercept": ("gamma", "y ~ a + (0 + b | g)", ("shape ~ gamma(2, 1)",)),
    "thresholds": ("cumulative", "y ~ a + b + (1 + a | g)", ("threshold ~ normal(0, 3)",)),
    "predictors": ("zero_inflated_negbinomial", "y ~ a + (1 | g); shape ~ a; zi ~ a + b", ()),
    "one predictor": ("student", "y ~ a + (1 | g); nu ~ b", ("sigma ~ exponential(1)",)),
    "bounded": (
        "hurdle_negbinomial",
        "y ~ a + (1 | g)",
        ("hu ~ uniform(0.1, 0.7)", "shape ~ uniform(1, 9)", "a ~ uniform(-1, 2)"),
    ),
    "constants": (
        "negbinomial",
        "y ~ a + b + (1 + a | g)",
        ("a ~ constant(0.3)", "sd(g) ~ constant(1.5)", "shape ~ constant(2)"),
    ),
}


def made(name: str, *, centered: bool = True) -> LatentParameters:
    family, text, priors = MODELS[name]
    spec, design = model(family, text, *priors, centered=centered)
    return latent_parameters(spec, design, design.groups[0], 0.7)


def near(parameters: LatentParameters, n: int = 5) -> Array:
    found = parameters.start + np.random.default_rng(1).normal(0, 0.3, (n, len(parameters.start)))
    return np.clip(found, parameters.bounds[:, 0] + 0.01, parameters.bounds[:, 1] - 0.01)


@pytest.mark.parametrize("name", MODELS)
def test_there_are_as_many_as_are_not_constant(name: str) -> None:
    family, text, priors = MODELS[name]
    spec, design = model(family, text, *priors)
    parameters = made(name)
    pairs = parameters.factor.n_pairs
    shared = int(any(prior_name == "cor(g)" for prior_name in spec.priors))
    free = [prior_name for prior_name, prior in spec.priors.items() if prior.constant is None]
    assert len(parameters.start) == sum(parameters.sizes) == len(free) - shared + pairs
    assert parameters.bounds.shape == (len(parameters.start), 2)
    assert (parameters.start >= parameters.bounds[:, 0]).all() and (parameters.start <= parameters.bounds[:, 1]).all()
    values = parameters.values(near(parameters))
    m = len(design.groups[0].terms)
    assert values.points.T.shape == (5, m, m) and np.isfinite(values.log_prior).all()


@pytest.mark.parametrize("name", MODELS)
def test_roots_are_lower_triangles_of_the_same_covariances(name: str) -> None:
    """In the order of the kernel, an intercept last, and in the units of the CSV."""
    parameters = made(name)
    values = parameters.values(near(parameters))
    T = values.points.T
    assert (np.tril(T) == T).all() and (np.diagonal(T, axis1=1, axis2=2) >= 0).all()
    V = T @ np.swapaxes(T, 1, 2)
    units = np.array([scale.unit for scale in parameters.factor.scales])[list(parameters.order)]
    sds = np.sqrt(np.diagonal(V, axis1=1, axis2=2)) * units
    np.testing.assert_allclose(sds, values.factor.sd[:, list(parameters.order)])
    if len(parameters.order) > 1:
        assert parameters.order[-1] == 0
    if parameters.factor.n_pairs:
        last = V[:, -1, 0] * units[-1] * units[0] / sds[:, -1] / sds[:, 0]
        np.testing.assert_allclose(last, values.factor.cor[:, 0])  # of intercept and first slope


def test_thresholds_increase_whatever_the_numbers() -> None:
    parameters = made("thresholds")
    b = parameters.sizes[0]
    real = np.tile(parameters.start, (20, 1))
    real[:, b : b + 3] = np.random.default_rng(2).normal(0, 5, (20, 3))
    threshold = parameters.values(real).points.threshold
    np.testing.assert_allclose(threshold[:, 0], real[:, b])
    np.testing.assert_allclose(np.log(np.diff(threshold, axis=1)), real[:, b + 1 : b + 3], rtol=1e-6, atol=1e-6)


def test_bounded_ones_stay_between_their_ends() -> None:
    parameters = made("bounded")
    shape, hu = range(sum(parameters.sizes[:3]), sum(parameters.sizes[:4]))
    real = np.tile(parameters.start, (81, 1))
    real[:, shape] = real[:, hu] = np.linspace(-40, 40, 81)
    aux = parameters.values(real).points.aux
    assert (aux[:, 0] >= 1).all() and (aux[:, 0] <= 9).all() and (np.diff(aux[:, 0]) >= 0).all()
    assert (aux[:, 1] >= 0.1).all() and (aux[:, 1] <= 0.7).all()
    np.testing.assert_allclose(aux[40], [5, 0.4])
    inside = np.abs(real[:, hu]) < 12
    np.testing.assert_allclose(np.log((aux[inside, 0] - 1) / (9 - aux[inside, 0])), real[inside, shape], atol=1e-8)
    assert parameters.bounds[1].tolist() == pytest.approx([-1 * unit_of(parameters), 2 * unit_of(parameters)])


def unit_of(parameters: LatentParameters) -> float:
    """How many units of the sampler one of the CSV is, of the second coefficient."""
    return 1 / parameters.b.scalars[1].scale


def test_constant_ones_are_what_they_are() -> None:
    parameters = made("constants")
    values = parameters.values(near(parameters))
    np.testing.assert_allclose(values.points.b[:, 1] * parameters.b.unit[1], 0.3)
    np.testing.assert_array_equal(values.points.aux, 2)
    assert parameters.sizes == [2, 0, 0, 0, 2]


@pytest.mark.parametrize("centered", [True, False], ids=["", "no center"])
@pytest.mark.parametrize("name", MODELS)
def test_derivatives_are_pulled_back(name: str, centered: bool) -> None:
    """Of any linear function of what the kernel takes, and the prior; steps of 1e-4 where the module has 1e-5."""
    parameters = made(name, centered=centered)
    real, rng, step = near(parameters, 3), np.random.default_rng(4), 1e-4
    slopes = KernelPoints(
        **{
            each.name: rng.normal(size=getattr(parameters.values(real).points, each.name).shape)
            for each in fields(KernelPoints)
        }
    )

    def total(at: Array) -> Array:
        values = parameters.values(at)
        parts = [
            np.sum((getattr(slopes, each.name) * getattr(values.points, each.name)).reshape(len(at), -1), axis=1)
            for each in fields(KernelPoints)
        ]
        return np.asarray(values.log_prior + np.sum(parts, axis=0))

    expected = np.stack(
        [(total(real + s) - total(real - s)) / (2 * step) for s in step * np.eye(real.shape[1])], axis=1
    )
    np.testing.assert_allclose(parameters.pulled_back(real, slopes), expected, rtol=1e-5, atol=1e-5)


def test_numbers_of_sds_are_mirrored_and_no_others() -> None:
    for name in MODELS:
        parameters = made(name)
        real = near(parameters, 1)
        for at, is_mirrored in enumerate(parameters.mirrored):
            turned = real.copy()
            turned[0, at] = -turned[0, at]
            same = np.allclose(parameters.values(turned).log_prior, parameters.values(real).log_prior, rtol=1e-12)
            if is_mirrored:
                assert same
        assert parameters.mirrored.sum() == len(parameters.factor.free)


def test_a_coefficient_beside_thresholds_keeps_its_prior_without_a_center() -> None:
    """Thresholds are carried to x = 0, and nothing else is: a prior that hardly moves at 0 is the same there."""
    parameters = made("thresholds", centered=False)
    values = np.array([[0.3, -0.2], [0.1, 0.5]])
    expected = [
        sum(
            float(scalar.prior.log_density(np.array(v * scalar.scale)))
            for scalar, v in zip(parameters.b.scalars, own, strict=True)
        )
        for own in values
    ]
    np.testing.assert_allclose(parameters.b.log_prior(values), expected)
    assert parameters.b.at_prior.any()


def test_points_may_be_looked_at_one_by_one() -> None:
    for name in MODELS:
        parameters = made(name)
        real = near(parameters)
        together = parameters.values(real)
        for at in range(len(real)):
            alone = parameters.values(real[[at]])
            assert alone.log_prior[0] == pytest.approx(together.log_prior[at], rel=1e-12)
            for each in fields(KernelPoints):
                np.testing.assert_allclose(
                    getattr(alone.points, each.name)[0], getattr(together.points, each.name)[at], rtol=1e-12
                )
