"""Text in lme4's grammar -> Formula: `score ~ ses * sector + (1 + ses | school/class)`.

`formulae` reads the population-level part, the left of each bar and the right of each bar, unless they are plain sums
(`model.plain_terms`); `model.expansion` says what terms its tree comes to. What is done here is to find the bars,
because `formulae` neither knows `||` nor says which varying terms stood together, and to refuse what it would pass over
in silence: anything after a complete expression (`x % z`), comparisons, texts and numbers that are no terms.

Names in backticks and texts in quotes may hold any letters, `~` and `|` among them. While a formula is being read
they are masked: written as a word that every scanner takes for a name, and back again at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from hierfit.errors import FormulaError, did_you_mean
from hierfit.model.derived import derived_from
from hierfit.model.expansion import ONE, Terms, expand
from hierfit.model.formula import COLUMN_FUNCTIONS, INTERCEPT, Formula, GroupTerm, SigmaTerms, column_of, quoted
from hierfit.model.plain_terms import expand_plain, pair_in

# What a term may call: formulae's own, and numpy's by their names.
TRANSFORMS = ("poly", "bs", "scale", "standardize", "center", "C", "T", "S", "Treatment", "I")
NUMPY_FUNCTIONS = ("log", "log2", "log10", "log1p", "exp", "sqrt", "abs")

_EXAMPLE = "for example 'score ~ ses * sector + (1 + ses | school)'"
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
_COMPARISONS = {mark: "write I(x > 2) for a comparison" for mark in ("==", "!=", "<", "<=", ">", ">=")}
_OPERATORS = ("PLUS", "MINUS", "STAR", "SLASH", "COLON", "STAR_STAR")
_STRENGTH = {"+": 2, "-": 2, "*": 3, "/": 3, "**": 4}
_HIDDEN = re.compile(r"""`(?P<name>[^`]+)`|(?P<quote>['"])(?P<words>.*?)(?P=quote)|(?<![\w.])(?P<plain>_[\w.]*)""")
_OFFSET = re.compile(r"(?:\+\s*)?\boffset\((?P<what>[^()]*(?:\([^()]*\))?[^()]*)\)")
_MASKED = re.compile("ǁ([0-9a-f]*)ǁ|ǂ([0-9a-f]*)ǂ")  # letters of which no column is likely to have two


def parse_formula(text: str) -> Formula:
    """Read a formula, `y ~ x + (1 | g)`, or with predictors of sigma `y ~ x; sigma ~ x`.

    Raises:
        FormulaError: the text has another form; says where.
    """
    masked, semicolon, of_sigma = _mask(text).partition(";")
    left, tilde, right = masked.partition("~")
    if not tilde or "~" in right:
        raise FormulaError(f"'{text}' is no formula: it needs one '~' between outcome and predictors.", hint=_EXAMPLE)
    if not right.strip():
        raise FormulaError(f"nothing stands right of the '~' in '{text}'.", hint="write y ~ 1 for an intercept alone")
    response = _column_or_function(left)
    if response is None:
        raise FormulaError(
            f"the outcome of a formula is one column, but '{_unmask(left.strip())}' stands left of the '~'.",
            hint=f"write y, or {', '.join(f'{name}(y)' for name in COLUMN_FUNCTIONS)}; for trials there is --trials",
        )
    right, offset = _without_offset(right, text)
    gaps, bars = _split(right, text)
    terms, intercept = _expand(_population(gaps, bars, text), text)
    groups = tuple(group for bar in bars for group in _group_terms(bar, text))
    _refuse_repeated(groups, text)
    if semicolon and "~" not in of_sigma:
        raise FormulaError(f"what stands after the ';' in '{text}' is not about sigma.", hint="write y ~ x; sigma ~ x")
    sigma = parse_sigma(_unmask(of_sigma).strip()) if semicolon else None
    formula = Formula(response, terms, groups, intercept, sigma, offset)
    derived = derived_from(response)
    outcome = derived.column if derived else response
    if outcome in formula.predictors or outcome in formula.label_columns:
        raise FormulaError(f"'{outcome}' is both the outcome and a predictor or group in '{text}'.", hint=_EXAMPLE)
    return formula


def _column_or_function(masked: str) -> str | None:
    """Return the column that a masked text is, or a function of one as `model.derived` has it; None for all else."""
    text = _unmask(masked.strip())
    return column_of(text) or (text if derived_from(text) else None)


def _without_offset(right: str, text: str) -> tuple[str, str | None]:
    """Return the masked right-hand side without its offset, and the offset."""
    outside = [right.count("(", 0, at) == right.count(")", 0, at) for at in range(len(right) + 1)]
    found = [each for each in _OFFSET.finditer(right) if outside[each.start()]]
    if not found:
        return right, None
    offset = _column_or_function(found[0]["what"])
    if len(found) > 1 or offset is None:
        said = f"'{_unmask(found[0]['what']).strip()}'" if len(found) == 1 else "two"
        raise FormulaError(
            f"the offset of '{text}' is one column, or a function of one, not {said}.",
            hint="write offset(log(minutes)), or put the sum of several into a column of its own",
        )
    left = (right[: found[0].start()] + right[found[0].end() :]).strip().removeprefix("+")
    return left or "1", offset


def parse_sigma(text: str) -> SigmaTerms:
    """Read what predicts sigma: `ses + school`, with or without `sigma ~` before it.

    Raises:
        FormulaError: the text has another form, or has group terms.
    """
    name, _, right = _mask(text).rpartition("~")
    gaps, bars = _split(right, text)
    if name.strip() not in ("", "sigma"):
        raise FormulaError(f"--sigma '{text}' is not about sigma.", hint="write --sigma 'x + school'")
    if bars or not right.strip():
        what = "has group terms, which sigma cannot have" if bars else "is empty"
        raise FormulaError(f"--sigma '{text}' {what}.", hint="write --sigma school for a sigma of each school")
    return SigmaTerms(*_expand(_population(gaps, bars, text), text))


def _mask(text: str) -> str:
    """Write names in backticks, names that begin with `_`, and texts in quotes as plain words."""

    def plain_word(hidden: re.Match[str]) -> str:
        name, words = hidden["name"] or hidden["plain"], hidden["words"]
        return f"ǁ{name.encode().hex()}ǁ" if name else f"'ǂ{words.encode().hex()}ǂ'"

    masked = _HIDDEN.sub(plain_word, text)
    for mark, name in (("`", "backtick"), ("'", "quote"), ('"', "quote")):
        if mark in _MASKED.sub("", masked).replace("''", ""):
            raise FormulaError(f"a {name} ({mark}) in '{text}' is never closed.", hint="names and texts need two")
    return masked.replace("^", "**")


