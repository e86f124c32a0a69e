"""The distribution of the effects of a level: what their sds and correlations say of it, draw by draw."""

import dataclasses

import numpy as np

from hierfit.model.spec import Block, Kind, Parameter, cor_name, sd_name
from hierfit.posterior.draws import Draws
from hierfit.posterior.predict.new_levels import level_scales

from ..conftest import make_case
from ..family_draws import family_case


def test_products_are_the_covariances():
    case = make_case(6, 2, slopes=2, chains=2, n_draws=50)
    group, found = case.design.groups[0], level_scales(case.draws, case.design.groups[0])
    for pick in (0, 17, 99):
        chain, draw = divmod(pick, 50)
        sd = [case.draws.of(sd_name("school", term))[chain, draw] for term in group.terms]
        R = np.eye(3)
        for i in range(3):
            for j in range(i):
                name = cor_name("school", f"{group.terms[j]}, {group.terms[i]}")
                R[i, j] = R[j, i] = case.draws.of(name)[chain, draw]
        np.testing.assert_allclose(found[pick] @ found[pick].T, np.outer(sd, sd) * R, rtol=1e-10)


def test_correlations_of_one_and_sds_of_nothing():
    case = make_case(6, 1, chains=1, n_draws=3)
    values = case.draws.values.copy()
    names = [parameter.name for parameter in case.draws.parameters]
    values[0, 0, names.index("cor(school: Intercept, ses)")] = 1
    values[0, 1, names.index("cor(school: Intercept, ses)")] = -1
    values[0, 2, names.index("sd(school)")] = 0
    found = level_scales(dataclasses.replace(case.draws, values=values), case.design.groups[0])
    products = found @ np.swapaxes(found, 1, 2)
    sd = [values[0, :, names.index(name)] for name in ("sd(school)", "sd(school: ses)")]
    np.testing.assert_allclose(products[:2, 0, 1], [1, -1] * (sd[0] * sd[1])[:2])
    np.testing.assert_allclose(products[2, 0], 0, atol=1e-12)


def test_blocks_do_not_hang_together():
    case = family_case("gaussian", n_draws=5)
    group = dataclasses.replace(case.design.groups[0], correlated=False, further=(Block(1, False),))
    products = level_scales(case.draws, group)
    np.testing.assert_allclose((products @ np.swapaxes(products, 1, 2))[:, 0, 1], 0)


def test_a_parameter_is_found_by_its_name():
    values = np.array([[[2.0]], [[3.0]]])
    draws = Draws((Parameter("sd(school)", Kind.SD, "school", "Intercept"),), values, {}, {}, 10)
    group = dataclasses.replace(family_case("gaussian", slope=False, n_draws=5).design.groups[0])
    assert level_scales(draws, group).ravel().tolist() == [2.0, 3.0]
