"""Functions of columns as outcome and offset."""

from pathlib import Path

import numpy as np
import pytest

from hierfit import workflow
from hierfit.errors import DataError
from hierfit.model.derived import derived_from
from hierfit.model.formula_text import parse_formula
from hierfit.model.request import FitRequest
from hierfit.model.roles import Roles


def written(folder: Path, header: str = "y,x,minutes,g", first: str = "2,1,3,a") -> Path:
    rng = np.random.default_rng(1)
    rows = [
        f"{rng.lognormal():.4f},{rng.normal():.4f},{rng.uniform(1, 9):.4f},{'abcdefgh'[row % 8]}" for row in range(40)
    ]
    (folder / "data.csv").write_text("\n".join([header, first, *rows]) + "\n")
    return folder / "data.csv"


@pytest.mark.parametrize("function", ["log", "log2", "log10", "log1p", "sqrt"])
def test_an_outcome_is_a_function_of_a_column(tmp_path: Path, function: str) -> None:
    plain, made = (
        workflow.prepare(FitRequest(written(tmp_path), parse_formula(f"{y} ~ x + (1 | g)"))).design
        for y in ("y", f"{function}(y)")
    )
    np.testing.assert_array_equal(made.y, getattr(np, function)(plain.y))
    assert made.response == f"{function}(y)" and made.coefficients == plain.coefficients


def test_an_offset_is_a_function_of_a_column(tmp_path: Path) -> None:
    formula = parse_formula("y ~ x + (1 | g)")
    request = FitRequest(written(tmp_path), formula, family="gamma", roles=Roles(offset="log(minutes)"))
    plan = workflow.prepare(request)
    assert plan.design.offset is not None
    np.testing.assert_array_equal(plan.design.offset, np.log(plan.table.numbers["minutes"]))


def test_a_column_of_that_name_is_that_column(tmp_path: Path) -> None:
    path = written(tmp_path, "log(y),x,minutes,g")
    plan = workflow.prepare(FitRequest(path, parse_formula("log(y) ~ x + (1 | g)")))
    assert plan.design.y[0] == 2


def test_what_has_no_value_is_named_with_its_line(tmp_path: Path) -> None:
    request = FitRequest(written(tmp_path, first="0,1,3,a"), parse_formula("log(y) ~ x + (1 | g)"))
    with pytest.raises(DataError, match=r"'y' of .* holds 0 on line 2, of which log\(y\) is no finite") as refused:
        workflow.prepare(request)
    assert "log1p" in str(refused.value.hint)


@pytest.mark.parametrize("name", ["y", "exp(y)", "log(y) + 1", "log()", "log(y", "log(y, z)", "log(log(y))"])
def test_other_names_are_columns(name: str) -> None:
    assert derived_from(name) is None
