"""Group tables against numpy quantiles and the closed-form posterior of a normal model with known sds."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from hierfit.design.design import Design, Group
from hierfit.model.formula import Formula, GroupTerm
from hierfit.model.spec import GroupCoefficients, Kind, ModelSpec, Parameter
from hierfit.posterior.draws import Draws
from hierfit.posterior.group_summary import COLUMNS, level_quantiles, summarize_groups

MU, TAU, SIGMA = 10.0, 2.0, 4.0


@pytest.fixture(scope="module")
def conjugate():
    """y_ij ~ normal(mu + u_j, sigma), u_j ~ normal(0, tau): with mu, tau, sigma known, u_j is normal, independent."""
    rng = np.random.default_rng(5)
    rows = np.array([1, 2, 4, 8, 16, 64] * 5)
    codes = np.repeat(np.arange(len(rows)), rows).astype(np.int32)
    y = MU + (rng.normal(size=len(rows)) * TAU)[codes] + rng.normal(size=len(codes)) * SIGMA
    shrink = (SIGMA**2 / rows) / (TAU**2 + SIGMA**2 / rows)
    mean = (1 - shrink) * (np.bincount(codes, weights=y) / rows - MU)
    sd = np.sqrt(shrink) * TAU
    effects = mean + sd * rng.normal(size=(4, 1_000, len(rows)))
    parameters = (
        Parameter("Intercept", Kind.COEFFICIENT, None, "Intercept"),
        Parameter("sd(school)", Kind.SD, "school", "Intercept"),
        Parameter("sigma", Kind.AUXILIARY),
    )
    values = np.broadcast_to([MU, TAU, SIGMA], (4, 1_000, 3)).copy()
    draws = Draws(parameters, values, {"school": effects[..., None]}, {}, 10)
    labels = tuple(f"s{j}" for j in range(len(rows)))
    group = Group("school", labels, codes, ("Intercept",), np.ones((len(codes), 1)), False)
    empty = np.empty((len(codes), 0))
    design = Design(Path("a.csv"), "y", y, (), empty, True, False, (group,), np.arange(len(codes)))
    formula = Formula("y", (), (GroupTerm("school"),))
    varying = (GroupCoefficients("school", ("Intercept",), False),)
    spec = ModelSpec(formula, "gaussian", "identity", (), varying, {})
    return summarize_groups(draws, design, spec).table("school"), mean, sd, shrink, rows


def test_means_sds_and_intervals_are_those_of_the_conjugate_posterior(conjugate):
    table, mean, sd, _, _ = conjugate
    # Standard errors of mean, sd and 2.5 % quantile of 4,000 normal draws: sd / 63, sd / 89, sd / 24; 5 of each.
    assert np.abs(table.deviation_mean[:, 0] - mean).max() < 5 * (sd / 63).max()
    assert np.abs(table.deviation_sd[:, 0] / sd - 1).max() < 5 / 89
    assert np.abs((table.deviation_lower[:, 0] - mean) / sd + 1.96).max() < 5 / 24
    assert table.mean[:, 0] == pytest.approx(MU + table.deviation_mean[:, 0])
    assert table.population[0] == pytest.approx(MU)


def test_pooling_factor_is_the_textbooks(conjugate):
    table, _, _, shrink, rows = conjugate
    several = rows > 1
    # A variance of 4,000 draws has a relative standard error of sqrt(2 / 4,000) = 2.2 %; 5 of them.
    assert np.abs(table.shrunk_by[several, 0] / shrink[several] - 1).max() < 5 * 0.022
    assert np.isnan(table.shrunk_by[~several]).all()


def test_pooling_factor_does_not_count_the_uncertainty_of_the_population(synthetic):
    """With 5 groups the population intercept is uncertain; the deviation's own variance is not."""
    case = synthetic(5, 1, rows=40, slopes=0)
    group = case.design.groups[0]
    table = summarize_groups(case.draws, case.design, case.spec).table("school")
    # conftest draws the effects given sd 3 and sigma 6, the denominator is the mean of the squared sds.
    own = (36 / 40) * 9 / (9 + 36 / 40)
    expected = own / np.square(case.draws.of("sd(school)")).mean()
    assert table.shrunk_by[:, 0] == pytest.approx(expected, rel=5 * math.sqrt(2 / 2_000))
    assert (table.deviation_sd[:, 0] ** 2 > 1.5 * own).all()
    assert group.n_levels == 5


