"""posterior.png: what its title says of the one coefficient."""

import dataclasses

import numpy as np

from hierfit.posterior.plots.material import Material
from hierfit.posterior.plots.posterior import draw_posterior
from tests.posterior.family_draws import family_case


def caption(case, design):
    return draw_posterior(Material(case.draws, design, case.spec)).caption


def test_a_level_is_held_against_the_reference_and_a_number_moves_by_its_unit():
    case = family_case("poisson")
    assert len(case.design.coefficients) == 1
    assert caption(case, case.design).endswith(" per unit.")
    level = dataclasses.replace(case.design, X=(np.median(case.design.X) < case.design.X).astype(float))
    said = caption(case, level)
    assert "multiplies by" in said and "per unit" not in said
