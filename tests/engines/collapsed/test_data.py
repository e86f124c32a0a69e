from dataclasses import replace

import numpy as np
import pytest

from hierfit.design.prior_choice import build_spec
from hierfit.engines.collapsed.engine import COLLAPSED
from hierfit.model.formula import Formula, GroupTerm, formula_from_flags
from tests.model.cases import design
from tests.stan.test_data import data, declared_sizes


@pytest.mark.parametrize(
    "formula",
    [
        None,
        formula_from_flags("y", ["a"], "g", ["a"], varying_intercept=False),
        Formula("y", (), (GroupTerm("g", True, ("a", "b")),), intercept=False),
    ],
    ids=str,
)
def test_the_collapsed_program_declares_products_instead_of_rows(formula: Formula | None) -> None:
    given = data(formula=formula, engine=COLLAPSED)
    sizes = declared_sizes(given, COLLAPSED)
    assert set(given) == set(sizes)
    assert {name: np.shape(value) for name, value in given.items()} == sizes


def test_a_lognormal_outcome_is_reduced_as_its_logarithm_is() -> None:
    made = replace(design(), y=np.exp(design().y / 10))
    log = replace(made, y=np.log(made.y))
    formula = formula_from_flags("y", made.coefficients, "g", made.coefficients)
    reduced = [COLLAPSED.data(build_spec(formula, each, []), each) for each in (replace(made, family="lognormal"), log)]
    assert all(np.array_equal(one, other) for one, other in zip(*(each.values() for each in reduced), strict=True))


def test_integrated_coefficients_are_not_sampled() -> None:
    given = data("a ~ laplace(0, 1)", "b ~ constant(2)", engine=COLLAPSED)
    assert given["integrated"].tolist() == [1] and given["kept"].tolist() == [2, 3]
    assert given["theta_free"].tolist() == [2, 4, 5, 6] and given["T_free"] == 4
    assert data("a ~ laplace(0, 1)")["theta_free"].tolist() == [1, 2, 3, 4, 5, 6]
