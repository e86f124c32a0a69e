"""The main table against numpy, the variance shares against closed forms, the JSON and CSV forms."""

import dataclasses
import json
import math

import numpy as np
import pytest

from hierfit.errors import UsageError
from hierfit.model.spec import Kind, Parameter
from hierfit.plain import to_plain
from hierfit.posterior.convergence import assess
from hierfit.posterior.summary import COLUMNS, summarize

from .family_draws import family_case


def with_parameter(draws, parameter, values):
    return dataclasses.replace(
        draws,
        parameters=(*draws.parameters, parameter),
        values=np.concatenate([draws.values, values[:, :, None]], axis=2),
    )


@pytest.mark.parametrize("ci", [0.95, 0.8])
def test_rows_are_those_of_numpy(synthetic, ci):
    case = synthetic(5)
    summary = summarize(case.draws, case.design, case.spec, ci)
    assert [row.name for row in summary.rows] == [parameter.name for parameter in case.draws.parameters]
    for row in summary.rows:
        values = case.draws.of(row.name).ravel()
        assert row.mean == pytest.approx(values.mean())
        assert row.sd == pytest.approx(values.std(ddof=1))
        assert [row.lower, row.upper] == pytest.approx(np.quantile(values, [(1 - ci) / 2, (1 + ci) / 2]).tolist())


def test_convergence_numbers_are_taken_over(synthetic):
    case = synthetic(5)
    known = assess(case.draws.values)
    summary = summarize(case.draws, case.design, case.spec)
    assert [row.rhat for row in summary.rows] == known.rhat.tolist()
    assert summary == summarize(case.draws, case.design, case.spec, convergence=known)


def test_variance_share_is_computed_draw_by_draw(synthetic):
    case = synthetic(5, 1, slopes=0)
    share = summarize(case.draws, case.design, case.spec).shares[0]
    between, within = case.draws.of("sd(school)").ravel() ** 2, case.draws.of("sigma").ravel() ** 2
    ratio = between / (between + within)
    assert (share.factor, share.at_mean, share.at_zero, share.scale) == ("school", (), (), "outcome")
    assert share.mean == pytest.approx(ratio.mean())
    assert [share.lower, share.upper] == pytest.approx(np.quantile(ratio, [0.025, 0.975]).tolist())


def test_variance_share_of_known_sds_is_the_textbook_number(synthetic):
    case = synthetic(5, 1, slopes=0)
    values = case.draws.values.copy()
    names = [parameter.name for parameter in case.draws.parameters]
    values[:, :, names.index("sd(school)")] = 3.0
    values[:, :, names.index("sigma")] = 4.0
    share = summarize(dataclasses.replace(case.draws, values=values), case.design, case.spec).shares[0]
    assert (share.mean, share.lower, share.upper) == pytest.approx((0.36, 0.36, 0.36))


def test_with_varying_slopes_the_share_says_where_it_holds(synthetic):
    case = synthetic(5, 2, slopes=2)
    assert summarize(case.draws, case.design, case.spec).shares[0].at_zero == ("ses", "hours")


def test_several_factors_divide_the_variance(synthetic):
    case = synthetic(5, 1, slopes=0)
    group = dataclasses.replace(case.design.groups[0], factor="district")
    design = dataclasses.replace(case.design, groups=(*case.design.groups, group))
    shape = case.draws.values.shape[:2]
    draws = with_parameter(case.draws, Parameter("sd(district)", Kind.SD, "district", "Intercept"), np.full(shape, 2.0))
    shares = summarize(draws, design, case.spec).shares
    total = draws.of("sd(school)").ravel() ** 2 + 4.0 + draws.of("sigma").ravel() ** 2
    assert [share.factor for share in shares] == ["school", "district"]
    assert shares[1].mean == pytest.approx((4.0 / total).mean())


def test_no_share_without_a_varying_intercept_or_for_other_families(synthetic):
    slopes_only = synthetic(40, 1, rows=1, intercept=False, factor="row")
    assert summarize(slopes_only.draws, slopes_only.design, slopes_only.spec).shares == ()
    case = synthetic(5)
    assert summarize(case.draws, case.design, dataclasses.replace(case.spec, family="beta")).shares == ()


def test_a_fixed_parameter_has_null_diagnostics_in_json(synthetic):
    case = synthetic(5)
    draws = with_parameter(case.draws, Parameter("sd(x)", Kind.SD, "x", "Intercept"), np.ones((4, 500)))
    summary = summarize(draws, case.design, case.spec)
    row = summary.row("sd(x)")
    assert row.fixed
    assert (row.mean, row.sd) == (1.0, 0.0)
    assert math.isnan(row.rhat)
    record = json.loads(json.dumps(to_plain(summary), allow_nan=False))["parameters"][-1]
    assert record["rhat"] is None
    assert record["sd"] == 0.0


def test_json_and_csv_have_the_promised_columns(synthetic):
    case = synthetic(5)
    summary = summarize(case.draws, case.design, case.spec)
    content = json.loads(json.dumps(to_plain(summary), allow_nan=False))
    assert [tuple(record) for record in content["parameters"]] == [COLUMNS] * len(summary.rows)
    assert {record["kind"] for record in content["parameters"]} == {"coefficient", "sd", "correlation", "auxiliary"}
    header, *rows = summary.csv_rows()
    assert header == COLUMNS
    assert rows[-1][:4] == ("sigma", "auxiliary", "", "")
    assert rows[0][5] == summary.rows[0].mean  # full precision


