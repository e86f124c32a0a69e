"""The log density of all priors, against scipy's, one prior after another, where the model says that they speak."""

import numpy as np
import pytest
from scipy import stats

from hierfit.design.building import build_design
from hierfit.design.prior_choice import build_spec
from hierfit.engines.full.back import full_draws
from hierfit.engines.full.engine import FULL
from hierfit.model.formula_text import parse_formula
from hierfit.posterior.check.prior_density import log_prior
from hierfit.posterior.predict.new_levels import level_scales
from hierfit.sampling import SamplerOptions
from tests.fake_sampling import fake_sampling
from tests.family_cases import FAMILY_CASES, FORMULA, family_design
from tests.model.cases import crossed_table


def made(formula, priors=(), *, centered=True, case=None):
    """Draws, design and model; of a family case or of a formula on its table."""
    design = family_design(case) if case else build_design(parse_formula(formula), crossed_table(), centered=centered)
    spec = build_spec(FORMULA if case else parse_formula(formula), design, priors)
    sampling = fake_sampling(FULL.data(spec, design), SamplerOptions(chains=2, draws=40, seed=5, max_treedepth=10))
    return full_draws(sampling, design, spec), design, spec


def of(draws, name):
    return draws.of(name).ravel()


def same(found, wanted):
    """Up to a constant."""
    assert np.ptp(wanted) > 0.5
    np.testing.assert_allclose(found - found[0], wanted - wanted[0], atol=1e-8)


def test_coefficients_sds_and_sigma_where_nothing_is_moved() -> None:
    priors = (
        "Intercept ~ student_t(4, 20, 9)", "a ~ laplace(1, 2)", "sd(g) ~ gamma(2, 1)", "sd(g: a) ~ exponential(0.5)",
        "sigma ~ lognormal(0, 1)", "cor(g) ~ lkj(3)",
    )  # fmt: skip
    draws, design, spec = made("y ~ a + (1 + a | g)", priors, centered=False)
    r = of(draws, "cor(g: Intercept, a)")
    wanted = (
        stats.t.logpdf(of(draws, "Intercept"), 4, 20, 9) + stats.laplace.logpdf(of(draws, "a"), 1, 2)
        + stats.gamma.logpdf(of(draws, "sd(g)"), 2) + stats.expon.logpdf(of(draws, "sd(g: a)"), scale=2)
        + stats.lognorm.logpdf(of(draws, "sigma"), 1) + 2 * np.log(1 - r**2)
    )  # fmt: skip
    same(log_prior(draws, design, spec), wanted)


def test_intercepts_and_correlations_at_the_mean() -> None:
    priors = ("Intercept ~ normal(15, 6)", "sd(g) ~ gamma(2, 1)", "cor(g) ~ lkj(3)")
    draws, design, spec = made("y ~ a + (1 + a | g)", priors)
    m = np.array([1, design.groups[0].mean[1]])
    T = level_scales(draws, design.groups[0])
    V = T @ np.swapaxes(T, 1, 2)
    there = np.einsum("i,sij,j->s", m, V, m)
    r2 = np.einsum("i,si->s", m, V[:, :, 1]) ** 2 / (there * V[:, 1, 1])
    at_mean = of(draws, "Intercept") + of(draws, "a") * design.x_mean[0]
    wanted = stats.norm.logpdf(at_mean, 15, 6) + stats.gamma.logpdf(np.sqrt(there), 2) + 2 * np.log(1 - r2)
    for name in ("a", "sd(g: a)", "sigma"):
        wanted += np.log(spec.priors[name].density(of(draws, name), within=spec.range_of(name)))
    same(log_prior(draws, design, spec), wanted)


def test_thresholds_at_the_mean() -> None:
    case = next(case for case in FAMILY_CASES if case.family == "cumulative")
    draws, design, spec = made(None, ("threshold ~ student_t(5, 1, 2)",), case=case)
    further = of(draws, "a") * design.X[:, 0].mean() + of(draws, "b") * design.X[:, 1].mean()
    wanted = np.zeros(80)
    for between in spec.thresholds:
        wanted += stats.t.logpdf(of(draws, f"threshold[{between}]") - further, 5, 1, 2)
    found = log_prior(draws, design, spec)
    for parameter in spec.parameters:
        if parameter.prior is not None and parameter.prior.has_density and "threshold" not in parameter.name:
            wanted += np.log(parameter.prior.density(of(draws, parameter.name), within=parameter.within))
    same(found, wanted)


def test_intercepts_of_other_parameters_at_the_mean() -> None:
    draws, design, spec = made("y ~ a; sigma ~ b", ("sigma_Intercept ~ normal(0, 0.5)",))
    at_mean = of(draws, "sigma_Intercept") + of(draws, "sigma_b") * design.distributional[0].X[:, 1].mean()
    wanted = stats.norm.logpdf(at_mean, 0, 0.5)
    for name in ("Intercept_at_mean", "a", "sigma_b"):
        prior = spec.priors["Intercept" if name == "Intercept_at_mean" else name]
        wanted += np.log(prior.density(of(draws, name)))
    same(log_prior(draws, design, spec), wanted)


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_every_family_has_a_finite_density(case) -> None:
    draws, design, spec = made(None, case.priors, case=case)
    names = [parameter.name for parameter in draws.parameters]
    draws.values[..., [name in ("zi", "hu") for name in names]] /= 3  # made up as any other, between 1 and 2
    assert np.ptp(log_prior(draws, design, spec)) > 0 and np.isfinite(log_prior(draws, design, spec)).all()


def test_constant_and_flat_priors_and_a_horseshoe_say_nothing() -> None:
    draws, design, spec = made("y ~ a + b", ("Intercept ~ flat()", "sigma ~ constant(2)", "b ~ flat()", "a ~ flat()"))
    np.testing.assert_array_equal(log_prior(draws, design, spec), 0)
    priors = ("Intercept ~ flat()", "sigma ~ constant(2)", "b ~ horseshoe(1)")  # b: of all coefficients
    draws, design, spec = made("y ~ a + a:b", priors)
    wanted = np.log(spec.priors["horseshoe_scale"].density(of(draws, "horseshoe_scale"), within=(0, np.inf)))
    found = log_prior(draws, design, spec)
    assert np.ptp(wanted) > 0
    np.testing.assert_allclose(found - found[0], wanted - wanted[0], atol=1e-8)
