"""A changed formula, a prior -> the option of the command line that says so, quoted for a shell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hierfit.model.formula import Formula, GroupTerm
from hierfit.model.grammar import column_of
from hierfit.visible import shell_words


def formula_option(formula: Formula) -> str:
    """Return `--formula '...'`, which says the whole model, what predicts sigma too."""
    return shell_words(["--formula", str(formula)])


def prior_option(prior: str) -> str:
    """Return `--prior '...'`."""
    return shell_words(["--prior", prior])


def name_of(term: str) -> str:
    """Return the name of the coefficient of a term of numbers: a column without its backticks, or the term."""
    return column_of(term) or term


def without_terms(formula: Formula, names: Iterable[str]) -> Formula:
    """Return the formula without the population-level terms of some coefficients."""
    left_out = set(names)
    return replace(formula, terms=tuple(term for term in formula.terms if name_of(term) not in left_out))


def without_group(formula: Formula, factor: str) -> Formula:
    """Return the formula without what varies between the levels of a factor, whatever it is of."""
    distributional = (replace(own, groups=_replaced(own.groups, factor, None)) for own in formula.distributional)
    return replace(with_group(formula, factor, None), distributional=tuple(distributional))


def with_group(formula: Formula, factor: str, term: GroupTerm | None) -> Formula:
    """Return the formula with another term in place of that of a factor, or none."""
    return replace(formula, groups=_replaced(formula.groups, factor, term))


def _replaced(groups: Iterable[GroupTerm], factor: str, term: GroupTerm | None) -> tuple[GroupTerm, ...]:
    found = (term if group.factor == factor else group for group in groups)
    return tuple(group for group in found if group is not None)
