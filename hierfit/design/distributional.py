"""Predictor x Table -> PredictorColumns: what predicts a parameter beside the mean in every row.

link(theta[i]) = sum over s of X[i, s] b[s], in the units of the CSV; the link is the parameter's own
(`Auxiliary.link`), the intercept the first of the S coefficients, its column ones. The sampler sees the other columns
centred (where there is an intercept) and over their sds. Without an intercept the columns must be the levels of a text
column, so that each row is in one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.data.table import Table
from hierfit.design import moments
from hierfit.design.terms import Columns, Term, columns_on, evaluate_terms
from hierfit.errors import DataError, FormulaError, UsageError
from hierfit.model.contrasts import NO_CONTRASTS, LevelContrasts
from hierfit.model.families import FAMILIES, Family
from hierfit.model.formula import Formula, Predictor
from hierfit.model.grammar import INTERCEPT, column_of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PredictorColumns:
    """The columns that predict a parameter beside the mean.

    Attributes:
        parameter: its name.
        coefficients: names of the S coefficients, `Intercept` first where there is one.
        X: their columns [N, S], raw; ones for the intercept.
        terms: what the columns beside the intercept's are made from.
    """

    parameter: str
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
    def has_two_intercepts(self) -> bool:
        """Whether the intercept at the mean of the other columns and the one at 0 are different things."""
        return self.intercept and len(self.coefficients) > 1

    @property
    def mean(self) -> Array:
        """The mean of each column [S], 0 for and without the intercept."""
        mean = moments.column_means(self.X)
        return np.where(np.arange(len(mean)) == 0, 0.0, mean) if self.intercept else np.zeros(len(mean))

    @property
    def scale(self) -> Array:
        """The sd of each column [S], 1 for the intercept's."""
        scale = moments.column_sds(self.X)
        return np.where(np.arange(len(scale)) == 0, 1.0, scale) if self.intercept else scale

    @property
    def carries_level(self) -> NDArray[np.bool_]:
        """Which coefficients are on the level of the parameter itself [S]: the intercept, or every level's own."""
        return np.arange(len(self.coefficients)) == 0 if self.intercept else np.ones(len(self.coefficients), bool)


def evaluate_predictor(
    predictor: Predictor,
    formula: Formula,
    table: Table,
    references: Mapping[str, str],
    family: Family,
    contrasts: Mapping[str, LevelContrasts] = NO_CONTRASTS,
) -> Columns:
    """Return the columns that predict a parameter, the intercept's not among them.

    Raises:
        UsageError: the family has no such parameter.
        FormulaError: a term cannot be evaluated.
    """
    if family.auxiliary(predictor.parameter) is None:
        having = ", ".join(name for name, other in FAMILIES.items() if other.auxiliary(predictor.parameter))
        raise UsageError(
            f"{predictor}: the family {family.name} has no {predictor.parameter}.",
            hint=f"families with {predictor.parameter}: {having}",
        )
    terms = tuple(_as_levels(term, formula, table) for term in predictor.terms)
    return evaluate_terms(terms, table, references, contrasts, intercept=predictor.intercept)


def predictor_columns(predictor: Predictor, found: Columns, table: Table) -> PredictorColumns:
    """Lay out the evaluated columns that predict a parameter.

    Raises:
        FormulaError, DataError: a column says nothing, or a row is left without a value.
    """
    _check(predictor, found, table)
    if not predictor.intercept:
        return PredictorColumns(predictor.parameter, found.names, found.values, found.terms)
    X = np.column_stack([np.ones(table.n_rows), found.values])
    return PredictorColumns(predictor.parameter, (INTERCEPT, *found.names), X, found.terms)


def _as_levels(term: str, formula: Formula, table: Table) -> str:
    """Return the term; a grouping factor whose labels are numbers as categories."""
    column = column_of(term)
    return f"C({term})" if column in formula.label_columns and column in table.numbers else term


def _check(predictor: Predictor, found: Columns, table: Table) -> None:
    name, X = predictor.parameter, found.values
    for coefficient, column in zip(found.names, X.T, strict=True):
        if np.ptp(column) == 0:
            raise DataError(
                f"{table.path}, column '{coefficient}': all {table.n_rows:,} values are {column[0]:g}; {name} cannot "
                "depend on it.",
                hint=f"leave '{coefficient}' out of --{name}",
            )
    if not predictor.intercept and not (X.size and np.isin(X, (0.0, 1.0)).all() and (X.sum(axis=1) == 1).all()):
        raise FormulaError(
            f"--{name} '{predictor.right}': without an intercept each row needs one level of a text column.",
            hint=f"write --{name} '1 + x', or --{name} '0 + group' for a {name} of each group",
        )
