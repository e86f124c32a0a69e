"""What the kernel sees of a design, against the design row by row."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.prior_choice import build_spec
from hierfit.engines.latent.rows import latent_rows, varying_order
from hierfit.model.families import FAMILIES
from hierfit.model.formula_text import parse_formula
from tests.engines.full.test_repeated import made as repeated_design
from tests.engines.latent.kernels import CASES
from tests.engines.latent.models import csv_points, density_of, log_likelihood, model, points_of
from tests.family_cases import FamilyCase

Array = NDArray[np.float64]
SLOPES = "y ~ a + b + (1 + b | g)"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_row_is_there_once_under_its_level(case: FamilyCase) -> None:
    spec, design = model(case, SLOPES, further=True)
    rows, group = latent_rows(spec, design, design.groups[0]), design.groups[0]
    assert rows.family == case.family and FAMILIES[case.family].links[rows.link] == case.link
    assert rows.n_levels == group.n_levels and rows.n_varying == 2 and len(rows.y) == design.n_rows
    b = (design.X[:, 1] - design.X[:, 1].mean()) / design.x_scale[1]  # tells rows apart
    place = np.array([int(np.argmin(np.abs(b - own))) for own in rows.X[-1]])
    assert sorted(place) == list(range(design.n_rows))
    np.testing.assert_array_equal(np.repeat(np.arange(rows.n_levels), np.diff(rows.start)), group.codes[place])
    y = (design.y - design.y_mean) / design.y_scale if design.is_scaled else design.y
    np.testing.assert_allclose(rows.y, y[place])
    assert design.offset is not None and design.weights is not None
    origin = 0.0 if design.is_scaled else design.intercept_origin
    np.testing.assert_allclose(rows.fixed, design.offset[place] / design.y_scale + origin)
    np.testing.assert_allclose(rows.weights, design.weights[place])
    if design.trials is not None:
        np.testing.assert_array_equal(rows.trials, design.trials[place])
    assert len(rows.X) == 2 + design.intercept
    np.testing.assert_array_equal(rows.Z[1], 1)  # an intercept is last
    np.testing.assert_allclose(
        rows.Z[0] - rows.Z[0][0],
        (group.Z[:, 1][place] - group.Z[:, 1][place[0]]) / group.Z[:, 1].std(ddof=1),
        rtol=1e-9,
        atol=1e-12,
    )


def test_an_intercept_is_the_last_varying_column_and_others_keep_their_order() -> None:
    _, design = model("poisson", "y ~ a + b + (1 + a + b | g)")
    assert [design.groups[0].terms[at] for at in varying_order(design.groups[0])] == ["a", "b", "Intercept"]
    _, without = model("poisson", "y ~ a + b + (0 + a + b | g)")
    assert varying_order(without.groups[0]) == [0, 1]


def test_rows_that_count_alike_lie_side_by_side() -> None:
    for family in ("binomial", "negbinomial"):
        spec, design = model(family, "y ~ a + (1 | g)")
        rows = latent_rows(spec, design, design.groups[0])
        alike = rows.trials if rows.trials.size else rows.y
        for start, stop in zip(rows.start, rows.start[1:], strict=False):
            assert (np.diff(alike[start:stop]) >= 0).all()


def test_rows_that_count_0_times_are_left_out() -> None:
    spec, design = model("poisson", SLOPES)
    weights = np.where(np.arange(design.n_rows) % 3 == 0, 0.0, 1.0)
    weights[design.groups[0].codes == 5] = 0  # and a level with them
    rows = latent_rows(spec, replace(design, weights=weights), design.groups[0])
    assert len(rows.y) == weights.sum() and rows.weights.size == 0  # the others count once
    assert rows.n_levels == design.groups[0].n_levels and rows.start[5] == rows.start[6]


def test_predictors_of_auxiliaries_come_in_the_order_of_the_family() -> None:
    spec, design = model("zero_inflated_negbinomial", "y ~ a + (1 | g); zi ~ b; shape ~ a + b")
    rows = latent_rows(spec, design, design.groups[0])
    assert rows.S_of.tolist() == [3, 2] and rows.aux_link.tolist() == [0, 1] and rows.X_aux.shape == (5, 40)
    np.testing.assert_array_equal(rows.X_aux[[0, 3]], 1)
    np.testing.assert_allclose(rows.X_aux[2], rows.X_aux[4])
    np.testing.assert_allclose(rows.X_aux[[1, 2]].mean(axis=1), 0, atol=1e-12)
    spec, design = model("student", "y ~ a + (1 | g); nu ~ b")
    assert latent_rows(spec, design, design.groups[0]).S_of.tolist() == [0, 2]


def with_repeats(family: str, further: bool) -> Design:
    """200 rows, of which 24 can be told apart."""
    design = repeated_design(family)
    if not further:
        return design
    levels = design.groups[0].codes
    return replace(design, offset=levels / 5.0, weights=np.where(levels == 3, 0.0, 1.0 + levels % 2))


@pytest.mark.parametrize("further", [False, True], ids=["", "offset and weights"])
@pytest.mark.parametrize(
    ("family", "sampled"), [("bernoulli", "binomial"), ("binomial", "binomial"), ("poisson", "poisson")]
)
def test_repeated_rows_are_one(family: str, sampled: str, further: bool) -> None:
    design = with_repeats(family, further)
    rows = latent_rows(build_spec(parse_formula("y ~ x + (1 + x | g)"), design), design, design.groups[0])
    counted = np.ones(200) if design.weights is None else (design.weights > 0) * 1.0
    assert rows.family == sampled and len(rows.y) == (21 if further else 24)
    assert rows.y.sum() == counted @ design.y
    if sampled == "binomial":
        trials = np.ones(200) if design.trials is None else design.trials
        assert rows.trials.sum() == counted @ trials
    else:
        assert design.intercept_origin == pytest.approx(rows.fixed.min() - np.log(9), abs=3)
    assert rows.weights.size == (21 if further else 0)


@pytest.mark.stan
@pytest.mark.parametrize("further", [False, True], ids=["", "offset and weights"])
@pytest.mark.parametrize("family", ["bernoulli", "binomial", "poisson"])
def test_densities_of_repeated_rows_are_those_of_all(family: str, further: bool) -> None:
    design = with_repeats(family, further)
    spec = build_spec(parse_formula("y ~ x + (1 + x | g)"), design)
    density = density_of(spec, design, 31)
    real = points_of(density, 3, 0.2)
    expected = [log_likelihood(spec, design, point) for point in csv_points(spec, design, density, real)]
    found = density.kernel.log_density(density.parameters.values(real).points)
    assert np.ptp(expected) > 0.5
    assert np.ptp(found - expected) < 1e-7
