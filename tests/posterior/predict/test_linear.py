"""Linear predictors and parameters of other rows: the same as of these rows in the fit, and as sums written out."""

from pathlib import Path

import numpy as np
import pytest

from hierfit.data.table import table_of
from hierfit.model.families import SIGMA
from hierfit.model.roles import NO_ROLES, Roles
from hierfit.posterior.predict import auxiliary_draws, chosen_effects, linear_predictor
from hierfit.posterior.predict.draws_of import values_of
from tests.design.test_rows import EVERY, MODELS, N, table

from .made_up import made_up

FURTHER = [
    ("y ~ x + (1 + x | p | g); sigma ~ z + (1 | p | g) + (1 | h)", "student", NO_ROLES),
    ("y ~ arm + (1 | g) + (1 | h); zi ~ z + (1 | g); shape ~ arm", "zero_inflated_negbinomial", Roles(exposure="w")),
    ("y ~ bs(x, df=4) + (1 | g:h)", "gaussian", Roles(precision="w")),
]


@pytest.mark.parametrize(("formula", "family", "roles"), [*MODELS, *FURTHER])
def test_rows_have_the_predictors_that_they_had_in_the_fit(formula: str, family: str, roles: Roles) -> None:
    case = made_up(formula, table(EVERY), family, roles)
    for at in (np.array([5]), np.array([60, 3, 3, 17]), np.random.default_rng(1).permutation(N)):
        rows = case.design.on(table(at))
        found = linear_predictor(case.draws, case.design, rows, case.every)
        wanted = linear_predictor(case.draws, case.design, EVERY, case.every)[:, at]
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)
        own, all_rows = (auxiliary_draws(case.draws, case.design, case.every, chosen) for chosen in (rows, EVERY))
        assert own.keys() == all_rows.keys()
        for name, values in own.items():
            broad = np.broadcast_to(all_rows[name], (len(case.every), N))[:, at]
            np.testing.assert_allclose(np.broadcast_to(values, broad.shape), broad, rtol=1e-9, atol=1e-12)


def test_predictors_of_two_parameters_are_sums_written_out() -> None:
    case = made_up("y ~ z + (1 + z | g) + (1 | h); sigma ~ z + (1 | g)", table(EVERY), roles=Roles(offset="w"))
    draws, design = case.draws, case.design
    rows, z = np.array([0, 7, 33, 79]), table(EVERY).numbers["z"]
    found = linear_predictor(draws, design, rows, case.every)
    sigma = auxiliary_draws(draws, design, case.every, rows)[SIGMA]
    g, h = design.group("g"), design.group("h")
    for s in (0, 11, 199):
        chain, draw = divmod(s, draws.n_draws)
        of = {parameter.name: draws.of(parameter.name)[chain, draw] for parameter in draws.parameters}
        for r, row in enumerate(rows):
            u, v = draws.effects["g"][chain, draw, g.codes[row]], draws.effects["h"][chain, draw, h.codes[row]]
            mean = of["Intercept"] + of["z"] * z[row] + u[0] + u[1] * z[row] + v[0] + table(EVERY).numbers["w"][row]
            assert found[s, r] == pytest.approx(mean)
            log_sigma = of["sigma_Intercept"] + of["sigma_z"] * z[row] + u[2]
            assert sigma[s, r] == pytest.approx(np.exp(log_sigma))


def test_chosen_effects_and_values_are_those_of_their_draws() -> None:
    case = made_up("y ~ z + (1 + z | g)", table(EVERY))
    (group,) = case.design.groups
    every = case.draws.effects["g"].reshape(200, group.n_levels, 2)
    levels = np.array([2, 0])
    for picks in (case.every, case.every[::-1], np.array([3]), np.array([150, 7, 7])):
        np.testing.assert_array_equal(chosen_effects(case.draws, group, picks), every[picks])
        np.testing.assert_array_equal(chosen_effects(case.draws, group, picks, levels), every[picks][:, levels])
        found = values_of(case.draws, ["z", "sigma"], picks)
        np.testing.assert_array_equal(found[:, 0], case.draws.of("z").ravel()[picks])
        np.testing.assert_array_equal(found[:, 1], case.draws.of("sigma").ravel()[picks])


@pytest.mark.parametrize("shift", [1e6, -1e9, 1e12])
def test_a_column_far_from_0_costs_no_digit_where_the_intercept_at_its_mean_is_known(shift: float) -> None:
    # multiples of 1 / 1024 around a mean of 0, of which no shift takes a digit
    x = np.round(np.random.default_rng(3).normal(size=20) * 1024) / 1024
    x = np.concatenate([x, -x])
    found = []
    for by in (0.0, shift):
        numbers = {"y": np.arange(40.0) ** 1.5, "x": x + by}
        case = made_up("y ~ x", table_of(Path("a.csv"), numbers, {}, np.arange(40) + 2))
        other = table_of(Path("b.csv"), {"x": np.array([-2.0, 0.25, 7.5]) + by}, {}, np.arange(3))
        found.append(linear_predictor(case.draws, case.design, case.design.on(other), case.every))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-9)
