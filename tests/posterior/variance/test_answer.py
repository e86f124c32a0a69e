"""Divisions of the variance against closed forms and numerical integration, draw by draw, from made-up draws.

Gaussian and lognormal moments are exact. A probability is integrated by a sum over a fine grid; the quadrature under
test has 51 nodes, and its variances of a logistic or normal function are within 1e-6 of that at the sds here.
"""

import csv
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, special, stats

from hierfit.data.table import table_of
from hierfit.errors import UsageError
from hierfit.model.families import FAMILIES
from hierfit.model.roles import NO_ROLES, Roles
from hierfit.posterior.predict import auxiliary_draws, linear_predictor
from hierfit.posterior.variance import outcomes, r2
from hierfit.posterior.variance.answer import answer

from ..family_draws import family_case
from ..predict.made_up import made_up

N = 60
rng = np.random.default_rng(5)
X, G, H = rng.normal(size=N), rng.integers(8, size=N), rng.integers(5, size=N)
ETA = 0.4 + 0.3 * X + rng.normal(0, 0.5, 8)[G]
OUTCOMES = {
    "gaussian": ETA + rng.normal(size=N),
    "student": ETA + rng.normal(size=N),
    "lognormal": np.exp(ETA + rng.normal(size=N)),
    "gamma": rng.gamma(2, np.exp(ETA) / 2),
    "poisson": rng.poisson(np.exp(ETA)).astype(float),
    "negbinomial": rng.poisson(np.exp(ETA)).astype(float),
    "hurdle_poisson": rng.poisson(np.exp(ETA)).astype(float),
    "zero_inflated_poisson": rng.poisson(np.exp(ETA)).astype(float),
    "bernoulli": (rng.random(N) < special.expit(ETA)).astype(float),
    "beta": special.expit(ETA + rng.normal(0, 0.1, N)),
}
TRIALS = 1.0 + np.arange(N) % 9
SUCCESSES = np.minimum(TRIALS, rng.integers(0, 5, N)).astype(float)
BOUNDS = (0.025, 0.975)


def rows(family):
    """The table of an outcome: 4 and 1 in turn as w, trials t, exposures e."""
    words = {
        "g": (tuple("abcdefgh"), G.astype(np.int32)),
        "h": (tuple("vwxyz"), H.astype(np.int32)),
    }
    w = np.where(np.arange(N) % 2, 4.0, 1.0)
    numbers = {"y": OUTCOMES.get(family, SUCCESSES), "x": X, "w": w, "t": TRIALS, "e": 0.5 + np.arange(N) % 3}
    return table_of("data.csv", numbers, words, 2 + np.arange(N))


def model(text, family="gaussian", roles=NO_ROLES, link=None, draws=25):
    return made_up(text, rows(family), family, roles, draws=draws, link=link)


def with_sds(made, **values):
    """The same with other draws of sds and the like: name -> number, or draws [S]."""
    names = [parameter.name for parameter in made.draws.parameters]
    changed = made.draws.values.copy()
    for name, own in values.items():
        changed[..., names.index(name)] = np.reshape(np.broadcast_to(own, changed[..., 0].size), changed.shape[:2])
    return replace(made, draws=replace(made.draws, values=changed))


def ask(made, at=None):
    return answer(made.draws, made.design, at or {}, BOUNDS, seed=1)


def flat(made, name):
    return made.draws.of(name).reshape(-1)


def division(found, scale, at=()):
    (own,) = [own for own in found.divisions if own.scale == scale and dict(own.at) == dict(at)]
    return {component.name: component for component in own.components}


def matches(estimate, values, rtol=1e-8):
    wanted = [values.mean(), values.std(ddof=1), *np.quantile(values, BOUNDS)]
    got = [estimate.mean, estimate.sd, estimate.lower, estimate.upper]
    np.testing.assert_allclose(got, wanted, rtol=rtol, atol=rtol)


def test_gaussian_intercepts_of_two_factors_are_the_textbook_shares():
    made = model("y ~ x + (1 | g) + (1 | h)")
    parts = division(ask(made), "outcome")
    g, h, left = flat(made, "sd(g)") ** 2, flat(made, "sd(h)") ** 2, flat(made, "sigma") ** 2
    x = flat(made, "x") ** 2 * X.var(ddof=1)
    matches(parts["g"].variance, g)
    matches(parts["g"].share, g / (g + h + left))
    matches(parts["h"].share_of_all, h / (x + g + h + left))
    matches(parts["all groups"].share, (g + h) / (g + h + left))
    matches(parts["predictors"].variance, x)
    matches(parts["residual"].share, left / (g + h + left))
    assert [part.kind for part in parts.values()] == ["predictors", "factor", "factor", "together", "residual"]
    assert parts["predictors"].share is None