def test_non_finite_draws_do_not_break_the_table(synthetic):
    case = synthetic(5)
    values = case.draws.values.copy()
    values[0, 0, 0] = np.nan
    summary = summarize(dataclasses.replace(case.draws, values=values), case.design, case.spec)
    assert math.isnan(summary.rows[0].mean)
    json.dumps(to_plain(summary), allow_nan=False)


def test_an_unknown_name_is_a_key_error(synthetic):
    case = synthetic(5)
    with pytest.raises(KeyError):
        summarize(case.draws, case.design, case.spec).row("sess")


@pytest.mark.parametrize(("family", "link", "residual"), [
    ("bernoulli", "logit", math.pi**2 / 3), ("bernoulli", "probit", 1.0), ("binomial", "logit", math.pi**2 / 3),
])  # fmt: skip
def test_outcomes_of_two_values_have_a_share_of_the_latent_variance(family, link, residual):
    case = family_case(family, link=link, levels=(20, 8), slope=False)
    shares = summarize(case.draws, case.design, case.spec).shares
    between = [case.draws.of(f"sd({factor})").ravel() ** 2 for factor in ("school", "item")]
    assert [share.scale for share in shares] == ["latent", "latent"]
    assert shares[1].mean == pytest.approx((between[1] / (between[0] + between[1] + residual)).mean())


def at_means(case):
    """The expected counts of a row whose predictors are at their means, its group not known [S]."""
    draws, between = case.draws, case.draws.of("sd(school)").ravel() ** 2
    predictor = draws.of("Intercept").ravel() + (0 if case.design.offset is None else case.design.offset.mean())
    for name, column in zip(case.design.coefficients, case.design.X.T, strict=True):
        predictor = predictor + draws.of(name).ravel() * column.mean()
    return np.exp(predictor + between / 2)


@pytest.mark.parametrize(("family", "residual"), [
    ("poisson", lambda case: np.log1p(1 / at_means(case))),
    ("negbinomial", lambda case: np.log1p(1 / at_means(case) + 1 / case.draws.of("shape").ravel())),
    ("gamma", lambda case: np.log1p(1 / case.draws.of("shape").ravel())),
    ("lognormal", lambda case: case.draws.of("sigma").ravel() ** 2),
    ("student", lambda case: case.draws.of("sigma").ravel() ** 2
     * case.draws.of("nu").ravel() / (case.draws.of("nu").ravel() - 2)),
    ("bernoulli cloglog", lambda case: math.pi**2 / 6),
])  # fmt: skip
def test_other_families_have_shares_on_the_scale_of_the_link(family, residual):
    family, _, link = family.partition(" ")
    case = family_case(family, link=link or None, slope=False)
    (share,) = summarize(case.draws, case.design, case.spec).shares
    between = case.draws.of("sd(school)").ravel() ** 2
    assert share.mean == pytest.approx((between / (between + residual(case))).mean(), rel=1e-9)
    assert share.scale == ("outcome" if family == "student" else "latent")
    assert share.at_mean == (case.design.coefficients if family in ("poisson", "negbinomial") else ())


@pytest.mark.parametrize("family", ["beta", "beta_binomial", "zero_inflated_poisson"])
def test_families_without_a_variance_on_the_link_have_no_shares(family):
    case = family_case(family, slope=False)
    assert summarize(case.draws, case.design, case.spec).shares == ()


@pytest.mark.parametrize("ci", [0.0, 1.0, 95.0])
def test_an_impossible_interval_is_refused(synthetic, ci):
    case = synthetic(5)
    with pytest.raises(UsageError, match="interval of mass"):
        summarize(case.draws, case.design, case.spec, ci)


def test_sigma_in_units_is_part_of_the_summary_and_of_json():
    case = family_case("gaussian", sigma=True)
    summary = summarize(case.draws, case.design, case.spec, 0.8)
    (sigma,) = summary.at_levels
    values = np.exp(case.draws.of("sigma_Intercept") + case.draws.of("sigma_ses") * case.design.X[:, 0].mean())
    assert (sigma.lower, sigma.upper) == pytest.approx(tuple(np.quantile(values, [0.1, 0.9])))
    assert summary.shares == ()  # the variance within schools is not one number
    (stored,) = json.loads(json.dumps(to_plain(summary)))["at_levels"]
    assert stored["mean"] == sigma.mean
    assert (stored["parameter"], stored["predictor"]) == ("sigma", None)
    assert (
        summarize(family_case("poisson").draws, family_case("poisson").design, family_case("poisson").spec).at_levels
        == ()
    )


@pytest.mark.parametrize(("link", "latent"), [("logit", math.pi**2 / 3), ("probit", 1.0)])
def test_variance_shares_of_ordered_categories_are_latent(link, latent):
    case = family_case("cumulative", link=link, slope=False)
    (share,) = summarize(case.draws, case.design, case.spec).shares
    between = case.draws.of("sd(school)") ** 2
    assert (share.scale, share.mean) == ("latent", pytest.approx((between / (between + latent)).mean()))


def test_hurdles_have_no_variance_shares():
    case = family_case("hurdle_poisson", slope=False)
    assert summarize(case.draws, case.design, case.spec).shares == ()
