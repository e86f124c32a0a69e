"""The families that the tests try: one line each, with every link, on outcomes simulated by the family itself."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.model.families import FAMILIES, THRESHOLD
from hierfit.model.formula import Formula, GroupTerm
from tests.model.cases import crossed_table

Array = NDArray[np.float64]
FORMULA = Formula("y", ("a", "b"), (GroupTerm("g", True, ("b",)), GroupTerm("h")))


@dataclass(frozen=True)
class FamilyCase:
    """Family and link; linear predictor at the mean of X and auxiliaries to simulate with; priors to try."""

    family: str
    link: str
    intercept: float = 0.0
    auxiliaries: Mapping[str, float] | None = None
    priors: tuple[str, ...] = ()

    @property
    def values(self) -> dict[str, Array]:
        found = {name: np.array([value]) for name, value in (self.auxiliaries or {}).items()}
        return found | ({THRESHOLD: np.array([[-1.0], [0.2], [0.9]])} if FAMILIES[self.family].has_thresholds else {})

    def __str__(self) -> str:
        return f"{self.family}-{self.link}"


FAMILY_CASES = [
    FamilyCase("gaussian", "identity", 20.0, {"sigma": 2.0}),
    *(FamilyCase("bernoulli", link) for link in ("logit", "probit", "cloglog")),
    FamilyCase("poisson", "log", 1.0),
    *(FamilyCase("binomial", link) for link in ("logit", "probit", "cloglog")),
    FamilyCase("negbinomial", "log", 1.0, {"shape": 2.5}),
    FamilyCase("student", "identity", 20.0, {"sigma": 2.0, "nu": 6.0}, ("nu ~ uniform(0, 30)",)),
    FamilyCase("gamma", "log", -1.0, {"shape": 1.7}, ("shape ~ exponential(1)",)),
    FamilyCase("lognormal", "identity", 3.0, {"sigma": 0.4}, ("sigma ~ normal(0, 1)",)),
    FamilyCase("beta", "logit", 0.0, {"phi": 8.0}, ("phi ~ gamma(2, 0.1)",)),
    FamilyCase("zero_inflated_poisson", "log", 1.0, {"zi": 0.3}, ("zi ~ beta(2, 3)",)),
    FamilyCase("zero_inflated_negbinomial", "log", 1.5, {"shape": 2.5, "zi": 0.2}, ("zi ~ normal(0, 0.5)",)),
    FamilyCase("beta_binomial", "logit", 0.0, {"phi": 5.0}),
    FamilyCase("hurdle_poisson", "log", 1.0, {"hu": 0.3}, ("hu ~ beta(2, 3)",)),
    FamilyCase("hurdle_negbinomial", "log", 1.5, {"shape": 2.5, "hu": 0.2}, ("shape ~ exponential(1)",)),
    *(FamilyCase("cumulative", link, 0.0, None, ("threshold ~ cauchy(0, 2)",)) for link in ("logit", "probit")),
]


def family_design(
    case: FamilyCase, *, centered: bool = True, further: bool = False, formula: Formula = FORMULA
) -> Design:
    """y ~ a + b + (1 + b | g) + (1 | h) on 40 rows, or another formula; with `further` also an offset and weights."""
    rng = np.random.default_rng(11)
    design = build_design(formula, crossed_table(), centered=centered)
    family = FAMILIES[case.family]
    x = (design.X - design.X.mean(axis=0)) / design.x_scale
    effects = [rng.normal(0, 0.4, group.n_levels)[group.codes] for group in design.groups]
    offset = rng.uniform(-0.5, 0.5, design.n_rows) if further else np.zeros(design.n_rows)
    eta = case.intercept + x @ [0.5, -0.3][: x.shape[1]] + np.sum(effects, axis=0) + offset
    trials = rng.integers(1, 12, design.n_rows).astype(np.float64)
    return replace(
        design,
        y=family.replicate(rng, family.mean(eta, case.link, case.values), case.values, trials),
        family=case.family,
        link=case.link,
        intercept=not family.has_thresholds,
        categories=("never", "seldom", "often", "always") if family.has_thresholds else (),
        trials=trials if family.has_trials else None,
        offset=offset if further else None,
        weights=rng.uniform(0.2, 3, design.n_rows) if further else None,
    )