def test_slopes_are_averaged_over_the_rows_or_taken_at_stated_values():
    made = model("y ~ x + (1 + x | g)")
    found = ask(made, {"x": [0.0, 2.0]})
    s0, s1, r = flat(made, "sd(g)"), flat(made, "sd(g: x)"), flat(made, "cor(g: Intercept, x)")
    left = flat(made, "sigma") ** 2

    def between(x):
        return s0**2 + 2 * x * r * s0 * s1 + x**2 * s1**2

    for x in (0.0, 2.0):
        parts = division(found, "outcome", {"x": f"{x:g}"})
        matches(parts["g"].variance, between(x), 1e-7)
        matches(parts["g"].share, between(x) / (between(x) + left), 1e-7)
        assert "predictors" not in parts
    mean = np.mean([between(x) for x in X], axis=0)
    matches(division(ask(made), "outcome")["g"].share, mean / (mean + left), 1e-7)


def poisson_moments(eta, v):
    """Mean and variance of exp(eta + normal(0, v))."""
    mean = np.exp(eta + v / 2)
    return mean, mean**2 * np.expm1(v)


def test_poisson_is_lognormal_on_the_scale_of_counts_and_nakagawas_on_that_of_the_link():
    made = with_sds(model("y ~ 1 + (1 | g) + (1 | h)", "poisson"), **{"sd(g)": 0.8, "sd(h)": 0.5, "Intercept": 1.0})
    found, (g, h) = ask(made), (0.64, 0.25)
    mean, together = poisson_moments(1.0, g + h)
    own = mean**2 * math.expm1(g)
    parts = division(found, "outcome")
    assert parts["g"].variance.mean == pytest.approx(own, rel=1e-9)
    assert parts["all groups"].variance.mean == pytest.approx(together, rel=1e-9)
    assert parts["residual"].variance.mean == pytest.approx(mean, rel=1e-9)
    assert parts["g"].share.mean == pytest.approx(own / (together + mean), rel=1e-9)
    latent = division(found, "latent")
    assert latent["residual"].variance.mean == pytest.approx(math.log1p(1 / mean), rel=1e-9)
    assert latent["h"].share.mean == pytest.approx(h / (g + h + math.log1p(1 / mean)), rel=1e-9)


@pytest.mark.parametrize("family", ["negbinomial", "gamma"])
def test_shapes_count_too(family):
    made = with_sds(model("y ~ 1 + (1 | g)", family), **{"sd(g)": 0.8, "Intercept": 1.0, "shape": 3.0})
    mean, between = poisson_moments(1.0, 0.64)
    square = between + mean**2
    parts, latent = (division(ask(made), scale) for scale in ("outcome", "latent"))
    noise = 1 / mean if family == "negbinomial" else 0.0
    assert parts["residual"].variance.mean == pytest.approx(noise * mean**2 + square / 3, rel=1e-9)
    assert latent["residual"].variance.mean == pytest.approx(math.log1p(noise + 1 / 3), rel=1e-9)


def test_predictors_of_counts_explain_what_the_mean_over_groups_varies_by():
    made = model("y ~ x + (1 | g)", "poisson")
    parts, v = division(ask(made), "outcome"), flat(made, "sd(g)") ** 2
    eta = flat(made, "Intercept")[:, None] + flat(made, "x")[:, None] * X
    mean, between = poisson_moments(eta, v[:, None])
    matches(parts["predictors"].variance, mean.var(axis=1, ddof=1), 1e-7)
    matches(parts["g"].variance, between.mean(axis=1), 1e-6)
    matches(parts["g"].share, between.mean(axis=1) / (between + mean).mean(axis=1), 1e-7)
    latent = division(ask(made), "latent")
    matches(latent["residual"].variance, np.log1p(1 / mean.mean(axis=1)), 1e-7)


