"""Text in lme4's grammar becomes a Formula, and its own text becomes the same one again; the rest is refused."""

import pytest

from hierfit.errors import FormulaError
from hierfit.model.formula import Formula, GroupTerm
from hierfit.model.formula_text import parse_formula, parse_predictor
from hierfit.model.term_checks import NUMPY_FUNCTIONS, TRANSFORMS
from hierfit.model.term_text import columns_in

# text -> its full form, columns of the predictors, columns of the labels, factors
READ = {
    # population
    "y ~ 1": ("y ~ 1", "", "", ""),
    "y ~ 0": ("y ~ 0", "", "", ""),
    "y ~ x": ("y ~ 1 + x", "x", "", ""),
    "y~x+z": ("y ~ 1 + x + z", "x z", "", ""),
    "y ~ 0 + x": ("y ~ 0 + x", "x", "", ""),
    "y ~ x - 1": ("y ~ 0 + x", "x", "", ""),
    "y ~ -1 + x": ("y ~ 0 + x", "x", "", ""),
    "y ~ x + x": ("y ~ 1 + x", "x", "", ""),
    "y ~ x + z - x": ("y ~ 1 + z", "z", "", ""),
    "y ~ (x + z)": ("y ~ 1 + x + z", "x z", "", ""),
    "y ~ a:b": ("y ~ 1 + a:b", "a b", "", ""),
    "y ~ a*b": ("y ~ 1 + a + b + a:b", "a b", "", ""),
    "y ~ a*b - a:b": ("y ~ 1 + a + b", "a b", "", ""),
    "y ~ a/b": ("y ~ 1 + a + a:b", "a b", "", ""),
    "y ~ a*b*c": ("y ~ 1 + a + b + a:b + c + a:c + b:c + a:b:c", "a b c", "", ""),
    "y ~ (a + b + c)^2": ("y ~ 1 + a + b + c + a:b + a:c + b:c", "a b c", "", ""),
    "y ~ (a + b)**2": ("y ~ 1 + a + b + a:b", "a b", "", ""),
    "y ~ x.1 + x_2": ("y ~ 1 + x.1 + x_2", "x.1 x_2", "", ""),
    # calls
    "y ~ poly(age, 2)": ("y ~ 1 + poly(age, 2)", "age", "", ""),
    "y ~ poly(age,2):sex": ("y ~ 1 + poly(age, 2):sex", "age sex", "", ""),
    "y ~ bs(age, df=4)": ("y ~ 1 + bs(age, df=4)", "age", "", ""),
    "y ~ C(x)": ("y ~ 1 + C(x)", "x", "", ""),
    "y ~ C(x, Treatment('a|b~c'))": ("y ~ 1 + C(x, Treatment('a|b~c'))", "x", "", ""),
    'y ~ C(x, Treatment("it")) + (1|g)': ("y ~ 1 + C(x, Treatment('it')) + (1 | g)", "x", "g", "g"),
    "y ~ log(x) + sqrt(z)": ("y ~ 1 + log(x) + sqrt(z)", "x z", "", ""),
    "y ~ x + I(x^2)": ("y ~ 1 + x + I(x ** 2)", "x", "", ""),
    "y ~ {x**2}": ("y ~ 1 + I(x ** 2)", "x", "", ""),
    "y ~ I(x > 2)": ("y ~ 1 + I(x > 2)", "x", "", ""),
    "y ~ I(x / z)": ("y ~ 1 + I(x / z)", "x z", "", ""),
    "y ~ I((x - 3)^2)": ("y ~ 1 + I((x - 3) ** 2)", "x", "", ""),
    "y ~ I(x - (z - 1) * -2)": ("y ~ 1 + I(x - (z - 1) * (-2))", "x z", "", ""),
    "y ~ I(-(x^2) + (x > 1))": ("y ~ 1 + I((-(x ** 2)) + (x > 1))", "x", "", ""),
    "y ~ I((x + z) + 1)": ("y ~ 1 + I(x + z + 1)", "x z", "", ""),
    "y ~ scale(log(x + 1))": ("y ~ 1 + scale(log(x + 1))", "x", "", ""),
    # functions of the outcome, offsets
    "log(y) ~ x": ("log(y) ~ 1 + x", "x", "", ""),
    "sqrt(`my y`) ~ x": ("sqrt(`my y`) ~ 1 + x", "x", "", ""),
    "y ~ offset(z) + x": ("y ~ 1 + x + offset(z)", "x", "", ""),
    "y ~ x + offset(log(`my z`)) + (1|g)": ("y ~ 1 + x + offset(log(`my z`)) + (1 | g)", "x", "g", "g"),
    "y ~ offset(log(z))": ("y ~ 1 + offset(log(z))", "", "", ""),
    # names
    "`my y` ~ `family income`": ("`my y` ~ 1 + `family income`", "family income", "", ""),
    "y ~ `x`": ("y ~ 1 + x", "x", "", ""),
    "y ~ größe": ("y ~ 1 + `größe`", "größe", "", ""),
    "y ~ `größe (cm)`": ("y ~ 1 + `größe (cm)`", "größe (cm)", "", ""),
    "y ~ `名`:x": ("y ~ 1 + `名`:x", "名 x", "", ""),
    "y ~ _x": ("y ~ 1 + `_x`", "_x", "", ""),
    "y ~ `True`": ("y ~ 1 + `True`", "True", "", ""),
    "y ~ `2nd`": ("y ~ 1 + `2nd`", "2nd", "", ""),
    "y ~ if": ("y ~ 1 + if", "if", "", ""),
    "`a~b` ~ `c|d` + `e(` + `f^2` + (1|`g)`)": (
        "`a~b` ~ 1 + `c|d` + `e(` + `f^2` + (1 | `g)`)",
        "c|d,e(,f^2",
        "g)",
        "g)",
    ),
    "y ~ log(`family income`)": ("y ~ 1 + log(`family income`)", "family income", "", ""),
    "y ~ poly(`a b`, 2):`c d`": ("y ~ 1 + poly(`a b`, 2):`c d`", "a b,c d", "", ""),
    "y ~ `a:b` + a:b": ("y ~ 1 + `a:b` + a:b", "a:b,a,b", "", ""),
    # groups
    "y ~ (1|g)": ("y ~ 1 + (1 | g)", "", "g", "g"),
    "y ~ (1|g) + x": ("y ~ 1 + x + (1 | g)", "x", "g", "g"),
    "y ~ x + (1|g) + z + (1|h)": ("y ~ 1 + x + z + (1 | g) + (1 | h)", "x z", "g h", "g h"),
    "y ~ (1|g) - 1": ("y ~ 0 + (1 | g)", "", "g", "g"),
    "y ~ 0 + (1|g)": ("y ~ 0 + (1 | g)", "", "g", "g"),
    "y ~ a*b + (1|g) - a:b": ("y ~ 1 + a + b + (1 | g)", "a b", "g", "g"),
    "\n y ~ x\n + (1 + x |\n\t g)  ": ("y ~ 1 + x + (1 + x | g)", "x", "g", "g"),
    "y ~ (x|g)": ("y ~ 1 + (1 + x | g)", "x", "g", "g"),
    "y ~ (1 + x || g)": ("y ~ 1 + (1 + x || g)", "x", "g", "g"),
    "y ~ (x||g)": ("y ~ 1 + (1 + x || g)", "x", "g", "g"),
    "y ~ (0 + x | g)": ("y ~ 1 + (0 + x | g)", "x", "g", "g"),
    "y ~ (x - 1 | g)": ("y ~ 1 + (0 + x | g)", "x", "g", "g"),
    "y ~ (-1 + x | g)": ("y ~ 1 + (0 + x | g)", "x", "g", "g"),
    "y ~ (1 || g)": ("y ~ 1 + (1 | g)", "", "g", "g"),
    "y ~ (a*b | g)": ("y ~ 1 + (1 + a + b + a:b | g)", "a b", "g", "g"),
    "y ~ (poly(x, 2) | g)": ("y ~ 1 + (1 + poly(x, 2) | g)", "x", "g", "g"),
    "y ~ x + (1|g) + (x|h)": ("y ~ 1 + x + (1 | g) + (1 + x | h)", "x", "g h", "g h"),
    "y ~ (1|g + h)": ("y ~ 1 + (1 | g) + (1 | h)", "", "g h", "g h"),
    "y ~ (1|g*h)": ("y ~ 1 + (1 | g) + (1 | h) + (1 | g:h)", "", "g h", "g h g:h"),
    "y ~ (1|a/b)": ("y ~ 1 + (1 | a) + (1 | a:b)", "", "a b", "a a:b"),
    "y ~ (1|a/b/c)": ("y ~ 1 + (1 | a) + (1 | a:b) + (1 | a:b:c)", "", "a b c", "a a:b a:b:c"),
    "y ~ (x|a/b)": ("y ~ 1 + (1 + x | a) + (1 + x | a:b)", "x", "a b", "a a:b"),
    "y ~ (1|a:b)": ("y ~ 1 + (1 | a:b)", "", "a b", "a:b"),
    "y ~ (1|a:b:c) + (1|c)": ("y ~ 1 + (1 | a:b:c) + (1 | c)", "", "a b c", "a:b:c c"),
    "y ~ (1|`my g`/h)": ("y ~ 1 + (1 | `my g`) + (1 | `my g`:h)", "", "my g,h", "my g,my g:h"),
    "y ~ x + (1|p|g); sigma ~ x + (z | p | g); nu ~ (1||h)": (
        "y ~ 1 + x + (1 | p | g); sigma ~ 1 + x + (1 + z | p | g); nu ~ 1 + (1 | h)",
        "x z",
        "g h",
        "g h",
    ),
    "y ~ (1|a:b); zi ~ (1|b:a)": ("y ~ 1 + (1 | a:b); zi ~ 1 + (1 | b:a)", "", "a b", "a:b"),
    "y ~ g + (1|g)": ("y ~ 1 + g + (1 | g)", "g", "g", "g"),
}


