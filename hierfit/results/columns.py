"""Names of coefficients -> what their columns are made of, and how these move together along one predictor.

Names as the formula makes them: `ses`, `sector[Private]` (1 in that category, else 0), `ses:sector[Private]` (a
product), `poly(x, 2)[0]`, `np.log(x)`. Letters: N rows, G points along a predictor, C categories but the reference.
Columns are given by name [N]. What does not move stays at its mean.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Columns = Mapping[str, Array]
OPENING, CLOSING = "([{", ")]}"
# A name inside a call that is neither a function, a module nor a keyword of the call.
VARIABLE = re.compile(r"(?<![\w.'\"])[A-Za-z_]\w*(?!\w)(?!\s*[(.=])")


def parts(name: str) -> tuple[str, ...]:
    """Return the factors of a product: `ses:sector[Private]` -> ses, sector[Private]."""
    pieces, depth = [""], 0
    for letter in name:
        depth += (letter in OPENING) - (letter in CLOSING)
        if letter == ":" and depth == 0:
            pieces.append("")
        else:
            pieces[-1] += letter
    return tuple(pieces)


def base(name: str) -> str:
    """Return what stands before the brackets: `sector[Private]` -> sector, `poly(x, 2)[0]` -> poly(x, 2)."""
    return name[: name.rindex("[")] if name.endswith("]") and "[" in name else name


def variables(part: str) -> frozenset[str]:
    """Return the columns of the CSV that a factor of a product is made from."""
    stem = base(part)
    return frozenset(VARIABLE.findall(stem)) if "(" in stem else frozenset((stem,))


def is_category(name: str, column: Array) -> bool:
    """Whether a column says with 1 and 0 whether a row is in one category."""
    return name.endswith("]") and len(parts(name)) == 1 and bool(np.isin(column, (0.0, 1.0)).all())


def is_axis(name: str, column: Array) -> bool:
    """Whether a line can run along a column: one number per row that rises with what it is made from."""
    if len(parts(name)) > 1 or is_category(name, column):
        return False
    return not name.endswith("]") or (name.startswith("poly(") and name.endswith("[0]"))


def moving_along(columns: Columns, column: str, grid: Array) -> dict[str, Array]:
    """Return the columns that move along one of them and their values at its grid [G]: itself, products, powers.

    In a product the other factors stay at their mean; another function of the same variable is read off the rows.
    """
    own = variables(column)
    moving = {column: grid}
    for name in columns:
        if len(parts(name)) == 1 and name != column and variables(name) & own:
            moving[name] = _interpolated(columns[column], columns[name], grid)
    for name in columns:
        product = parts(name)
        shared = [part for part in product if part in moving]
        if len(product) > 1 and shared:
            moving[name] = np.prod([moving[part] for part in shared], axis=0) * _rest(columns, name, shared)
    return moving


def moving_over(columns: Columns, categories: Sequence[str]) -> dict[str, Array]:
    """Return the columns that move over the categories of one predictor [1 + C], the reference category first."""
    points = len(categories) + 1
    moving = {name: np.eye(points)[index + 1] for index, name in enumerate(categories)}
    for name in columns:
        shared = [part for part in parts(name) if part in categories]
        if shared and name not in moving:
            moving[name] = np.prod([moving[part] for part in shared], axis=0) * _rest(columns, name, shared)
    return moving


def _interpolated(x: Array, values: Array, grid: Array) -> Array:
    points, where = np.unique(x, return_inverse=True)
    return np.interp(grid, points, np.bincount(where, weights=values) / np.bincount(where))


def _rest(columns: Columns, name: str, shared: Sequence[str]) -> float:
    """Mean of what a product holds besides the shared factors."""
    others = [part for part in parts(name) if part not in shared]
    if all(part in columns for part in others):
        return float(np.prod([columns[part].mean() for part in others]))
    product = np.prod([columns[part] for part in shared], axis=0)
    nonzero = product != 0
    return float(np.mean(columns[name][nonzero] / product[nonzero])) if nonzero.any() else 0.0
