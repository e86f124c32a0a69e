"""Formula x Table -> Design: the columns that a formula names, laid out and checked.

Refused with a DataError: a constant outcome or predictor, fewer rows than a residual sd needs, a factor with one
level.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import repeat

import numpy as np

from hierfit.data.table import Table
from hierfit.design import moments
from hierfit.design.axes import contrasts_of
from hierfit.design.blocks import lay_out_groups
from hierfit.design.contrasts import check_contrasts
from hierfit.design.design import Design, Group
from hierfit.design.distributional import evaluate_predictor, predictor_columns
from hierfit.design.levels import check_columns, check_levels
from hierfit.design.outcome import find_family, read_outcome
from hierfit.design.row_columns import read_row_columns
from hierfit.design.terms import evaluate_terms, reference_levels
from hierfit.errors import DataError, FormulaError, UsageError
from hierfit.model.contrasts import ContrastKind
from hierfit.model.families import SIGMA
from hierfit.model.formula import Formula
from hierfit.model.roles import NO_ROLES, Roles
from hierfit.visible import shell_word


def build_design(
    formula: Formula,
    table: Table,
    *,
    centered: bool = True,
    family: str = "gaussian",
    link: str | None = None,
    roles: Roles = NO_ROLES,
) -> Design:
    """Lay out the columns that `formula` names.

    Raises:
        DataError: the data cannot carry the model; the message says which column and why.
        FormulaError, UsageError: a term cannot be evaluated; a family, link or reference level does not exist.
    """
    kind, link = find_family(family, link)
    if kind.has_thresholds and not formula.intercept:
        raise FormulaError(
            f"'{formula}' leaves out the intercept, in whose place {family} has thresholds.", hint="leave out the 0"
        )
    check_columns(roles, formula.response, formula.predictors)
    outcome = read_outcome(table, formula.response, kind, roles)
    table = _with_orders(table, formula, roles)
    wanted = {name: level for name, level in roles.references.items() if name != formula.response}
    references = reference_levels(table, formula.predictors, wanted)
    chosen = roles.contrasts
    check_contrasts(chosen, formula.all_terms, table, wanted)
    evaluate = partial(evaluate_terms, table=table, references=references, contrasts=chosen)
    population = evaluate(formula.terms, intercept=formula.intercept)
    varying = [evaluate(term.slopes, intercept=term.intercept) for term in formula.all_groups]
    distributional = [
        evaluate_predictor(own, formula, table, references, kind, chosen) for own in formula.distributional
    ]
    evaluated = (population, *varying, *distributional)
    rows = read_row_columns(table, kind, link, roles, sigma_varies=formula.predictor(SIGMA) is not None)
    design = Design(
        source=table.path,
        response=formula.response,
        y=outcome.y,
        coefficients=population.names,
        X=population.values,
        intercept=formula.intercept and not kind.has_thresholds,
        centered=centered,
        groups=lay_out_groups(formula, varying, table),
        lines=table.lines,
        family=family,
        link=link,
        categories=outcome.categories,
        references={factor: level for columns in evaluated for factor, level in columns.references.items()},
        levels=table.orders,
        trials=outcome.trials,
        offset=rows.offset,
        weights=rows.weights,
        distributional=tuple(map(predictor_columns, formula.distributional, distributional, repeat(table))),
        precision=rows.precision,
        left_out=tuple(dict.fromkeys(name for columns in evaluated for name in columns.left_out)),
        terms=population.terms,
        roles=roles,
        inputs=table.only({column for columns in evaluated for term in columns.terms for column in term.columns_read}),
    )
    _check_contrasts(design)
    _check_rows(design)
    _check_columns(design)
    for group in design.groups:
        _check_group(group, design)
    return design


def _with_orders(table: Table, formula: Formula, roles: Roles) -> Table:
    """Return the table with the stated orders of the predictors' levels."""
    orders = {name: levels for name, levels in roles.levels.items() if name != formula.response}
    for name, levels in orders.items():
        check_levels(table, name, levels)
    return replace(table, orders=orders)


def _check_contrasts(design: Design) -> None:
    """Refuse contrasts of a column that has a coefficient for every level."""
    coded = contrasts_of(design.all_terms)
    for name, own in design.roles.contrasts.items():
        if own.kind is not ContrastKind.TREATMENT and name not in coded:
            raise UsageError(
                f"--contrasts {name}={own.written}: in this formula every level of '{name}' has a coefficient of its "
                "own; there are no contrasts.",
                hint=f"have an intercept, or give --contrasts {shell_word(f'{name}=treatment')}",
            )


def _check_rows(design: Design) -> None:
    """Refuse fewer rows than two, or than there are coefficients: nothing is left to estimate a residual from."""
    needed = max(2, len(design.coefficients) + int(design.has_level) + 1)
    if design.n_rows < needed:
        raise DataError(
            f"{design.source} has {design.n_rows} complete row{'s' if design.n_rows != 1 else ''}; "
            f"{len(design.coefficients)} predictors need at least {needed}.",
            hint="add rows, or leave out predictors",
        )


def _check_columns(design: Design) -> None:
    """Refuse columns that hold one value only, and predictors that repeat each other."""
    if np.ptp(design.y if design.trials is None else design.y / design.trials) == 0:
        raise DataError(
            f"{design.source}, column '{design.response}': all {design.n_rows:,} values are {design.y[0]:g}; "
            "there is nothing to explain.",
            hint="name another outcome with --y",
        )
    for name, column in zip(design.coefficients, design.X.T, strict=True):
        if np.ptp(column) == 0:
            raise DataError(
                f"{design.source}, column '{name}': all {design.n_rows:,} values are {column[0]:g}; "
                "its coefficient cannot be told from an intercept.",
                hint=f"leave out '{name}'" + ("" if design.has_level else ", and have an intercept"),
            )
    if len(design.coefficients) > 1:
        around = moments.column_means(design.X) if design.has_level else 0.0
        _, triangle = np.linalg.qr((design.X - around) / design.x_scale)
        small = np.abs(np.diag(triangle)) < 1e-9 * np.sqrt(design.n_rows)
        if small.any():
            name = design.coefficients[int(np.argmax(small))]
            raise DataError(
                f"{design.source}, column '{name}' is a sum of multiples of the other predictors; "
                "their coefficients cannot be told apart.",
                hint=f"leave out '{name}'",
            )


def _check_group(group: Group, design: Design) -> None:
    """Refuse a factor with a single level, and slopes along a column that does not change."""
    if group.n_levels == 1:
        raise DataError(
            f"{design.source}, column '{group.factor}': all {design.n_rows:,} rows have the label "
            f"'{group.labels[0]}'; the variation between groups needs at least two groups.",
            hint="name another column with --group, or leave --group out",
        )
    slopes = ~np.array(group.named.is_intercept)
    for term, column in zip(np.array(group.terms)[slopes].tolist(), group.Z.T[slopes], strict=True):
        if np.ptp(column) == 0:
            raise DataError(
                f"{design.source}, column '{term}': all {design.n_rows:,} values are {column[0]:g}; no slope can vary.",
                hint=f"leave '{term}' out of what varies between {group.factor}",
            )