def _unmask(text: str) -> str:
    """Return the text as it was, names in backticks where they need them."""
    return _MASKED.sub(lambda found: quoted(_plain(found[0])) if found[0][0] == "ǁ" else _plain(found[0]), text)


def _plain(name: str) -> str:
    """Return what a mask stands for, and any other name as it is."""
    found = _MASKED.fullmatch(name)
    return name if found is None else bytes.fromhex(found[1] or found[2] or "").decode()


def _split(right: str, text: str) -> tuple[list[str], list[str]]:
    """Return what stands before, between and after the group terms, and what stands between their brackets."""
    gaps, bars, start, opened, depth, has_bar = [], [], 0, 0, 0, False
    depths: set[int] = set()  # how deep in brackets the bars stand
    for position, letter in enumerate(right):
        if letter == "(":
            depth += 1
            if depth == 1:
                opened, has_bar = position, False
        elif letter == ")":
            depth -= 1
            if depth == 0 and has_bar:
                gaps.append(right[start:opened].strip())
                bars.append(right[opened + 1 : position])
                start = position + 1
        elif letter == "|":
            has_bar, depths = True, {*depths, depth}
        if depth < 0:
            break
    if depth:
        raise FormulaError(f"the brackets of '{text}' do not match.", hint=_EXAMPLE)
    if depths - {1}:
        where = "outside brackets" if 0 in depths else "inside more than one pair of brackets"
        raise FormulaError(f"a '|' in '{text}' stands {where}.", hint="write (1 | school) in brackets")
    return [*gaps, right[start:].strip()], bars


def _population(gaps: Sequence[str], bars: Sequence[str], text: str) -> str:
    """Return the right-hand side without its group terms, which must be joined to it by '+'."""
    last = len(gaps) - 1
    for index, gap in enumerate(gaps):
        ends_well = index == last or gap.endswith("+") or (index == 0 and not gap)
        begins_well = index == 0 or gap.startswith(("+", "-")) or (index == last and not gap)
        if not (ends_well and begins_well):
            raise FormulaError(
                f"'({_unmask(bars[index if not ends_well else index - 1])})' in '{text}' is not joined by a '+'.",
                hint="write x + (1 | school); (1 + x | school) for a slope of x that varies",
            )
    return " ".join(gap if index == last else gap.removesuffix("+") for index, gap in enumerate(gaps)).strip()


