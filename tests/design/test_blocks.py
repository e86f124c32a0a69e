"""Group terms of several parameters: what varies by each factor, in which blocks, on these rows and on others."""

from dataclasses import replace

import numpy as np
import pytest

from hierfit.design.building import build_design
from hierfit.design.design import Design
from hierfit.design.rows import NewLevels
from hierfit.model.formula_text import parse_formula
from hierfit.model.spec import Block
from tests.model.cases import crossed_table

CASES = {
    "y ~ a + (1 + a | g); sigma ~ 1 + (1 + b | g)": (
        {"g": ("Intercept", "a", "sigma_Intercept", "sigma_b")},
        {"g": (Block(2, True), Block(2, True))},
    ),
    "y ~ a + (1 | p | g); sigma ~ 1 + (1 + b | p | g)": (
        {"g": ("Intercept", "sigma_Intercept", "sigma_b")},
        {"g": (Block(3, True),)},
    ),
    "y ~ a + (1 | p | g) + (1 | h); sigma ~ 1 + (1 | q | g) + (0 + b || h)": (
        {"g": ("Intercept", "sigma_Intercept"), "h": ("Intercept", "sigma_b")},
        {"g": (Block(1, False), Block(1, False)), "h": (Block(1, False), Block(1, False))},
    ),
    "y ~ a; sigma ~ 1 + (1 + b || h) + (1 | g:h)": (
        {"h": ("sigma_Intercept", "sigma_b"), "g:h": ("sigma_Intercept",)},
        {"h": (Block(2, False),), "g:h": (Block(1, False),)},
    ),
}


def design_of(text: str, rows: int = 40) -> Design:
    return build_design(parse_formula(text), crossed_table(rows))


@pytest.mark.parametrize("text", CASES)
def test_what_varies_by_a_factor_is_laid_out_in_blocks(text: str) -> None:
    terms, blocks = CASES[text]
    design = design_of(text)
    assert {group.factor: group.terms for group in design.groups} == terms
    assert {group.factor: group.named.blocks for group in design.groups} == blocks
    numbers = crossed_table().numbers
    for group in design.groups:
        for term, parameter, column in zip(group.terms, group.named.of_parameters, group.Z.T, strict=True):
            own = term.removeprefix("sigma_")
            assert (parameter == "sigma") == (own != term)
            np.testing.assert_array_equal(column, 1.0 if own == "Intercept" else numbers[own])


def test_three_parameters_share_a_letter_or_have_their_own() -> None:
    text = "y ~ a + (1 | g); sigma ~ 1 + (1 | p | g); nu ~ 1 + (1 | p | g)"
    design = build_design(parse_formula(text), crossed_table(), family="student")
    (group,) = design.groups
    assert group.terms == ("Intercept", "sigma_Intercept", "nu_Intercept")
    assert group.named.blocks == (Block(1, False), Block(2, True))


@pytest.mark.parametrize("text", CASES)
def test_other_rows_have_the_same_columns(text: str) -> None:
    design, table = design_of(text), crossed_table()
    some = np.array([5, 0, 17])
    labels = {name: codes[some] for name, codes in table.labels.items()}
    numbers = {name: values[some] for name, values in table.numbers.items()}
    rows = design.on(
        replace(table, numbers=numbers, labels=labels, lines=table.lines[some]), new_levels=NewLevels.ERROR
    )
    for group, there in zip(design.groups, rows.groups, strict=True):
        np.testing.assert_array_equal(there.Z, group.Z[some])
        np.testing.assert_array_equal(there.codes, group.codes[some])


@pytest.mark.parametrize("text", CASES)
def test_the_part_of_the_mean_is_the_design_without_the_others(text: str) -> None:
    alone = design_of(text.split(";")[0])
    part = design_of(text).of_mean
    assert [group.factor for group in part.groups] == [group.factor for group in alone.groups]
    for one, other in zip(part.groups, alone.groups, strict=True):
        assert (one.terms, one.correlated, one.slopes) == (other.terms, other.correlated, other.slopes)
        np.testing.assert_array_equal(one.Z, other.Z)
        assert one.named == other.named


def test_a_block_that_is_shared_is_not_moved_to_the_mean_of_its_columns() -> None:
    (shared,) = design_of("y ~ a + (1 + a | p | g); sigma ~ 1 + (1 | p | g)").groups
    (alone,) = design_of("y ~ a + (1 + a | g); sigma ~ 1 + (1 | g)").groups
    assert not shared.named.has_mean and alone.named.has_mean
