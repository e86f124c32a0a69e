import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hierfit.design.building import build_design
from hierfit.design.prior_choice import build_spec
from hierfit.engines.collapsed.engine import COLLAPSED
from hierfit.engines.engine import Engine
from hierfit.engines.full.engine import FULL
from hierfit.model.formula import Formula, GroupTerm, formula_from_flags
from hierfit.model.formula_text import parse_formula
from hierfit.stan.data import StanData
from hierfit.stan.programs import render_program
from tests.family_cases import FAMILY_CASES, FORMULA, FamilyCase, family_design
from tests.model.cases import design, table


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


@pytest.mark.parametrize("case", FAMILY_CASES, ids=str)
def test_outcomes_are_scaled_only_where_that_leaves_them_in_their_family(case: FamilyCase) -> None:
    made = family_design(case, further=True)
    given = FULL.data(build_spec(FORMULA, made), made)
    if case.family in ("gaussian", "student", "lognormal"):
        y = np.log(made.y) if case.family == "lognormal" else made.y
        np.testing.assert_allclose(given["y"], (y - y.mean()) / y.std(ddof=1))
        np.testing.assert_allclose(given["offsets"], made.offset / y.std(ddof=1))
        assert given["aux_scale"][0] == pytest.approx(y.std(ddof=1))
    else:
        np.testing.assert_array_equal(given["y"], made.y + bool(made.thresholds))  # Stan counts categories from 1
        np.testing.assert_array_equal(given["offsets"], made.offset)
        assert (made.y_mean, made.y_scale) == (0, 1)
        np.testing.assert_allclose(given["b_scale"], [*([1] * made.intercept), *(1 / made.x_scale)])
        if made.intercept:
            assert given["b_location"][0] == given["origin"] == made.intercept_location


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


def test_what_the_mean_of_the_effects_has_is_not_in_the_rows() -> None:
    formula, made = formula_from_flags("y", ["a", "b"], "g", ["a"]), design()
    given = FULL.data(build_spec(formula, made), made, narrowed=np.array([0.5, 0.4]))
    assert (given["narrowed"] == np.repeat([0.5, 0.4], 8)).all() and given["slope"].tolist() == [0, 2]
    assert given["in_rows"].tolist() == [3] and given["X"].shape == (40, 1)
    np.testing.assert_array_equal(given["level_X"][:, 0], 1)


def test_integrated_coefficients_are_not_sampled() -> None:
    given = data("a ~ laplace(0, 1)", "b ~ constant(2)", engine=COLLAPSED)
    assert given["integrated"].tolist() == [1] and given["kept"].tolist() == [2, 3]
    assert given["b_free"].tolist() == [2] and given["K_free"] == 1
    assert data("a ~ laplace(0, 1)")["b_free"].tolist() == [1, 2, 3]


def test_columns_are_centred_and_scaled() -> None:
    given = data(formula=Formula("y", ("a", "b")))  # without groups, whose means could take columns out of the rows
    np.testing.assert_allclose(given["y"].mean(), 0, atol=1e-12)
    np.testing.assert_allclose(given["y"].std(ddof=1), 1)
    np.testing.assert_array_equal(given["X"][:, 0], 1)
    np.testing.assert_allclose(given["X"][:, 1:].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(given["X"][:, 1:].std(axis=0, ddof=1), 1)


def test_columns_are_only_scaled_where_a_prior_binds_the_intercept_at_0() -> None:
    given = data("Intercept ~ uniform(-99, 99)", formula=Formula("y", ("a", "b")), centered=False)
    source = table()
    np.testing.assert_allclose(given["X"][:, 1], source.numbers["a"] / np.std(source.numbers["a"], ddof=1))


@pytest.mark.parametrize(("bar", "centred"), [("|", True), ("||", False)])
def test_varying_columns_are_centred_where_that_is_the_same_model(bar: str, centred: bool) -> None:
    given, a = data(formula=parse_formula(f"y ~ a + (1 + a {bar} g)")), table().numbers["a"]
    np.testing.assert_array_equal(given["is_intercept"], [1, 0])
    np.testing.assert_allclose(given["Z"][1], (a - centred * a.mean()) / np.std(a, ddof=1), atol=1e-12)


def test_levels_count_from_one() -> None:
    assert data()["level"].min() == 1 and data()["level"].max() == 8


def test_fixed_parameters_are_taken_out() -> None:
    given = data("Intercept ~ constant(7)", "sd(g) ~ constant(1)", "sigma ~ constant(2)")
    assert given["K_free"] == 2 and given["b_free"].tolist() == [2, 3]
    assert given["b_constant"][0] + given["b_location"][0] == pytest.approx(7)
    assert given["sd_free"].tolist() == [2] and given["sd_constant"].tolist() == [1, 0]
    assert given["A_free"] == 0 and given["aux_constant"].tolist() == [2]


def test_bounds_follow_the_priors() -> None:
    given: Any = data("a ~ uniform(-1, 4)", "b ~ gamma(2, 1)", "sd(g) ~ uniform(0, 100)")
    assert given["b_lower"].tolist() == [-np.inf, -1, 0] and given["b_upper"].tolist() == [np.inf, 4, np.inf]
    assert given["sd_lower"].tolist() == [0, 0] and given["sd_upper"].tolist() == [100, np.inf]


def test_an_offset_of_1e12_loses_nothing() -> None:
    from dataclasses import replace

    source = table()
    y = 1e12 + np.round(source.numbers["y"] * 4) / 4  # quarters are exact in double precision even there
    shifted = replace(source, numbers={**source.numbers, "y": y, "a": source.numbers["a"]})
    formula = formula_from_flags("y", ["a"], "g")
    made = build_design(formula, shifted)
    given = FULL.data(build_spec(formula, made), made)
    expected = (y - 1e12) - (y - 1e12).mean()
    # The mean of numbers near 1e12 is itself rounded to about 1e-4.
    np.testing.assert_allclose(given["y"] * made.y_scale, expected, atol=3e-4)
