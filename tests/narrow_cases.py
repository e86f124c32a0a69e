"""Models whose narrow programs the tests look at: what has to be in a program, and what must not be."""

from dataclasses import dataclass, replace

import numpy as np

from hierfit.design.blocks import lay_out_groups
from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.design.distributional import evaluate_predictor, predictor_columns
from hierfit.design.prior_choice import build_spec
from hierfit.design.terms import evaluate_terms
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
        slopes = [evaluate_terms(term.slopes, table, {}, intercept=term.intercept) for term in formula.all_groups]
        found = [
            predictor_columns(own, evaluate_predictor(own, formula, table, {"h": "h0"}, family), table)
            for own in formula.distributional
        ]
        return replace(design, groups=lay_out_groups(formula, slopes, table), distributional=tuple(found))


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
    NarrowCase(
        f"{_SLOPES}; sigma ~ b + (1 + b | g)",
        ("rows_dot_product(Zc_g, u_g_at_mean[g])", "rows_dot_product(Z_g_sigma, u_g_sigma[g])", "Z_g[ : , 2 : 2]",
         "sd_g_sigma[2] ~ gamma(2, 0.1); // sd(g: sigma_b): ", "L_g_sigma ~ lkj_corr_cholesky(2.5); // cor(g): ",
         "cor_g_sigma = multiply_lower_tri_self_transpose(L_g_sigma); // cor(g: sigma_Intercept, sigma_b)"),
        ("sd(g: sigma_b) ~ gamma(2, 0.1)", "cor(g) ~ lkj(2.5)"),
    ),
    NarrowCase(
        "y ~ a + (1 | g); sigma ~ 1 + (1 + a || g)",
        ("vector[2] sd_g_sigma = [2, sd_g_sigma_a]'", "= (diag_pre_multiply(sd_g_sigma, z_g_sigma))'", "sd_g * z_g"),
        ("sd(g: sigma_Intercept) ~ constant(2)",),
        rows=("offset",),
    ),
    NarrowCase(
        "y ~ a + (1 | g); sigma ~ 1 + (0 + a | h) + (1 | h:g)",
        ("exp(Intercept_sigma + Z_h_sigma .* u_h_sigma[h] + u_h_g_sigma[h_g])", "u_h_g_sigma = sd_h_g_sigma * ",
         "vector[N] Z_h_sigma; // a, varying by h"),
    ),
    NarrowCase("y ~ a; sigma ~ 0 + h + (1 | g)", ("exp(X_sigma * b_sigma + u_g_sigma[g])",), centered=False),
    NarrowCase(
        "y ~ a + (1 | p | g); sigma ~ b + (1 | p | g)",
        ("+ u_g[g, 1];", "+ u_g[g, 2]);", "matrix[J_g, 2] u_g = (diag_pre_multiply(sd_g, L_g) * z_g)'",
         "// sd(g), sd(g: sigma_Intercept)", "(L_g); // cor(g: Intercept, sigma_Intercept)"),
        rows=("weights",),
    ),
    NarrowCase(
        "y ~ a + (1 + a | p | g) + (1 | h); sigma ~ b + (1 + b | p | g) + (0 + b | h)",
        ("rows_dot_product(Z_g, u_g[g, 1 : 2])", "rows_dot_product(Z_g_sigma, u_g[g, 3 : 4])", "sd_g[4] ~ normal(0, 1)",
         "Z_h_sigma .* u_h_sigma[h]", "cholesky_factor_corr[4] L_g", "matrix[4, J_g] z_g"),
        ("sd(g: sigma_b) ~ normal(0, 1)",),
    ),
    NarrowCase(
        "y ~ a + (1 + a | g); sigma ~ b + (1 | p | g); nu ~ 1 + (0 + a | p | g)",
        ("exp(Intercept_sigma_at_mean + Xc_sigma * b_sigma + u_g_sigma_nu[g, 1])",
         "1 + exp(Intercept_nu + Z_g_nu .* u_g_sigma_nu[g, 2])", "rows_dot_product(Zc_g, u_g_at_mean[g])"),
        family="student",
    ),
    NarrowCase(
        "y ~ a + (1 | p | g); sigma ~ 1 + (1 | g); nu ~ 0 + h + (1 | p | g)",
        ("+ u_g[g, 1];", "exp(Intercept_sigma + u_g_sigma[g])", "X_nu * b_nu + u_g[g, 2])"),
        family="student",
        centered=False,
    ),
    NarrowCase(
        "y ~ a + b + (1 + b | g); zi ~ a + (1 | g) + (1 + b | h)",
        ("inv_logit(Intercept_zi_at_mean + Xc_zi * b_zi + u_g_zi[g] + rows_dot_product(Z_h_zi, u_h_zi[h]))",),
        family="zero_inflated_poisson",
        rows=("offset", "weights"),
    ),
    NarrowCase("y ~ a + h; sigma ~ 1 + (1 | g)", ("u_g_sigma[g]", "horseshoe_local ~"), ("b ~ horseshoe(1)",)),
    NarrowCase("y ~ a + (1 | p | g); sigma ~ 1 + (1 | p | g)", ("to_vector(z_g)", "L_g ~ "), prior_only=True),
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
        for right in (
            "a", "0 + h", "a + (1 + b | g)", "; ".join(["a", *(f"{other} ~ a" for other in others if other != name)])
        )
        if len(others) > 1 or ";" not in right
    ),
]  # fmt: skip
