"""Separation is found exactly where linear programming finds it."""

import dataclasses

import numpy as np
import pytest
from scipy.optimize import linprog

from hierfit.design.design import Design
from hierfit.design.separation import find_ends, parting_columns
from tests.model.cases import design


def binary(X: np.ndarray, y: np.ndarray) -> Design:
    names = tuple(f"x{k}" for k in range(X.shape[1]))
    return dataclasses.replace(design(), X=X, y=y, coefficients=names, groups=(), family="bernoulli", link="logit")


def is_separated(X: np.ndarray, y: np.ndarray) -> bool:
    """Whether a direction exists in which no row moves to the wrong side and one moves (Konis 2007)."""
    sides = (2 * y - 1)[:, None] * np.column_stack([np.ones(len(y)), X])
    best = linprog(-sides.sum(axis=0), A_ub=-sides, b_ub=np.zeros(len(y)), bounds=[(-1, 1)] * sides.shape[1])
    return bool(-best.fun > 1e-7)


def test_it_is_found_where_a_linear_program_finds_it() -> None:
    rng = np.random.default_rng(1)
    found = []
    for _ in range(300):
        rows, predictors = int(rng.integers(12, 60)), int(rng.integers(1, 5))
        X = rng.normal(size=(rows, predictors)).round(int(rng.integers(0, 4)))
        strength = rng.choice([0.5, 3, 30])
        y = (rng.random(rows) < 1 / (1 + np.exp(-strength * X @ rng.normal(size=predictors)))).astype(float)
        if 0 < y.mean() < 1 and np.linalg.matrix_rank(np.column_stack([np.ones(rows), X])) > predictors:
            found.append(is_separated(X, y))
            assert (parting_columns(binary(X, y)) is not None) == found[-1]
    assert 50 < sum(found) < len(found) - 50


@pytest.mark.parametrize("rows", [4_000, 40_000])
def test_of_many_rows_a_sample_is_tried_first(rows: int) -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(rows, 3))
    y = (X[:, 0] - X[:, 2] > 0.3).astype(float)
    taking, decided = parting_columns(binary(X, y))
    assert taking == (0, 2) and 0.99 * rows < decided <= rows
    odd = int(np.argmax(np.abs(X[:, 0] - X[:, 2]) < 0.5)) + 1
    y[odd] = 1 - y[odd]
    y[X[:, 0] - X[:, 2] < -4] = 1
    assert parting_columns(binary(X, y)) is None


def test_numbers_without_ends() -> None:
    assert find_ends(design()) is None