def test_bounds_are_numpys_quantiles(synthetic):
    case = synthetic(40)
    table = summarize_groups(case.draws, case.design, case.spec, ci=0.8).table("school")
    effects = case.draws.effects["school"].reshape(-1, 40, 2)
    for index, term in enumerate(("Intercept", "ses")):
        values = effects[:, :, index] + case.draws.of(term).reshape(-1, 1)
        assert table.lower[:, index] == pytest.approx(np.quantile(values, 0.1, axis=0))
        assert table.upper[:, index] == pytest.approx(np.quantile(values, 0.9, axis=0))
        assert table.deviation_lower[:, index] == pytest.approx(np.quantile(effects[:, :, index], 0.1, axis=0))
        assert table.mean[:, index] == pytest.approx(values.mean(axis=0))


def test_blocks_do_not_change_the_numbers(synthetic, monkeypatch):
    case = synthetic(40)
    whole = summarize_groups(case.draws, case.design, case.spec).table("school")
    monkeypatch.setattr("hierfit.posterior.group_summary.BLOCK_NUMBERS", 7 * 2_000 * 2)
    parts = summarize_groups(case.draws, case.design, case.spec).table("school")
    for name in ("mean", "lower", "upper", "deviation_sd", "deviation_lower", "shrunk_by"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name))


def test_the_draws_are_left_alone(synthetic):
    case = synthetic(1, 1, slopes=0)  # a single column, where a transpose is a view
    before = case.draws.effects["school"].copy()
    summarize_groups(case.draws, case.design, case.spec)
    level_quantiles(case.draws, case.design.groups[0], (0.5,))
    np.testing.assert_array_equal(case.draws.effects["school"], before)


def test_differing_levels_are_those_whose_deviation_excludes_zero(synthetic):
    case = synthetic(40)
    effects = case.draws.effects["school"].copy()
    effects[..., 1] -= effects[..., 1].mean(axis=(0, 1))
    effects[:, :, :3, 1] += 100.0
    effects[:, :, 3, 1] -= 100.0
    draws = dataclasses.replace(case.draws, effects={"school": effects})
    table = summarize_groups(draws, case.design, case.spec).table("school")
    assert table.n_differing[1] == 4
    assert np.flatnonzero(table.differs[:, 1]).tolist() == [0, 1, 2, 3]


def test_a_term_without_a_population_value_varies_around_zero(synthetic):
    case = synthetic(5)
    parameters = tuple(
        dataclasses.replace(parameter, name="other") if parameter.name == "ses" else parameter
        for parameter in case.draws.parameters
    )
    table = summarize_groups(dataclasses.replace(case.draws, parameters=parameters), case.design, case.spec).tables[0]
    assert table.population[1] == 0
    assert table.mean[:, 1] == pytest.approx(table.deviation_mean[:, 1])


def test_an_sd_of_zero_has_no_pooling_factor(synthetic):
    case = synthetic(5, 1, slopes=0)
    values = case.draws.values.copy()
    values[:, :, 2] = 0.0
    effects = {"school": np.zeros_like(case.draws.effects["school"])}
    table = summarize_groups(
        dataclasses.replace(case.draws, values=values, effects=effects), case.design, case.spec
    ).tables[0]
    assert np.isnan(table.shrunk_by).all()
    assert table.n_differing.tolist() == [0]


def test_csv_has_a_row_per_level_and_term_at_full_precision(synthetic):
    case = synthetic(5)
    summary = summarize_groups(case.draws, case.design, case.spec)
    header, *rows = summary.csv_rows()
    assert header == COLUMNS
    assert len(rows) == 10
    assert rows[1][:4] == ("school", "s01", 12, "ses")
    assert rows[1][4] == summary.tables[0].mean[0, 1]


def test_rows_of_single_row_levels_have_an_empty_pooling_factor(synthetic):
    case = synthetic(40, 1, rows=1, intercept=False, factor="row")
    _, first, *_ = summarize_groups(case.draws, case.design, case.spec).csv_rows()
    assert first[-1] == ""


def test_factors_without_kept_effects_are_left_out(synthetic):
    case = synthetic(5)
    assert summarize_groups(dataclasses.replace(case.draws, effects={}), case.design, case.spec).tables == ()
