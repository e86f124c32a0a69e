"""Columns of random right-hand sides against full dummy coding: the same span, no column too many, in any order."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.data.table import Table
from hierfit.design.terms import evaluate_terms
from hierfit.model.formula import Formula
from hierfit.model.formula_text import parse_formula, parse_predictor
from hierfit.model.term_text import atoms_in
from tests.design.test_terms import text_columns_of

Array = NDArray[np.float64]

LEVELS = {"a": "pq", "b": "uvw", "c": "xyz", "d": "mn"}
ATOMS = ["a", "b", "c", "d", "n", "S(b)", "C(k)", "poly(n, 2)"]


def crossed(rng: np.random.Generator, copies: int = 3) -> Table:
    """All cells of four factors of words and one of numbers, each with rows of its own, shuffled."""
    cells = list(product(*LEVELS.values(), (1.0, 2.0))) * copies
    rng.shuffle(cells)
    columns = {name: np.array([cell[place] for cell in cells]) for place, name in enumerate(LEVELS)}
    numbers = {"n": rng.normal(size=len(cells)), "k": np.array([float(cell[-1]) for cell in cells])}
    return text_columns_of(columns, numbers)


TABLE = crossed(np.random.default_rng(1))


def dummies(atom: str, table: Table) -> Array:
    """Return the indicators of all levels of an atom, or its numbers, without looking at how it is coded."""
    column = {"S(b)": "b", "C(k)": "k"}.get(atom, atom)
    if atom == "poly(n, 2)":
        values = table.numbers["n"]
        line = values - values.mean()
        square = line**2 - (line**3).sum() / (line**2).sum() * line
        return np.column_stack([line, square - square.mean()])
    if column in table.labels:
        return np.eye(len(table.levels[column]))[table.labels[column]]
    values = table.numbers[column]
    return (values[:, None] == np.unique(values)).astype(float) if atom == "C(k)" else values[:, None]


def fully_coded(terms: tuple[str, ...], table: Table, *, intercept: bool) -> Array:
    """Return for each term all products of the dummies of its atoms."""
    blocks = [np.ones((table.n_rows, 1))] if intercept else []
    for term in terms:
        block = np.ones((table.n_rows, 1))
        for atom in atoms_in(term):
            block = (block[:, :, None] * dummies(atom, table)[:, None, :]).reshape(table.n_rows, -1)
        blocks.append(block)
    return np.column_stack(blocks)


def rank(X: Array) -> int:
    scale = np.linalg.norm(X, axis=0)
    return int(np.linalg.matrix_rank(X[:, scale > 0] / scale[scale > 0], tol=1e-8 * np.sqrt(X.size)))


def check(terms: tuple[str, ...], table: Table, *, intercept: bool) -> None:
    made = evaluate_terms(terms, table, {}, intercept=intercept)
    ours = np.column_stack([np.ones((table.n_rows, int(intercept))), made.values])
    theirs = fully_coded(terms, table, intercept=intercept)
    wanted = rank(theirs)
    assert ours.shape[1] == wanted, f"{terms}: {made.names}"
    assert rank(ours) == wanted, f"{terms}: {made.names}"
    assert rank(np.column_stack([ours, theirs])) == wanted, f"{terms}: {made.names}"
    assert len(set(made.names)) == len(made.names)


def random_side(rng: np.random.Generator) -> str:
    """Return a right-hand side of up to four terms, each of one to three atoms, in no order."""

    def piece() -> str:
        atoms = rng.choice(ATOMS, size=rng.integers(1, 4), replace=False)
        return str(rng.choice([":", "*", ":", "/"])).join(atoms)

    return " + ".join(piece() for _ in range(rng.integers(1, 5)))


def sides(count: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    found = [side for side in (random_side(rng) for _ in range(20 * count)) if n_columns(side) <= 90]
    return found[:count]


def n_columns(side: str) -> int:
    sizes = {"a": 2, "b": 3, "c": 3, "d": 2, "n": 1, "S(b)": 3, "C(k)": 2, "poly(n, 2)": 2}
    terms = parse_formula(f"y ~ {side}").terms
    # S(b) and b, n and poly(n, 2) span each other: full coding of both has no full rank of its own to compare with.
    names = {atom for term in terms for atom in atoms_in(term)}
    if {"b", "S(b)"} <= names or {"n", "poly(n, 2)"} <= names:
        return 10_000
    return sum(int(np.prod([sizes[atom] for atom in atoms_in(term)])) for term in terms)


@pytest.mark.parametrize("where", ["population", "brackets", "sigma"])
@pytest.mark.parametrize("intercept", [True, False], ids=["1", "0"])
@pytest.mark.parametrize("count", [20, pytest.param(400, marks=pytest.mark.slow)])
def test_the_columns_span_what_full_dummy_coding_does(where: str, intercept: bool, count: int) -> None:
    for side in sides(count, seed=count + len(where) + intercept):
        text = f"{int(intercept)} + {side}"
        if where == "population":
            formula: Formula = parse_formula(f"y ~ {text}")
            terms, has_intercept = formula.terms, formula.intercept
        elif where == "brackets":
            (group,) = parse_formula(f"y ~ 1 + ({text} | g)").groups
            terms, has_intercept = group.slopes, group.intercept
        else:
            sigma = parse_predictor("sigma", text)
            terms, has_intercept = sigma.terms, sigma.intercept
        assert has_intercept == intercept
        check(terms, TABLE, intercept=intercept)


def test_the_order_of_terms_does_not_matter() -> None:
    rng = np.random.default_rng(5)
    for side in sides(20, seed=9):
        terms = parse_formula(f"y ~ {side}").terms
        shuffled = tuple(terms[index] for index in rng.permutation(len(terms)))
        here, there = (evaluate_terms(order, TABLE, {}, intercept=True) for order in (terms, shuffled))
        both = rank(np.column_stack([np.ones(TABLE.n_rows), here.values, there.values]))
        assert both == here.values.shape[1] + 1 == there.values.shape[1] + 1


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a:b", {"a[q]:b[u]", "a[q]:b[v]", "a[q]:b[w]", "b[v]", "b[w]"}),
        ("a:b + a + b", {"a[q]", "b[v]", "b[w]", "a[q]:b[v]", "a[q]:b[w]"}),
        ("a*b", {"a[q]", "b[v]", "b[w]", "a[q]:b[v]", "a[q]:b[w]"}),
        ("0 + a:b", {f"a[{a}]:b[{b}]" for a in "pq" for b in "uvw"}),
        ("a/b", {"a[q]", *(f"a[{a}]:b[{b}]" for a in "pq" for b in "vw")}),
        ("n:a", {"n:a[p]", "n:a[q]"}),
        ("n + n:a", {"n", "n:a[q]"}),
        ("(a + d)^2", {"a[q]", "d[n]", "a[q]:d[n]"}),
        ("a*d - a", {"a[p]:d[n]", "a[q]:d[n]", "d[n]"}),
    ],
)
def test_names(text: str, names: set[str]) -> None:
    made = evaluate_terms(parse_formula(f"y ~ {text}").terms, TABLE, {}, intercept="0" not in text)
    if text == "a*d - a":  # as R has it: d, and a within d
        assert made.values.shape[1] == 3
        return
    assert set(made.names) == names


@pytest.mark.parametrize("seed", range(12))
def test_cells_without_rows_leave_the_span_of_what_is_there(seed: int) -> None:
    """Rows of some cells are taken away: what is left out is a sum of what stays, or nothing at all."""
    rng = np.random.default_rng(seed)
    drop = rng.random((2, 3, 3)) < 0.35
    drop[0, 0, 0] = False
    labels = [TABLE.labels[name] for name in "abc"]
    rows = ~drop[labels[0], labels[1], labels[2]]
    table = text_columns_of(
        {name: np.array(TABLE.levels[name])[TABLE.labels[name][rows]] for name in LEVELS},
        {name: values[rows] for name, values in TABLE.numbers.items()},
    )
    for text in ("a*b*c", "a:b:c", "a/b", "n*a*b", "a:b + n:c:b"):
        terms = parse_formula(f"y ~ {text}").terms
        made = evaluate_terms(terms, table, {}, intercept=True)
        ours = np.column_stack([np.ones(table.n_rows), made.values])
        wanted = rank(fully_coded(terms, table, intercept=True))
        assert rank(ours) == wanted == rank(np.column_stack([ours, fully_coded(terms, table, intercept=True)]))
        assert ours.shape[1] == wanted, made.names
        assert not set(made.left_out) & set(made.names)
        assert (np.abs(made.values).max(axis=0) > 0).all()
