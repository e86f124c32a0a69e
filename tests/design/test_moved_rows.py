import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from hierfit.data.table import table_of
from hierfit.design.building import build_design
from hierfit.design.moved_rows import Added, Held, rows_moved
from hierfit.model.formula_text import parse_formula

N = 40
rng = np.random.default_rng(1)
TABLE = table_of(
    "data.csv",
    {"y": rng.normal(size=N), "x": rng.uniform(1, 2, size=N)},
    {
        "a": (("u", "v"), rng.integers(2, size=N).astype(np.int32)),
        "g": (("k", "l"), (np.arange(N) % 2).astype(np.int32)),
    },
    2 + np.arange(N),
)
DESIGN = build_design(parse_formula("y ~ log(x) * a + (1 + x | g); sigma ~ x"), TABLE)


def test_columns_follow_what_is_changed_and_nothing_else_does() -> None:
    rows = rows_moved(DESIGN, slice(5, 20), {"x": Added(0.5), "a": Held("v")})
    x = TABLE.numbers["x"][5:20] + 0.5
    assert DESIGN.coefficients == ("log(x)", "a[v]", "log(x):a[v]")
    np.testing.assert_allclose(rows.X, np.column_stack([np.log(x), np.ones(15), np.log(x)]))
    np.testing.assert_allclose(rows.groups[0].Z, np.column_stack([np.ones(15), x]))
    np.testing.assert_allclose(rows.distributional["sigma"], np.column_stack([np.ones(15), x]))
    np.testing.assert_array_equal(rows.groups[0].codes, DESIGN.groups[0].codes[5:20])
    same = rows_moved(DESIGN, slice(5, 20), {})
    np.testing.assert_array_equal(same.X, DESIGN.X[5:20])


def test_changes_stay_between_their_ends() -> None:
    rows = rows_moved(DESIGN, slice(None), {"x": Added(0.5, 1.0, 1.7)})
    assert rows.distributional["sigma"][:, 1].max() == 1.7
    assert set(rows_moved(DESIGN, slice(None), {"x": Held(1.25)}).distributional["sigma"][:, 1]) == {1.25}


def test_threads_may_evaluate_terms_side_by_side_and_stdout_stays() -> None:
    stdout = sys.stdout
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda at: rows_moved(DESIGN, slice(None), {"x": Added(at / 1000)}).X[0, 0], range(300)))
    assert sys.stdout is stdout
    np.testing.assert_allclose(found, np.log(TABLE.numbers["x"][0] + np.arange(300) / 1000))