@pytest.mark.parametrize(("link", "inverse"), [("logit", special.expit), ("probit", stats.norm.cdf)])
def test_probabilities_are_integrated(link, inverse):
    sds = {"sd(g)": 1.2, "sd(h)": 0.7, "Intercept": -1.0}
    made = with_sds(model("y ~ 1 + (1 | g) + (1 | h)", "bernoulli", link=link), **sds)

    z = np.linspace(-9, 9, 1001)  # of smooth functions that are 0 at both ends, the sum is the integral
    weights = stats.norm.pdf(z) * (z[1] - z[0])
    probabilities = inverse(-1 + 1.2 * z[:, None] + 0.7 * z)
    given_g = probabilities @ weights
    mean = weights @ given_g
    own = weights @ (given_g - mean) ** 2
    together = weights @ (probabilities - mean) ** 2 @ weights
    parts = division(ask(made), "outcome")
    assert parts["all groups"].variance.mean == pytest.approx(together, rel=2e-6)
    assert parts["g"].variance.mean == pytest.approx(own, rel=2e-6)
    assert parts["residual"].variance.mean == pytest.approx(mean * (1 - mean) - together, rel=2e-6)
    latent = division(ask(made), "latent")
    residual = {"logit": math.pi**2 / 3, "probit": 1.0}[link]
    assert latent["g"].share.mean == pytest.approx(1.44 / (1.44 + 0.49 + residual))


def test_lognormal_has_both_scales():
    made = with_sds(model("y ~ 1 + (1 | g)", "lognormal"), **{"sd(g)": 0.6, "Intercept": 0.3, "sigma": 0.9})
    parts, latent = (division(ask(made), scale) for scale in ("outcome", "latent"))
    assert latent["g"].share.mean == pytest.approx(0.36 / (0.36 + 0.81))
    mean = math.exp(0.3 + (0.36 + 0.81) / 2)
    assert parts["g"].variance.mean == pytest.approx(mean**2 * math.expm1(0.36), rel=1e-9)
    total = mean**2 * math.expm1(0.36 + 0.81)
    assert parts["residual"].variance.mean == pytest.approx(total - parts["g"].variance.mean, rel=1e-9)


@pytest.mark.parametrize("family", ["beta", "zero_inflated_poisson", "hurdle_poisson"])
def test_families_without_a_variance_on_the_link_have_that_of_the_outcome_alone(family):
    made = model("y ~ x + (1 | g)", family)
    assert {own.scale for own in ask(made).divisions} == {"outcome"}


def test_groups_in_two_parts_are_simulated():
    """Of zero-inflated counts E(y | u, w) = (1 - expit(a + w)) exp(b + u), u and w independent."""
    made = with_sds(
        model("y ~ 1 + (1 | g); zi ~ 1 + (1 | h)", "zero_inflated_poisson"),
        **{"sd(g)": 0.5, "Intercept": 0.3, "sd(h: zi_Intercept)": 1.0, "zi_Intercept": -0.5},
    )
    parts = division(ask(made), "outcome")

    def over(function):
        return integrate.quad(lambda z: function(special.expit(0.5 - z)) * stats.norm.pdf(z), -9, 9)[0]

    first, second = over(lambda p: p), over(lambda p: p * p)
    mean, between = poisson_moments(0.3, 0.25)
    square = between + mean**2
    # 2,000 simulated levels under each of 100 draws: relative errors of means over draws are some 0.5 %.
    assert parts["g"].variance.mean == pytest.approx(first**2 * between, rel=0.03)
    assert parts["h"].variance.mean == pytest.approx((second - first**2) * mean**2, rel=0.03)
    assert parts["all groups"].variance.mean == pytest.approx(second * square - (first * mean) ** 2, rel=0.03)
    within = first * mean + (first - second) * square
    assert parts["residual"].variance.mean == pytest.approx(within, rel=0.03)


def test_simulation_and_integration_agree(monkeypatch):
    sds = {"sd(g)": 0.5, "sd(h)": 0.4, "x": 0.3, "Intercept": 0.2, "Intercept_at_mean": 0.2 + 0.3 * X.mean()}
    made = with_sds(model("y ~ x + (1 | g) + (1 | h)", "poisson"), **sds)
    exact = division(ask(made), "outcome")
    monkeypatch.setattr("hierfit.posterior.variance.fitted.Fitted.of_other_parameters", True)
    simulated = division(ask(made), "outcome")
    for name, part in exact.items():
        assert simulated[name].variance.mean == pytest.approx(part.variance.mean, rel=0.03), name
        assert simulated[name].share_of_all.mean == pytest.approx(part.share_of_all.mean, abs=0.01), name


