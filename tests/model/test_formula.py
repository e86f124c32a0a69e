import pytest

from hierfit.errors import FormulaError
from hierfit.model.formula import Formula, GroupTerm, formula_from_flags
from hierfit.model.formula_text import parse_formula
from hierfit.plain import from_plain, to_plain


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ({"x": ["ses"]}, "score ~ 1 + ses + (1 | school)"),
        ({"x": []}, "score ~ 1 + (1 | school)"),
        ({"x": ["ses", "age", "ses"]}, "score ~ 1 + ses + age + (1 | school)"),
        ({"x": ["ses"], "slopes": ["ses"]}, "score ~ 1 + ses + (1 + ses | school)"),
        ({"x": [], "slopes": ["ses"]}, "score ~ 1 + ses + (1 + ses | school)"),
        ({"x": ["ses"], "slopes": ["ses"], "correlated": False}, "score ~ 1 + ses + (1 + ses || school)"),
        ({"x": ["ses"], "slopes": ["ses"], "varying_intercept": False}, "score ~ 1 + ses + (0 + ses | school)"),
        ({"x": ["ses"], "correlated": False}, "score ~ 1 + ses + (1 | school)"),
    ],
)
def test_flags_become_the_lme4_text(flags: dict[str, object], text: str) -> None:
    assert str(formula_from_flags("score", group="school", **flags)) == text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ({"group": ["school", "district"]}, "score ~ 1 + (1 | school) + (1 | district)"),
        ({"group": ["school", "school"]}, "score ~ 1 + (1 | school)"),
        (
            {"x": ["age"], "group": ["school", "district"], "slopes": ["ses:school"]},
            "score ~ 1 + age + ses + (1 + ses | school) + (1 | district)",
        ),
        (
            {"group": ["school", "district"], "slopes": ["ses:school", "ses:district", "age:district"]},
            "score ~ 1 + ses + age + (1 + ses | school) + (1 + ses + age | district)",
        ),
        ({"group": ["school"], "slopes": ["ses:school"]}, "score ~ 1 + ses + (1 + ses | school)"),
        (
            {"group": ["school", "district"], "slopes": ["ses:school"], "correlated": False},
            "score ~ 1 + ses + (1 + ses || school) + (1 | district)",
        ),
        (
            {"x": ["family income", "_a", "2nd"], "group": "my school"},
            "score ~ 1 + `family income` + `_a` + `2nd` + (1 | `my school`)",
        ),
        ({"x": ["True"], "group": ["a:b"]}, "score ~ 1 + `True` + (1 | `a:b`)"),
        ({"group": ["a:b"], "slopes": ["x"]}, "score ~ 1 + x + (1 + x | `a:b`)"),
    ],
)
def test_several_groups_and_odd_names(flags: dict[str, object], text: str) -> None:
    formula = formula_from_flags("score", **{"x": [], **flags})  # type: ignore[arg-type]
    assert str(formula) == text
    assert parse_formula(text) == formula


@pytest.mark.parametrize(
    ("flags", "words", "hint"),
    [
        ({"group": ["g", "h"], "slopes": ["x"]}, "--slope x does not say for which of g and h", "--slope x:g"),
        ({"group": ["grp", "h"], "slopes": ["x:gpr"]}, "'gpr' is not a --group. Did you mean 'grp'?", "--slope x:grp"),
        ({"group": ["g"], "slopes": ["x:h"]}, "'h' is not a --group", "--slope x:g"),
        (
            {"group": ["g", "h"], "slopes": ["x:g"], "varying_intercept": False},
            "nothing varies between the groups of 'h'",
            "leave out --group h",
        ),
        ({"varying_intercept": False}, "no --group is given", "--group COLUMN"),
    ],
)
def test_slopes_of_no_group_are_refused(flags: dict[str, object], words: str, hint: str) -> None:
    with pytest.raises(FormulaError) as caught:
        formula_from_flags("y", [], **flags)  # type: ignore[arg-type]
    assert words in caught.value.message
    assert hint in str(caught.value.hint)


def test_a_slope_of_a_text_column_says_that_it_is_uncorrelated() -> None:
    """One term, but a column for each level: the text must not hide what is estimated."""
    assert str(GroupTerm("g", False, ("treatment",), False)) == "(0 + treatment || g)"
    assert str(GroupTerm("g", True, (), False)) == "(1 | g)"


def test_without_a_group_it_is_a_plain_regression() -> None:
    assert str(formula_from_flags("score", ["ses"], None)) == "score ~ 1 + ses"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("y", ["y"], "g"), "both the outcome"),
        (("y", ["x"], "y"), "both the outcome"),
        (("y", ["x"], None, ["x"]), "no --group"),
    ],
)
def test_contradictions_are_refused(arguments: tuple[object, ...], words: str) -> None:
    with pytest.raises(FormulaError, match=words):
        formula_from_flags(*arguments)  # type: ignore[arg-type]


def test_nothing_that_varies_is_refused() -> None:
    with pytest.raises(FormulaError, match="nothing varies"):
        formula_from_flags("y", ["x"], "g", varying_intercept=False)


def test_columns_are_listed_once_and_survive_storing() -> None:

    formula = Formula("y", ("a", "b"), (GroupTerm("g", True, ("a", "c"), False), GroupTerm("h")), False)
    assert formula.predictors == ("a", "b", "c")
    assert formula.factors == ("g", "h")
    assert from_plain(Formula, to_plain(formula)) == formula


def test_columns_in_c_are_categorical() -> None:
    formula = Formula(
        "y", ("C(grade)", "C(`year of birth`, Treatment(1990)):a", "b"), (GroupTerm("g", True, ("C(h)",)),)
    )
    assert formula.categorical == ("grade", "year of birth", "h")
