from dataclasses import replace

import numpy as np
import pytest

from hierfit.model.centering import center
from hierfit.model.design import Design, build_design
from hierfit.model.formula_text import parse_formula
from hierfit.model.scaling import scaled_columns, scaled_varying
from tests.model.cases import table


def made(formula: str, effect: float = 3.0, rows: int = 200, levels: int = 20) -> Design:
    """y = effect of g + noise of sd 1; `size` is constant within g."""
    rng = np.random.default_rng(4)
    source = table(rows, levels)
    codes = source.labels["g"]
    numbers = {**source.numbers, "size": rng.normal(5, 2, levels)[codes]}
    numbers["y"] = effect * rng.normal(size=levels)[codes] + rng.normal(size=rows)
    half = (np.arange(rows) // 7 % 6).astype(np.int32)
    source = replace(
        source,
        numbers=numbers,
        labels={**source.labels, "h": half},
        levels={**source.levels, "h": tuple("uvwxyz")},
    )
    return build_design(parse_formula(formula), source)


@pytest.mark.parametrize(("effect", "centered"), [(3.0, True), (0.1, False)])
def test_a_factor_is_centred_where_its_rows_say_more_than_its_spread(effect: float, centered: bool) -> None:
    assert center(made("y ~ a + (1 | g)", effect)).centered == (centered,)


def test_one_row_for_each_level_says_too_little() -> None:
    assert center(made("y ~ a + (1 | g)", 3.0, rows=20)).centered == (False,)


@pytest.mark.parametrize(("shown", "centered"), [(16, True), (10, False)])
def test_levels_without_a_success_say_too_little(shown: int, centered: bool) -> None:
    """Ten rows for each of 20 levels, half of them ones in the first so many levels and none in the others."""
    design = made("y ~ a + (1 | g)")
    codes = design.groups[0].codes
    y = ((codes < shown) & (np.arange(200) // 20 % 2 == 0)) * (codes % 3 + 1.0)
    counts = replace(design, y=y, family="poisson", link="log")
    assert center(counts).centered == (centered,)
    whole = replace(counts, y=np.where(codes < shown, np.minimum(y, 3.0), 3.0), family="binomial", link="logit")
    assert center(replace(whole, trials=np.full(200, 3.0))).centered == (centered,)


def test_without_a_varying_intercept_nothing_is_centred() -> None:
    made_ = center(made("y ~ a + (0 + a | g)"))
    assert (made_.centered, made_.slopes, made_.in_rows.all()) == ((False,), (-1,), True)


def test_coefficients_go_where_they_belong() -> None:
    """Intercept and what is constant within g into its mean, the varying slope too; b stays in the rows."""
    found = center(made("y ~ a + b + size + (1 + a | g) + (1 | h)"))
    assert found.centered == (True, True, False)
    assert found.in_rows.tolist() == [False, False, True, False]
    assert found.slopes == (-1, 1, -1)
    assert (found.level_X[20:] == 0).all() and (found.level_X[:20, 2] == 0).all()


def test_a_column_far_from_zero_stays_in_the_rows() -> None:
    design = made("y ~ a + (1 + a | g)")
    far = replace(design, X=design.X + 1e4)
    far = replace(far, groups=(replace(far.groups[0], Z=far.groups[0].Z + np.array([0, 1e4])),))
    assert center(far).in_rows.tolist() == [False, True]


@pytest.mark.parametrize(
    "formula", ["y ~ a + b + size + (1 + a | g) + (1 | h)", "y ~ size + (1 | g)", "y ~ 0 + a + (1 + a || g)"]
)
def test_the_linear_predictor_is_the_same(formula: str) -> None:
    """X b + Z u is (what is left of X) b + Z w, w = u + mean."""
    design = made(formula)
    rng = np.random.default_rng(1)
    X, found = scaled_columns(design), center(design)
    b = rng.normal(size=(3, X.shape[1]))
    plain, moved = b @ X.T, (b * found.in_rows) @ X.T
    for group, mean in zip(design.groups, found.means(b, design), strict=True):
        Z, u = scaled_varying(group), rng.normal(size=(3, len(group.terms), group.n_levels))
        plain = plain + np.einsum("smn,nm->sn", u[..., group.codes], Z)
        moved = moved + np.einsum("smn,nm->sn", (u + mean)[..., group.codes], Z)
    np.testing.assert_allclose(moved, plain, atol=1e-9)
