import pytest

from hierfit.errors import FormulaError
from hierfit.model.formula import Formula, GroupTerm, formula_from_dict, formula_from_flags


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
    from dataclasses import asdict

    formula = Formula("y", ("a", "b"), (GroupTerm("g", True, ("a", "c"), False), GroupTerm("h")), False)
    assert formula.numeric_columns == ("y", "a", "b", "c")
    assert formula.factors == ("g", "h")
    assert formula_from_dict(asdict(formula)) == formula
