"""All checks of a model together."""

from dataclasses import replace

import numpy as np
import pytest

from hierfit.model.families import FAMILIES
from hierfit.posterior.check.checked import FITTED, check_model
from hierfit.posterior.check.verdicts import Verdict
from hierfit.posterior.truth import Truth
from tests.posterior.family_draws import family_case


@pytest.mark.parametrize("family", list(FAMILIES))
@pytest.mark.parametrize("levels", [(5,), (40, 7)])
def test_every_family_is_checked(family: str, levels: tuple[int, ...]) -> None:
    case = family_case(family, levels=levels, kind="formula")
    found = check_model(case.draws, case.design, case.spec)
    names = [check.name for check in found.checks]
    assert len(set(names)) == len(names) and "schools" in names and names[-1] == "priors"
    assert {f"residuals: {name}" for name in (FITTED, "ses", "sector")} <= set(names)
    assert ("places (LOO-PIT)" in names) == (family != "bernoulli")
    assert all(check.says and np.isfinite(check.observed) for check in found.checks)
    # Draws lie around the truth, those of effects far from what rows say: misfits of these may show.
    assert sum(check.verdict is Verdict.DIFFERS for check in found.checks) <= 1


def test_what_the_priors_alone_say_has_nothing_of_the_data() -> None:
    for family in ("gaussian", "bernoulli", "poisson", "binomial", "cumulative"):
        case = family_case(family)
        spec = replace(case.spec, prior_only=True)
        found = check_model(case.draws, case.design, spec)
        other = check_model(case.draws, replace(case.design, y=np.zeros(240)), spec)
        assert found.checks == other.checks or [c.says for c in found.checks] == [c.says for c in other.checks]
        assert found.replicated is None and not found.sensitivities and not found.residuals
        assert all(np.isnan(check.observed) and "data" not in check.says for check in found.checks)


def test_priors_that_are_sure_of_the_outcome_are_worth_a_look() -> None:
    case = family_case("bernoulli")
    wide = replace(case.draws, effects={"school": 30 * case.draws.effects["school"]})
    found = check_model(wide, case.design, replace(case.spec, prior_only=True))
    (check,) = found.checks
    assert check.verdict is Verdict.LOOK and "within 0.01 of 0 or 1" in check.says


def test_true_values_that_intervals_hold_are_counted() -> None:
    case = family_case("gaussian")
    truth = Truth(case.truth["parameters"], case.truth["effects"])
    found = {check.name: check for check in check_model(case.draws, case.design, case.spec, truth=truth).checks}
    assert found["true parameters"].observed == 1 and "5 of 5 parameters" in found["true parameters"].says
    assert "40 of 40 effects of schools" in found["true effects of schools"].says
    moved = replace(truth, parameters={**truth.parameters, "ses": 5.0})
    found = {check.name: check for check in check_model(case.draws, case.design, case.spec, truth=moved).checks}
    assert found["true parameters"].observed == 0.8 and found["true parameters"].says.endswith("not ses")


def test_a_predictor_of_groups_has_residuals_of_groups() -> None:
    case = family_case("gaussian", levels=(30,), rows=6)
    table = case.design.inputs
    assert table is not None
    of_school = np.linspace(0, 1, 30)[case.design.groups[0].codes]
    design = replace(case.design, inputs=replace(table, numbers={**table.numbers, "size": of_school}))
    found = {own.name: own for own in check_model(case.draws, design, case.spec).residuals}
    assert found["size"].of == "schools" and len(found["size"].x) == 30 and found["ses"].of == "rows"
    np.testing.assert_allclose(np.sort(found["size"].x), np.linspace(0, 1, 30))


def test_a_curve_is_answered_by_a_formula_that_parses() -> None:
    from hierfit.model.formula_text import parse_formula

    case = family_case("gaussian", levels=(30,))
    bent = case.design.y + 0.8 * case.design.X[:, 0] ** 2
    found = check_model(case.draws, replace(case.design, y=bent), case.spec, run="r")
    check = next(check for check in found.checks if check.name == "residuals: ses")
    assert check.verdict is Verdict.DIFFERS and "their level differs" in check.says
    assert check.tries == ("hierfit fit --from r --formula 'answer ~ 1 + poly(ses, 2) + (1 + ses | school)'",)
    parse_formula("answer ~ 1 + poly(ses, 2) + (1 + ses | school)")
