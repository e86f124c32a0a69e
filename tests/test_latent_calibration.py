"""Simulation-based calibration of the latent engine: every family with one factor, and crossed factors.

As in `test_calibration`: what is drawn from the priors ranks uniformly among the draws of its posterior. Data are small
(12 levels of 6 rows), so that sds come near 0 and posteriors are far from normal. Where nothing near a posterior is
found, Stan's full engine stands in, as it does for a user; that is not to happen often.
"""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest

from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.design.prior_choice import build_spec
from hierfit.engines.engine import Wanted
from hierfit.engines.latent.building import STRUCTS
from hierfit.engines.latent.source import open_latent
from hierfit.engines.names import EngineName
from hierfit.model.families import FAMILIES, THRESHOLD
from hierfit.model.formula_text import parse_formula
from hierfit.model.roles import Roles
from hierfit.model.spec import ModelSpec
from hierfit.posterior.draws import Draws
from tests.model.cases import table
from tests.test_calibration import LINK_PRIORS, REPLICATIONS, SAMPLER, check_ranks

pytestmark = [pytest.mark.stan, pytest.mark.slow]

LEVELS, ROWS = 12, 6
INTERCEPTS, SLOPES = "y ~ a + (1 | g)", "y ~ a + (1 + a | g)"
CROSSED = "y ~ a + (1 | g) + (1 | h)"
PRIORS = {**LINK_PRIORS, "sd(h)": (0.0, 1.0)}
AUX_PRIORS = {
    "sigma": "normal(0, 1.5)",
    "nu": "gamma(2, 0.1)",
    "shape": "lognormal(0.5, 0.7)",
    "phi": "lognormal(1.5, 0.7)",
    "zi": "beta(2, 4)",
    "hu": "beta(2, 4)",
}
MOST_STAND_INS = 0.1


@dataclass(frozen=True)
class Case:
    """A model to be calibrated."""

    family: str
    formula: str

    def __str__(self) -> str:
        return f"{self.family}, {self.formula}"


CASES = [
    *(Case(family, INTERCEPTS) for family in STRUCTS),
    *(Case(family, SLOPES) for family in ("bernoulli", "poisson", "cumulative")),
    *(Case(family, CROSSED) for family in ("bernoulli", "poisson", "cumulative")),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_ranks_of_the_truth_are_uniform(case: Case) -> None:
    by = Counter[str]()

    def fit(spec: ModelSpec, design: Design, seed: int) -> Draws:
        source = open_latent(Wanted(spec, design, seed=seed))
        by[source.engine] += 1
        return source.draws(source.first(replace(SAMPLER, seed=seed), None)[0])

    check_ranks(parse_formula(case.formula), fit, lambda rng: simulated(case, rng))
    print(f"stood in for: {by[EngineName.FULL]} of {REPLICATIONS}")
    assert by[EngineName.FULL] < MOST_STAND_INS * REPLICATIONS, "this speaks of the latent engine"


def simulated(case: Case, rng: np.random.Generator) -> tuple[Design, ModelSpec, dict[str, float]]:
    """Return 6 rows of each of 12 levels from a draw of the priors, on the scale of the link, and that draw."""
    formula, kind, n = parse_formula(case.formula), FAMILIES[case.family], LEVELS * ROWS
    g, h = np.divmod(np.arange(n, dtype=np.int32), np.int32(ROWS))
    a, trials = rng.normal(size=n), rng.integers(1, 10, n).astype(np.float64)
    truth = {name: rng.normal(*PRIORS[name]) for name in ("Intercept", "a")}
    truth["sd(g)"] = abs(rng.normal(*PRIORS["sd(g)"]))
    u = rng.normal(size=(LEVELS, 2))
    effects = truth["sd(g)"] * u[g, 0]
    truth["u0"] = truth["sd(g)"] * u[0, 0]
    if case.formula == SLOPES:
        truth["sd(g: a)"] = sd = abs(rng.normal(*PRIORS["sd(g: a)"]))
        truth["cor(g: Intercept, a)"] = cor = 2 * rng.beta(2, 2) - 1  # lkj(2)
        slope = sd * (cor * u[:, 0] + np.sqrt(1 - cor**2) * u[:, 1])
        effects, truth["u1"] = effects + slope[g] * a, slope[0]
    if case.formula == CROSSED:
        truth["sd(h)"] = abs(rng.normal(*PRIORS["sd(h)"]))
        u_h = rng.normal(0, truth["sd(h)"], ROWS)
        effects, truth["u_h"] = effects + u_h[h], u_h[0]
    priors = [f"{name} ~ normal({m}, {s})" for name, (m, s) in PRIORS.items() if name in truth]
    eta = truth["Intercept"] + truth["a"] * a + effects
    values = {}
    if kind.has_thresholds:
        eta = eta - truth.pop("Intercept")
        thresholds = np.sort(rng.normal(*PRIORS["threshold"], 3))
        truth |= {f"threshold[{q}|{q + 1}]": value for q, value in enumerate(thresholds.tolist())}
        values[THRESHOLD] = thresholds[:, None]
        priors = ["threshold ~ normal({}, {})".format(*PRIORS["threshold"]), *priors[1:]]
    for auxiliary in kind.auxiliaries:
        truth[auxiliary.name] = value = from_prior(auxiliary.name, rng)
        values[auxiliary.name] = np.array([value])
        priors.append(f"{auxiliary.name} ~ {AUX_PRIORS[auxiliary.name]}")
    y = kind.replicate(rng, kind.mean(eta, kind.link, values), values, trials)
    if not can_be_fitted(case.family, y):
        return simulated(case, rng)
    names = {"g": tuple(f"g{level:02}" for level in range(LEVELS)), "h": tuple("abcdef")}
    made = replace(table(n, LEVELS), numbers={"a": a, "y": y, "n": trials}, labels={"g": g, "h": h}, levels=names)
    roles = Roles(trials="n" if kind.has_trials else None)
    design = build_design(formula, made, centered=False, family=case.family, roles=roles)
    return design, build_spec(formula, design, [*priors, *(["cor(g) ~ lkj(2)"] * (case.formula == SLOPES))]), truth


def from_prior(name: str, rng: np.random.Generator) -> float:
    """Return a draw of `AUX_PRIORS`."""
    draw = {
        "sigma": lambda: abs(rng.normal(0, 1.5)),
        "nu": lambda: next(nu for nu in iter(lambda: rng.gamma(2, 10), None) if nu > 1),
        "shape": lambda: rng.lognormal(0.5, 0.7),
        "phi": lambda: rng.lognormal(1.5, 0.7),
        "zi": lambda: rng.beta(2, 4),
        "hu": lambda: rng.beta(2, 4),
    }
    return float(draw[name]())


def can_be_fitted(family: str, y: np.ndarray) -> bool:
    """Whether the data can be read at all; others are drawn again, which leaves ranks uniform."""
    if family == "beta" and not ((y > 0) & (y < 1)).all():
        return False
    if family == "gamma" and not (y > 0).all():
        return False
    return len(np.unique(y)) >= (4 if FAMILIES[family].has_thresholds else 2)
