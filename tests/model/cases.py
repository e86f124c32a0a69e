"""Small tables and designs for the tests, made in memory."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from hierfit.data.table import Table
from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.design.prior_choice import build_spec
from hierfit.model.formula import Formula, formula_from_flags
from hierfit.model.formula_text import parse_formula
from hierfit.model.spec import ModelSpec


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


def nested_table(rows: int = 40) -> Table:
    """Return such a table with factors h and r: two levels of g in each of h, and some of r in each of g."""
    source = table(rows)
    g = source.labels["g"]
    codes = {"h": g // 2, "r": np.unique(g + 8 * (np.arange(rows) // 16), return_inverse=True)[1]}
    levels = {name: tuple(f"{name}{level}" for level in range(own.max() + 1)) for name, own in codes.items()}
    labels = {name: own.astype(np.int32) for name, own in codes.items()}
    return replace(source, labels={**source.labels, **labels}, levels={**source.levels, **levels})


def small_spec(
    *priors: str, centered: bool = True, formula: Formula | None = None, prior_only: bool = False
) -> ModelSpec:
    made = design(formula, centered=centered)
    formula = formula or formula_from_flags("y", ["a", "b"], "g", ["a"])
    return build_spec(formula, made, priors, prior_only=prior_only)


def crossed_spec(text: str, *priors: str) -> ModelSpec:
    """Return the model of a formula on a table with the factors g and h, h as numbers too."""
    source = crossed_table()
    made = replace(source, numbers={**source.numbers, "h": source.labels["h"].astype(np.float64)})
    formula = parse_formula(text)
    return build_spec(formula, build_design(formula, made), priors)


def repeated(made: Design) -> Design:
    """Return a design whose rows are there as often as their whole weights say."""
    assert made.weights is not None and made.offset is None
    at = np.repeat(np.arange(made.n_rows), made.weights.astype(int))
    groups = tuple(replace(group, codes=group.codes[at], Z=group.Z[at]) for group in made.groups)
    return replace(made, y=made.y[at], X=made.X[at], groups=groups, lines=made.lines[at], weights=None)
