"""Rows without themselves: against leaving out in closed form, against rates of false alarms, and as new levels."""

import dataclasses
import re

import numpy as np
import pytest
from scipy.special import ndtr

from hierfit.posterior.plots import draw_all
from hierfit.posterior.plots.bands import uniform_band
from hierfit.posterior.plots.material import Material
from hierfit.posterior.plots.ppc_rows import predict_rows
from tests.posterior.conftest import make_case

SIGMA, SDS, COR = 6.0, np.array([3.0, 1.0]), 0.3  # of `make_case`


def exact_residuals(case):
    """Residual of each row from what all others say of it, and its sd: [Q y]_i / Q_ii and Q_ii^-1/2.

    Q is the precision of the outcomes with the coefficients projected out.
    """
    design, (group,) = case.design, case.design.groups
    same = group.codes[:, None] == group.codes
    omega = np.array([[1, COR], [COR, 1]]) * SDS * SDS[:, None]
    precision = np.linalg.inv(np.where(same, group.Z @ omega @ group.Z.T, 0) + SIGMA**2 * np.eye(design.n_rows))
    X = np.column_stack([np.ones(design.n_rows), design.X])
    Q = precision - precision @ X @ np.linalg.solve(X.T @ precision @ X, X.T @ precision)
    return Q @ design.y / np.diag(Q), np.diag(Q) ** -0.5


def test_places_and_means_are_those_of_fits_without_the_row():
    case = make_case(n_levels=100, rows=4, seed=3)
    rows = np.arange(case.design.n_rows)
    found = predict_rows(Material(case.draws, case.design, case.spec), rows)
    residual, sd = exact_residuals(case)
    # 1,000 weighted draws of an expected value whose sd is about 2.5, sds of the levels not quite known.
    error = found.expected - (case.design.y - residual)
    assert np.sqrt(np.mean(error**2)) < 0.35
    assert abs(error @ residual) / (residual @ residual) < 0.02, "leans towards the row itself"
    assert np.abs(found.places - ndtr(residual / sd)).max() < 0.12
    assert np.abs(found.places - ndtr(residual / sd)).mean() < 0.025
    drawn = found.left_out.mean(axis=0) - found.expected
    assert abs(drawn.mean()) < 4 * 7 / np.sqrt(drawn.size * 200)


def bars_outside(places):
    bins = int(np.clip(len(places) / 10, 4, 20))
    counts, _ = np.histogram(places, bins, (0, 1))
    low, high = uniform_band(len(places), bins)
    return int(((counts < low) | (counts > high)).sum())


def test_data_from_the_model_are_seldom_called_a_misfit():
    alarms = 0
    for seed in range(20):
        case = make_case(n_levels=150, rows=3, seed=seed, n_draws=250)
        material = Material(case.draws, case.design, case.spec)
        alarms += bool(bars_outside(predict_rows(material, np.arange(case.design.n_rows)).places))
    # binomial(20, 0.05) is above 4 with a chance of 0.3 %; with the rows in the fit most of 20 were called one
    assert alarms <= 4


def test_a_misfit_is_said_and_counted(synthetic):
    case = synthetic(40, rows=40)
    y = case.design.y
    design = dataclasses.replace(case.design, y=np.clip(y, *np.quantile(y, (0.2, 0.8))))
    (drawing,) = draw_all(case.draws, design, case.spec, stems=["ppc"])
    said = drawing.figure.texts[0].get_text().replace("\n", " ")
    outside = bars_outside(predict_rows(Material(case.draws, design, case.spec), np.arange(design.n_rows)).places)
    assert outside and re.match(rf"Misfit: {outside} of 20 bars of places of mathach ", said)
    (right,) = drawing.figure.axes[1:]
    assert len({bar.get_facecolor() for bar in right.patches}) == 2


@pytest.mark.parametrize("seed", range(3))
def test_rows_alone_in_their_level_are_predicted_as_of_a_new_one(seed):
    case = make_case(n_levels=100, n_x=1, rows=1, intercept=False, factor="row", seed=seed)
    found = predict_rows(Material(case.draws, case.design, case.spec), np.arange(100))
    assert found.alone == ("row",)
    assert not bars_outside(found.places)
    assert 0.22 < found.places.std() < 0.36, "uniform numbers have 0.29; effects that know the row all but 0"


def test_what_is_expected_of_a_row_alone_does_not_hang_on_its_outcome():
    case = make_case(n_levels=100, n_x=1, rows=1, intercept=False, factor="row", seed=1)
    moved = dataclasses.replace(case.design, y=case.design.y + 3.0)
    widths = [10.0 if own.name == "sigma" else 1.0 for own in case.draws.parameters]  # so that weights would do
    draws = dataclasses.replace(case.draws, values=case.draws.values * widths)
    one, other = (
        predict_rows(Material(draws, design, case.spec), np.arange(100)).expected for design in (case.design, moved)
    )
    np.testing.assert_array_equal(one, other)
