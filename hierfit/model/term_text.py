"""The text of a term -> its columns and calls, as formulae reads them; what Python's lists of names cannot tell.

Names are masked while they are read (`model.masking`), and texts of calls are written anew, with the brackets that
formulae's own lack.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from hierfit.errors import FormulaError
from hierfit.model.expansion import Terms, expand
from hierfit.model.grammar import column_of, quoted
from hierfit.model.masking import mask, plain_name, unmask
from hierfit.model.plain_terms import pair_in
from hierfit.model.term_checks import COMPARISONS, EXAMPLE, check_terms

_STRENGTH = {"+": 2, "-": 2, "*": 3, "/": 3, "**": 4}


@lru_cache(maxsize=256)
def atoms_in(term: str) -> tuple[str, ...]:
    """Return the columns and calls that a term multiplies, as it has them."""
    column, pair = column_of(term), pair_in(term)
    if column is not None:
        return (term,)
    if pair is not None:
        return pair
    (atoms,) = (atoms for atoms in terms_in(f"y ~ 0 + {mask(term)}", term).added if atoms)
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

    masked = mask(atom)
    names = Resolver(_tree(f"y ~ 0 + {masked}", atom).right.right).resolve().var_names
    written = [token.lexeme for token in Scanner(masked).scan()]
    return tuple(plain_name(name) for name in dict.fromkeys(written) if name and name in names)


def is_term(text: str) -> bool:
    """Return whether a text is one term, as a Formula has it."""
    try:
        return bool(columns_in(text))
    except (FormulaError, ValueError):  # not one term
        return False


def function_of(atom: str) -> str | None:
    """Return the name of the function that an atom calls; None for a column."""
    return None if column_of(atom) is not None else atom.partition("(")[0]


def _atom_text(tree: Any) -> str:
    """Return the text of a column or a call, with backticks around names that need them."""
    if type(tree).__name__ == "Variable":
        return quoted(plain_name(tree.name.lexeme))
    from formulae.terms.call_resolver import CallResolver

    return unmask(call_text(CallResolver(tree).resolve()))


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


def terms_in(masked: str, text: str) -> Terms:
    """Return the terms of a masked formula; anything that cannot be read is a FormulaError about `text`."""
    tree = _tree(masked, text)
    try:
        return expand(tree.right, _atom_text, text)
    except FormulaError:
        raise
    except Exception as error:  # formulae raises bare ValueError, KeyError, TypeError
        raise FormulaError(f"'{text}' could not be read{_said(error)}.", hint=EXAMPLE) from error


def _tree(masked: str, text: str) -> Any:
    """Return formulae's tree of a masked formula, of terms that can be."""
    from formulae.parser import Parser
    from formulae.scanner import Scanner

    try:
        parser = Parser(Scanner(masked).scan())
        tree = parser.parse()
        rest = "" if parser.at_end() else parser.peek().lexeme
        if not rest:
            check_terms(tree.right, text)
            return tree
    except FormulaError:
        raise
    except Exception as error:  # formulae raises bare ValueError, KeyError, ParseError, ScanError, TypeError
        raise FormulaError(f"'{text}' could not be read{_said(error)}.", hint=EXAMPLE) from error
    raise FormulaError(
        f"'{text}' could not be read: '{unmask(rest)}' is not expected there.", hint=COMPARISONS.get(rest, EXAMPLE)
    )


def _said(error: Exception) -> str:
    """Return what formulae said, in words that stand alone."""
    said = unmask(str(error)).strip().rstrip(".")
    if isinstance(error, TypeError | AttributeError | KeyError) or not said:
        return ""
    if said == "Don't know how to parse ''":
        return ": a term is missing"
    return ": " + said[0].lower() + said[1:]
