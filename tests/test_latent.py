"""The latent engine and the full one have the same posterior: simulated data of every kind that is hard for one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from hierfit.data.source import FRAME
from hierfit.model.formula_text import parse_formula
from hierfit.model.request import FitRequest
from hierfit.model.roles import NO_ROLES, Roles
from hierfit.posterior.group_summary import summarize_groups
from hierfit.runs.finished import Fit
from hierfit.sampling import SamplerOptions
from hierfit.workflow import fit, prepare

pytestmark = [pytest.mark.stan, pytest.mark.slow]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Hard:
    """One model with its data; `delta` is what the full engine needs."""

    formula: str
    family: str
    columns: Mapping[str, Array]
    roles: Roles = NO_ROLES
    link: str | None = None
    delta: float = 0.95
    draws: int = 1500


def levels(n_levels: int, rows: int) -> NDArray[np.int64]:
    return np.repeat(np.arange(n_levels), rows)


def logistic(eta: Array) -> Array:
    return 1 / (1 + np.exp(-eta))


def bernoulli(n_levels: int, rows: int, intercept: float, sd: float, seed: int) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    g, x = levels(n_levels, rows), rng.normal(size=n_levels * rows)
    eta = intercept + 0.5 * x + rng.normal(0, sd, n_levels)[g]
    return {"y": rng.binomial(1, logistic(eta)), "x": x.round(4), "g": g}


def slopes(family: str, seed: int) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    g, x = levels(60, 12), rng.normal(size=720)
    u = rng.multivariate_normal([0, 0], [[0.5, 0.2], [0.2, 0.3]], 60)
    eta = 0.3 + 0.5 * x + u[g, 0] + u[g, 1] * x
    draw = {
        "poisson": lambda: rng.poisson(np.exp(eta)),
        "negbinomial": lambda: rng.poisson(np.exp(eta) * rng.gamma(1.5, 1 / 1.5, 720)),
        "gamma": lambda: rng.gamma(2, np.exp(eta) / 2).round(5) + 1e-5,
        "beta": lambda: np.clip(rng.beta(4 * logistic(eta), 4 * logistic(-eta)), 0.001, 0.999).round(4),
        "student": lambda: (eta + 0.7 * rng.standard_t(4, 720)).round(4),
        "bernoulli": lambda: rng.binomial(1, logistic(eta)),
        "zero_inflated_poisson": lambda: rng.poisson(np.exp(eta)) * (rng.random(720) < 0.7),
        "hurdle_negbinomial": lambda: (
            (1 + rng.poisson(np.exp(eta) * rng.gamma(1.5, 1 / 1.5, 720))) * (rng.random(720) < 0.7)
        ),
    }
    return {"y": draw[family](), "x": x.round(4), "g": g, "exposure": rng.uniform(0.5, 2, 720).round(3)}


def trials(seed: int, overdispersed: bool = False) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    g, x, n = levels(40, 6), rng.normal(size=240), rng.integers(1, 15, 240)
    p = logistic(-0.5 + 0.5 * x + rng.normal(0, 0.8, 40)[g])
    p = rng.beta(5 * p, 5 * (1 - p)) if overdispersed else p
    return {"y": rng.binomial(n, p), "n": n, "x": x.round(4), "g": g}


def crossed(outcome: str, seed: int) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    person, item = np.divmod(np.arange(60 * 15), 15)
    x = rng.normal(size=900)
    eta = 0.2 + 0.5 * x + rng.normal(0, 1, 60)[person] + rng.normal(0, 0.6, 15)[item]
    y = rng.binomial(1, logistic(eta)) if outcome == "bernoulli" else rng.poisson(np.exp(eta))
    if outcome == "cumulative":
        y = np.searchsorted([-1, 0, 1.5], eta + rng.logistic(size=900))
    return {"y": y, "x": x.round(4), "g": person, "h": item}


def nested(seed: int) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    h = levels(20, 24)
    g = levels(120, 4)
    x = rng.normal(size=480)
    eta = 0.2 + 0.4 * x + rng.normal(0, 0.7, 20)[h] + rng.normal(0, 0.5, 120)[g]
    return {"y": rng.poisson(np.exp(eta)), "x": x.round(4), "h": h, "g": g % 6}


def many_of_both(seed: int) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    g, h, x = rng.integers(0, 500, 2400), rng.integers(0, 320, 2400), rng.normal(size=2400)
    eta = 0.2 + 0.5 * x + rng.normal(0, 1, 500)[g] + rng.normal(0, 0.6, 320)[h]
    return {"y": rng.binomial(1, logistic(eta)), "x": x.round(4), "g": g, "h": h}


def many_nested(seed: int) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    h, g = levels(320, 9), levels(960, 3)
    x = rng.normal(size=2880)
    eta = 0.2 + 0.4 * x + rng.normal(0, 0.7, 320)[h] + rng.normal(0, 0.5, 960)[g]
    return {"y": rng.poisson(np.exp(eta)), "x": x.round(4), "h": h, "g": g % 3}


def separated() -> dict[str, Array]:
    rng = np.random.default_rng(5)
    g, x = levels(30, 8), rng.normal(size=240)
    return {"y": (x > 0).astype(int), "x": x.round(4), "g": g}


ONE = "y ~ x + (1 | g)"
CASES = {
    "few levels": Hard(ONE, "bernoulli", bernoulli(5, 40, 0.2, 0.8, 1), delta=0.99, draws=3000),
    "sd near 0": Hard(ONE, "bernoulli", bernoulli(80, 10, 0.2, 0.0, 2), delta=0.99),
    "rare": Hard(ONE, "bernoulli", bernoulli(500, 10, -5.0, 1.2, 3), delta=0.99),
    "pairs": Hard(ONE, "bernoulli", bernoulli(300, 2, 0.0, 2.0, 4), delta=0.99),
    "separation": Hard(ONE, "bernoulli", separated(), delta=0.99),
    "probit": Hard(ONE, "bernoulli", bernoulli(60, 10, 0.2, 0.8, 6), link="probit"),
    "offset": Hard("y ~ x + (1 + x | g)", "poisson", slopes("poisson", 7), Roles(exposure="exposure")),
    "trials, cloglog": Hard(ONE, "binomial", trials(8), Roles(trials="n"), link="cloglog"),
    "beta_binomial": Hard(ONE, "beta_binomial", trials(9, overdispersed=True), Roles(trials="n")),
    "two columns": Hard("y ~ x + (1 + x | g)", "bernoulli", slopes("bernoulli", 10)),
    "two columns apart": Hard("y ~ x + (1 + x || g)", "bernoulli", slopes("bernoulli", 11)),
    "negbinomial, shape ~ x": Hard("y ~ x + (1 | g); shape ~ x", "negbinomial", slopes("negbinomial", 12)),
    "gamma": Hard("y ~ x + (1 + x | g)", "gamma", slopes("gamma", 13)),
    "beta": Hard("y ~ x + (1 | g)", "beta", slopes("beta", 14)),
    "student": Hard("y ~ x + (1 | g)", "student", slopes("student", 15)),
    "zero_inflated_poisson, zi ~ x": Hard(
        "y ~ x + (1 | g); zi ~ x", "zero_inflated_poisson", slopes("zero_inflated_poisson", 16)
    ),
    "hurdle_negbinomial": Hard("y ~ x + (1 | g)", "hurdle_negbinomial", slopes("hurdle_negbinomial", 17)),
    "ordinal": Hard("y ~ x + (1 + x | g)", "cumulative", crossed("cumulative", 18)),
    "crossed": Hard("y ~ x + (1 | g) + (1 | h)", "bernoulli", crossed("bernoulli", 19)),
    "crossed counts": Hard("y ~ x + (1 + x | g) + (1 | h)", "poisson", crossed("poisson", 20)),
    "crossed ordinal": Hard("y ~ x + (1 | g) + (1 | h)", "cumulative", crossed("cumulative", 21)),
    "nested": Hard("y ~ x + (1 | h/g)", "poisson", nested(22)),
    "crossed, many of both": Hard("y ~ x + (1 | g) + (1 | h)", "bernoulli", many_of_both(23)),
    "nested, many of both": Hard("y ~ x + (1 | h/g)", "poisson", many_nested(24)),
}


def fitted(case: Hard, engine: str, folder: Path) -> Fit:
    sampler = SamplerOptions(draws=case.draws, seed=7, adapt_delta=case.delta if engine == "full" else None)
    data = pd.DataFrame(case.columns)
    formula = parse_formula(case.formula)
    request = FitRequest(
        FRAME, formula, family=case.family, link=case.link, engine=engine, sampler=sampler, roles=case.roles
    )
    return fit(prepare(request, data), folder / engine)


@pytest.mark.parametrize("name", CASES)
def test_both_engines_agree(name: str, tmp_path: Path) -> None:
    """Means within five standard errors of their difference, quantiles at the same places, effects too."""
    case = CASES[name]
    latent, full = (fitted(case, engine, tmp_path) for engine in ("latent", "full"))
    assert latent.manifest["engine"] == "latent", latent.manifest.get("stands_in")
    assert latent.summary.rows[0].ess_bulk > 400
    for one, other in zip(latent.summary.rows, full.summary.rows, strict=True):
        error = np.hypot(one.mcse_mean, other.mcse_mean)
        assert abs(one.mean - other.mean) < 5 * error, one.name
        draws, other_draws = latent.draws.of(one.name), full.draws.of(one.name)
        ess = min(one.ess_tail, other.ess_tail, one.ess_bulk, other.ess_bulk)
        for probability in (0.025, 0.5, 0.975):
            share = np.mean(other_draws < np.quantile(draws, probability))
            allowed = 5 * np.sqrt(2 * probability * (1 - probability) / ess)
            assert abs(share - probability) < allowed, (one.name, probability)
    for factor in parse_formula(case.formula).factors:
        ours, theirs = (summarize_groups(run.draws, run.design, run.spec).table(factor) for run in (latent, full))
        error = np.hypot(ours.deviation_sd, theirs.deviation_sd) / np.sqrt(400)
        assert (np.abs(ours.deviation_mean - theirs.deviation_mean) < 5 * error).all()
        ratio = ours.deviation_sd / theirs.deviation_sd
        assert ratio.min() > 0.85 and ratio.max() < 1.18  # sds of 400 draws have errors of 3.5 %: five of them
