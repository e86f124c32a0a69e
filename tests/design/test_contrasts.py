"""Contrasts: values against R's, columns on other rows, what is spanned, what is refused.

The values are those of contr.poly, contr.helmert, contr.sum (R 4.2.2) and MASS::contr.sdif (7.3-58), to the digits
printed, and to rounding where they are fractions.
"""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from hierfit.design.axes import contrasts_of
from hierfit.design.building import build_design
from hierfit.design.contrasts import contrast_columns
from hierfit.design.learnt_terms import LearntTerms, learnt_terms
from hierfit.design.terms import columns_on
from hierfit.errors import UsageError
from hierfit.model.contrasts import ContrastKind, LevelContrasts
from hierfit.model.formula_text import parse_formula
from hierfit.model.roles import Roles
from hierfit.plain import from_plain, to_plain
from tests.design.test_terms import text_columns_of

ABCD = ("a", "b", "c", "d")
OF_R = {
    "treatment": (("b", "c", "d"), [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    "sum": (("S.a", "S.b", "S.c"), [[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -1, -1]]),
    "helmert": (("H.b", "H.c", "H.d"), [[-1, -1, -1], [1, -1, -1], [0, 2, -1], [0, 0, 3]]),
    "poly": (
        (".L", ".Q", ".C"),
        [
            [-0.67082039324993692, 0.5, -0.22360679774997891],
            [-0.22360679774997896, -0.5, 0.67082039324993681],
            [0.22360679774997896, -0.5, -0.67082039324993692],
            [0.67082039324993692, 0.5, 0.22360679774997899],
        ],
    ),
    "sdif": (
        ("b-a", "c-b", "d-c"),
        [[-0.75, -0.5, -0.25], [0.25, -0.5, -0.25], [0.25, 0.5, -0.25], [0.25, 0.5, 0.75]],
    ),
}
FIFTH = [0.11952286093343928, -0.47809144373375756, 0.71713716560063634, -0.47809144373375728, 0.11952286093343928]
KINDS = [ContrastKind(kind) for kind in OF_R]
OWN = LevelContrasts(
    ContrastKind.CUSTOM,
    "own.csv",
    ("high", "low", "mid"),
    (2, 3, 4),
    ("some", "more"),
    ((1 / 3, 0.5), (-2 / 3, 0), (1 / 3, -0.5)),
)

N = 60
RNG = np.random.default_rng(7)
WORDS = {
    "dose": RNG.choice(["mid", "low", "high"], N),
    "sex": RNG.choice(["f", "m"], N),
    "g": RNG.choice(list("uvwxyz"), N),
}
NUMBERS = {"y": RNG.normal(size=N), "x": RNG.normal(2, 1, N), "k": RNG.integers(1, 4, N).astype(float)}
TABLE = text_columns_of(WORDS, NUMBERS)
ORDER = {"dose": ("low", "mid", "high")}
FORMULAS = [
    "y ~ dose",
    "y ~ dose * x",
    "y ~ x + dose:x",
    "y ~ dose * sex",
    "y ~ sex + dose:sex",
    "y ~ dose * sex * x",
    "y ~ dose + I(x**2) + C(k):dose",
]
ALL = [*(LevelContrasts(kind) for kind in KINDS), OWN]


def design_of(text, contrasts, levels=ORDER, **further):
    return build_design(
        parse_formula(text), TABLE, roles=Roles(levels=levels, contrasts={"dose": contrasts}, **further)
    )


@pytest.mark.parametrize("kind", OF_R)
def test_the_values_are_those_of_r(kind) -> None:
    names, values = contrast_columns(LevelContrasts(ContrastKind(kind)), ABCD)
    assert names == OF_R[kind][0]
    np.testing.assert_allclose(values, OF_R[kind][1], rtol=1e-14, atol=1e-15)


def test_polynomials_of_many_levels_are_orthonormal_and_those_beyond_the_third_are_called_by_their_power() -> None:
    names, values = contrast_columns(LevelContrasts(ContrastKind.POLY), "abcde")
    assert names == (".L", ".Q", ".C", "^4")
    np.testing.assert_allclose(values[:, 3], FIFTH, rtol=1e-13)
    names, values = contrast_columns(LevelContrasts(ContrastKind.POLY), [str(level) for level in range(40)])
    assert names[-1] == "^39" and (values[-1] > 0).all()
    np.testing.assert_allclose(values.T @ values, np.eye(39), atol=1e-13)
    np.testing.assert_allclose(values.sum(axis=0), 0, atol=1e-13)
    assert contrast_columns(LevelContrasts(ContrastKind.POLY), "ab")[1].ravel().tolist() == pytest.approx(
        [-(0.5**0.5), 0.5**0.5]
    )


@pytest.mark.parametrize(
    ("kind", "weights"),
    [  # what the coefficients are of the means of a, b, c, d: R's help says it so
        ("treatment", [[-1, 1, 0, 0], [-1, 0, 1, 0], [-1, 0, 0, 1]]),
        ("sum", np.eye(4)[:3] - 0.25),
        ("helmert", [[-1 / 2, 1 / 2, 0, 0], [-1 / 6, -1 / 6, 1 / 3, 0], [-1 / 12, -1 / 12, -1 / 12, 1 / 4]]),
        ("sdif", [[-1, 1, 0, 0], [0, -1, 1, 0], [0, 0, -1, 1]]),
    ],
)
def test_the_coefficients_compare_what_is_said_of_them(kind, weights) -> None:
    _, values = contrast_columns(LevelContrasts(ContrastKind(kind)), ABCD)
    solved = np.linalg.inv(np.column_stack([np.ones(4), values]))
    np.testing.assert_allclose(solved[1:], weights, atol=1e-15)


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("contrasts", ALL, ids=lambda own: own.kind.value)
def test_whatever_the_contrasts_the_model_is_the_same(text, contrasts) -> None:
    """On the rows of the fit and on others, the same linear map leads from one coding to the other."""
    plain, coded = design_of(text, LevelContrasts(ContrastKind.TREATMENT)), design_of(text, contrasts)
    assert len(plain.coefficients) == len(coded.coefficients)
    one, other = (np.column_stack([np.ones(N), made.X]) for made in (plain, coded))
    turned, *_ = np.linalg.lstsq(other, one, rcond=None)
    np.testing.assert_allclose(other @ turned, one, atol=1e-10)
    for level in ORDER["dose"]:
        rows = text_columns_of(
            {**WORDS, "dose": np.full(N, level)}, {**NUMBERS, "x": NUMBERS["x"][::-1] + 3, "k": NUMBERS["k"]}
        )
        on = [np.column_stack([np.ones(N), columns_on(made.terms, rows)]) for made in (plain, coded)]
        np.testing.assert_allclose(on[1] @ turned, on[0], atol=1e-9)


@pytest.mark.parametrize("contrasts", ALL, ids=lambda own: own.kind.value)
def test_they_are_stored_with_what_a_run_learnt(contrasts) -> None:
    made = design_of("y ~ dose * x + (1 + dose | g)", contrasts)
    learnt = from_plain(LearntTerms, json.loads(json.dumps(to_plain(learnt_terms(made)))))
    np.testing.assert_array_equal(columns_on(learnt.population, TABLE), made.X)
    np.testing.assert_array_equal(columns_on(learnt.groups[0], TABLE), made.groups[0].Z[:, 1:])
    few = replace(
        TABLE, labels={**TABLE.labels, "dose": np.zeros(N, np.int32)}, levels={**TABLE.levels, "dose": ("mid",)}
    )
    row = int(np.argmax(WORDS["dose"] == "mid"))
    np.testing.assert_array_equal(columns_on(learnt.population[:1], few), np.tile(made.X[row, :2], (N, 1)))


def test_names_say_what_is_compared_and_whole_interactions_have_all_levels() -> None:
    made = design_of("y ~ dose * x + (1 + dose | g)", LevelContrasts(ContrastKind.POLY))
    assert made.coefficients == ("dose[.L]", "dose[.Q]", "x", "dose[.L]:x", "dose[.Q]:x")
    assert made.groups[0].terms == ("Intercept", "dose[.L]", "dose[.Q]")
    assert made.references == {} and contrasts_of(made.all_terms)["dose"][1] == ORDER["dose"]
    made = design_of("y ~ x + dose:x", LevelContrasts(ContrastKind.SDIF))
    assert made.coefficients == ("x", "dose[mid-low]:x", "dose[high-mid]:x")
    made = design_of("y ~ dose + dose:x", OWN)
    assert made.coefficients == ("dose[some]", "dose[more]", "dose[low]:x", "dose[mid]:x", "dose[high]:x")


def test_the_values_of_a_file_are_those_of_the_level_of_their_line_whatever_the_order() -> None:
    wanted = {level: row for level, row in zip(OWN.levels, OWN.matrix, strict=True)}
    for order in (ORDER, {"dose": ("high", "mid", "low")}, {}):
        made = design_of("y ~ dose", OWN, order)
        np.testing.assert_array_equal(made.X, [wanted[level] for level in WORDS["dose"].tolist()])


def test_without_a_stated_order_it_is_that_of_the_alphabet_and_treatment_has_its_reference() -> None:
    made = design_of("y ~ dose", LevelContrasts(ContrastKind.SDIF), {})
    assert made.coefficients == ("dose[low-high]", "dose[mid-low]")
    plain = design_of("y ~ dose", LevelContrasts(ContrastKind.TREATMENT), references={"dose": "mid"})
    assert plain.coefficients == ("dose[low]", "dose[high]") and plain.references == {"dose": "mid"}


def test_other_parameters_and_numbers_with_stated_levels_have_them_too() -> None:
    roles = Roles(levels={"k": ("3", "2", "1")}, contrasts={"k": LevelContrasts(ContrastKind.SDIF)})
    table = replace(TABLE, numbers={name: NUMBERS[name] for name in "xy"})
    labels = {"k": (NUMBERS["k"] - 1).astype(np.int32)}
    table = replace(table, labels={**table.labels, **labels}, levels={**table.levels, "k": ("1", "2", "3")})
    made = build_design(parse_formula("y ~ x; sigma ~ k"), table, roles=roles)
    assert made.distributional[0].coefficients == ("Intercept", "k[2-3]", "k[1-2]")


@pytest.mark.parametrize(
    ("text", "column", "contrasts", "said", "hint"),
    [
        ("y ~ dose", "dsoe", OWN, "'dsoe' is no predictor. Did you mean 'dose'?", "predictors of words: dose"),
        ("y ~ dose + k", "k", OWN, "'k' is a column of numbers.", "--levels k=1,2,3"),
        ("y ~ dose + x", "x", OWN, "'x' is a column of numbers.", r"poly\(x, 2\)"),
        ("y ~ S(dose)", "dose", OWN, "stands within calls only", "write dose by itself"),
        ("y ~ 0 + dose", "dose", OWN, "every level of 'dose' has a coefficient of its own", "have an intercept"),
        ("y ~ sex", "sex", OWN, "own.csv has no line for the level '[fm]', which line", "f, m"),
    ],
)
def test_what_has_no_contrasts_is_refused(text, column, contrasts, said, hint) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        build_design(parse_formula(text), TABLE, roles=Roles(contrasts={column: contrasts}))
    assert caught.value.message.startswith(f"--contrasts {column}=own.csv: ")
    assert re.search(hint, caught.value.hint or "")


def test_a_line_of_no_row_and_a_reference_beside_are_refused() -> None:
    more = replace(OWN, levels=("high", "low", "md", "mid"), lines=(2, 3, 4, 5))
    with pytest.raises(UsageError, match=r"own.csv, line 4: no row holds the level 'md'"):
        design_of("y ~ dose", more)
    less = replace(OWN, levels=("high", "low", "mit"))
    with pytest.raises(UsageError, match=r"no line for the level 'mid', which .* Did you mean 'mit'\?"):
        design_of("y ~ dose", less)
    with pytest.raises(UsageError, match="compare with no reference level"):
        design_of("y ~ dose", OWN, references={"dose": "mid"})