def test_a_sigma_with_predictors_or_weights_is_averaged_over_the_rows():
    made = model("y ~ x + (1 | g); sigma ~ x")
    sigma = np.exp(flat(made, "sigma_Intercept")[:, None] + flat(made, "sigma_x")[:, None] * X)
    matches(division(ask(made), "outcome")["residual"].variance, (sigma**2).mean(axis=1), 1e-7)
    fit = linear_predictor(made.draws, made.design, np.arange(N), made.every).var(axis=1, ddof=1)
    matches(ask(made).r2[0].r2, fit / (fit + (sigma**2).mean(axis=1)), 1e-7)
    at = division(ask(made, {"x": [1.0]}), "outcome", {"x": "1"})
    matches(at["residual"].variance, np.exp(2 * (flat(made, "sigma_Intercept") + flat(made, "sigma_x"))), 1e-7)
    made = model("y ~ x + (1 | g)", roles=Roles(precision="w"))
    left = flat(made, "sigma") ** 2 * (1 + 1 / 4) / 2
    matches(division(ask(made), "outcome")["residual"].variance, left)


def test_a_sigma_that_groups_differ_in_is_averaged_over_them():
    made = model("y ~ 1 + (1 | g); sigma ~ 1 + (1 | g)")
    made = with_sds(made, **{"sd(g: sigma_Intercept)": np.linspace(0.2, 0.5, 100)})
    v = flat(made, "sd(g: sigma_Intercept)") ** 2
    wanted = np.exp(2 * flat(made, "sigma_Intercept") + 2 * v)
    got = division(ask(made), "outcome")["residual"].variance
    assert got.mean == pytest.approx(wanted.mean(), rel=0.02)


def test_students_variance_is_infinite_up_to_two_degrees_of_freedom():
    nu = np.where(np.arange(100) < 50, 1.5, 6.0)
    made = with_sds(model("y ~ 1 + (1 | g)", "student"), **{"sd(g)": 1.0, "sigma": 1.0, "nu": nu})
    found = ask(made)
    parts = division(found, "outcome")
    matches(parts["g"].share, np.where(nu < 2, 0.0, 1 / (1 + 6 / 4)))
    matches(parts["residual"].share, np.where(nu < 2, 1.0, 1 - 1 / (1 + 6 / 4)))
    assert parts["residual"].variance.mean == math.inf
    assert found.r2[0].r2.lower == 0


def direct_r2(made, family, groups=True):
    """R2 from all rows and all draws at once."""
    picks, every = made.every, np.arange(N)
    own = FAMILIES[family]
    bare = replace(made.design, groups=())
    eta = linear_predictor(made.draws, made.design, every, picks)
    aux = auxiliary_draws(made.draws, made.design, picks, every)
    mean = own.mean(eta, made.design.link, aux)
    left = own.variance(mean, aux, np.ones(N)) * np.ones(eta.shape)
    shown = mean if groups else own.mean(linear_predictor(made.draws, bare, every, picks), made.design.link, aux)
    total = own.expected(mean, aux, np.ones(N)).var(axis=1, ddof=1) + left.mean(axis=1)
    return own.expected(shown, aux, np.ones(N)).var(axis=1, ddof=1) / total


@pytest.mark.parametrize("family", sorted(OUTCOMES))
def test_r2_is_that_of_all_rows_at_once(family):
    made = model("y ~ x + (1 + x | g)", family)
    conditional, marginal = ask(made).r2
    assert (conditional.kind, marginal.kind, conditional.rows) == ("conditional", "marginal", N)
    matches(conditional.r2, direct_r2(made, family), 1e-7)
    matches(marginal.r2, direct_r2(made, family, groups=False), 1e-7)


def test_r2_without_groups_is_one_number_and_weights_count_rows():
    made = model("y ~ x")
    (only,) = ask(made).r2
    matches(only.r2, direct_r2(made, "gaussian"))
    weighted = model("y ~ x", roles=Roles(weights="w"))
    times = np.where(np.arange(N) % 2, 4, 1)
    mean = flat(weighted, "Intercept")[:, None] + flat(weighted, "x")[:, None] * np.repeat(X, times)
    fit = mean.var(axis=1, ddof=1)
    matches(ask(weighted).r2[0].r2, fit / (fit + flat(weighted, "sigma") ** 2), 1e-7)


