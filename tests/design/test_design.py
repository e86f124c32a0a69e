from dataclasses import replace

import numpy as np
import pytest

from hierfit.data.table import Table
from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.errors import DataError, UsageError
from hierfit.model.formula import formula_from_flags
from hierfit.model.formula_text import parse_formula
from hierfit.model.roles import Roles
from tests.model.cases import crossed_table, design, table


def test_columns_are_laid_out_in_the_units_of_the_file() -> None:
    made, source = design(), table()
    assert made.coefficients == ("a", "b")
    np.testing.assert_array_equal(made.X, np.column_stack([source.numbers["a"], source.numbers["b"]]))
    group = made.group("g")
    assert group.terms == ("Intercept", "a") and group.correlated
    np.testing.assert_array_equal(group.Z[:, 0], np.ones(40))
    np.testing.assert_array_equal(group.Z[:, 1], source.numbers["a"])
    assert group.n_levels == 8 and group.rows_per_level.tolist() == [5] * 8


def test_a_single_varying_column_has_no_correlation() -> None:
    assert not design(formula_from_flags("y", ["a"], "g")).group("g").correlated


def test_means_are_subtracted_only_where_an_intercept_takes_them_up() -> None:
    np.testing.assert_allclose(design().x_mean, design().X.mean(axis=0))
    np.testing.assert_array_equal(design(centered=False).x_mean, 0)
    without = replace(formula_from_flags("y", ["a"], "g"), intercept=False)
    assert design(without).x_mean.tolist() == [0] and design(without).y_mean == 0


def test_huge_offsets_keep_their_small_differences() -> None:
    source = table()
    shifted = replace(source, numbers={**source.numbers, "y": np.arange(40) * 0.25 + 1e12})
    made = build_design(formula_from_flags("y", ["a"], "g"), shifted)
    np.testing.assert_allclose(made.y - made.y_mean, (np.arange(40) - 19.5) * 0.25, atol=1e-3)
    assert made.y_scale == pytest.approx(np.std(np.arange(40) * 0.25, ddof=1), rel=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": np.full(40, 3.0)}, "column 'y': all 40 values are 3"),
        ({"a": np.full(40, 2.5)}, "column 'a': all 40 values are 2.5"),
        ({"b": 3 - 2 * table().numbers["a"]}, "column 'b' is a sum of multiples"),
    ],
)
def test_columns_that_say_nothing_are_refused(change: dict[str, np.ndarray], words: str) -> None:
    source = table()
    with pytest.raises(DataError, match=words):
        build_design(formula_from_flags("y", ["a", "b"], "g"), replace(source, numbers={**source.numbers, **change}))


def test_one_group_is_refused() -> None:
    with pytest.raises(DataError, match="all 6 rows have the label 'g0'"):
        design(formula_from_flags("y", ["a"], "g"), rows=6, levels=1)


def test_more_coefficients_than_rows_are_refused() -> None:
    with pytest.raises(DataError, match="3 complete rows; 2 predictors need at least 4"):
        design(rows=3, levels=3)


# --- text columns, several factors, further roles -------------------------------------------------------------------

TREATMENT = np.array(["placebo", "high", "low", "high", "placebo"] * 8)


def wide_table() -> Table:
    """Return the crossed table with the text column `treatment`, and with numbers n, t and w."""
    source, levels = crossed_table(), ("placebo", "high", "low")
    codes = np.array([levels.index(level) for level in TREATMENT], dtype=np.int32)
    further = {"n": np.full(40, 50.0), "t": np.linspace(-1, 1, 40), "w": np.linspace(0.5, 2, 40)}
    return replace(
        source,
        numbers={**source.numbers, **further},
        labels={**source.labels, "treatment": codes},
        levels={**source.levels, "treatment": levels},
    )


def built(text: str, **roles: object) -> Design:
    return build_design(parse_formula(text), wide_table(), roles=Roles(**roles))  # type: ignore[arg-type]


def test_a_text_column_that_varies_gives_a_column_for_every_level_but_the_reference() -> None:
    made = built("y ~ a + treatment + (1 + treatment | g) + (0 + treatment | h)", references={"treatment": "placebo"})
    assert made.coefficients == ("a", "treatment[high]", "treatment[low]")
    group, other = made.groups
    assert group.terms == ("Intercept", "treatment[high]", "treatment[low]") and group.correlated
    np.testing.assert_array_equal(
        group.Z, np.column_stack([np.ones(40), TREATMENT == "high", TREATMENT == "low"]).astype(float)
    )
    # Without an intercept, every level varies.
    assert other.terms == ("treatment[placebo]", "treatment[high]", "treatment[low]")
    np.testing.assert_array_equal(other.Z.sum(axis=1), 1)
    assert made.references == {"treatment": "placebo"}
    assert built("y ~ treatment").references == {"treatment": "high"}
    assert built("y ~ treatment").coefficients == ("treatment[low]", "treatment[placebo]")


