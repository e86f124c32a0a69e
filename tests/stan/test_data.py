import re
from typing import Any

import numpy as np
import pytest

from hierfit.design.prior_choice import build_spec
from hierfit.engines.collapsed.engine import COLLAPSED
from hierfit.engines.engine import Engine
from hierfit.engines.full.engine import FULL
from hierfit.model.formula import Formula, GroupTerm, formula_from_flags
from hierfit.stan.data import StanData
from hierfit.stan.programs import render_program
from hierfit.stan.theta import part
from tests.family_cases import FAMILY_CASES, FORMULA, FamilyCase, family_design
from tests.model.cases import design


def data(*priors: str, formula: Formula | None = None, centered: bool = True, engine: Engine = FULL) -> StanData:
    made = design(formula, centered=centered)
    formula = formula or formula_from_flags("y", ["a", "b"], "g", ["a"])
    return engine.data(build_spec(formula, made, priors), made)


_DECLARATION = re.compile(
    r"\s*(?:array\[(?P<array>[^\]]*)\] )?(?P<type>\w+)(?:<[^>]*>)?"
    r"(?:\[(?P<size>(?:[^\[\]]|\[1\])*)\])? (?P<name>\w+);"
)


def declared_sizes(given: StanData, engine: Engine, family: str = "gaussian") -> dict[str, tuple[int, ...]]:
    """Read the program's data block: name -> shape, its size names looked up in `given`."""
    block = re.search(r"\ndata \{(.*?)\n\}", render_program(family, collapsed=engine is COLLAPSED).text, re.DOTALL)
    assert block is not None
    sizes = {}
    for line in block[1].splitlines():
        match = _DECLARATION.match(line)
        if match:
            parts = [part for part in (match["array"], match["size"]) if part]
            names = [name.strip() for part in parts for name in part.split(",")]
            sizes[match["name"]] = tuple(_size(name, given) for name in names)
    return sizes


def _size(name: str, given: StanData) -> int:
    """Look up `3`, `N`, `J[1]`, `K + 1`, `K - I`, `has_offset ? N : 0` or `S > 0 ? N : 0`."""
    for sign, operator in ((1, " + "), (-1, " - ")):
        if operator in name:
            first, second = name.split(operator)
            return _size(first, given) + sign * _size(second, given)
    if name.isdigit():
        return int(name)
    condition, question, choices = name.partition(" ? ")
    if question:
        yes, no = choices.split(" : ")
        return _size(yes if given[condition.removesuffix(" > 0")] else no, given)
    if name == "sum(J)":
        return int(np.sum(given["J"]))
    return int(given["J"][0]) if name == "J[1]" else int(given[name])


@pytest.mark.parametrize(
    "formula",
    [
        None,
        Formula("y"),
        formula_from_flags("y", ["a"], "g", ["a"], varying_intercept=False),
        Formula("y", ("a",), (GroupTerm("g", True, ("a", "b")),)),
        Formula("y", ("a",), (), intercept=False),
    ],
    ids=str,
)
def test_it_is_what_the_program_declares(formula: Formula | None) -> None:
    given = data(formula=formula)
    sizes = declared_sizes(given, FULL)
    assert set(given) == set(sizes)
    assert {name: np.shape(value) for name, value in given.items()} == sizes


@pytest.mark.parametrize("further", [False, True])
@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_every_family_gets_what_its_program_declares(case: FamilyCase, further: bool) -> None:
    made = family_design(case, further=further)
    given = FULL.data(build_spec(FORMULA, made), made)
    sizes = declared_sizes(given, FULL, case.family)
    assert {name: np.shape(value) for name, value in given.items()} == sizes
    text = render_program(case.family).text
    for name in sizes:
        whole = re.search(rf"^  (array\[[^\]]*\] )?int\S* (upper=\S+ )?{name};", text, re.MULTILINE) is not None
        assert np.issubdtype(np.asarray(given[name]).dtype, np.integer) == whole, name


def test_fixed_parameters_are_taken_out() -> None:
    given = data("Intercept ~ constant(7)", "sd(g) ~ constant(1)", "sigma ~ constant(2)")
    assert given["T_free"] == 3 and given["theta_free"].tolist() == [2, 3, 5]
    assert given["theta_constant"][0] + given["theta_location"][0] == pytest.approx(7)
    assert part(given["theta_constant"], "sd", given).tolist() == [1, 0]
    assert part(given["theta_constant"], "aux", given).tolist() == [2]


def test_bounds_follow_the_priors() -> None:
    given: Any = data("a ~ uniform(-1, 4)", "b ~ gamma(2, 1)", "sd(g) ~ uniform(0, 100)")
    lower, upper = (given[f"theta_{end}"] * given["theta_scale"] for end in ("lower", "upper"))  # all are free
    np.testing.assert_allclose(lower + given["theta_location"], [-np.inf, -1, 0, 0, 0, 0])
    np.testing.assert_allclose(upper + given["theta_location"], [np.inf, 4, np.inf, 100, np.inf, np.inf])
