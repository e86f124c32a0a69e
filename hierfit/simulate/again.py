"""Design x one posterior draw -> new data with a known truth: the same rows, another outcome.

In: the Design of a finished run, its formula and the roles of its columns, the draw that is taken as the truth, and the
Table that the run was fitted to, where its file is still there. Out: a `Simulated` with the columns of the CSV under
their own names. What terms such as `poly(age, 2)`, interactions and text predictors were made from is not stored with a
run, nor are the columns of a factor `school:class`; without the Table, formulas with these are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hierfit.data.table import Table
from hierfit.design.design import Design
from hierfit.errors import FormulaError, UsageError
from hierfit.model.formula import Formula
from hierfit.model.grammar import INTERCEPT, column_of
from hierfit.model.roles import Roles
from hierfit.simulate.effects import Factor
from hierfit.simulate.files import Simulated
from hierfit.simulate.outcome import Column, draw_rows
from hierfit.simulate.predictors import Array
from hierfit.simulate.truth import Origin, TrueModel

_INSTEAD = "put the file back that the run was fitted to, or simulate from its formula with --formula"


@dataclass(frozen=True)
class TrueDraw:
    """One draw, taken as the truth.

    Attributes:
        parameters: population-level parameter -> value.
        effects: grouping factor -> deviations of its levels [J, M].
        predictor: the linear predictor of each row [N].
        origin: where it was drawn from.
    """

    parameters: Mapping[str, float]
    effects: Mapping[str, Array]
    predictor: Array
    origin: Origin


def simulate_again(
    design: Design,
    formula: Formula,
    roles: Roles,
    draw: TrueDraw,
    rng: np.random.Generator,
    table: Table | None = None,
) -> Simulated:
    """Draw a new outcome for the rows of a design.

    Raises:
        FormulaError: the formula needs columns that are not stored.
        UsageError: the rows are weighted, or counts grow beyond what can be fitted.
    """
    if roles.weights is not None:
        raise UsageError(
            f"the run weighs its rows by '{roles.weights}', which does not say how an outcome comes about.",
            hint="simulate from a run without --weights",
        )
    factors = [
        Factor(group.factor, group.labels, group.codes, group.terms, draw.effects[group.factor])
        for group in design.groups
    ]
    stored = _stored_columns(design, formula, factors) if table is None else _columns_of(table, formula)
    columns: dict[str, Column] = {formula.response: draw_rows(rng, design, draw.parameters, draw.predictor, factors)}
    columns |= _row_columns(design, roles, table)
    columns |= stored
    return Simulated(columns, TrueModel(formula, draw.parameters, tuple(factors), draw.origin))


def _row_columns(design: Design, roles: Roles, table: Table | None) -> dict[str, Array]:
    """Return the columns of trials, offset, exposure and precision.

    Raises:
        FormulaError: offset and exposure are stored as their sum only.
    """
    if table is not None:
        return {name: table.numbers[name] for name in roles.columns}
    if roles.offset is not None and roles.exposure is not None:
        raise FormulaError("a run stores the sum of offset and log of the exposure, not the columns.", hint=_INSTEAD)
    stored = {roles.trials: design.trials, roles.offset: design.offset, roles.precision: design.precision}
    if roles.exposure is not None and design.offset is not None:
        stored[roles.exposure] = np.exp(design.offset)
    return {name: values for name, values in stored.items() if name is not None and values is not None}


def _columns_of(table: Table, formula: Formula) -> dict[str, Column]:
    """Return the columns of predictors and groups as the file has them."""
    labels = {name: tuple(table.levels[name][code] for code in codes.tolist()) for name, codes in table.labels.items()}
    numbers = {name: values for name, values in table.numbers.items() if name not in formula.label_columns}
    return {name: (labels | numbers)[name] for name in (*formula.predictors, *formula.label_columns)}


def _stored_columns(design: Design, formula: Formula, factors: Sequence[Factor]) -> dict[str, Column]:
    """Return the same from the design alone.

    Raises:
        FormulaError: it does not have them all.
    """
    for term in formula.all_groups:
        if term.crossing:
            raise FormulaError(
                f"the levels of '{term.factor}' are combinations, and a run does not store the columns "
                f"{' and '.join(term.crossing)}.",
                hint=_INSTEAD,
            )
    return {**_predictor_columns(design, formula), **{factor.name: factor.column for factor in factors}}


def _predictor_columns(design: Design, formula: Formula) -> dict[str, Array]:
    """Return the columns of the predictors by name."""
    stored = dict(zip(design.coefficients, design.X.T, strict=True))
    for group in design.groups:
        of_mean = group.of_mean
        stored |= {term: of_mean.Z[:, m] for m, term in enumerate(of_mean.terms) if term != INTERCEPT}
    for own in design.distributional:
        stored |= dict(zip(own.coefficients, own.X.T, strict=True))
    columns = {}
    for term in dict.fromkeys(formula.all_terms):
        name = column_of(term)
        if name in formula.label_columns and name not in stored:
            continue  # a sigma of each group, whose labels are written anyway
        if name is None or name not in stored:
            what = "more than a column" if name is None else "not a column of numbers"
            raise FormulaError(
                f"'{term}' in '{formula}' is {what}, and a run does not store what it was made from.", hint=_INSTEAD
            )
        columns[name] = stored[name]
    return columns
