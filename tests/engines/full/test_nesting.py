from dataclasses import replace

import numpy as np
import pytest

from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.engines.full.nesting import nest
from hierfit.model.formula_text import parse_formula
from tests.model.cases import crossed_table, nested_table


def made(formula: str) -> Design:
    """r lies in g, and g in h; `other` lies in h too, across g; `same` are the levels of g under other names."""
    source = nested_table()
    h = source.labels["h"]
    more = {"other": h * 2 + (np.arange(40) // 8 % 2).astype(np.int32), "same": source.labels["g"][:]}
    levels = {name: tuple(f"{name}{level}" for level in range(codes.max() + 1)) for name, codes in more.items()}
    source = replace(source, labels={**source.labels, **more}, levels={**source.levels, **levels})
    return build_design(parse_formula(formula), source)


@pytest.mark.parametrize(
    ("formula", "within"),
    [
        ("y ~ 1 + (1 | r) + (1 | g) + (1 | h)", (1, 2, -1)),
        ("y ~ 1 + (1 | h) + (1 | r) + (1 | g)", (-1, 2, 0)),
        ("y ~ 1 + (1 | h) + (1 | r)", (-1, 0)),
        ("y ~ 1 + (1 + a | g) + (1 + a + b || h)", (1, -1)),
        ("y ~ 1 + (0 + a | g) + (1 | h)", (-1, -1)),
        ("y ~ 1 + (1 | g) + (0 + a | h)", (-1, -1)),
        ("y ~ 1 + (1 | g) + (1 | same)", (-1, -1)),
        ("y ~ 1 + (1 | h) + (1 | g) + (1 | other)", (-1, 0, -1)),  # one of them is next to h
        ("y ~ 1 + (1 | h) + (1 | other) + (1 | r)", (-1, -1, 0)),
        ("y ~ 1", ()),
    ],
)
def test_a_factor_lies_in_the_finest_that_holds_its_levels(formula: str, within: tuple[int, ...]) -> None:
    assert nest(made(formula)).within == within


def test_crossed_factors_are_not_nested() -> None:
    found = nest(build_design(parse_formula("y ~ 1 + (1 | g) + (1 | h)"), crossed_table()))
    assert found.within == (-1, -1) and found.outer_first == [0, 1]


def test_every_level_knows_its_outer_one() -> None:
    design = made("y ~ 1 + (1 | r) + (1 | h) + (1 | g)")
    found = nest(design)
    r, h, g = design.groups
    np.testing.assert_array_equal(found.level[0][r.codes], g.codes)
    np.testing.assert_array_equal(found.level[2][g.codes], h.codes)
    assert not found.level[1].any()
    assert found.outer_first == [1, 2, 0]
    assert list(found.around(0)) == [2, 1] and list(found.around(1)) == []
    assert [found.innermost(f) for f in range(3)] == [0, 0, 0]
