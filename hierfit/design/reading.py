"""FitRequest -> Table: the columns that a request uses, from its file."""

from __future__ import annotations

from hierfit.data.cells import missing_cells
from hierfit.data.csvfile import open_csv
from hierfit.data.table import Table, read_table
from hierfit.design.derive import derive
from hierfit.model.derived import Derived, derived_from
from hierfit.model.families import Family, Support
from hierfit.model.request import FitRequest


def read_columns(request: FitRequest, family: Family) -> Table:
    """Read the columns that a request uses: an outcome of categories may be text, and so may predictors.

    A column whose levels are stated is text, whatever it holds, and an outcome of ordered categories may be mixed.
    """
    formula, stated = request.formula, request.roles.levels
    derived = _derived(request)
    columns = {name: each.column for name, each in derived.items()}
    response = [] if formula.response in stated else [columns.get(formula.response, formula.response)]
    may_be_text = family.support in (Support.BINARY, Support.CATEGORIES)
    table = read_table(
        request.data,
        [*([] if may_be_text else response), *(columns.get(name, name) for name in request.roles.columns)],
        [*formula.label_columns, *(name for name in (formula.response, *formula.predictors) if name in stated)],
        [*(response if may_be_text else []), *(name for name in formula.predictors if name not in stated)],
        [*formula.categorical, *(response if family.support is Support.CATEGORIES else [])],
        missing_cells(request.na),
    )
    return derive(table, derived.values()) if derived else table


def _derived(request: FitRequest) -> dict[str, Derived]:
    """Return the functions of columns among the outcome and the roles; not what the file has a column for."""
    names = (request.formula.response, *request.roles.columns)
    found = {name: derived for name in names if (derived := derived_from(name)) is not None}
    if not found:
        return {}
    header = open_csv(request.data).header
    return {name: derived for name, derived in found.items() if name not in header}
