"""What a Python program calls data -> a DataFrame, or the path of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from hierfit.data.source import FRAME
from hierfit.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from hierfit.model.request import FitRequest

# A pandas DataFrame, what has a method to_pandas (polars, Arrow), a dict of columns, or the path of a CSV file.
Data: TypeAlias = Any


def opened(data: Data) -> tuple[Path, pd.DataFrame | None]:
    """Return the path of a file; or the name that stands for a DataFrame, and the DataFrame.

    Raises:
        UsageError: it is none of these.
    """
    if isinstance(data, str | PathLike):
        return Path(data), None
    import pandas as pd

    if hasattr(data, "to_pandas"):
        data = data.to_pandas()
    elif isinstance(data, Mapping):
        data = pd.DataFrame(data)
    if not isinstance(data, pd.DataFrame):
        raise UsageError(
            f"data are a DataFrame or the path of a CSV file, not {type(data).__name__}.",
            hint="pandas.DataFrame(...) makes a DataFrame of most things",
        )
    return FRAME, data


def with_categories(request: FitRequest, frame: pd.DataFrame) -> FitRequest:
    """Return the request with the categories of categorical predictors, and outcomes of categories, as their levels.

    Levels and references that are given stay what they are.
    """
    from hierfit.data.frames import category_levels
    from hierfit.model.families import FAMILIES, Support

    roles, family = request.roles, FAMILIES.get(request.family)
    names = set(request.formula.predictors)
    if family is not None and family.support in (Support.BINARY, Support.CATEGORIES):
        names.add(request.formula.response)
    names -= {*roles.columns, *roles.levels}
    found = category_levels(frame, names)
    return replace(request, roles=replace(roles, levels={**found, **roles.levels})) if found else request
