"""Models whose narrow programs the tests look at: what has to be in a program, and what must not be."""

from dataclasses import dataclass, replace

import numpy as np

from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.design.distributional import evaluate_predictor, predictor_columns
from hierfit.design.prior_choice import build_spec
from hierfit.model.families import FAMILIES
from hierfit.model.formula import Formula
from hierfit.model.formula_text import parse_formula
from hierfit.model.spec import ModelSpec
from tests.family_cases import FAMILY_CASES, family_design
from tests.model.cases import crossed_table


@dataclass(frozen=True)
class NarrowCase:
    """One model of outcome, columns a and b, factors g and h on 40 rows.

    Attributes:
        formula: its text; a gaussian outcome has predictors of its own, others y ~ a + b + (1 + b | g) + (1 | h).
        has: what its program has to have in it.
        priors, centered, prior_only, family, link: as for a fit.
        rows: further columns of rows: offset, weights, precision.
    """

    formula: str
    has: tuple[str, ...] = ()
    priors: tuple[str, ...] = ()
    centered: bool = True
    prior_only: bool = False
    family: str = "gaussian"
    link: str = ""
    rows: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = (self.family, self.link, self.formula, *self.priors, "" if self.centered else "at 0", *self.rows)
        return " ".join(part for part in parts if part)

    def model(self) -> tuple[ModelSpec, Design]:
        """The model and its columns."""
        formula = parse_formula(self.formula)
        design = self._design(formula)
        rng = np.random.default_rng(5)
        further = {"offset": rng.normal(0, 0.3, design.n_rows), "weights": rng.uniform(0.2, 3, design.n_rows)}
        further["precision"] = rng.gamma(2, 0.5, design.n_rows)
        design = replace(design, **{name: further[name] for name in self.rows})
        return build_spec(formula, design, self.priors, prior_only=self.prior_only), design

    def _design(self, formula: Formula) -> Design:
        table, family = crossed_table(), FAMILIES[self.family]
        plain = replace(formula, distributional=())
        design = build_design(plain, table, centered=self.centered)
        made = family_design(
            next(c for c in FAMILY_CASES if (c.family, c.link) == (self.family, self.link or family.link))
        )
        if self.family != "gaussian":
            names = ("y", "family", "link", "categories", "trials")
            design = replace(design, **{name: getattr(made, name) for name in names})
            design = replace(design, intercept=design.intercept and made.intercept)
        found = [
            predictor_columns(own, evaluate_predictor(own, formula, table, {"h": "h0"}, family), table)
            for own in formula.distributional
        ]
        return replace(design, distributional=tuple(found))


_SLOPES = "y ~ a + b + (1 + b | g) + (1 | h)"
_OF_PARAMETERS = {name: [aux.name for aux in family.auxiliaries] for name, family in FAMILIES.items()}
CASES = [
    NarrowCase("y ~ 1", ("rep_vector(Intercept, N)",)),
    NarrowCase("y ~ 0 + a", ("vector[N] mu = X * b;",)),
    NarrowCase("y ~ a + b", ("Intercept_at_mean + Xc * b", "real Intercept = ")),
    NarrowCase("y ~ a + b", ("Intercept + X * b",), centered=False),
    NarrowCase("y ~ a + (1 | g)", ("u_g = sd_g * z_g", "array[N] int<lower=1, upper=J_g> g;")),
    NarrowCase(_SLOPES, ("L_g", "rows_dot_product(Zc_g", "u_h[h]", "cor_g"), ("cor(g) ~ lkj(2.5)",)),
    NarrowCase(_SLOPES, ("L_g", "rows_dot_product(Z_g", "cor_g"), centered=False),
    NarrowCase("y ~ a + (1 + a + b | g)", ("cholesky_factor_corr[3] L_g", "Z_g[ : , 2 : 3]")),
    NarrowCase("y ~ a + (1 + a || g)", ("diag_pre_multiply(sd_g, z_g)",)),
    NarrowCase("y ~ a + (0 + a | g)", ("Z_g .* u_g[g]",)),
    NarrowCase("y ~ a + (0 + a + b | g)", ("L_g", "rows_dot_product(Z_g", "cor_g")),
    NarrowCase("y ~ a + (1 | h) + (1 | h:g)", ("h_g", "J_h_g")),
    NarrowCase(
        "y ~ a + b + (1 + a | g)",
        ("vector[2] sd_g_at_mean = [2, 1]'", "vector[2] b = [b_a, 0.5]'", "real<lower=-1, upper=9> b_a",
         "sigma ~ gamma(2, 1)"),
        ("sd(g) ~ constant(2)", "sd(g: a) ~ constant(1)", "a ~ uniform(-1, 9)", "b ~ constant(0.5)",
         "sigma ~ gamma(2, 1)"),
    ),
    NarrowCase("y ~ a + b", ("real Intercept_at_mean = 20;",), ("Intercept ~ constant(20)", "sigma ~ flat()")),
    NarrowCase("y ~ a + (1 | g)", ("real sd_g = 2;",), ("sd(g) ~ constant(2)",)),
    NarrowCase("y ~ a + h", (" b = unit .*", "horseshoe_scale ~ cauchy"), ("b ~ horseshoe(1)",)),
    NarrowCase(
        "y ~ a + h",
        ("b_shrunk = unit .*", "vector[5] b = [b_a, b_shrunk[1], b_shrunk[2], b_shrunk[3], 2]'"),
        ("b ~ horseshoe(1)", "a ~ normal(0, 1)", "h[h4] ~ constant(2)"),
    ),
    NarrowCase("y ~ a + (1 | g)", ("offsets + ", "sigma ./ sqrt(precision)"), rows=("offset", "precision")),
    NarrowCase("y ~ a + (1 | g); sigma ~ a", ("weights[i]", "sigma[i]"), rows=("weights",)),
    NarrowCase("y ~ a + (1 + a | g)", ("to_vector(z_g)",), prior_only=True),
    NarrowCase(_SLOPES, ("to_vector(z_g)",), prior_only=True, family="cumulative"),
    NarrowCase("y ~ 1", ("rep_vector(0, N)",), family="cumulative"),
    *(
        NarrowCase(_SLOPES, ("y ",), case.priors, family=case.family, link=case.link, rows=rows, centered=not rows)
        for case in FAMILY_CASES
        for rows in ((), ("offset", "weights"))
    ),
    *(
        NarrowCase(f"y ~ a + (1 | g); {name} ~ {right}", (f"vector[N] {name} = ",), family=family)
        for family, others in _OF_PARAMETERS.items()
        for name in others
        for right in ("a", "0 + h", "; ".join(["a", *(f"{other} ~ a" for other in others if other != name)]))
        if len(others) > 1 or ";" not in right
    ),
]  # fmt: skip
