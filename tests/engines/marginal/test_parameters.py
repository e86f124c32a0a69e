"""Real numbers, and the densities of the priors on them, against finite differences of the way to them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.origin import z_center
from hierfit.engines.marginal.parameters import Parameters, parameters
from hierfit.model.spec import ModelSpec, sd_name
from tests.engines.marginal.cases import model

Array = NDArray[np.float64]
MODELS = {
    "intercepts": ("y ~ a + (1 | g) + (1 | h)", ()),
    "two": ("y ~ a + (1 + a | g) + (1 | h)", ("cor(g) ~ lkj(3)", "sd(g: a) ~ gamma(2, 1)")),
    "three": ("y ~ a + (1 + a + b | g) + (1 | h)", ("cor(g) ~ lkj(2)", "sd(h) ~ exponential(1)")),
    "uncorrelated": ("y ~ a + (1 + a || g) + (1 | h)", ()),
    "bounded": ("y ~ a + (1 + a | g) + (1 | h)", ("sd(g) ~ uniform(0.5, 9)", "sigma ~ uniform(0, 20)")),
    "constant": ("y ~ a + (1 | g) + (1 + b | h)", ("sd(h) ~ constant(2)", "sigma ~ lognormal(0, 1)")),
}


def points(sampled: Parameters, n: int) -> Array:
    """Points near where the search begins, inside the bounds."""
    rng = np.random.default_rng(3)
    near = sampled.start + rng.normal(0, 0.3, (n, len(sampled.start)))
    return np.clip(near, sampled.bounds[:, 0] + 0.05, sampled.bounds[:, 1] - 0.05)


def in_csv_units(sampled: Parameters, spec: ModelSpec, design: Design, real: Array) -> Array:
    """What is not constant, in the units of the CSV: sds and correlations factor by factor, and sigma.

    They are those of the effects that the priors speak of: at x = 0 where these are not of the mean.
    """
    values = sampled.values(real[np.newaxis])
    found = []
    for named, group, own, factor in zip(spec.groups, design.groups, sampled.factors, values.factors, strict=True):
        free = [spec.priors[sd_name(group.factor, term)].constant is None for term in group.terms]
        way = np.eye(len(group.terms))
        way[0, 1:] = 0 if spec.centered else -z_center(spec, group)[1:]
        T = way @ np.diag([scale.unit for scale in own.scales]) @ factor.T[0]
        V = T @ T.T
        sd = np.sqrt(np.diag(V))
        below = np.tril_indices(len(sd), -1)
        found += [*sd[free], *((V / np.outer(sd, sd))[below] if named.correlated else [])]
    return np.array([*found, values.sigma[0] * sampled.sigma.unit])


def log_prior(spec: ModelSpec, design: Design, x: Array) -> float:
    """Log density of the priors at what `in_csv_units` returns, up to a constant."""
    at, total = 0, 0.0
    for group in spec.groups:
        for term in group.terms:
            prior = spec.priors[sd_name(group.factor, term)]
            if prior.constant is None:
                total += float(np.log(prior.density(x[at], positive=True)))
                at += 1
        size = len(group.terms)
        if group.correlated:
            R = np.eye(size)
            n_pairs = size * (size - 1) // 2
            R[np.tril_indices(size, -1)] = x[at : at + n_pairs]
            R = np.tril(R) + np.tril(R, -1).T
            total += (spec.priors[f"cor({group.factor})"].arguments[0] - 1) * float(np.linalg.slogdet(R)[1])
            at += n_pairs
    return total + float(np.log(spec.priors["sigma"].density(x[at], positive=True)))


@pytest.mark.parametrize("as_priors", [False, True], ids=["at the center", "as priors"])
@pytest.mark.parametrize("centered", [True, False], ids=["priors at the mean", "priors at 0"])
@pytest.mark.parametrize("name", MODELS)
def test_the_prior_is_carried_to_the_real_numbers(name: str, centered: bool, as_priors: bool) -> None:
    text, priors = MODELS[name]
    spec, design = model(text, *priors, centered=centered)
    sampled = parameters(spec, design, as_priors=as_priors)
    differences = []
    for real in points(sampled, 6):
        steps = 1e-5 * np.eye(len(real))
        slopes = [
            (in_csv_units(sampled, spec, design, real + step) - in_csv_units(sampled, spec, design, real - step)) / 2e-5
            for step in steps
        ]
        expected = (
            log_prior(spec, design, in_csv_units(sampled, spec, design, real)) + np.linalg.slogdet(np.array(slopes))[1]
        )
        differences.append(float(sampled.values(real[np.newaxis]).log_prior[0]) - expected)
    assert np.ptp(differences) < 1e-6  # the error of central differences with a step of 1e-5


def test_covariances_are_those_of_the_sds_and_correlations() -> None:
    spec, design = model("y ~ a + (1 + a + b | g) + (1 | h)")
    sampled = parameters(spec, design)
    values = sampled.values(points(sampled, 4)).factors[0]
    units = np.array([scale.unit for scale in sampled.factors[0].scales])
    V = values.T @ np.swapaxes(values.T, 1, 2) * np.outer(units, units)
    np.testing.assert_allclose(np.sqrt(np.diagonal(V, axis1=1, axis2=2)), values.sd)
    np.testing.assert_allclose(V[:, 2, 1] / values.sd[:, 2] / values.sd[:, 1], values.cor[:, 2])


def test_constant_ones_are_what_they_are() -> None:
    spec, design = model(*[MODELS["constant"][0], *MODELS["constant"][1]])
    sampled = parameters(spec, design)
    values = sampled.values(points(sampled, 3))
    np.testing.assert_allclose(values.factors[1].sd[:, 0], 2)
    bound, at_zero = model("y ~ a + (1 | g) + (1 + b | h)", "sd(h) ~ constant(2)", centered=False)
    np.testing.assert_array_equal(z_center(bound, at_zero.groups[1]), 0)  # at the mean the sd would not be constant
    np.testing.assert_allclose(parameters(bound, at_zero).values(points(sampled, 3)).factors[1].sd[:, 0], 2)


def test_no_density_beyond_the_range_of_a_prior() -> None:
    spec, design = model("y ~ a + (1 | g) + (1 | h)", "sd(g) ~ uniform(1, 2)")
    sampled = parameters(spec, design)
    at = sampled.start
    at[0], step = sampled.bounds[0, 1], np.array([1e-6, 0, 0])
    inside, outside = sampled.values(np.stack([at - step, at + step])).log_prior
    assert np.isfinite(inside) and outside == -np.inf


def test_an_sd_does_not_depend_on_the_sign() -> None:
    spec, design = model("y ~ a + (1 | g) + (1 | h)")
    sampled = parameters(spec, design)
    here = np.array([[0.3, 0.2, 0.0], [-0.3, -0.2, 0.0]])
    values = sampled.values(here)
    assert values.log_prior[0] == pytest.approx(values.log_prior[1])
    np.testing.assert_allclose(values.factors[0].sd[0], values.factors[0].sd[1])
