"""Every picture of checks, of every kind of outcome, is drawn, and says something."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from hierfit.posterior.check.checked import check_model
from hierfit.posterior.plots.check import CHECK_FIGURES, draw_checks
from hierfit.posterior.plots.material import Material
from tests.posterior.family_draws import family_case

KINDS = ("gaussian", "bernoulli", "poisson", "zero_inflated_poisson", "cumulative", "binomial", "beta", "gamma")
SIZES = ((5,), (70,), (12, 5))
# Every kind of outcome, every size with some of each sort; what a size does it does to all of a sort.
FEW, MANY, CROSS = SIZES
PLAIN = {("gaussian", size) for size in SIZES} | {(family, MANY) for family in ("bernoulli", "binomial")}
PLAIN |= {("zero_inflated_poisson", MANY), ("cumulative", FEW), ("beta", FEW)}
PLAIN |= {(family, CROSS) for family in ("bernoulli", "poisson", "cumulative", "gamma")}
CROSSED = [pytest.param(*one, marks=() if one in PLAIN else pytest.mark.slow) for one in product(KINDS, SIZES)]


@pytest.mark.parametrize(("family", "levels"), CROSSED)
def test_pictures(family: str, levels: tuple[int, ...]) -> None:
    case = family_case(family, levels=levels, rows=5, kind="formula")
    material = Material(case.draws, case.design, case.spec)
    drawn = dict(draw_checks(material))
    wanted = set(CHECK_FIGURES) - {"prior"} - ({"places"} if family == "bernoulli" else set())
    assert set(drawn) == wanted - ({"statistics"} if family in ("bernoulli", "cumulative") else set())
    for stem, plate in drawn.items():
        assert plate.caption.endswith(".") and "nan" not in plate.caption, stem
        axes = [ax for ax in plate.figure.axes if ax.get_visible()]
        assert all(np.isfinite([*ax.get_xlim(), *ax.get_ylim()]).all() for ax in axes)
        plate.figure.draw_without_rendering()


@pytest.mark.parametrize("family", KINDS)
def test_a_prior_has_one_picture_of_its_own(family: str) -> None:
    case = family_case(family)
    spec = replace(case.spec, prior_only=True)
    ((stem, plate),) = draw_checks(Material(case.draws, case.design, spec))
    assert stem == "prior" and plate.caption.startswith("Drawn from the priors alone")
    plate.figure.draw_without_rendering()


def test_checks_are_not_computed_again_where_they_are_given() -> None:
    case = family_case("poisson")
    material = Material(case.draws, case.design, case.spec)
    found = check_model(case.draws, case.design, case.spec)
    ((stem, plate),) = draw_checks(material, replace(found, checks=()), ["outcomes"])
    assert stem == "outcomes" and "of answer are as frequent" in plate.caption
