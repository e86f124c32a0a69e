"""The reference data are the published ones, and what is recorded about them agrees with itself: no fit is needed."""

import math
from collections import Counter

import numpy as np
import pytest

from hierfit import workflow
from hierfit.model.formula_text import parse_formula
from tests.importance import posterior_moments
from tests.reference_cases import CASES, FOLDER, Columns, ReferenceCase, misses, read_estimates, read_posteriors
from tests.reference_table import model_rows, number_rows, rows_between, shown_fits

FILES = sorted(FOLDER.glob("*.csv"))


def column(file: str, name: str) -> list[float]:
    return Columns(FOLDER / f"{file}.csv")[name].tolist()


def test_every_file_is_small_described_and_used() -> None:
    readme = (FOLDER / "README.md").read_text()
    recorded = {FOLDER / "estimates.csv", FOLDER / "posteriors.csv", FOLDER / "laplace.csv"}
    assert {case.path for case in CASES if case.path.parent == FOLDER} == {*FILES} - recorded
    for path in FILES:
        assert path.stat().st_size < 25_000
        assert (f"`{path.name}`" if path in recorded else f"## {path.name}\n") in readme


# Printed in the publications, and typed here once more.
WHEEZE = {
    0: [237, 10, 15, 4, 16, 2, 7, 3, 24, 3, 3, 2, 6, 2, 5, 11],
    1: [118, 6, 8, 2, 11, 1, 6, 4, 7, 3, 3, 1, 4, 2, 4, 7],
}


def test_wheeze_is_the_printed_table_of_patterns() -> None:
    """The number of children who wheezed at ages 7, 8, 9, 10 like the digits of 0 to 15 in base two."""
    smoker = np.reshape(column("wheeze", "smoker"), (537, 4))
    pattern = np.reshape(column("wheeze", "wheeze"), (537, 4)) @ [8, 4, 2, 1]
    assert np.reshape(column("wheeze", "age"), (537, 4)).tolist() == [[7, 8, 9, 10]] * 537
    for status, counts in WHEEZE.items():
        found = Counter(pattern[(smoker == status).all(axis=1)])
        assert [found[i] for i in range(16)] == counts


def test_seeds_and_pumps_are_the_printed_ones() -> None:
    germinated = [10, 23, 23, 26, 17, 5, 53, 55, 32, 46, 10, 8, 10, 8, 23, 0, 3, 22, 15, 32, 3]
    seeds = [39, 62, 81, 51, 39, 6, 74, 72, 51, 79, 13, 16, 30, 28, 45, 4, 12, 41, 30, 51, 7]
    assert column("seeds", "germinated") == germinated and column("seeds", "seeds") == seeds
    hours = [94.3, 15.7, 62.9, 126, 5.24, 31.4, 1.05, 1.05, 2.1, 10.5]
    assert column("pumps", "hours") == hours and column("pumps", "failures") == [5, 1, 5, 14, 3, 19, 1, 1, 4, 22]
    np.testing.assert_allclose(column("pumps", "log_hours"), np.log(hours), atol=5.1e-7)


def test_balanced_data_give_their_estimates_in_closed_form() -> None:
    """REML in balanced layouts is the analysis of variance: typos in files or in estimates.csv would show."""
    estimates = read_estimates()

    def close(case: str, name: str, value: float) -> None:
        assert estimates[case][name].estimate == pytest.approx(value, rel=1e-4), (case, name)

    y = np.reshape(column("penicillin", "diameter"), (24, 6))
    residual = ((y - y.mean(axis=0) - y.mean(axis=1, keepdims=True) + y.mean()) ** 2).sum() / (23 * 5)
    close("penicillin", "sigma", math.sqrt(residual))
    close("penicillin", "sd(plate)", math.sqrt(y.mean(axis=1).var(ddof=1) - residual / 6))
    close("penicillin", "sd(sample)", math.sqrt(y.mean(axis=0).var(ddof=1) - residual / 24))
    reaction, days = np.reshape(column("sleepstudy", "reaction"), (18, 10)), np.arange(10.0)
    X = np.column_stack([np.ones(10), days])
    lines = np.linalg.lstsq(X, reaction.T, rcond=None)[0].T
    sigma2 = ((reaction - lines @ X.T) ** 2).sum() / (18 * 8)
    D = np.cov(lines.T) - sigma2 * np.linalg.inv(X.T @ X)
    close("sleepstudy", "days", lines[:, 1].mean())
    close("sleepstudy", "sd(subject: days)", math.sqrt(D[1, 1]))
    close("sleepstudy", "sigma", math.sqrt(sigma2))


