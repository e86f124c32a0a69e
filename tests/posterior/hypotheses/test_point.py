"""Ratios of densities at a point against normal and other closed forms; where there are none, and why."""

import math
from collections.abc import Mapping

import numpy as np
import pytest
from scipy import stats

from hierfit.model.formula import Formula, GroupTerm
from hierfit.model.priors import Prior
from hierfit.model.spec import GroupCoefficients, ModelSpec
from hierfit.posterior.hypotheses.answers import answer
from hierfit.posterior.hypotheses.evaluate import Known
from hierfit.posterior.hypotheses.names import Names, names_of
from hierfit.posterior.hypotheses.parse import parse
from hierfit.posterior.hypotheses.point import density_at
from hierfit.posterior.hypotheses.prior import N_DRAWS, NoPriorDraws, PriorOf

SHAPE = (4, 1_000)
PRIORS: Mapping[str, Prior] = {
    name: Prior(distribution, arguments, "test")
    for name, distribution, arguments in (
        ("Intercept", "normal", (10.0, 5.0)),
        ("ses", "normal", (0.0, 2.0)),
        ("age", "normal", (1.0, 1.0)),
        ("flat", "flat", ()),
        ("sd(school)", "normal", (0.0, 1.5)),
        ("sd(ward)", "exponential", (0.5,)),
        ("sd(ward: ses)", "constant", (0.7,)),
        ("cor(ward)", "lkj", (2.0,)),
        ("sigma", "student_t", (3.0, 0.0, 2.0)),
    )
}
X_MEAN = {"ses": 3.0, "age": -1.0, "flat": 0.0}
GROUPS = (GroupCoefficients("school", ("Intercept",), False), GroupCoefficients("ward", ("Intercept", "ses"), True))
LABELS = {"school": ("a", "b"), "ward": ("1", "2")}


def spec_of(
    *, centered: bool, prior: Mapping[str, Prior] = PRIORS, names: tuple[str, ...] = ("ses", "age")
) -> ModelSpec:
    formula = Formula("y", names, (GroupTerm("school"), GroupTerm("ward", True, ("ses",))))
    return ModelSpec(formula, "gaussian", "identity", names, GROUPS, PRIORS, centered)


def known_of(spec: ModelSpec) -> tuple[Names, PriorOf]:
    names = names_of([parameter.name for parameter in spec.parameters], GROUPS, LABELS)
    return names, PriorOf(spec, X_MEAN, names.effects)


CENTERED, AT_ZERO = spec_of(centered=True), spec_of(centered=False)


@pytest.mark.parametrize(
    ("spec", "name", "wanted"),
    [
        (CENTERED, "ses", stats.norm(0, 2)),
        (CENTERED, "Intercept_at_mean", stats.norm(10, 5)),
        # ses and age are 3 and -1 at their means, so the intercept at 0 is 10 - 3 * 0 + 1 * 1 and wider.
        (CENTERED, "Intercept", stats.norm(11, math.sqrt(25 + 36 + 1))),
        (AT_ZERO, "Intercept", stats.norm(10, 5)),
        (CENTERED, "sd(school)", stats.halfnorm(scale=1.5)),
        (CENTERED, "sd(ward: Intercept_at_mean)", stats.expon(scale=2)),
        (AT_ZERO, "sd(ward)", stats.expon(scale=2)),
        (AT_ZERO, "cor(ward: Intercept, ses)", stats.beta(2, 2, -1, 2)),  # lkj(2) of two: beta(2, 2) on (-1, 1)
        (CENTERED, "ward[1: ses]", stats.norm(0, 0.7)),
    ],
)
def test_draws_from_the_prior_are_those_of_the_distribution(spec: ModelSpec, name: str, wanted) -> None:
    found = known_of(spec)[1].draws([name])[name]
    assert found.shape == (N_DRAWS,)
    # The distance between the distributions of 100,000 draws and their own exceeds 1.95 / sqrt(n) once in a thousand.
    assert stats.kstest(found, wanted.cdf).statistic < 1.95 / math.sqrt(N_DRAWS)


def test_effects_share_their_sd_and_nothing_else() -> None:
    names, prior = known_of(CENTERED)
    del names
    found = prior.draws(["school[a]", "school[b]", "sd(school)"])
    a, b, sd = (found[name] for name in ("school[a]", "school[b]", "sd(school)"))
    assert stats.kstest((a - b) / sd, stats.norm(0, math.sqrt(2)).cdf).statistic < 1.95 / math.sqrt(N_DRAWS)
    assert abs(np.corrcoef(a, b)[0, 1]) < 5 / math.sqrt(N_DRAWS) * 3  # heavier tails than normal ones
    assert np.corrcoef(np.abs(a), np.abs(b))[0, 1] > 0.1


