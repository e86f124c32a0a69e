"""Columns in further roles are read with the others: what they lack drops rows, and what they hold must be numbers."""

import json
from pathlib import Path

import pytest

from hierfit import workflow
from hierfit.errors import DataError
from hierfit.model.formula_text import parse_formula
from hierfit.model.request import FitRequest
from hierfit.model.roles import NO_ROLES, Roles
from hierfit.plain import from_plain, to_plain

ROWS = [
    "1,4,0.5,1,a,x",
    "2,,0.5,1,a,y",
    "0,3,NA,1,b,x",
    "3,3,1.5,,b,y",
    "3,9,,,b,x",
    "1,2,2.5,2,a,y",
    "2,5,3.5,2,b,",
]


def prepared(folder: Path, rows: list[str], **roles: str) -> workflow.Plan:
    (folder / "data.csv").write_text("\n".join(["y,n,t,w,g,sex", *rows]))
    family = "binomial" if "trials" in roles else "poisson"
    formula = parse_formula("y ~ sex + (1 | g)")
    return workflow.prepare(FitRequest(folder / "data.csv", formula, family=family, roles=Roles(**roles)))  # type: ignore[arg-type]


def test_missing_cells_of_every_role_drop_rows_and_are_counted(tmp_path: Path) -> None:
    table = prepared(tmp_path, [*ROWS, "0,1,1,1,a,x", "1,1,1,1,b,x"], trials="n", offset="t", weights="w").table
    assert dict(table.dropped) == {"n": 1, "t": 2, "w": 2, "sex": 1}
    assert table.lines.tolist() == [2, 7, 9, 10]
    assert (table.n_read, table.n_rows) == (9, 4)


def test_columns_without_a_role_may_lack_cells(tmp_path: Path) -> None:
    plan = prepared(tmp_path, ROWS, offset="t")
    assert dict(plan.table.dropped) == {"t": 2, "sex": 1}
    assert plan.design.offset is not None and plan.design.offset.tolist() == [0.5, 0.5, 1.5, 2.5]
    assert plan.design.weights is None and plan.design.trials is None


@pytest.mark.parametrize(("role", "column"), [("trials", "n"), ("offset", "t"), ("weights", "w")])
def test_words_in_a_role_of_numbers_are_refused(tmp_path: Path, role: str, column: str) -> None:
    cells = ROWS[0].split(",")
    cells["ynt w".replace(" ", "").index(column)] = "many"
    with pytest.raises(DataError, match=f"column '{column}' of .* must hold numbers, but line 3 holds 'many'"):
        prepared(tmp_path, [ROWS[0], ",".join(cells), *ROWS[2:]], **{role: column})


def test_a_column_with_stated_levels_is_text_whatever_it_holds(tmp_path: Path) -> None:
    rows = ["2,10,0", "1,9,1", "0,x,1", "3,10,0", "1,9,0", "2,x,1"]
    (tmp_path / "data.csv").write_text("\n".join(["y,dose,k", *rows]))
    roles = Roles(levels={"dose": ("9", "10", "x"), "k": ("1", "0")})
    request = FitRequest(tmp_path / "data.csv", parse_formula("y ~ dose + k"), family="poisson", roles=roles)
    design = workflow.prepare(request).design
    assert design.coefficients == ("dose[10]", "dose[x]", "k[0]")
    assert design.X[:, 2].tolist() == [1, 0, 0, 1, 1, 0]
    assert design.levels == roles.levels and design.references == {"dose": "9", "k": "1"}


def test_levels_turn_an_outcome_of_0_and_1_around(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("y,x\n0,1\n1,2\n1,3\n0,5\n")
    formula, roles = parse_formula("y ~ x"), Roles(levels={"y": ("1", "0")})
    design = workflow.prepare(FitRequest(tmp_path / "data.csv", formula, family="bernoulli", roles=roles)).design
    assert (design.y.tolist(), design.categories, design.levels) == ([1, 0, 0, 1], ("1", "0"), {})


def test_roles_come_back_from_what_was_stored() -> None:
    roles = Roles("n", "t", "w", {"sex": "x"}, {"sex": ("x", "y")})
    assert from_plain(Roles, json.loads(json.dumps(to_plain(roles)))) == roles


def test_columns_of_the_roles() -> None:
    assert NO_ROLES.columns == ()
    assert Roles("n", "t", "w", {"sex": "x"}).columns == ("n", "t", "w")
