"""SigmaTerms x Table -> SigmaColumns: what predicts the residual sd of every row.

log sigma[i] = sum over s of X[i, s] b_sigma[s], in the units of the CSV; the intercept is the first of the S
coefficients, its column ones. The sampler sees the other columns centred (where there is an intercept) and over their
sds. Without an intercept the columns must be the levels of a text column, so that each row is in one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.errors import DataError, FormulaError, UsageError
from hierfit.model import moments
from hierfit.model.families import FAMILIES, Family
from hierfit.model.formula import INTERCEPT, Formula, SigmaTerms, column_of
from hierfit.model.table import Table
from hierfit.model.terms import Columns, Term, columns_on, evaluate_terms

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SigmaColumns:
    """The columns that predict log sigma.

    Attributes:
        coefficients: names of the S coefficients, `Intercept` first where there is one.
        X: their columns [N, S], raw; ones for the intercept.
        terms: what the columns beside the intercept's are made from.
    """

    coefficients: tuple[str, ...]
    X: Array
    terms: tuple[Term, ...] = ()

    def on(self, table: Table) -> Array:
        """Return the columns on other rows [N, S]; errors as `columns_on`."""
        return np.column_stack([np.ones((table.n_rows, int(self.intercept))), columns_on(self.terms, table)])

    @property
    def intercept(self) -> bool:
        """Whether the first coefficient is an intercept."""
        return self.coefficients[0] == INTERCEPT

    @property
    def mean(self) -> Array:
        """What is subtracted from each column before sampling [S]: its mean, or 0 for and without the intercept."""
        mean = moments.column_means(self.X)
        return np.where(np.arange(len(mean)) == 0, 0.0, mean) if self.intercept else np.zeros(len(mean))

    @property
    def scale(self) -> Array:
        """The sd of each column [S], 1 for the intercept's."""
        scale = moments.column_sds(self.X)
        return np.where(np.arange(len(scale)) == 0, 1.0, scale) if self.intercept else scale

    @property
    def carries_level(self) -> NDArray[np.bool_]:
        """Which coefficients are on the level of log sigma itself [S]: the intercept, or every level's own."""
        return np.arange(len(self.coefficients)) == 0 if self.intercept else np.ones(len(self.coefficients), bool)


def evaluate_sigma(formula: Formula, table: Table, references: Mapping[str, str], family: Family) -> Columns | None:
    """Return the columns that predict log sigma, the intercept's not among them; None where sigma is one number.

    Raises:
        UsageError: the family has no sigma.
        FormulaError: a term cannot be evaluated.
    """
    if formula.sigma is None:
        return None
    if not family.has_sigma:
        having = ", ".join(name for name, other in FAMILIES.items() if other.has_sigma)
        raise UsageError(
            f"--sigma {formula.sigma}: the family {family.name} has no sigma.", hint=f"families with sigma: {having}"
        )
    terms = tuple(_as_levels(term, formula, table) for term in formula.sigma.terms)
    return evaluate_terms(terms, table, references, intercept=formula.sigma.intercept)


def sigma_columns(formula: Formula, evaluated: Columns, table: Table) -> SigmaColumns:
    """Lay out the evaluated columns that predict log sigma.

    Raises:
        FormulaError, DataError: a column says nothing, or a row has no sigma.
    """
    assert formula.sigma is not None
    _check(formula.sigma, evaluated.names, evaluated.values, table)
    if not formula.sigma.intercept:
        return SigmaColumns(evaluated.names, evaluated.values, evaluated.terms)
    X = np.column_stack([np.ones(table.n_rows), evaluated.values])
    return SigmaColumns((INTERCEPT, *evaluated.names), X, evaluated.terms)


def _as_levels(term: str, formula: Formula, table: Table) -> str:
    """Return the term; a grouping factor whose labels are numbers as categories."""
    column = column_of(term)
    return f"C({term})" if column in formula.label_columns and column in table.numbers else term


def _check(terms: SigmaTerms, names: tuple[str, ...], X: Array, table: Table) -> None:
    for name, column in zip(names, X.T, strict=True):
        if np.ptp(column) == 0:
            raise DataError(
                f"{table.path}, column '{name}': all {table.n_rows:,} values are {column[0]:g}; sigma cannot depend "
                "on it.",
                hint=f"leave '{name}' out of --sigma",
            )
    if not terms.intercept and not (X.size and np.isin(X, (0.0, 1.0)).all() and (X.sum(axis=1) == 1).all()):
        raise FormulaError(
            f"--sigma '{terms}': without an intercept each row needs one level of a text column.",
            hint="write --sigma '1 + x', or --sigma '0 + group' for a sigma of each group",
        )