@pytest.mark.parametrize(
    ("spec", "names", "why"),
    [
        (CENTERED, ["sd(ward)"], "the prior of sd(ward) follows from others"),
        (CENTERED, ["cor(ward: Intercept, ses)"], "where the predictors are at their means"),
        (CENTERED, ["ward[1]"], "where the predictors are at their means"),
        (AT_ZERO, ["ward[1]", "ward[1: ses]"], "several effects of one level depend on one another"),
        (AT_ZERO, ["ward[1]", "cor(ward: Intercept, ses)"], "effects of levels depend on their correlation"),
        (spec_of(centered=True, names=("flat",)), ["flat"], "the prior of flat is flat()"),
    ],
)
def test_what_cannot_be_drawn_is_said(spec: ModelSpec, names: list[str], why: str) -> None:
    with pytest.raises(NoPriorDraws, match=why.replace("(", r"\(").replace(")", r"\)")):
        known_of(spec)[1].draws(names)


@pytest.mark.parametrize("z", [0.0, 1.0, 2.0])
def test_the_density_of_normal_draws(z: float) -> None:
    rng = np.random.default_rng(3)
    found = np.array([density_at(5 * rng.normal(z, 1, SHAPE)) for _ in range(40)])
    wanted = stats.norm.pdf(z) / 5
    assert found[:, 0].mean() == pytest.approx(wanted, rel=0.02 + 5 * 0.08 / math.sqrt(40))
    # Its error is that which it has, from 40 of them: to 2 / sqrt(2 * 40).
    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(ddof=1), rel=0.35)


@pytest.mark.parametrize(
    ("text", "posterior", "prior"),
    [
        ("ses = 0.5", stats.norm(0.3, 0.2).pdf(0.5), stats.norm(0, 2).pdf(0.5)),
        ("0.5 = ses", stats.norm(0.3, 0.2).pdf(0.5), stats.norm(0, 2).pdf(0.5)),
        ("2 * ses = 1", stats.norm(0.6, 0.4).pdf(1), stats.norm(0, 4).pdf(1)),
        ("ses = age", stats.norm(-0.5, math.hypot(0.2, 0.4)).pdf(0), stats.norm(-1, math.hypot(2, 1)).pdf(0)),
        ("sigma = 2", stats.norm(2.2, 0.3).pdf(2), 2 * stats.t(3, 0, 2).pdf(2)),
        ("log(sigma) = log(2)", stats.norm(2.2, 0.3).pdf(2) * 2, 2 * stats.t(3, 0, 2).pdf(2) * 2),
    ],
)
def test_the_ratio_of_densities(text: str, posterior: float, prior: float) -> None:
    rng = np.random.default_rng(7)
    values = {
        "ses": rng.normal(0.3, 0.2, SHAPE),
        "age": rng.normal(0.8, 0.4, SHAPE),
        "sigma": rng.normal(2.2, 0.3, SHAPE),
    }
    names, known = known_of(CENTERED)
    found = answer(text, parse(text, names), Known(values, SHAPE), 0.95, None, known)
    assert math.isnan(found.probability) and found.no_ratio is None
    assert found.evidence_ratio == pytest.approx(posterior / prior, rel=0.02 + 5 * 0.04)
    assert 0.005 < found.evidence_ratio_mcse / found.evidence_ratio < 0.06


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ses = 9", "lies on one side"),
        ("ses = 4", "too few draws are near it"),
        ("sigma = 0", "lies on one side"),
        ("abs(ses) = 0", "lies on one side"),
        ("log(ses) = 0", "some draws have no value"),
        ("sd(ward) = 1", "follows from others"),
        ("ses - ses = 0", "it is fixed"),
    ],
)
def test_a_ratio_that_is_not_known_is_not_given(text: str, why: str) -> None:
    rng = np.random.default_rng(8)
    values = {name: np.abs(rng.normal(0.3, 0.2, SHAPE)) for name in ("sigma", "sd(ward)")}
    names, known = known_of(CENTERED)
    found = answer(
        text, parse(text, names), Known({**values, "ses": rng.normal(0.3, 0.2, SHAPE)}, SHAPE), 0.95, None, known
    )
    assert math.isnan(found.evidence_ratio) and why in str(found.no_ratio)


def test_draws_of_the_prior_have_no_ratio_to_it() -> None:
    names, _ = known_of(CENTERED)
    draws = Known({"ses": np.random.default_rng(9).normal(size=SHAPE)}, SHAPE)
    found = answer("ses = 0", parse("ses = 0", names), draws, 0.95, None)
    assert math.isnan(found.evidence_ratio) and found.no_ratio == "the draws are of the prior"
