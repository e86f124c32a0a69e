"""Lines against sums written out, and against columns evaluated on a table of their points."""

import numpy as np
import pytest

from hierfit.errors import UsageError
from hierfit.posterior.lines import alone, course, group_at, group_shares, population_at, population_shares

from .family_draws import family_case

PICKS = np.array([0, 3, 499, 500, 1_999])


def test_population_lines_hold_the_other_columns_at_their_mean(synthetic):
    case = synthetic(5, 2)
    grid = np.array([-1.0, 0.0, 2.0])
    found = population_at(case.draws, case.design, course(case.design, {"ses": grid}), PICKS)
    hours = case.design.X[:, 1].mean()
    intercept, ses, slope = (case.draws.of(name).ravel()[PICKS] for name in ("Intercept", "ses", "hours"))
    np.testing.assert_allclose(found, (intercept + slope * hours)[:, None] + ses[:, None] * grid)


def test_population_lines_name_the_known_columns(synthetic):
    case = synthetic(5, 2)
    with pytest.raises(UsageError, match="no term is made from 'sess'") as caught:
        population_at(case.draws, case.design, course(case.design, {"sess": np.zeros(1)}), PICKS)
    assert "ses, hours" in caught.value.hint


def test_group_lines_add_the_deviations_of_the_level(synthetic):
    case = synthetic(5, 1)
    grid, levels = np.array([-1.0, 2.0]), np.array([4, 1])
    along = alone(case.design.groups[0], course(case.design, {"ses": grid}))
    each = group_at(case.draws, case.design, along, levels, PICKS)
    population = population_at(case.draws, case.design, course(case.design, {"ses": grid}), PICKS)
    effects = case.draws.effects["school"].reshape(-1, 5, 2)[PICKS]
    for position, level in enumerate(levels):
        expected = population + effects[:, level, :1] + effects[:, level, 1:] * grid
        np.testing.assert_allclose(each[:, position], expected)


def test_mean_group_lines_are_the_mean_of_all_lines(synthetic):
    case = synthetic(5, 2, slopes=2)
    grid, levels, every = np.array([-1.0, 2.0]), np.arange(5), np.arange(2_000)
    along = alone(case.design.groups[0], course(case.design, {"hours": grid}))
    mean = group_at(case.draws, case.design, along, levels)
    np.testing.assert_allclose(mean[0], group_at(case.draws, case.design, along, levels, every).mean(axis=0))


def test_an_interaction_moves_with_its_predictor():
    case = family_case("gaussian", kind="formula", slope=False)
    share = case.design.X[:, 1].mean()
    b = {name: case.draws.of(name).ravel()[PICKS[:2]] for name in ("Intercept", *case.design.coefficients)}
    found = population_at(case.draws, case.design, course(case.design, {"ses": np.array([2.0])}), PICKS[:2])[:, 0]
    at_two = b["Intercept"] + 2 * b["ses"] + share * b["sector[Private]"] + 2 * share * b["ses:sector[Private]"]
    np.testing.assert_allclose(found, at_two)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_probabilities_of_categories_are_differences_at_the_thresholds(link):
    from scipy.special import expit, ndtr

    case = family_case("cumulative", link=link, levels=(6,))
    group, levels, x = case.design.groups[0], np.array([4, 1]), np.array([-1.0, 0.5])
    points = course(case.design, {"ses": x})
    found = population_shares(case.draws, case.design, points, PICKS[:3])
    assert found.shape == (4, 3, 2)
    np.testing.assert_allclose(found.sum(axis=0), 1)
    inverse = {"logit": expit, "probit": ndtr}[link]
    cut = [case.draws.of(f"threshold[{between}]").ravel() for between in case.design.thresholds]
    b = case.draws.of("ses").ravel()
    for s, pick in enumerate(PICKS[:3]):
        eta = b[pick] * x
        np.testing.assert_allclose(found[1, s], inverse(cut[1][pick] - eta) - inverse(cut[0][pick] - eta))
        np.testing.assert_allclose(found[3, s], 1 - inverse(cut[2][pick] - eta))
    of_levels = group_shares(case.draws, case.design, alone(group, points), levels)
    u = case.draws.effects["school"].mean(axis=(0, 1))[levels]
    eta = (b.mean() + u[:, 1:]) * x + u[:, :1]
    np.testing.assert_allclose(of_levels[0], inverse(cut[0].mean() - eta))
