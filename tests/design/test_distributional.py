"""Columns of parameters beside the mean: numbers, words, levels without an intercept, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from hierfit.data.table import Table
from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.design.distributional import PredictorColumns
from hierfit.errors import DataError, FormulaError, HierfitError, UsageError
from hierfit.model.families import FAMILIES
from hierfit.model.formula_text import parse_formula
from hierfit.model.grammar import PREDICTABLE
from hierfit.model.roles import Roles
from tests.model.cases import table

SECTOR = np.array(["Public", "Church", "Private", "Public"] * 10)


def columns() -> Table:
    """Return y, a, b, a constant `one`, labels g, words `sector`, and `number`, labels that are numbers."""
    source = table(40, 8)
    levels = ("Public", "Church", "Private")
    codes = np.array([levels.index(name) for name in SECTOR], dtype=np.int32)
    grades = (np.arange(40) % 4).astype(np.int32)
    return replace(
        source,
        numbers={**source.numbers, "one": np.ones(40), "grade": grades + 1.0},
        labels={**source.labels, "sector": codes, "grade": grades},
        levels={**source.levels, "sector": levels, "grade": ("1", "2", "3", "4")},
    )


def built(sigma: str, *, family: str = "gaussian", roles: Roles | None = None) -> Design:
    formula = parse_formula(f"y ~ a + (1 | g); sigma ~ {sigma}")
    return build_design(formula, columns(), family=family, roles=roles or Roles())


def sigma_of(design: Design) -> PredictorColumns:
    (own,) = design.distributional
    assert own.parameter == "sigma"
    return own


def test_numbers_and_words() -> None:
    sigma = sigma_of(built("b + sector"))
    assert sigma.coefficients == ("Intercept", "b", "sector[Private]", "sector[Public]")
    wanted = np.column_stack([np.ones(40), columns().numbers["b"], SECTOR == "Private", SECTOR == "Public"])
    np.testing.assert_array_equal(sigma.X, wanted)
    assert sigma.intercept
    np.testing.assert_array_equal(sigma.carries_level, [True, False, False, False])
    np.testing.assert_allclose(sigma.mean, [0, *wanted[:, 1:].mean(axis=0)])
    np.testing.assert_allclose(sigma.scale, [1, *wanted[:, 1:].std(axis=0, ddof=1)])


def test_without_an_intercept_every_level_has_its_own() -> None:
    sigma = sigma_of(built("0 + sector"))
    assert sigma.coefficients == ("sector[Church]", "sector[Private]", "sector[Public]")
    np.testing.assert_array_equal(sigma.X.argmax(axis=1), np.searchsorted(sorted(set(SECTOR)), SECTOR))
    assert not sigma.intercept and sigma.carries_level.all()
    np.testing.assert_array_equal(sigma.mean, 0)  # or levels would not have a sigma of their own
    np.testing.assert_allclose(sigma.scale, sigma.X.std(axis=0, ddof=1))


def test_an_intercept_alone_is_one_sigma() -> None:
    sigma = sigma_of(built("1"))
    assert sigma.coefficients == ("Intercept",)
    np.testing.assert_array_equal(sigma.X, np.ones((40, 1)))


def test_the_reference_and_the_order_are_those_of_the_model() -> None:
    roles = Roles(references={"sector": "Public"})
    assert sigma_of(built("sector", roles=roles)).coefficients == ("Intercept", "sector[Church]", "sector[Private]")
    stated = Roles(levels={"sector": ("Private", "Public", "Church")})
    design = built("sector", roles=stated)
    assert sigma_of(design).coefficients == ("Intercept", "sector[Public]", "sector[Church]")
    assert design.references == {"sector": "Private"}


def test_a_grouping_column_of_numbers_is_taken_as_categories() -> None:
    formula = parse_formula("y ~ a + (1 | grade); sigma ~ grade")
    sigma = sigma_of(build_design(formula, columns()))
    assert sigma.coefficients == ("Intercept", "C(grade)[2]", "C(grade)[3]", "C(grade)[4]")


def test_without_terms_there_is_nothing() -> None:
    assert build_design(parse_formula("y ~ a + (1 | g)"), columns()).distributional == ()


@pytest.mark.parametrize("family", [name for name, family in FAMILIES.items() if not family.auxiliary("sigma")])
def test_a_family_without_sigma_is_refused(family: str) -> None:
    source = columns()
    # whole numbers from 0 to 3, or two of them, or shares: what every family but that of trials can have
    y = {"beta": 0.5 + 0.1 * (np.arange(40) % 3), "bernoulli": np.arange(40) % 2.0}.get(family, np.arange(40) % 4 + 1.0)
    source = replace(source, numbers={**source.numbers, "y": y, "n": np.full(40, 9.0)})
    roles = Roles(trials="n") if FAMILIES[family].has_trials else Roles()
    with pytest.raises(UsageError, match=f"the family {family} has no sigma") as refused:
        build_design(parse_formula("y ~ a + (1 | g); sigma ~ b"), source, family=family, roles=roles)
    assert refused.value.hint == "families with sigma: gaussian, student, lognormal"


@pytest.mark.parametrize(
    ("terms", "error", "message"),
    [
        ("one", DataError, "column 'one': all 40 values are 1; sigma cannot depend on it"),
        ("0 + b", FormulaError, "without an intercept each row needs one level"),
        ("0 + sector + b", FormulaError, "without an intercept each row needs one level"),
        ("0", FormulaError, "without an intercept each row needs one level"),
    ],
)
def test_what_says_nothing_or_too_much_is_refused(terms: str, error: type[HierfitError], message: str) -> None:
    with pytest.raises(error) as refused:
        built(terms)
    assert message in refused.value.message
    assert "--sigma" in (refused.value.hint or "")


def test_several_parameters_have_columns_of_their_own() -> None:
    formula = parse_formula("y ~ a; nu ~ 1; sigma ~ sector")
    nu, sigma = build_design(formula, columns(), family="student").distributional
    assert (nu.parameter, nu.coefficients) == ("nu", ("Intercept",))
    assert sigma.coefficients == ("Intercept", "sector[Private]", "sector[Public]")


def test_all_parameters_of_all_families_may_be_predicted() -> None:
    assert {auxiliary.name for family in FAMILIES.values() for auxiliary in family.auxiliaries} == set(PREDICTABLE)