SPACED = {"family income", "größe (cm)"}


def columns(text: str) -> tuple[str, ...]:
    """Names parted by commas, or by spaces where there is no comma and none holds a space."""
    if not text:
        return ()
    return tuple(text.split(",")) if "," in text or text in SPACED else tuple(text.split(" "))


@pytest.mark.parametrize("text", READ)
def test_texts_are_read(text: str) -> None:
    full, predictors, labels, factors = READ[text]
    formula = parse_formula(text)
    assert str(formula) == full
    assert formula.predictors == columns(predictors)
    assert formula.label_columns == columns(labels)
    assert formula.factors == columns(factors)


@pytest.mark.parametrize("text", READ)
def test_the_printed_form_reads_as_the_same_formula(text: str) -> None:
    formula = parse_formula(text)
    assert parse_formula(str(formula)) == formula


def test_the_parts_of_a_formula() -> None:
    assert parse_formula("y ~ 0 + `a b` + (1 + x || g/h) + (0 + z | k)") == Formula(
        "y",
        ("`a b`",),
        (
            GroupTerm("g", True, ("x",), False),
            GroupTerm("g:h", True, ("x",), False, ("g", "h")),
            GroupTerm("k", False, ("z",)),
        ),
        intercept=False,
    )


def test_columns_are_those_of_the_file_and_no_functions() -> None:
    assert columns_in("scale(log(b + a)):C(c, Treatment('d'))") == ("b", "a", "c")
    assert columns_in("`a b`") == ("a b",)


