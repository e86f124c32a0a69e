"""A design on other rows: what it would have had of them in the fit; levels of groups that no row of the fit had."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from hierfit.data.table import Table, table_of
from hierfit.design.building import build_design
from hierfit.design.derive import with_derived
from hierfit.design.design import Design
from hierfit.design.rows import NewLevels, Rows
from hierfit.errors import DataError, FormulaError
from hierfit.model.formula_text import parse_formula
from hierfit.model.roles import NO_ROLES, Roles

N = 80
RNG = np.random.default_rng(11)
NUMBERS = {
    "y": RNG.poisson(3, N).astype(float), "x": RNG.normal(1e6, 2, N), "z": RNG.uniform(1, 3, N),
    "n": RNG.integers(3, 9, N).astype(float), "w": RNG.uniform(1, 2, N),
}  # fmt: skip
WORDS = {
    name: np.concatenate([levels, RNG.choice(levels, N - len(levels))])
    for name, levels in (("arm", ["a", "b"]), ("g", ["p", "q:1", "r", "'s"]), ("h", ["1:p", "2", "3"]))
}
MODELS = [
    ("y ~ x * arm + poly(z, 2)", "poisson", Roles(offset="log(w)")),
    ("y ~ bs(z, df=4) + (1 + scale(x) | g) + (0 + z | h)", "gaussian", Roles(weights="n")),
    ("y ~ arm + (1 + arm | g:h); sigma ~ z + S(arm)", "gaussian", NO_ROLES),
    ("y ~ 0 + arm + (1 | g/h); sigma ~ 0 + g; nu ~ poly(z, 2)", "student", NO_ROLES),
    ("y ~ x + (1 | g)", "binomial", Roles(trials="m", exposure=None)),
    ("y ~ x + (1 | g)", "gaussian", Roles(precision="w")),
    ("y ~ x + (1 | h)", "negbinomial", Roles(exposure="w", offset="z")),
]


def table(rows: NDArray[np.int64], **changed: NDArray[np.str_]) -> Table:
    """Return some rows; the levels of words are those that occur there, in order of appearance."""
    words = {}
    for name, column in {**{name: column[rows] for name, column in WORDS.items()}, **changed}.items():
        levels = tuple(dict.fromkeys(column.tolist()))
        words[name] = (levels, np.array([levels.index(label) for label in column.tolist()], dtype=np.int32))
    numbers = {name: column[rows] for name, column in NUMBERS.items()} | {"m": NUMBERS["y"][rows] + 1}
    return table_of(Path("a.csv"), numbers, words, rows + 2)


EVERY = np.arange(N)


def built(formula: str, family: str = "gaussian", roles: Roles = NO_ROLES) -> Design:
    return build_design(parse_formula(formula), with_derived(table(EVERY), roles.columns), family=family, roles=roles)


def assert_rows(found: Rows, design: Design, rows: NDArray[np.int64]) -> None:
    np.testing.assert_allclose(found.X, design.X[rows], rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(found.lines, rows + 2)
    for own, group in zip(found.groups, design.groups, strict=True):
        assert own.labels == group.labels
        np.testing.assert_array_equal(own.codes, group.codes[rows])
        np.testing.assert_allclose(own.Z, group.Z[rows], rtol=1e-12, atol=1e-12)
    for name in ("offset", "trials", "precision"):
        wanted = getattr(design, name)
        assert (getattr(found, name) is None) == (wanted is None)
        if wanted is not None:
            np.testing.assert_array_equal(getattr(found, name), wanted[rows])
    assert list(found.distributional) == [own.parameter for own in design.distributional]
    for own in design.distributional:
        np.testing.assert_allclose(found.distributional[own.parameter], own.X[rows], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("formula", "family", "roles"), MODELS)
def test_rows_have_what_they_had_in_the_fit(formula: str, family: str, roles: Roles) -> None:
    design = built(formula, family, roles)
    for rows in (EVERY, np.array([5]), np.array([60, 3, 3, 17]), np.random.default_rng(1).permutation(N)):
        assert_rows(design.on(table(rows)), design, rows)


@pytest.mark.parametrize("columns", ["g", "g:h"])
def test_new_levels_follow_the_known_ones(columns: str) -> None:
    design = built(f"y ~ x + (1 + x | {columns})")
    own = table(np.array([0, 7, 7, 9]), g=np.array([WORDS["g"][0], "new", "newer", "new"]))
    (known,) = design.groups
    for policy in (NewLevels.DRAW, NewLevels.AVERAGE):
        (found,) = design.on(own, new_levels=policy).groups
        assert found.labels[: known.n_levels] == known.labels
        ends = [""] if columns == "g" else [f":{h!r}" if ":" in h else f":{h}" for h in WORDS["h"][[7, 7, 9]]]
        new = [f"{label}{ends[i % len(ends)]}" for i, label in enumerate(("new", "newer", "new"))]
        assert found.labels[known.n_levels :] == tuple(dict.fromkeys(new))
        assert [found.labels[code] for code in found.codes[1:]] == new
        assert found.codes[0] == known.codes[0]
    with pytest.raises(DataError, match=r"a\.csv, column '.*', line 9: no row of the fit had the level 'new") as caught:
        design.on(own)
    assert "--new-groups draw" in caught.value.hint


def test_a_nested_level_may_be_new_within_a_known_one() -> None:
    design = built("y ~ x + (1 | g/h)")
    own = table(np.array([0, 1]), h=np.array([WORDS["h"][0], "new"]))
    outer, inner = design.on(own, new_levels=NewLevels.DRAW).groups
    assert outer.labels == design.group("g").labels
    assert inner.labels[-1].endswith(":new")
    assert inner.codes.tolist() == [design.group("g:h").codes[0], design.group("g:h").n_levels]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"numbers": {"y", "z", "n", "w", "m"}}, "no column 'x', which the model has a term of"),
        ({"numbers": {"y", "x", "z", "n", "m"}}, "no column 'w' of numbers"),
        ({"words": {"arm", "h"}}, "no column 'g', by whose labels"),
        ({"arm": "c"}, "column 'arm', line 3: no row of the fit had the level 'c'"),
        ({"w": 0.0}, "holds 0 on line 3"),
        ({"z": 0.0}, "is no finite number on line 3"),
    ],
)
def test_what_cannot_be_evaluated_is_named_with_its_place(change: dict[str, object], message: str) -> None:
    design = built("y ~ x * arm + log(z) + (1 | g)", "poisson", Roles(offset="log(w)"))
    own = table(np.array([0, 1, 2]))
    keep = {*own.numbers, *own.levels}
    if "numbers" in change:
        keep = {*change["numbers"], *own.levels}  # type: ignore[misc]
    elif "words" in change:
        keep = {*own.numbers, *change["words"]}  # type: ignore[misc]
    elif "arm" in change:
        own = table(np.array([0, 1, 2]), arm=np.array(["a", "c", "b"]))
    else:
        ((name, value),) = change.items()
        own = replace(own, numbers={**own.numbers, name: np.array([1.0, value, 2.0], dtype=np.float64)})
    with pytest.raises((DataError, FormulaError), match=message) as caught:
        design.on(own.only(keep))
    assert "a.csv" in str(caught.value)
    assert caught.value.hint
