"""Tree of a formula -> refused where formulae would read something else, or leave something out in silence."""

from __future__ import annotations

from typing import Any

from hierfit.errors import FormulaError, did_you_mean
from hierfit.model.grammar import INTERCEPT
from hierfit.model.masking import plain_name, unmask
from hierfit.model.term_arguments import check_arguments

# What a term may call: formulae's own, and numpy's by their names.
TRANSFORMS = ("poly", "bs", "scale", "standardize", "center", "C", "T", "S", "Treatment", "I")
NUMPY_FUNCTIONS = ("log", "log2", "log10", "log1p", "exp", "sqrt", "abs")

EXAMPLE = "for example 'score ~ ses * sector + (1 + ses | school)'"
_OF_LEVELS = ("C", "T", "S")
_CODINGS = "codings: C(x) and C(x, Treatment('level')) compare with one level, S(x) with the mean of all"
_ELSEWHERE = {
    "offset": "write + offset(log(minutes)) outside brackets, or give the column with --offset",
    "weights": "give the column with --weights",
    "trials": "give the column with --trials",
    "factor": "write C(x): numbers as categories",
    "as.factor": "write C(x): numbers as categories",
    "s": "write bs(x, df=5): a spline",
    **dict.fromkeys(("Poly", "Sum", "Helmert", "Diff"), _CODINGS),
}
COMPARISONS = {mark: "write I(x > 2) for a comparison" for mark in ("==", "!=", "<", "<=", ">", ">=")}
_OPERATORS = ("PLUS", "MINUS", "STAR", "SLASH", "COLON", "STAR_STAR")


def check_terms(tree: Any, text: str) -> None:
    """Refuse what is no term, which formulae would read as something else or leave out."""
    kind = type(tree).__name__
    if kind == "Call":
        _check_call(tree, text)
    elif kind == "Literal" and (type(tree.value) is not int or tree.value not in (0, 1)):
        raise FormulaError(f"'{unmask(str(tree.lexeme or tree.value))}' in '{text}' is no term.", hint=EXAMPLE)
    elif kind == "Variable" and tree.level is not None:
        raise FormulaError(
            f"'{unmask(tree.name.lexeme)}[...]' in '{text}' is no term.",
            hint="--reference COLUMN=LEVEL names the level that the others are compared with",
        )
    elif kind == "Variable" and plain_name(tree.name.lexeme) == INTERCEPT:
        raise FormulaError(f"'{INTERCEPT}' in '{text}' is no column.", hint="the intercept is written 1, its absence 0")
    elif kind in ("Grouping", "Unary"):
        check_terms(tree.expression if kind == "Grouping" else tree.right, text)
    elif kind == "Binary":
        if tree.operator.kind not in _OPERATORS:
            mark = tree.operator.lexeme
            raise FormulaError(f"'{mark}' joins no terms in '{text}'.", hint=COMPARISONS.get(mark, EXAMPLE))
        if tree.operator.kind == "STAR_STAR" and type(tree.left).__name__ != "Grouping":
            raise FormulaError(f"a power in '{text}' is of no brackets.", hint="write I(x**2) for the square of x")
        check_terms(tree.left, text)
        if tree.operator.kind != "STAR_STAR":
            check_terms(tree.right, text)
    elif kind == "Assign":
        raise FormulaError(f"a '=' in '{text}' stands outside a call.", hint=EXAMPLE)


def _check_call(tree: Any, text: str) -> None:
    """Refuse functions that are none of ours, in a call and in its arguments, and -x**2, which formulae squares."""
    if type(getattr(tree, "left", None)).__name__ == "Unary" and tree.operator.kind == "STAR_STAR":
        raise FormulaError(f"a power in '{text}' is of a sign.", hint="write -(x**2) or (-x)**2")
    if type(tree).__name__ == "Call":
        name, known = unmask(tree.callee.name.lexeme), (*TRANSFORMS, *NUMPY_FUNCTIONS)
        if name not in known:
            near = "" if name in _ELSEWHERE else did_you_mean(name, known)
            raise FormulaError(
                f"'{name}(...)' in '{text}' is no function that a term can use.{near}",
                hint=_ELSEWHERE.get(name, f"functions: {', '.join(known)}"),
            )
        for argument in tree.args[1:] if name in _OF_LEVELS else ():
            if type(argument).__name__ == "Variable":
                raise FormulaError(
                    f"'{unmask(argument.name.lexeme)}' in '{text}' is neither a level nor a coding of levels.",
                    hint=f"write levels in quotes; {_CODINGS}",
                )
    for inner in ("left", "right", "expression", "value"):
        _check_inner(getattr(tree, inner, None), text)
    for argument in getattr(tree, "args", ()):
        _check_inner(argument, text)
    if type(tree).__name__ == "Call":
        check_arguments(unmask(tree.callee.name.lexeme), tree.args, text)


def _check_inner(tree: Any, text: str) -> None:
    if hasattr(tree, "accept"):
        _check_call(tree, text)
