from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.design.origin import x_center, z_center
from hierfit.design.prior_choice import build_spec
from hierfit.design.scaling import scaled_columns, scaled_varying
from hierfit.engines.full.centering import Centering, by_column, choose, column_sizes, place_coefficients
from hierfit.model.formula_text import parse_formula
from tests.model.cases import nested_table, table

Array = NDArray[np.float64]


def made(formula: str, effect: float = 3.0, rows: int = 200, levels: int = 20, slope: float = 0.0) -> Design:
    """y = effect of g + noise of sd 1; `size` is constant within g, `x` is around 0, and its slope may vary."""
    rng = np.random.default_rng(4)
    source = table(rows, levels)
    codes = source.labels["g"]
    numbers = {**source.numbers, "size": rng.normal(5, 2, levels)[codes], "x": rng.normal(size=rows)}
    effects = effect * rng.normal(size=levels) + slope * rng.normal(size=levels) * numbers["x"].reshape(-1, levels)
    numbers["y"] = effects.ravel() + rng.normal(size=rows)
    half = (np.arange(rows) // 7 % 6).astype(np.int32)
    source = replace(
        source,
        numbers=numbers,
        labels={**source.labels, "h": half},
        levels={**source.levels, "h": tuple("uvwxyz")},
    )
    return build_design(parse_formula(formula), source)


def chosen(formula: str, *priors: str, **of_data: float) -> list[bool]:
    design = made(formula, **of_data)  # type: ignore[arg-type]
    spec = build_spec(parse_formula(formula), design, priors)
    return centred_columns(place_coefficients(spec, design, choose(spec, design)), design)


def centred_columns(found: Centering, design: Design) -> list[bool]:
    return [bool((column < 1).all()) for column in by_column(found.narrowed, design)]


def placed(formula: str, centred: str) -> tuple[Design, Centering]:
    """Return where coefficients go if those varying columns are centred whose digit is 1."""
    design = made(formula)
    spec = build_spec(parse_formula(formula), design)
    return design, place_coefficients(spec, design, np.array([0.5 if digit == "1" else 1.0 for digit in centred]))


def test_a_column_is_centred_where_its_rows_say_more_than_its_spread() -> None:
    assert chosen("y ~ a + (1 | g)") == [True]
    assert chosen("y ~ a + (1 | g)", effect=0.1) == [False]
    assert chosen("y ~ x + (1 + x | g)", slope=0.1) == [True, False]
    assert chosen("y ~ x + (1 + x | g)", slope=2.0) == [True, True]
    assert chosen("y ~ x + (1 + x | g)", slope=2.0, effect=0.0) == [False, True]
    assert chosen("y ~ x + (0 + x | g)", slope=2.0, effect=0.0) == [True]


def test_one_row_for_each_level_says_too_little() -> None:
    assert chosen("y ~ a + (1 | g)", rows=20) == [False]


def test_an_sd_that_is_known_is_taken_for_what_it_is() -> None:
    assert chosen("y ~ a + (1 | g)", "sd(g) ~ constant(0.1)") == [False]
    assert chosen("y ~ a + (1 | g)", "sd(g) ~ constant(3)", effect=0.1) == [True]


def test_priors_alone_say_nothing() -> None:
    design = made("y ~ a + (1 | g)")
    spec = build_spec(parse_formula("y ~ a + (1 | g)"), design, prior_only=True)
    np.testing.assert_array_equal(choose(spec, design), np.ones(20))


def test_coefficients_go_where_they_belong() -> None:
    """Intercept and what is constant within g into its mean, the varying slope too; b stays in the rows."""
    formula = "y ~ a + b + size + (1 + a | g) + (1 | h)"
    design, found = placed(formula, "110")
    assert centred_columns(found, design) == [True, True, False]
    assert found.in_rows.tolist() == [False, False, True, False]
    assert found.slopes == (-1, 1, -1)
    assert (found.level_X[20:] == 0).all() and (found.level_X[:20, 2] == 0).all()
    assert placed(formula, "100")[1].in_rows.tolist() == [False, True, True, False]
    assert placed(formula, "010")[1].in_rows.tolist() == [True, False, True, True]
    assert placed(formula, "000")[1].in_rows.all()


@pytest.mark.parametrize(("bar", "in_rows"), [("|", [False, False]), ("||", [False, True])])
def test_a_column_far_from_zero_stays_in_the_rows_where_it_is_not_centred(bar: str, in_rows: list[bool]) -> None:
    formula = f"y ~ a + (1 + a {bar} g)"
    design = made(formula)
    far = replace(design, X=design.X + 1e4)
    far = replace(far, groups=(replace(far.groups[0], Z=far.groups[0].Z + np.array([0, 1e4])),))
    spec = build_spec(parse_formula(formula), far)
    assert place_coefficients(spec, far, np.array([0.5, 0.5])).in_rows.tolist() == in_rows


def test_a_slope_without_a_varying_intercept_is_a_mean_only_where_columns_are_as_they_are() -> None:
    formula = "y ~ a + (0 + a | g)"
    for priors, in_rows in (((), [True, True]), (("Intercept ~ constant(20)",), [True, False])):
        design = replace(made(formula), centered=not priors)
        spec = build_spec(parse_formula(formula), design, priors)
        assert place_coefficients(spec, design, np.array([0.5])).in_rows.tolist() == in_rows


@pytest.mark.parametrize("centred", ["000", "111", "110", "010", "101"])
@pytest.mark.parametrize(
    "formula", ["y ~ a + b + size + (1 + a | g) + (1 | h)", "y ~ size + (1 | g)", "y ~ 0 + a + (1 + a || g)"]
)
def test_the_linear_predictor_is_the_same(formula: str, centred: str) -> None:
    """X b + Z u is (what is left of X) b + Z w, w = u + mean."""
    columns = sum(len(group.terms) for group in made(formula).groups)
    design, found = placed(formula, centred[:columns])
    rng = np.random.default_rng(1)
    spec = build_spec(parse_formula(formula), design)
    X = scaled_columns(design, x_center(spec, design))
    b = rng.normal(size=(3, X.shape[1]))
    plain, moved = b @ X.T, (b * found.in_rows) @ X.T
    for group, mean in zip(design.groups, means(found, b, design), strict=True):
        Z, u = scaled_varying(group, z_center(spec, group)), rng.normal(size=(3, len(group.terms), group.n_levels))
        plain = plain + np.einsum("smn,nm->sn", u[..., group.codes], Z)
        moved = moved + np.einsum("smn,nm->sn", (u + mean)[..., group.codes], Z)
    np.testing.assert_allclose(moved, plain, atol=1e-9)


def nested(formula: str, *seen: float) -> tuple[Design, Centering]:
    """Return where coefficients go where those shares of each column's levels, the last ones, are centred."""
    parsed = parse_formula(formula)
    design = build_design(parsed, nested_table())
    narrowed = [
        np.linspace(1, 0, size, endpoint=False) > share for size, share in zip(column_sizes(design), seen, strict=True)
    ]
    spec = build_spec(parsed, design)
    return design, place_coefficients(spec, design, np.where(np.concatenate(narrowed), 1.0, 0.5))


def shares(formula: str, *seen: float) -> list[float]:
    """Return which share of the levels of each column is centred, if those had better be."""
    design, found = nested(formula, *seen)
    return [float((column < 1).mean()) for column in by_column(found.narrowed, design)]


def test_intercepts_of_inner_factors_are_centred_level_by_level() -> None:
    assert shares("y ~ a + (1 | h) + (1 | g)", 0.25, 0.25) == [0, 0.25]
    assert shares("y ~ a + (1 | g) + (1 | h)", 0.25, 0.75) == [0.25, 1]
    assert shares("y ~ a + (1 + a | g) + (1 | h)", 0.25, 0.25, 0.75) == [0.25, 0, 1]
    assert shares("y ~ a + (1 | r) + (1 | g) + (1 | h)", 0.25, 0.75, 0) == [0.25, 0.75, 0]


def test_columns_whose_means_would_be_swept_out_are_centred_as_a_whole() -> None:
    assert shares("y ~ 0 + a + (1 | h) + (1 | g)", 0.25, 0.25) == [0, 0]
    assert shares("y ~ a + (1 | r) + (0 + a | g)", 0.25, 0.75) == [0, 1]  # no factor around it


def test_the_outermost_centred_factor_has_the_intercept() -> None:
    formula = "y ~ a + (1 | r) + (1 | g) + (1 | h)"  # 24, 8 and 4 levels
    for seen, place in (((0.25, 0.75, 0), slice(24, 32)), ((1, 0, 0), slice(24)), ((0.25, 0, 1), slice(32, 36))):
        found = nested(formula, *seen)[1]
        expected = np.zeros(36)
        expected[place] = 1
        np.testing.assert_array_equal(found.level_X[:, 0], expected)
        assert found.in_rows.tolist() == [False, True]


def means(found: Centering, b: Array, design: Design) -> list[Array]:
    """The mean of each factor's effects [..., M, J]."""
    made, j, c = [], 0, 0
    for group in design.groups:
        mean = np.zeros((*b.shape[:-1], len(group.terms), group.n_levels))
        mean[..., 0, :] = b @ found.level_X[j : j + group.n_levels].T
        for m, k in enumerate(found.slopes[c : c + len(group.terms)]):
            mean[..., m, :] += b[..., k, np.newaxis] if k >= 0 else 0.0
        j, c = j + group.n_levels, c + len(group.terms)
        made.append(mean)
    return made