def test_published_estimates_come_out() -> None:
    """Bates et al. (2015), section 5.2; Davies and Goldsmith's dyestuff; Christensen's tutorial of ordinal."""
    published = {
        ("sleepstudy", "Intercept"): ("251.405", "6.825"),
        ("sleepstudy", "days"): ("10.467", "1.546"),
        ("sleepstudy", "sd(subject: days)"): ("5.922", None),
        ("dyestuff", "sd(batch)"): ("42.00", None),
        ("dyestuff", "sigma"): ("49.51", None),
    }
    estimates = read_estimates()
    for (case, name), (estimate, error) in published.items():
        found = estimates[case][name]
        assert f"{found.estimate:.{len(estimate.partition('.')[2])}f}" == estimate
        assert error is None or found.standard_error == float(error)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_recorded_agrees(case: ReferenceCase) -> None:
    """Estimates and posteriors name the same parameters, and lie as near to each other as the README says."""
    estimates, posteriors = read_estimates()[case.name], read_posteriors()[case.name]
    at_mean = {f"sd({name}: Intercept_at_mean)" for name, factor in case.model().factors.items() if factor.slope}
    assert {*estimates} | at_mean == {*posteriors} >= {*case.shown}  # others estimate no sds there
    for name, posterior in posteriors.items():
        assert posterior.mean_error < 0.03 * posterior.sd and posterior.sd_error < 0.03 * posterior.sd, name
        found = [] if name in at_mean else misses(estimates[name], posterior.mean, posterior.sd, skewed=case.skewed)
        assert found == [], name


def test_the_comparison_notices_a_difference() -> None:
    estimate = read_estimates()["rats"]["day"]
    posterior = read_posteriors()["rats"]["day"]
    assert len(misses(estimate, posterior.mean + 0.2 * posterior.sd, posterior.sd)) == 1
    assert len(misses(estimate, posterior.mean, 1.5 * posterior.sd)) == 1


QUICK = ("dyestuff", "pumps")


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=() if case.name in QUICK else pytest.mark.slow, id=case.name) for case in CASES],
)
def test_integration_gives_the_recorded_posteriors(case: ReferenceCase) -> None:
    """Again with another seed and 1,500 draws instead of 20,000."""
    found, effective = posterior_moments(case.model(), 1500, seed=2)
    assert effective > 0.1
    for name, recorded in read_posteriors()[case.name].items():
        again = found[name]
        # Five standard errors; those of sds are themselves uncertain by a quarter or so.
        assert abs(again.mean - recorded.mean) < 5 * np.hypot(again.mean_error, recorded.mean_error), name
        assert abs(again.sd - recorded.sd) < 1.5 * 5 * np.hypot(again.sd_error, recorded.sd_error), name


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_formula_names_the_columns_laid_out_by_hand(case: ReferenceCase) -> None:
    plan = workflow.prepare(case.request)
    model = case.model()
    by_hand = [*model.x]
    assert sorted(plan.design.coefficients) == sorted(by_hand)
    for name, values in zip(plan.design.coefficients, plan.design.X.T, strict=True):
        np.testing.assert_allclose(values, model.x[name], err_msg=name)
    first = 1 if plan.design.categories else 0  # grades count from 1, codes from 0
    np.testing.assert_array_equal(plan.design.y + first, model.y)
    for group in plan.design.groups:
        pairs = set(zip(group.codes.tolist(), model.factors[group.factor].codes.tolist(), strict=True))
        assert len(pairs) == group.n_levels == len({b for _, b in pairs})


def test_the_page_shows_what_is_recorded() -> None:
    models = rows_between("reference models")
    assert models == model_rows()
    assert [row[:2] for row in rows_between("reference numbers")] == [row[:2] for row in number_rows(shown_fits())]
    assert rows_between("reference numbers") == number_rows(shown_fits())
    assert [str(parse_formula(row[2].strip("`"))) for row in models] == [str(case.request.formula) for case in CASES]