def test_bernoulli_r2_has_p_times_1_minus_p():
    made = model("y ~ x + (1 | g)", "bernoulli")
    p = special.expit(linear_predictor(made.draws, made.design, np.arange(N), made.every))
    wanted = p.var(axis=1, ddof=1) / (p.var(axis=1, ddof=1) + (p * (1 - p)).mean(axis=1))
    matches(ask(made).r2[0].r2, wanted)


def test_what_is_held_has_to_be_a_predictor_and_there_have_to_be_groups():
    with pytest.raises(UsageError, match="no such predictor"):
        ask(model("y ~ x + (1 | g)"), {"z": [1.0]})
    with pytest.raises(UsageError, match="no groups"):
        ask(model("y ~ x"), {"x": [1.0]})


def test_sleepstudy_has_the_numbers_of_performance():
    """`icc` and `r2_nakagawa` of performance 0.12 on lme4's REML fit: 0.722, 0.521, 0.279 and 0.799."""
    file = Path(__file__).parents[2] / "reference_data" / "sleepstudy.csv"
    days, codes, labels = [], [], {}
    for line in csv.DictReader(file.open()):
        days.append(float(line["days"]))
        codes.append(labels.setdefault(line["subject"], len(labels)))
    table = table_of(
        "s.csv",
        {"y": np.arange(len(days), dtype=float), "days": np.array(days)},
        {"subject": (tuple(labels), np.array(codes, dtype=np.int32))},
        2 + np.arange(len(days)),
    )
    made = made_up("y ~ days + (1 + days | subject)", table, draws=5)
    s0, s1, r, sigma = 24.7407, 5.9221, 0.066, 25.5918
    at_mean = math.sqrt(s0**2 + 2 * 4.5 * r * s0 * s1 + 4.5**2 * s1**2)
    sds = {"sd(subject)": s0, "sd(subject: days)": s1, "sd(subject: Intercept_at_mean)": at_mean}
    made = with_sds(made, **sds, **{"cor(subject: Intercept, days)": r, "sigma": sigma, "days": 10.467})
    parts = division(ask(made), "outcome")
    assert parts["subject"].share.mean == pytest.approx(0.722, abs=6e-4)
    assert parts["subject"].share_of_all.mean == pytest.approx(0.521, abs=6e-4)
    assert parts["predictors"].share_of_all.mean == pytest.approx(0.279, abs=6e-4)
    assert 1 - parts["residual"].share_of_all.mean == pytest.approx(0.799, abs=6e-4)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_ordered_categories_are_divided_and_explained_on_the_latent_scale_alone(link):
    case = family_case("cumulative", link=link, slope=False)
    found = answer(case.draws, case.design, {}, BOUNDS, seed=1)
    (own,) = found.divisions
    residual = {"logit": math.pi**2 / 3, "probit": 1.0}[link]
    between = case.draws.of("sd(school)").ravel() ** 2
    group = next(part for part in own.components if part.kind == "factor")
    assert own.scale == "latent"
    assert group.share.mean == pytest.approx((between / (between + residual)).mean())
    picks = np.arange(between.size)
    predictor = linear_predictor(case.draws, case.design, np.arange(case.design.n_rows), picks)
    fit = predictor.var(axis=1, ddof=1)
    assert found.r2[0].scale == "latent"
    assert found.r2[0].r2.mean == pytest.approx((fit / (fit + residual)).mean())


def test_many_rows_are_sampled_and_said_to_be():
    case = family_case("poisson", slope=False)
    assert case.design.n_rows < 20_000
    whole = answer(case.draws, case.design, {}, BOUNDS, seed=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outcomes, "_KINDS", 50)
        patch.setattr(r2, "MOST", 200)
        part = answer(case.draws, case.design, {}, BOUNDS, seed=1)
    (full,) = (own for own in whole.divisions if own.scale == "outcome")
    (some,) = (own for own in part.divisions if own.scale == "outcome")
    assert (full.sampled, some.sampled, some.rows) == (False, True, 50)
    assert part.r2[0].rows == 200
    for one, other in zip(full.components, some.components, strict=True):
        if one.share is not None:
            assert other.share.mean == pytest.approx(one.share.mean, abs=0.1)