def _group_terms(bar: str, text: str) -> Iterator[GroupTerm]:
    shown, correlated = f"({_unmask(bar)})", "||" not in bar
    varying, _, factors = bar.replace("||", "|").partition("|")
    if "|" in factors or not factors.strip() or not varying.strip():
        raise FormulaError(f"'{shown}' in '{text}' is no group term.", hint="write (1 + x | school)")
    slopes, intercept = _expand(varying, text)
    if not slopes and not intercept:
        raise FormulaError(f"nothing varies in '{shown}' of '{text}'.", hint="write (1 | school) or (0 + x | school)")
    names, _ = _expand(factors, text)
    if not names:
        raise FormulaError(f"'{shown}' in '{text}' names no group.", hint="write (1 + x | school)")
    for name in names:
        columns = columns_in(name)
        if name != ":".join(map(quoted, columns)):
            raise FormulaError(
                f"'{name}' in '{shown}' is no group: groups are columns, joined by ':' or '/'.",
                hint="write (1 | school), (1 | school/class) or (1 | school:class)",
            )
        crossing = columns if len(columns) > 1 else ()
        yield GroupTerm(":".join(columns), intercept, slopes, correlated or not slopes, crossing)


def _refuse_repeated(groups: Sequence[GroupTerm], text: str) -> None:
    """Refuse two terms of the same levels, `a:b` and `b:a` among them."""
    levels = [frozenset(group.columns) for group in groups]
    for group in groups:
        if levels.count(frozenset(group.columns)) > 1:
            raise FormulaError(
                f"the group '{group.factor}' stands in two terms of '{text}'.",
                hint=f"write one: (1 + x | {group.factor}), or with || for no correlation",
            )


def _expand(part: str, text: str) -> tuple[tuple[str, ...], bool]:
    """Return the terms of one part of a formula, and whether it has an intercept."""
    plain = expand_plain(part)
    if plain is not None:
        return plain
    terms = _terms(f"y ~ {part or '1'}", text).added
    return tuple(":".join(term) for term in terms if term), ONE in terms


@lru_cache(maxsize=256)
def atoms_in(term: str) -> tuple[str, ...]:
    """Return the columns and calls that a term multiplies, as it has them."""
    column, pair = column_of(term), pair_in(term)
    if column is not None:
        return (term,)
    if pair is not None:
        return pair
    (atoms,) = (atoms for atoms in _terms(f"y ~ 0 + {_mask(term)}", term).added if atoms)
    return atoms


@lru_cache(maxsize=256)
def columns_in(term: str) -> tuple[str, ...]:
    """Return the columns that a term uses, in the order of their names' first appearance."""
    return tuple(dict.fromkeys(column for atom in atoms_in(term) for column in _columns_of(atom)))


@lru_cache(maxsize=256)
def _columns_of(atom: str) -> tuple[str, ...]:
    column = column_of(atom)
    if column is not None:
        return (column,)
    from formulae.resolver import Resolver
    from formulae.scanner import Scanner

    masked = _mask(atom)
    names = Resolver(_tree(f"y ~ 0 + {masked}", atom).right.right).resolve().var_names
    written = [token.lexeme for token in Scanner(masked).scan()]
    return tuple(_plain(name) for name in dict.fromkeys(written) if name and name in names)


def function_of(atom: str) -> str | None:
    """Return the name of the function that an atom calls; None for a column."""
    return None if column_of(atom) is not None else atom.partition("(")[0]


def _atom_text(tree: Any) -> str:
    """Return the text of a column or a call, with backticks around names that need them."""
    if type(tree).__name__ == "Variable":
        return quoted(_plain(tree.name.lexeme))
    from formulae.terms.call_resolver import CallResolver

    return _unmask(call_text(CallResolver(tree).resolve()))


def call_text(call: Any) -> str:
    """Return the text of formulae's description of a call, with the brackets that its own text lacks."""
    kind = type(call).__name__
    if kind == "LazyCall":
        named = [f"{name}={call_text(value)}" for name, value in call.kwargs.items()]
        return f"{call.callee}({', '.join([*map(call_text, call.args), *named])})"
    if kind != "LazyOperator":
        return str(call)
    if len(call.args) == 1:
        return f"{call.symbol}{_operand(call.args[0], 9)}"
    left, right = call.args
    strength = _STRENGTH.get(call.symbol, 1)
    return f"{_operand(left, strength)} {call.symbol} {_operand(right, strength + 1)}"


def _operand(call: Any, strength: int) -> str:
    """Return one side of an operator, in brackets where its own operator binds less than `strength`."""
    text = call_text(call)
    if type(call).__name__ != "LazyOperator":
        return text
    return f"({text})" if len(call.args) == 1 or _STRENGTH.get(call.symbol, 1) < strength else text


def _terms(masked: str, text: str) -> Terms:
    """Return the terms of a masked formula; anything that cannot be read is a FormulaError about `text`."""
    tree = _tree(masked, text)
    try:
        return expand(tree.right, _atom_text, text)
    except FormulaError:
        raise
    except Exception as error:  # formulae raises bare ValueError, KeyError, TypeError
        raise FormulaError(f"'{text}' could not be read{_said(error)}.", hint=_EXAMPLE) from error


