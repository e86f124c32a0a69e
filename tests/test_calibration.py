"""Simulation-based calibration: true values drawn from the priors rank uniformly among the draws of their posterior.

Talts et al. (2018), with the simultaneous confidence bands of Saeilynoja, Buerkner & Vehtari (2022) for the empirical
distribution of the ranks: for each number of ranks at or below a point a binomial p-value, the smallest of them over
all points compared with the smallest of uniform ranks. Each quantity may fall outside once in 1,000 sets of data.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.design.prior_choice import build_spec
from hierfit.engines.collapsed.source import open_collapsed
from hierfit.engines.engine import Wanted
from hierfit.engines.full.back import full_draws
from hierfit.engines.full.engine import FULL
from hierfit.engines.full.source import open_full
from hierfit.engines.marginal.chains import sample
from hierfit.engines.marginal.density import find_posterior
from hierfit.engines.proposal import NoProposalError
from hierfit.engines.whole import whole_draws
from hierfit.model.families import FAMILIES, THRESHOLD
from hierfit.model.formula import Formula, formula_from_flags
from hierfit.model.formula_text import parse_formula
from hierfit.model.spec import ModelSpec
from hierfit.posterior.draws import Draws
from hierfit.sampling import SamplerOptions
from hierfit.stan.executable import build_executable
from hierfit.stan.programs import render_program
from hierfit.stan.sampler import sample as sample_by_stan
from hierfit.stan.toolchain import bundled_toolchain
from tests.model.cases import table

pytestmark = [pytest.mark.stan, pytest.mark.slow]

Array = NDArray[np.float64]
Fit = Callable[[ModelSpec, Design, int], Draws]
Simulate = Callable[[np.random.Generator], tuple[Design, ModelSpec, dict[str, float]]]
REPLICATIONS, RANKS = 240, 80  # a rank lies in 0 ... RANKS - 1
SAMPLER = SamplerOptions(chains=2, draws=395)
PRIORS = {
    "Intercept": (10.0, 2.0),
    "a": (0.0, 0.5),
    "sd(g)": (0.0, 2.0),
    "sd(g: a)": (0.0, 0.3),
    "sd(h)": (0.0, 2.0),
    "sigma": (0.0, 1.5),
}
# On the scale of a link.
LINK_PRIORS = {
    "Intercept": (0.0, 1.0),
    "a": (0.0, 0.5),
    "sd(g)": (0.0, 1.0),
    "sd(g: a)": (0.0, 0.5),
    "threshold": (0.0, 1.5),
}
INTERCEPTS = formula_from_flags("y", ["a"], "g")
SLOPES = formula_from_flags("y", ["a"], "g", ["a"])
CROSSED = parse_formula("y ~ a + (1 | g) + (1 | h)")
CROSSED_SLOPES = parse_formula("y ~ a + (1 + a | g) + (1 | h)")


def test_the_band_holds_uniform_ranks_and_no_others() -> None:
    rng = np.random.default_rng(1)
    limit = smallest_p(0.001)
    uniform = [p_value(rng.integers(0, RANKS, REPLICATIONS)) >= limit for _ in range(200)]
    assert np.mean(uniform) > 0.97
    # An sd of the posterior ten percent too small is found half the time and more; a fifth too small always.
    narrow = np.clip((0.5 + 0.8 * (rng.random((20, REPLICATIONS)) - 0.5)) * RANKS, 0, RANKS - 1).astype(int)
    assert all(p_value(ranks) < limit for ranks in narrow)


@pytest.mark.parametrize("formula", [INTERCEPTS, SLOPES], ids=["intercepts", "slopes"])
def test_ranks_of_the_truth_are_uniform(formula: Formula) -> None:
    quick = []

    def fit(spec: ModelSpec, design: Design, seed: int) -> Draws:
        source = open_collapsed(Wanted(spec, design))
        sampling, start = source.first(replace(SAMPLER, seed=seed), None)
        quick.append(start.at_mode)
        return source.draws(sampling)

    check_ranks(formula, fit)
    assert np.mean(quick) > 0.5, "most fits start at the mode, or this says nothing of that"


@pytest.mark.parametrize("formula", [CROSSED, CROSSED_SLOPES], ids=["intercepts", "slopes"])
def test_ranks_are_uniform_with_two_factors(formula: Formula) -> None:
    executable = build_executable(render_program("gaussian"), bundled_toolchain())
    stood_in = 0

    def fit(spec: ModelSpec, design: Design, seed: int) -> Draws:
        nonlocal stood_in
        options = replace(SAMPLER, seed=seed)
        try:
            return whole_draws(sample(find_posterior(spec, design, seed), options), design, spec)
        except NoProposalError:
            stood_in += 1
            sampling = sample_by_stan(executable, FULL.data(spec, design), options)
            return full_draws(sampling, design, spec)

    check_ranks(formula, fit)
    assert stood_in < 0.1 * REPLICATIONS, "this speaks of the chains of the marginal engine"


@pytest.mark.parametrize("levels", [3, 6, 10])
@pytest.mark.parametrize("kind", ["crossed", "nested"])
def test_ranks_are_uniform_with_few_levels_and_sds_near_0(kind: str, levels: int) -> None:
    def fit(spec: ModelSpec, design: Design, seed: int) -> Draws:
        sampling = sample(find_posterior(spec, design, seed), replace(SAMPLER, seed=seed))
        return whole_draws(sampling, design, spec)

    check_ranks(CROSSED, fit, lambda rng: simulated_few_levels(kind, levels, rng))


@pytest.mark.parametrize("family", ["bernoulli", "poisson", "cumulative"])
def test_ranks_are_uniform_with_correlated_slopes_in_the_full_engine(family: str) -> None:
    def fit(spec: ModelSpec, design: Design, seed: int) -> Draws:
        source = open_full(Wanted(spec, design))
        return source.draws(source.first(replace(SAMPLER, seed=seed), None)[0])

    check_ranks(SLOPES, fit, lambda rng: simulated_family(family, rng))


def check_ranks(formula: Formula, fit: Fit, simulate: Simulate | None = None) -> None:
    rng = np.random.default_rng(2)
    draw = simulate or (lambda rng: simulated(formula, rng))
    found = [replicate(fit, draw(rng), seed) for seed in range(1, REPLICATIONS + 1)]
    limit = smallest_p(0.001)
    values = {name: p_value(np.array([ranks[name] for ranks in found])) for name in found[0]}
    print(f"least of chance {limit:.4f};", ", ".join(f"{name} {value:.3f}" for name, value in values.items()))
    assert min(values.values()) >= limit, values


def replicate(fit: Fit, case: tuple[Design, ModelSpec, dict[str, float]], seed: int) -> dict[str, int]:
    """Fit what was drawn from the priors, and return the rank of each true value."""
    design, spec, truth = case
    draws = fit(spec, design, seed)
    posterior = {name: draws.of(name) for name in truth if not name.startswith("u")}
    for m in range(draws.effects["g"].shape[-1]):
        posterior[f"u{m}"] = draws.effects["g"][:, :, 0, m]
    if "h" in draws.effects:
        posterior["u_h"] = draws.effects["h"][:, :, 0, 0]
    every = SAMPLER.chains * SAMPLER.draws // (RANKS - 1)
    return {name: int(np.sum(values.ravel()[::every] < truth[name])) for name, values in posterior.items()}


def simulated(formula: Formula, rng: np.random.Generator) -> tuple[Design, ModelSpec, dict[str, float]]:
    """Return data from a draw of the priors, and that draw."""
    source = table(60, 10, seed=5)
    a, g, h = source.numbers["a"], source.labels["g"], np.arange(60, dtype=np.int32) // 2 % 6
    source = replace(source, labels={**source.labels, "h": h}, levels={**source.levels, "h": tuple("abcdef")})
    sloping = formula in (SLOPES, CROSSED_SLOPES)
    truth = {name: rng.normal(*PRIORS[name]) for name in ("Intercept", "a")}
    truth |= {name: abs(rng.normal(*PRIORS[name])) for name in ("sd(g)", "sigma")}
    L = np.eye(2)
    if sloping:
        truth["sd(g: a)"] = abs(rng.normal(*PRIORS["sd(g: a)"]))
        truth["cor(g: Intercept, a)"] = correlation = 2 * rng.beta(2, 2) - 1  # lkj(2)
        L = np.array([[1, 0], [correlation, np.sqrt(1 - correlation**2)]])
    u = rng.normal(size=(10, 2)) @ L.T * [truth["sd(g)"], truth.get("sd(g: a)", 0.0)]
    truth["u0"] = u[0, 0]
    if sloping:
        truth["u1"] = u[0, 1]
    y = truth["Intercept"] + truth["a"] * a + u[g, 0] + u[g, 1] * a + rng.normal(0, truth["sigma"], 60)
    if "h" in formula.factors:
        truth["sd(h)"] = abs(rng.normal(*PRIORS["sd(h)"]))
        u_h = rng.normal(0, truth["sd(h)"], 6)
        truth["u_h"], y = u_h[0], y + u_h[h]
    design = build_design(formula, replace(source, numbers={**source.numbers, "y": y}), centered=False)
    priors = [f"{name} ~ normal({m}, {s})" for name, (m, s) in PRIORS.items() if name in truth]
    return design, build_spec(formula, design, [*priors, *(["cor(g) ~ lkj(2)"] * sloping)]), truth


def simulated_few_levels(
    kind: str, levels: int, rng: np.random.Generator
) -> tuple[Design, ModelSpec, dict[str, float]]:
    """Return two rows of each cell of two factors, h crossed with g or three levels within each of its, and the truth.

    Each sd has a wide prior or, as often, one that holds it near 0.
    """
    inner = levels if kind == "crossed" else 3
    g, rows = np.repeat(np.arange(levels, dtype=np.int32), inner * 2), levels * inner * 2
    h = np.tile(np.repeat(np.arange(inner, dtype=np.int32), 2), levels) + (0 if kind == "crossed" else g * inner)
    priors = {name: PRIORS[name] for name in ("Intercept", "a", "sigma")}
    priors |= {f"sd({factor})": (0.0, float(rng.choice([0.05, 1.0]))) for factor in "gh"}
    truth = {name: rng.normal(*priors[name]) for name in ("Intercept", "a")}
    truth |= {name: abs(rng.normal(*priors[name])) for name in ("sd(g)", "sd(h)", "sigma")}
    u_g, u_h = rng.normal(0, truth["sd(g)"], levels), rng.normal(0, truth["sd(h)"], h.max() + 1)
    truth |= {"u0": u_g[0], "u_h": u_h[0]}
    a = rng.normal(size=rows)
    y = truth["Intercept"] + truth["a"] * a + u_g[g] + u_h[h] + rng.normal(0, truth["sigma"], rows)
    codes = {"g": g, "h": h.astype(np.int32)}
    names = {factor: tuple(f"{factor}{level}" for level in range(found.max() + 1)) for factor, found in codes.items()}
    source = replace(table(rows, 2), numbers={"a": a, "y": y}, labels=codes, levels=names)
    design = build_design(CROSSED, source, centered=False)
    return design, build_spec(CROSSED, design, [f"{name} ~ normal({m}, {s})" for name, (m, s) in priors.items()]), truth


def simulated_family(family: str, rng: np.random.Generator) -> tuple[Design, ModelSpec, dict[str, float]]:
    """Return 12 rows of each of 15 levels from a draw of the priors, on the scale of the link, and that draw."""
    levels, rows = 15, 180
    source, kind = table(rows, levels, seed=5), FAMILIES[family]
    a, g = rng.normal(size=rows), source.labels["g"]
    truth = {name: rng.normal(*LINK_PRIORS[name]) for name in ("Intercept", "a")}
    truth |= {name: abs(rng.normal(*LINK_PRIORS[name])) for name in ("sd(g)", "sd(g: a)")}
    truth["cor(g: Intercept, a)"] = correlation = 2 * rng.beta(2, 2) - 1  # lkj(2)
    L = np.array([[1, 0], [correlation, np.sqrt(1 - correlation**2)]])
    u = rng.normal(size=(levels, 2)) @ L.T * [truth["sd(g)"], truth["sd(g: a)"]]
    truth |= {"u0": u[0, 0], "u1": u[0, 1]}
    thresholds = np.sort(rng.normal(*LINK_PRIORS["threshold"], 3))
    if kind.has_thresholds:
        del truth["Intercept"]
        truth |= {f"threshold[{q}|{q + 1}]": value for q, value in enumerate(thresholds.tolist())}
    eta = truth.get("Intercept", 0.0) + truth["a"] * a + u[g, 0] + u[g, 1] * a
    auxiliaries = {THRESHOLD: thresholds[:, None]} if kind.has_thresholds else {}
    y = kind.replicate(rng, kind.mean(eta, kind.link, auxiliaries), auxiliaries, np.ones(rows))
    if len(np.unique(y)) < (4 if kind.has_thresholds else 2):  # no data that anybody could fit: all is drawn again
        return simulated_family(family, rng)
    numbers = {**source.numbers, "a": a, "y": y}
    design = build_design(SLOPES, replace(source, numbers=numbers), centered=False, family=family)
    priors = [f"{name} ~ normal({m}, {s})" for name, (m, s) in LINK_PRIORS.items() if name in (*truth, "threshold")]
    priors = [text for text in priors if kind.has_thresholds or not text.startswith("threshold")]
    return design, build_spec(SLOPES, design, [*priors, "cor(g) ~ lkj(2)"]), truth


def p_value(ranks: NDArray[np.int64]) -> float:
    """Return the smallest two-sided binomial p-value of the numbers of ranks at or below each point."""
    from scipy.stats import binom

    below = np.searchsorted(np.sort(ranks), np.arange(RANKS - 1), side="right")
    share = np.arange(1, RANKS) / RANKS
    tails = np.minimum(binom.cdf(below, len(ranks), share), binom.sf(below - 1, len(ranks), share))
    return float(2 * tails.min())


def smallest_p(probability: float) -> float:
    """Return what the smallest p-value of uniform ranks falls below with that probability."""
    rng = np.random.default_rng(3)
    return float(np.quantile([p_value(rng.integers(0, RANKS, REPLICATIONS)) for _ in range(20_000)], probability))
