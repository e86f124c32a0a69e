"""Group columns form blocks; nested levels lie within their group, crossed ones meet all others."""

import numpy as np
import pytest

from hierfit.model.formula_text import parse_formula
from hierfit.simulate.group_layout import blocks_of, lay_out


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ("(1 | a)", (("a",),)),
        ("(1 | a) + (1 | b)", (("a",), ("b",))),
        ("(1 | a/b/c)", (("a", "b", "c"),)),
        ("(1 | a:b)", (("a", "b"),)),
        ("(1 | a/b) + (1 | c)", (("a", "b"), ("c",))),
        ("(1 | a:b) + (1 | b)", (("a",), ("b",))),
        ("(1 | a) + (1 | b) + (1 | a:b)", (("a",), ("b",))),
        ("(1 | a:b) + (1 | a:c)", (("a", "b", "c"),)),
        ("(1 | a) + (1 | b/c)", (("a",), ("b", "c"))),
    ],
)
def test_blocks(groups: str, expected: tuple[tuple[str, ...], ...]) -> None:
    assert blocks_of(parse_formula(f"y ~ {groups}")) == expected


def test_nested_levels_have_rows_of_their_own() -> None:
    codes = lay_out(np.random.default_rng(1), (("a", "b"),), {"a": 50, "b": (2, 4)}, (3, 6))
    pairs, rows = np.unique(np.column_stack([codes["a"], codes["b"]]), axis=0, return_counts=True)
    assert set(rows.tolist()) == {3, 4, 5, 6}
    within = np.bincount(pairs[:, 0])
    assert len(within) == 50 and set(within.tolist()) == {2, 3, 4}
    for a in range(50):
        assert pairs[pairs[:, 0] == a, 1].tolist() == list(range(within[a]))


def test_rows_go_through_the_cells_of_a_crossed_block_again_and_again() -> None:
    codes = lay_out(np.random.default_rng(1), (("a",), ("b", "c")), {"a": 20, "b": 3, "c": 2}, 15)
    for a in range(20):
        cells = 2 * codes["b"][codes["a"] == a] + codes["c"][codes["a"] == a]
        counts = np.bincount(cells, minlength=6)
        assert sorted(counts.tolist()) == [2, 2, 2, 3, 3, 3]
    first_cells = {int(2 * codes["b"][row] + codes["c"][row]) for row in range(0, 300, 15)}
    assert len(first_cells) > 1  # an order of their own
