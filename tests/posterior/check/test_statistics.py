"""Test statistics: what is flagged, what is said, and commands that are advised."""

from dataclasses import replace

import numpy as np
import pytest

from hierfit.model.families import FAMILIES
from hierfit.posterior.check import tries as tables
from hierfit.posterior.check.replicated import replicate_rows
from hierfit.posterior.check.sample import take_sample
from hierfit.posterior.check.statistics import statistic_checks
from hierfit.posterior.check.tries import Tries
from hierfit.posterior.check.verdicts import Verdict, two_sided
from tests.posterior.family_draws import family_case


def checks_of(case, design=None):
    design = design or case.design
    sample = take_sample(case.draws, design)
    found = statistic_checks(sample, replicate_rows(sample), Tries("runs/a b", design, case.spec))
    return {check.name: check for check, _ in found}


def test_too_few_zeros_are_said_with_what_to_try() -> None:
    case = family_case("poisson")
    y = np.where(np.random.default_rng(1).random(240) < 0.5, 0, case.design.y)
    check = checks_of(case, replace(case.design, y=y))["share of zeros"]
    assert check.verdict is Verdict.DIFFERS and check.observed == np.mean(y == 0) > check.upper
    assert "answer of 0: " in check.says and check.says.endswith("the model has too few zeros")
    # Zeros in excess are scatter too: the family with more of that is named first.
    assert check.tries[-1] == "hierfit fit --from 'runs/a b' --family zero_inflated_poisson"


def test_too_many_zeros_predicted() -> None:
    case = family_case("poisson")
    check = checks_of(case, replace(case.design, y=np.maximum(case.design.y, 1)))["share of zeros"]
    assert check.verdict is Verdict.DIFFERS and "too many zeros" in check.says
    assert check.tries == ("hierfit fit --from 'runs/a b' --family hurdle_poisson",)


def test_more_scatter_than_a_family_has() -> None:
    case = family_case("poisson")
    y = np.random.default_rng(2).negative_binomial(1, 1 / (1 + case.design.y.mean()), 240).astype(float)
    check = checks_of(case, replace(case.design, y=y))["scatter"]
    assert check.verdict is Verdict.DIFFERS and check.observed > 1.3 and check.says.endswith("outcomes scatter more")
    assert check.tries == ("hierfit fit --from 'runs/a b' --family negbinomial",)


def test_less_scatter_has_no_family_to_try() -> None:
    case = family_case("binomial")
    share = replicate_rows(take_sample(case.draws, case.design)).places.mean
    check = checks_of(case, replace(case.design, y=np.round(share)))["scatter"]
    assert check.verdict is Verdict.DIFFERS and check.observed < 0.3 and check.tries == ()


def families_of(check) -> list[str]:
    return [command.split()[-1] for command in check.tries]


def test_ends_of_a_gaussian_outcome_are_answered_by_where_they_lie() -> None:
    case = family_case("gaussian")
    y, rng = case.design.y, np.random.default_rng(3)
    far = y.copy()
    far[:2] = y.mean() - 12 * y.std(), y.mean() + 12 * y.std()
    both = checks_of(case, replace(case.design, y=far))
    assert families_of(both["smallest"]) == ["student"]
    assert families_of(both["largest"])[0] == "student"
    # As reaction times: none near 0, a few very long.
    skewed = y.mean() + y.std() * (np.exp(rng.normal(0, 0.8, len(y))) - 1)
    positive = checks_of(case, replace(case.design, y=skewed - skewed.min() + 1))
    assert positive["smallest"].verdict is not Verdict.OK
    assert families_of(positive["smallest"]) == ["lognormal"]
    negative = checks_of(case, replace(case.design, y=skewed - skewed.min() - 1))
    assert negative["smallest"].verdict is not Verdict.OK
    assert families_of(negative["smallest"]) == []  # a logarithm it has not


@pytest.mark.parametrize("family", list(FAMILIES))
def test_data_of_the_model_are_ok(family: str) -> None:
    checks = checks_of(family_case(family, seed=5)).values()
    # The draws lie around the truth, not around the data, so that p values are uniform: one of 60 is 0.01.
    assert sum(check.verdict is not Verdict.OK for check in checks) <= (family == "hurdle_poisson")
    for check in checks:
        if check.verdict is not Verdict.OK:
            continue
        assert check.lower <= check.observed <= check.upper or check.p < 0.06
        assert check.lower <= check.expected <= check.upper and not check.tries


def test_categories_that_are_too_rare_are_named() -> None:
    case = family_case("cumulative")
    check = checks_of(case, replace(case.design, y=np.where(case.design.y == 2, 1, case.design.y)))["categories"]
    assert check.verdict is Verdict.DIFFERS and "often 0% in the data" in check.says


def test_p_values_count_the_data_as_one_of_the_replications() -> None:
    drawn = np.arange(999.0)
    assert two_sided(5000.0, drawn) == two_sided(-1.0, drawn) == 2 / 1000
    assert two_sided(499.0, drawn) == 1 and two_sided(0.0, np.zeros(99)) == 1
    assert two_sided(9.5, drawn) == pytest.approx(2 * 11 / 1000)


def test_wider_priors_are_of_what_priors_speak_of_and_can_be_read() -> None:
    from hierfit.design.building import build_design
    from hierfit.design.prior_choice import build_spec
    from hierfit.model.formula_text import parse_formula
    from tests.model.cases import crossed_table

    formula = parse_formula("y ~ a + (1 + a | g)")
    design = build_design(formula, crossed_table())
    priors = ("Intercept ~ normal(15, 6)", "sd(g) ~ exponential(0.5)")
    spec = build_spec(formula, design, priors)
    (command,) = Tries("r", design, spec).wider_priors(["Intercept_at_mean", "sd(g: Intercept_at_mean)", "cor(g)"])
    assert command.startswith("hierfit fit --from r --prior ")
    wider = build_spec(formula, design, ("Intercept ~ normal(15, 12)", "sd(g) ~ exponential(0.25)"))
    told = [text for text in command.split("'") if " ~ " in text]
    again = build_spec(formula, design, tuple(told))
    assert len(told) == 2
    assert again.priors["Intercept"] == wider.priors["Intercept"] and again.priors["sd(g)"] == wider.priors["sd(g)"]


def test_families_that_are_advised_exist_and_have_the_link() -> None:
    for table in (tables.MORE_SCATTER, tables.MORE_ZEROS, tables.FEWER_ZEROS, tables.HEAVIER_TAILS):
        assert set(table) | set(table.values()) <= set(FAMILIES)
    case = family_case("binomial", link="probit")  # beta_binomial has logit alone
    assert Tries("r", case.design, case.spec).families(tables.MORE_SCATTER) == ()
