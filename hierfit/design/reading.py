"""FitRequest -> Table: the columns that a request uses, from its file, or from a DataFrame in its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hierfit.data.cells import missing_cells
from hierfit.data.csvfile import open_csv
from hierfit.data.frames import columns_of, read_frame
from hierfit.data.table import Table, Wanted, read_wanted
from hierfit.design.derive import derive
from hierfit.model.derived import Derived, derived_from
from hierfit.model.families import Family, Support
from hierfit.model.request import FitRequest

if TYPE_CHECKING:
    import pandas as pd


def read_columns(request: FitRequest, family: Family, frame: pd.DataFrame | None = None) -> Table:
    """Read the columns that a request uses: an outcome of categories may be text, and so may predictors.

    A column whose levels are stated is text, whatever it holds, and an outcome of ordered categories may be mixed.
    """
    formula, stated = request.formula, request.roles.levels
    derived = _derived(request, frame)
    columns = {name: each.column for name, each in derived.items()}
    response = [] if formula.response in stated else [columns.get(formula.response, formula.response)]
    may_be_text = family.support in (Support.BINARY, Support.CATEGORIES)
    wanted = Wanted(
        (*([] if may_be_text else response), *(columns.get(name, name) for name in request.roles.columns)),
        (*formula.label_columns, *(name for name in (formula.response, *formula.predictors) if name in stated)),
        (*(response if may_be_text else []), *(name for name in formula.predictors if name not in stated)),
        (*formula.categorical, *(response if family.support is Support.CATEGORIES else [])),
        missing_cells(request.na),
    )
    table = read_wanted(request.data, wanted) if frame is None else read_frame(frame, wanted)
    return derive(table, derived.values()) if derived else table


def _derived(request: FitRequest, frame: pd.DataFrame | None) -> dict[str, Derived]:
    """Return the functions of columns among the outcome and the roles; not what the file has a column for."""
    names = (request.formula.response, *request.roles.columns)
    found = {name: derived for name in names if (derived := derived_from(name)) is not None}
    if not found:
        return {}
    header: Sequence[str] = open_csv(request.data).header if frame is None else columns_of(frame)
    return {name: derived for name, derived in found.items() if name not in header}
