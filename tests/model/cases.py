"""Small tables and designs for the tests, made in memory."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from hierfit.model.design import Design, build_design
from hierfit.model.formula import Formula, formula_from_flags
from hierfit.model.table import Table


def table(rows: int = 40, levels: int = 8, seed: int = 1) -> Table:
    """Return columns y, a, b (numbers) and g (labels g0, g1, ...)."""
    rng = np.random.default_rng(seed)
    codes = (np.arange(rows) % levels).astype(np.int32)
    a, b = rng.normal(10, 2, rows), rng.uniform(0, 1, rows)
    effect = rng.normal(0, 3, levels)
    y = 5 + 2 * a - b + effect[codes] + rng.normal(0, 1, rows)
    return Table(
        path=Path("case.csv"),
        sha256="0" * 64,
        n_read=rows,
        dropped={},
        numbers={"y": y, "a": a, "b": b},
        labels={"g": codes},
        levels={"g": tuple(f"g{level}" for level in range(levels))},
        lines=np.arange(rows, dtype=np.int64) + 2,
    )


def design(formula: Formula | None = None, *, rows: int = 40, levels: int = 8, centered: bool = True) -> Design:
    """Return the design of y ~ a + b + (1 + a | g) on such a table, or of another formula."""
    formula = formula or formula_from_flags("y", ["a", "b"], "g", ["a"])
    return build_design(formula, table(rows, levels), centered=centered)


def crossed_table(rows: int = 40) -> Table:
    """Return such a table with a second factor h of 5 levels, crossed with g."""
    source = table(rows)
    codes = (np.arange(rows) // 3 % 5).astype(np.int32)
    return replace(
        source,
        labels={**source.labels, "h": codes},
        levels={**source.levels, "h": tuple(f"h{level}" for level in range(5))},
    )