def test_what_varies_follows_the_stated_order() -> None:
    levels = {"treatment": ("placebo", "low", "high")}
    made = built("y ~ treatment + (1 + treatment | g) + (0 + treatment | h)", levels=levels)
    assert made.coefficients == ("treatment[low]", "treatment[high]")
    assert made.groups[0].terms == ("Intercept", "treatment[low]", "treatment[high]")
    assert made.groups[1].terms == ("treatment[placebo]", "treatment[low]", "treatment[high]")
    assert (made.levels, made.references) == (levels, {"treatment": "placebo"})
    # a reference that is named too: the others keep their order
    made = built("y ~ treatment", levels=levels, references={"treatment": "low"})
    assert made.coefficients == ("treatment[placebo]", "treatment[high]")
    assert (made.levels, made.references) == (levels, {"treatment": "low"})
    # with every level there, none is compared with
    assert built("y ~ 0 + treatment", levels=levels).references == {}


def test_an_order_of_a_group_is_refused() -> None:
    with pytest.raises(UsageError, match="'g' is neither the outcome nor a predictor"):
        built("y ~ treatment + (1 | g)", levels={"g": ("g1", "g2")})


def test_two_bars_keep_several_columns_of_one_term_apart() -> None:
    assert built("y ~ (0 + treatment | g)").group("g").correlated
    assert not built("y ~ (0 + treatment || g)").group("g").correlated
    assert not built("y ~ (a || g)").group("g").correlated
    assert not built("y ~ (1 | g)").group("g").correlated


def test_a_reference_of_no_predictor_is_refused() -> None:
    with pytest.raises(UsageError, match="'g' is not a text column among the predictors"):
        built("y ~ treatment + (1 | g)", references={"g": "g1"})


def combinations(*columns: str) -> list[str]:
    source = wide_table()
    cells = [[source.levels[name][code] for code in source.labels[name]] for name in columns]
    return [":".join(row) for row in zip(*cells, strict=True)]


@pytest.mark.parametrize("columns", [("g", "h"), ("h", "g"), ("g", "treatment"), ("treatment", "h", "g")])
def test_levels_of_a_factor_of_several_columns_are_the_combinations_that_occur(columns: tuple[str, ...]) -> None:
    factor = ":".join(columns)
    group = built(f"y ~ (1 | {factor})").group(factor)
    rows = combinations(*columns)
    assert group.labels == tuple(dict.fromkeys(rows))  # in order of first appearance
    assert [group.labels[code] for code in group.codes] == rows
    assert group.codes.dtype == np.int32
    assert group.rows_per_level.min() >= 1


def test_combinations_that_do_not_occur_are_no_levels() -> None:
    assert (
        built("y ~ (1 | treatment:h:g)").groups[0].n_levels == len(set(combinations("treatment", "h", "g"))) < 3 * 5 * 8
    )


def test_nested_factors() -> None:
    made = built("y ~ (1 + a | g/h)")
    assert [group.factor for group in made.groups] == ["g", "g:h"]
    assert [group.terms for group in made.groups] == [("Intercept", "a")] * 2
    inner, outer = made.groups[1], made.groups[0]
    for code, label in enumerate(inner.labels):  # each inner level lies in one outer level
        (of,) = set(outer.codes[inner.codes == code].tolist())
        assert label.split(":")[0] == outer.labels[of]


def test_offset_weights_and_trials_are_taken_from_their_columns() -> None:
    made = built("y ~ a + (1 | g)", offset="t", weights="w")
    np.testing.assert_array_equal(made.offset, wide_table().numbers["t"])
    np.testing.assert_array_equal(made.weights, wide_table().numbers["w"])
    assert made.trials is None
    source = wide_table()
    counts = replace(source, numbers={**source.numbers, "y": np.arange(40.0)})
    successes = build_design(parse_formula("y ~ a"), counts, family="binomial", link="probit", roles=Roles(trials="n"))
    np.testing.assert_array_equal(successes.trials, np.full(40, 50.0))
    assert (successes.family, successes.link) == ("binomial", "probit")


def test_every_level_may_have_a_mean_where_there_is_no_intercept() -> None:
    assert len(built("y ~ 0 + treatment + (1 | g)").coefficients) == 3


@pytest.mark.parametrize("weights", [np.full(40, -1.0), np.zeros(40)], ids=["negative", "all 0"])
def test_weights_that_cannot_be_are_refused(weights: np.ndarray) -> None:
    source = wide_table()
    with pytest.raises(DataError, match="'w'"):
        build_design(
            parse_formula("y ~ a"), replace(source, numbers={**source.numbers, "w": weights}), roles=Roles(weights="w")
        )


def test_a_varying_slope_of_a_constant_column_is_refused() -> None:
    with pytest.raises(DataError, match="'n'"):
        built("y ~ a + (1 + n | g)")


def test_combined_labels_are_different() -> None:
    source, codes = wide_table(), (np.arange(40) % 2).astype(np.int32)
    made = replace(
        source,
        labels={**source.labels, "p": codes, "q": codes},
        levels={**source.levels, "p": ("x:y", "x"), "q": ("z", "y:z")},
    )
    labels = build_design(parse_formula("y ~ a + (1 | p:q)"), made).groups[0].labels
    assert len(set(labels)) == 2