REFUSED = {
    # text: (what the message says, what the hint says)
    "x + z": ("is no formula: it needs one '~'", "score ~ ses"),
    "y ~ x ~ z": ("it needs one '~'", "score ~ ses"),
    "": ("it needs one '~'", "score ~ ses"),
    "y ~": ("nothing stands right of the '~'", "y ~ 1"),
    "exp(y) ~ x": ("the outcome of a formula is one column, but 'exp(y)'", "log(y), log2(y)"),
    "log(y + 1) ~ x": ("the outcome of a formula is one column, but 'log(y + 1)'", "log1p(y)"),
    "y + z ~ x": ("the outcome of a formula is one column, but 'y + z'", "--trials"),
    "log(y) ~ y": ("'y' is both the outcome and a predictor", "for example"),
    "y ~ x + offset(a + b)": ("is one column, or a function of one, not 'a + b'", "offset(log(minutes))"),
    "y ~ offset(a) + offset(b)": ("is one column, or a function of one, not two", "offset(log(minutes))"),
    "y ~ (1 + offset(a) | g)": ("'offset(...)'", "outside brackets"),
    "y | trials(n) ~ x": ("the outcome of a formula is one column", "--trials"),
    "~ x": ("the outcome of a formula is one column", "log1p(y)"),
    "y ~ y": ("'y' is both the outcome and a predictor or group", "for example"),
    "y ~ log(y)": ("'y' is both", "for example"),
    "y ~ (1|y)": ("'y' is both", "for example"),
    "y ~ (1|g:y)": ("'y' is both", "for example"),
    "y ~ (y|g)": ("'y' is both", "for example"),
    # what formulae would leave out without a word
    "y ~ x, z": ("',' is not expected there", "for example"),
    "y ~ x %in% z": ("'%' is not expected there", "for example"),
    "y ~ x == 2": ("'==' is not expected there", "I(x > 2)"),
    "y ~ (x > 2)": ("'>' joins no terms", "I(x > 2)"),
    "y ~ x z": ("'z' is not expected there", "for example"),
    "y ~ 2": ("'2' in 'y ~ 2' is no term", "for example"),
    "y ~ x + 1.5": ("'1.5' in 'y ~ x + 1.5' is no term", "for example"),
    "y ~ 'a'": ("is no term", "for example"),
    "y ~ True": ("'True' in 'y ~ True' is no term", "for example"),
    "y ~ None + x": ("'None' in 'y ~ None + x' is no term", "for example"),
    "y ~ x[a]": ("'x[...]' in 'y ~ x[a]' is no term", "--reference"),
    "y ~ x^2": ("a power in 'y ~ x^2' is of no brackets", "I(x**2)"),
    "y ~ (x = 2)": ("'=' in 'y ~ (x = 2)' stands outside a call", "for example"),
    "y ~ Intercept": ("'Intercept' in 'y ~ Intercept' is no column", "written 1"),
    "y ~ (1 + `Intercept` | g)": ("'Intercept'", "written 1"),
    # functions
    "y ~ foo(x)": ("'foo(...)' in 'y ~ foo(x)' is no function", "functions: poly, bs"),
    "y ~ np.log(x)": ("Did you mean 'log'?", "functions: poly, bs"),
    "y ~ scale(foo(x))": ("'foo(...)'", "functions: poly, bs"),
    "y ~ I(x + foo(z))": ("'foo(...)'", "functions: poly, bs"),
    "y ~ bs(x, df=foo(2))": ("'foo(...)'", "functions: poly, bs"),
    "y ~ I(-x^2)": ("a power in 'y ~ I(-x^2)' is of a sign", "-(x**2) or (-x)**2"),
    "y ~ x:offset(z)": ("could not be read", "for example"),
    "y ~ factor(x)": ("'factor(...)'", "C(x)"),
    "y ~ as.factor(x)": ("'as.factor(...)'", "C(x)"),
    "y ~ s(x)": ("'s(...)'", "bs(x, df=5)"),
    "y ~ p(a, b)": ("'p(...)'", "functions: poly, bs"),
    # what cannot be read
    "y ~ x +": ("could not be read: a term is missing", "for example"),
    "y ~ .": ("could not be read: don't know how to parse '.'", "for example"),
    # sigma
    "y ~ x; z": ("'z' in 'y ~ x; z' does not say what predicts a parameter", "y ~ x; sigma ~ x"),
    "y ~ x;": ("'' in 'y ~ x;' does not say what predicts a parameter", "y ~ x; sigma ~ x"),
    "y ~ x; sigmma ~ x": ("does not say what predicts a parameter. Did you mean 'sigma'?", "sigma, nu, shape, phi"),
    "y ~ x; sigma ~ x; sigma ~ z": ("says twice what predicts sigma", "join the terms with a '+'"),
    "y ~ x; sigma ~ ": ("is empty", "--sigma school"),
    "y ~ (1 | g); sigma ~ (1 | g) + (x | g)": ("the group 'g' stands in two terms", "write one"),
    "y ~ x; sigma ~ x; z": ("'z' in 'y ~ x; sigma ~ x; z' does not say", "y ~ x; sigma ~ x"),
    "y ~ x; sigma ~ y": ("'y' is both the outcome and a predictor", "for example"),
    "y ~ 1:x": ("a 1 in 'y ~ 1:x' is multiplied", "write 0 + x for no intercept"),
    "y ~ x*0": ("a 0 in 'y ~ x*0' is multiplied", "write 0 + x for no intercept"),
    "y ~ log(x + (1|g)": ("the brackets of", "for example"),
    "y ~ x) + (1|g": ("the brackets of", "for example"),
    "y ~ `x": ("a backtick (`)", "need two"),
    "y ~ C(x, Treatment('a))": ("a quote (')", "need two"),
    # group terms
    "y ~ 1 | g": ("a '|' in 'y ~ 1 | g' stands outside brackets", "(1 | school)"),
    "y ~ ((1|g))": ("inside more than one pair of brackets", "(1 | school)"),
    "y ~ x (1|g)": ("'(1|g)' in 'y ~ x (1|g)' is not joined by a '+'", "x + (1 | school)"),
    "y ~ (1|g) (1|h)": ("'(1|h)' in 'y ~ (1|g) (1|h)' is not joined by a '+'", "x + (1 | school)"),
    "y ~ x*(1|g)": ("is not joined by a '+'", "(1 + x | school)"),
    "y ~ x - (1|g)": ("is not joined by a '+'", "x + (1 | school)"),
    "y ~ (1|g):x": ("is not joined by a '+'", "x + (1 | school)"),
    "y ~ (1|g) x": ("is not joined by a '+'", "x + (1 | school)"),
    "y ~ (1|g) + ": ("could not be read: a term is missing", "for example"),
    "y ~ (|g)": ("'(|g)' in 'y ~ (|g)' is no group term", "(1 + x | school)"),
    "y ~ (1|)": ("is no group term", "(1 + x | school)"),
    "y ~ (1|p|g|h)": ("is no group term", "(1 + x | school)"),
    "y ~ (1 | p + q | g)": ("is no group term with a letter", "(1 | p | school)"),
    "y ~ (1 || p | g)": ("is no group term with a letter", "(1 | p | school)"),
    "y ~ (1|||g)": ("is no group term", "(1 + x | school)"),
    "y ~ (0|g)": ("nothing varies in '(0|g)'", "(0 + x | school)"),
    "y ~ (1|1)": ("'(1|1)' in 'y ~ (1|1)' names no group", "(1 + x | school)"),
    "y ~ (1|C(g))": ("'C(g)' in '(1|C(g))' is no group", "(1 | school/class)"),
    "y ~ (1|log(g):h)": ("is no group: groups are columns", "(1 | school/class)"),
    "y ~ (1|g) + (0 + x|g)": ("the group 'g' stands in two terms", "with || for no correlation"),
    "y ~ (1|a/b) + (x|a)": ("the group 'a' stands in two terms", "(1 + x | a)"),
    "y ~ (1|a:b) + (1|b:a)": ("the group 'a:b' stands in two terms", "(1 + x | a:b)"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_other_texts_are_refused_with_a_hint(text: str) -> None:
    message, hint = REFUSED[text]
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
    assert not any(mark in caught.value.message for mark in ("ǁ", "ǂ"))  # masks stay inside


@pytest.mark.parametrize("name", [*TRANSFORMS, *NUMPY_FUNCTIONS])
def test_every_function_may_be_called(name: str) -> None:
    assert parse_formula(f"y ~ {name}(x)").predictors == ("x",)


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("x", "1 + x"),
        ("sigma ~ x + g", "1 + x + g"),
        ("0 + g", "0 + g"),
        ("1", "1"),
        ("`two words`*x", "1 + `two words` + x + `two words`:x"),
        ("log(x)", "1 + log(x)"),
    ],
)
def test_predictors_of_sigma_are_read_alone_and_in_a_formula(text: str, full: str) -> None:
    assert parse_predictor("sigma", text).right == full
    inside = parse_formula(f"y ~ x + (1 | g); sigma ~ {text.removeprefix('sigma ~ ')}")
    assert str(inside) == f"y ~ 1 + x + (1 | g); sigma ~ {full}"
    assert inside.distributional == (parse_predictor("sigma", text),)
    assert parse_formula(str(inside)) == inside


def test_columns_of_sigma_are_columns_of_the_formula() -> None:
    formula = parse_formula("y ~ x; sigma ~ C(grade):z")
    assert formula.predictors == ("x", "grade", "z")
    assert formula.categorical == ("grade",)
    assert parse_formula("`a;b` ~ x").response == "a;b"  # no semicolon of ours
