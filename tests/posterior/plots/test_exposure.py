"""Counts under exposures of their own, over one line."""

import dataclasses

import numpy as np
import pytest

from hierfit.model.roles import Roles
from hierfit.posterior.plots import draw_all
from hierfit.posterior.plots.course import shown_points
from hierfit.posterior.plots.material import Material
from hierfit.posterior.scale import offset_words, shown_outcome
from tests.posterior.family_draws import family_case


@pytest.fixture(scope="module")
def counts():
    """A poisson model whose rows have exposures from 0.1 to 100, expected counts being proportional to these."""
    case = family_case("poisson")
    exposure = np.exp(np.random.default_rng(1).uniform(np.log(0.1), np.log(100), case.design.n_rows))
    design = dataclasses.replace(
        case.design,
        y=np.round(case.design.y * exposure),
        offset=np.log(exposure),
        roles=Roles(exposure="years"),
    )
    return case, design, exposure


def test_counts_are_shown_as_at_the_exposure_of_the_lines(counts):
    case, design, exposure = counts
    typical = np.exp(np.log(exposure).mean())
    np.testing.assert_allclose(shown_outcome(design), design.y / exposure * typical)
    assert offset_words(design) == f"at years = {typical:.3g}"
    other = dataclasses.replace(design, roles=Roles(offset="log_years"))
    assert offset_words(other) == "at the mean offset"
    plain = dataclasses.replace(case.design, offset=None)
    np.testing.assert_array_equal(shown_outcome(plain), plain.y)
    assert offset_words(plain) == ""
    points = shown_points(Material(case.draws, design, case.spec))
    np.testing.assert_allclose(points, shown_outcome(design))


def test_the_picture_says_so_and_few_large_counts_do_not_squash_the_rest(counts):
    case, design, _ = counts
    (drawing,) = draw_all(case.draws, design, case.spec, stems=["lines"])
    note = drawing.figure.texts[1].get_text().replace("\n", " ")
    assert "at years = " in note
    y = shown_outcome(design)
    rooted = y.max() > 4 * np.quantile(y, 0.75)
    assert ("square root axis" in note) == rooted == (drawing.figure.axes[0].get_yscale() == "function")
    assert rooted, "a case that tests nothing"
