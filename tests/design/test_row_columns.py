"""Offset, exposure, weights and precision of the rows: what they are, and what is refused with its line."""

from dataclasses import replace

import numpy as np
import pytest

from hierfit.data.table import Table
from hierfit.design.row_columns import RowColumns, read_row_columns
from hierfit.errors import DataError, UsageError
from hierfit.model.families import FAMILIES
from hierfit.model.roles import Roles
from hierfit.plain import from_plain
from tests.model.cases import table


def with_column(values: list[float]) -> Table:
    source = table(len(values), 2)
    return replace(source, numbers={**source.numbers, "m": np.array(values), "o": np.ones(len(values))})


def read(values: list[float], family: str, roles: Roles, link: str | None = None) -> RowColumns:
    kind = FAMILIES[family]
    return read_row_columns(with_column(values), kind, link or kind.link, roles, sigma_varies=False)


def test_the_log_of_an_exposure_is_added_to_the_offset() -> None:
    values = [1.0, 5.0, 200.0, 0.1]
    rows = read(values, "poisson", Roles(exposure="m"))
    assert rows.offset is not None and rows.offset.tolist() == np.log(values).tolist()
    both = read(values, "poisson", Roles(offset="o", exposure="m"))
    assert both.offset is not None and both.offset.tolist() == (1 + np.log(values)).tolist()
    assert Roles(offset="o", exposure="m").row_terms == ("offset(o)", "offset(log(m))")
    assert Roles(offset="o", exposure="m").offset_at_zero == "o = 0 and m = 1"


@pytest.mark.parametrize(
    ("family", "roles", "value", "message"),
    [
        ("poisson", Roles(exposure="m"), 0.0, "holds the exposure 0 on line 4"),
        ("poisson", Roles(exposure="m"), -2.0, "holds the exposure -2 on line 4"),
        ("gaussian", Roles(precision="m"), 0.0, "holds the precision weight 0 on line 4"),
        ("gaussian", Roles(weights="m"), -1.0, "holds the weight -1 on line 4"),
    ],
)
def test_what_cannot_be_there_is_refused_with_its_line(family: str, roles: Roles, value: float, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read([1.0, 2.0, value, 3.0], family, roles)
    assert caught.value.message.startswith(f"column 'm' of case.csv {message}") and caught.value.hint


@pytest.mark.parametrize(
    ("family", "roles", "message"),
    [
        ("gaussian", Roles(exposure="m"), "--exposure m: under the identity link"),
        ("bernoulli", Roles(exposure="m"), "--exposure m: under the logit link"),
        ("poisson", Roles(precision="m"), "--precision-weights m: the variance of poisson"),
        ("student", Roles(precision="m"), "--precision-weights m: the variance of student"),
        ("gaussian", Roles(precision="m", weights="o"), "--precision-weights m: rows are weighted by --weights o"),
    ],
)
def test_what_the_model_has_no_place_for_is_refused(family: str, roles: Roles, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        read([1.0, 2.0, 3.0, 4.0], family, roles)
    assert caught.value.hint
    with pytest.raises(UsageError, match="sigma has predictors"):
        read_row_columns(
            with_column([1.0, 2.0]), FAMILIES["gaussian"], "identity", Roles(precision="m"), sigma_varies=True
        )


def test_roles_of_older_runs_are_read() -> None:
    stored = {"trials": None, "offset": "o", "weights": None, "references": {}, "levels": {"y": ["a", "b"]}}
    assert from_plain(Roles, stored) == Roles(offset="o", levels={"y": ("a", "b")})