def test_blocks_and_threads_change_nothing(monkeypatch):
    made = model("y ~ x + (1 + x | g) + (1 | h)", "negbinomial")
    whole = ask(made)
    monkeypatch.setattr(outcomes, "_CELLS", 1e4)
    monkeypatch.setattr(r2, "_CELLS", 700)
    parts = ask(made)
    for one, other in zip(whole.divisions, parts.divisions, strict=True):
        for own, its in zip(one.components, other.components, strict=True):
            assert its.share_of_all.mean == pytest.approx(own.share_of_all.mean, rel=1e-10)
    assert parts.r2[1].r2.upper == pytest.approx(whole.r2[1].r2.upper, rel=1e-10)


@pytest.mark.parametrize("family", ["binomial", "beta_binomial"])
def test_successes_are_shares_in_r2_and_one_trial_in_the_division(family):
    made = model("y ~ x + (1 | g)", family, Roles(trials="t"))
    p = special.expit(linear_predictor(made.draws, made.design, np.arange(N), made.every))
    phi = flat(made, "phi")[:, None] if family == "beta_binomial" else np.inf
    left = p * (1 - p) / TRIALS * (1 + (TRIALS - 1) / (1 + phi))
    fit = p.var(axis=1, ddof=1)
    matches(ask(made).r2[0].r2, fit / (fit + left.mean(axis=1)), 1e-7)
    parts = division(ask(made), "outcome")
    total = sum(part.variance.mean for part in parts.values() if part.kind != "predictors")
    z = np.linspace(-9, 9, 2001)
    eta = (flat(made, "Intercept")[:, None] + flat(made, "x")[:, None] * X)[:, :, None]
    drawn = special.expit(eta + flat(made, "sd(g)")[:, None, None] * z)
    mean = drawn @ (stats.norm.pdf(z) * (z[1] - z[0]))
    assert total == pytest.approx((mean * (1 - mean)).mean(), rel=1e-4)  # p (1 - p) of one trial, groups averaged over


def test_exposures_move_the_mean_and_are_among_what_explains():
    made = model("y ~ 1 + (1 | g)", "poisson", Roles(exposure="e"))
    e, v = 0.5 + np.arange(N) % 3, flat(made, "sd(g)") ** 2
    mean, between = poisson_moments(flat(made, "Intercept")[:, None] + np.log(e), v[:, None])
    parts = division(ask(made), "outcome")
    matches(parts["g"].share, between.mean(axis=1) / (between + mean).mean(axis=1), 1e-7)
    matches(parts["predictors"].variance, mean.var(axis=1, ddof=1), 1e-7)
    latent = division(ask(made), "latent")
    assert latent["predictors"].variance.mean == pytest.approx(np.log(e).var(ddof=1))
    matches(latent["residual"].variance, np.log1p(1 / mean.mean(axis=1)), 1e-7)


def test_rows_that_count_several_times_do_so():
    made = model("y ~ x + (1 + x | g)", "poisson", Roles(weights="w"))
    times = np.where(np.arange(N) % 2, 4, 1)
    x = np.repeat(X, times)
    s0, s1, r = flat(made, "sd(g)"), flat(made, "sd(g: x)"), flat(made, "cor(g: Intercept, x)")
    v = (s0**2 + 2 * x[:, None] * r * s0 * s1 + x[:, None] ** 2 * s1**2).T
    mean, between = poisson_moments(flat(made, "Intercept")[:, None] + flat(made, "x")[:, None] * x, v)
    parts, latent = division(ask(made), "outcome"), division(ask(made), "latent")
    matches(latent["g"].variance, v.mean(axis=1), 1e-7)
    matches(latent["predictors"].variance, flat(made, "x") ** 2 * x.var(ddof=1), 1e-7)
    matches(parts["residual"].variance, mean.mean(axis=1), 1e-6)
    matches(parts["g"].share, between.mean(axis=1) / (between + mean).mean(axis=1), 1e-4)


def test_numbers_far_from_0_lose_nothing():
    """ses in years since the year 0, not since 2000, with the same model."""
    near = model("y ~ x + (1 + x | g)")
    table = rows("gaussian")
    far = made_up("y ~ x + (1 + x | g)", replace(table, numbers={**table.numbers, "x": X + 2e6}), draws=25)
    parts = [division(ask(made), "outcome") for made in (near, far)]
    for name in ("predictors", "residual"):
        assert parts[1][name].variance.mean == pytest.approx(parts[0][name].variance.mean, rel=1e-6)
    assert parts[1]["g"].variance.mean == pytest.approx(
        (flat(far, "sd(g: Intercept_at_mean)") ** 2 + flat(far, "sd(g: x)") ** 2 * X.var()).mean(), rel=1e-6
    )
