"""The model in symbols: what stands in it, and that names from a file do nothing in MathML and TeX."""

from html import escape
from xml.etree import ElementTree

import pytest

from hierfit.model.families import FAMILIES
from hierfit.model.formula_text import parse_formula
from hierfit.model.roles import NO_ROLES, Roles
from hierfit.model.spec import GroupCoefficients, ModelSpec, PredictorCoefficients
from hierfit.report.equation import equations, mathml, plain, tex
from hierfit.told.markup import tex_words


def spec(text, family="gaussian", *, coefficients=(), groups=(), distributional=(), link=None):
    formula = parse_formula(text)
    link = link or FAMILIES[family].link
    return ModelSpec(formula, family, link, coefficients, groups, {}, distributional=distributional)


SLOPES = spec(
    "score ~ ses + (1 + ses | school)",
    coefficients=("ses",),
    groups=(GroupCoefficients("school", ("Intercept", "ses"), True),),
)
LEVELS = {"school": 160, "site": 12}


def test_a_linear_model_with_correlated_slopes():
    assert plain(equations(SLOPES, NO_ROLES, LEVELS)) == (
        "score[i] ~ Normal(mu[i], sigma); "
        "mu[i] = beta[Intercept] + beta[ses] * ses[i] + u[school[i], Intercept] "
        "+ u[school[i], ses] * ses[i]; "
        "(u[school, j, Intercept], u[school, j, ses]) ~ Normal(0, Sigma[school]), j = 1 ... 160"
    )


def test_counts_with_exposure_excess_zeros_with_a_predictor_and_independent_effects():
    model = spec(
        "count ~ habitat + (1 + habitat || site); zi ~ habitat + (1 | site)",
        "zero_inflated_poisson",
        coefficients=("habitat[wet]",),
        groups=(
            GroupCoefficients(
                "site", ("Intercept", "habitat[wet]", "zi_Intercept"), False, (None, None, "zi"), further=()
            ),
        ),
        distributional=(PredictorCoefficients("zi", ("Intercept", "habitat[wet]")),),
    )
    assert plain(equations(model, Roles(exposure="minutes"), LEVELS)) == (
        "count[i] ~ Zero-inflated Poisson(mu[i], zi[i]); "
        "log(mu[i]) = beta[Intercept] + beta[habitat[wet]] * habitat[wet][i] + u[site[i], Intercept] "
        "+ u[site[i], habitat[wet]] * habitat[wet][i] + log(minutes[i]); "
        "logit(zi[i]) = beta[Intercept, zi] + beta[habitat[wet], zi] * habitat[wet][i] + u[site[i], zi_Intercept]; "
        "u[site, j, Intercept] ~ Normal(0, sd(site)), j = 1 ... 12; "
        "u[site, j, habitat[wet]] ~ Normal(0, sd(site: habitat[wet])), j = 1 ... 12; "
        "u[site, j, zi_Intercept] ~ Normal(0, sd(site: zi_Intercept)), j = 1 ... 12"
    )


def test_thresholds_take_the_place_of_the_intercept_and_predictors_are_subtracted():
    model = spec("rating ~ x", "cumulative", coefficients=("x",))
    assert plain(equations(model, NO_ROLES, {})) == "logit(P(rating[i] <= k)) = threshold[k] - beta[x] * x[i]"


def test_trials_and_an_offset():
    model = spec("killed ~ dose", "binomial", coefficients=("dose",), link="cloglog")
    assert plain(equations(model, Roles(trials="n", offset="log_area"), {})) == (
        "killed[i] ~ Binomial(n[i], p[i]); cloglog(p[i]) = beta[Intercept] + beta[dose] * dose[i] + log_area[i]"
    )


def test_a_model_of_nothing_is_zero_and_of_many_terms_ends_in_dots():
    assert plain(equations(spec("y ~ 0"), NO_ROLES, {})).endswith("mu[i] = 0")
    many = spec("y ~ x", coefficients=tuple(f"x{i}" for i in range(40)))
    text = plain(equations(many, NO_ROLES, {}))
    assert "beta[x9]" in text and "beta[x10]" not in text and text.endswith("...")


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_names_its_parameters_and_its_link(family):
    lines = equations(spec("y ~ x", family, coefficients=("x",)), NO_ROLES, {})
    text = plain(lines)
    assert all(auxiliary.name in text for auxiliary in FAMILIES[family].auxiliaries)
    assert (FAMILIES[family].link in text) is (FAMILIES[family].link != "identity")
    assert FAMILIES[family].has_thresholds or FAMILIES[family].title in text
    ElementTree.fromstring(mathml(lines, escape))


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", r"\input{x}", "a & b", "50 % {of} $x_1^2$ #~", "]]>"])
def test_names_do_nothing(name):
    model = spec("y ~ x + (1 | g)", coefficients=(name,), groups=(GroupCoefficients(name, ("Intercept", name), True),))
    lines = equations(model, NO_ROLES, {name: 3})
    root = ElementTree.fromstring(mathml(lines, escape))
    assert {element.tag for element in root.iter()} <= {
        "math", "mtable", "mtr", "mtd", "mrow", "msub", "msubsup", "mi", "mo", "mn", "mtext"
    }  # fmt: skip
    assert name in {element.text for element in root.iter("mtext")}
    written = tex(lines, tex_words)
    for harmless in ("textbackslash{}", "textasciitilde{}", "textasciicircum{}", "textless{}", "textgreater{}"):
        written = written.replace(f"\\{harmless}", "")
    for escaped in (r"\{", r"\}", r"\$", r"\&", r"\%", r"\#", r"\_"):
        written = written.replace(escaped, "")
    assert written.count("{") == written.count("}")
    assert not set(written) & set("$%#~")
    assert r"\input" not in written
    assert all(line.count("&") == 1 for line in written.splitlines()[1:-1])