def _tree(masked: str, text: str) -> Any:
    """Return formulae's tree of a masked formula, of terms that can be."""
    from formulae.parser import Parser
    from formulae.scanner import Scanner

    try:
        parser = Parser(Scanner(masked).scan())
        tree = parser.parse()
        rest = "" if parser.at_end() else parser.peek().lexeme
        if not rest:
            _check_terms(tree.right, text)
            return tree
    except FormulaError:
        raise
    except Exception as error:  # formulae raises bare ValueError, KeyError, ParseError, ScanError, TypeError
        raise FormulaError(f"'{text}' could not be read{_said(error)}.", hint=_EXAMPLE) from error
    raise FormulaError(
        f"'{text}' could not be read: '{_unmask(rest)}' is not expected there.", hint=_COMPARISONS.get(rest, _EXAMPLE)
    )


def _said(error: Exception) -> str:
    """Return what formulae said, in words that stand alone."""
    said = _unmask(str(error)).strip().rstrip(".")
    if isinstance(error, TypeError | AttributeError | KeyError) or not said:
        return ""
    if said == "Don't know how to parse ''":
        return ": a term is missing"
    return ": " + said[0].lower() + said[1:]


def _check_terms(tree: Any, text: str) -> None:
    """Refuse what is no term, which formulae would read as something else or leave out."""
    kind = type(tree).__name__
    if kind == "Call":
        _check_call(tree, text)
    elif kind == "Literal" and (type(tree.value) is not int or tree.value not in (0, 1)):
        raise FormulaError(f"'{_unmask(str(tree.lexeme or tree.value))}' in '{text}' is no term.", hint=_EXAMPLE)
    elif kind == "Variable" and tree.level is not None:
        raise FormulaError(
            f"'{_unmask(tree.name.lexeme)}[...]' in '{text}' is no term.",
            hint="--reference COLUMN=LEVEL names the level that the others are compared with",
        )
    elif kind == "Variable" and _plain(tree.name.lexeme) == INTERCEPT:
        raise FormulaError(f"'{INTERCEPT}' in '{text}' is no column.", hint="the intercept is written 1, its absence 0")
    elif kind in ("Grouping", "Unary"):
        _check_terms(tree.expression if kind == "Grouping" else tree.right, text)
    elif kind == "Binary":
        if tree.operator.kind not in _OPERATORS:
            mark = tree.operator.lexeme
            raise FormulaError(f"'{mark}' joins no terms in '{text}'.", hint=_COMPARISONS.get(mark, _EXAMPLE))
        if tree.operator.kind == "STAR_STAR" and type(tree.left).__name__ != "Grouping":
            raise FormulaError(f"a power in '{text}' is of no brackets.", hint="write I(x**2) for the square of x")
        _check_terms(tree.left, text)
        if tree.operator.kind != "STAR_STAR":
            _check_terms(tree.right, text)
    elif kind == "Assign":
        raise FormulaError(f"a '=' in '{text}' stands outside a call.", hint=_EXAMPLE)


def _check_call(tree: Any, text: str) -> None:
    """Refuse functions that are none of ours, in a call and in its arguments, and -x**2, which formulae squares."""
    if type(getattr(tree, "left", None)).__name__ == "Unary" and tree.operator.kind == "STAR_STAR":
        raise FormulaError(f"a power in '{text}' is of a sign.", hint="write -(x**2) or (-x)**2")
    if type(tree).__name__ == "Call":
        name, known = _unmask(tree.callee.name.lexeme), (*TRANSFORMS, *NUMPY_FUNCTIONS)
        if name not in known:
            near = "" if name in _ELSEWHERE else did_you_mean(name, known)
            raise FormulaError(
                f"'{name}(...)' in '{text}' is no function that a term can use.{near}",
                hint=_ELSEWHERE.get(name, f"functions: {', '.join(known)}"),
            )
        for argument in tree.args[1:] if name in _OF_LEVELS else ():
            if type(argument).__name__ == "Variable":
                raise FormulaError(
                    f"'{_unmask(argument.name.lexeme)}' in '{text}' is neither a level nor a coding of levels.",
                    hint=f"write levels in quotes; {_CODINGS}",
                )
    for inner in ("left", "right", "expression", "value"):
        _check_inner(getattr(tree, inner, None), text)
    for argument in getattr(tree, "args", ()):
        _check_inner(argument, text)


def _check_inner(tree: Any, text: str) -> None:
    if hasattr(tree, "accept"):
        _check_call(tree, text)
