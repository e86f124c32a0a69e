"""Trees on draws: as numpy computes them, however they are written; and where there is no value."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hierfit.posterior.hypotheses.evaluate import Known, truth_of, value_of
from hierfit.posterior.hypotheses.functions import FUNCTIONS
from hierfit.posterior.hypotheses.names import Names, names_of
from hierfit.posterior.hypotheses.parse import parse
from hierfit.posterior.hypotheses.tree import (
    Call,
    Chain,
    Comparison,
    Joined,
    Name,
    Negative,
    Not,
    Number,
    Power,
    written,
)
from tests.hostile import PROFILE

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy's, of what it is compared with
PARAMETERS = ("ses", "sector[Private]", "sd(school: ses)", "a b", "exp", "x`y", "cor(g: Intercept, x)")
SHAPE = (2, 50)
_rng = np.random.default_rng(4)
VALUES = {name: _rng.normal(size=SHAPE) for name in PARAMETERS}
DRAWS = Known(VALUES, SHAPE)
# What Python would make of it: signs and functions as in numpy, with nothing in common with the module tested.
SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
}  # fmt: skip
COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "<": lambda a, b: a < b, ">": lambda a, b: a > b, "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b,
}  # fmt: skip
CALLS: dict[str, Callable[..., Any]] = {
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "abs": np.abs, "min": np.minimum, "max": np.maximum,
    "inv_logit": lambda x: 1 / (1 + np.exp(-x)), "logit": lambda p: np.log(p / (1 - p)), "log1p": np.log1p,
}  # fmt: skip


@pytest.fixture(scope="module")
def names() -> Names:
    return names_of(PARAMETERS, (), {})


Pair = tuple[Any, Any]  # a tree, and its values
LEAVES = st.one_of(
    st.sampled_from(PARAMETERS).map(lambda name: (Name(name), VALUES[name])),
    st.floats(0.01, 20).map(lambda x: (Number(float(f"{x:.3f}"), f"{x:.3f}"), float(f"{x:.3f}"))),
)


def _sum_or_product(parts: tuple[Pair, list[tuple[str, Pair]]]) -> Pair:
    (tree, values), then = parts
    for sign, (_, other) in then:
        values = SIGNS[sign](values, other)
    return Chain(tree, tuple((sign, part) for sign, (part, _) in then)), values


def _chains(inner: st.SearchStrategy[Pair], signs: str) -> st.SearchStrategy[Pair]:
    then = st.lists(st.tuples(st.sampled_from(signs), inner), min_size=1, max_size=3)
    return st.tuples(inner, then).map(_sum_or_product)


def _called(name: str, parts: list[Pair]) -> Pair:
    return Call(name, tuple(tree for tree, _ in parts)), CALLS[name](*(values for _, values in parts))


def _larger(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    one = [name for name in CALLS if not FUNCTIONS[name].several]
    return st.one_of(
        _chains(inner, "+-"),
        _chains(inner, "*/"),
        inner.map(lambda pair: (Negative(pair[0]), -pair[1])),
        st.tuples(inner, inner).map(lambda two: (Power(two[0][0], two[1][0]), np.power(two[0][1], two[1][1]))),
        st.tuples(st.sampled_from(one), inner).map(lambda both: _called(both[0], [both[1]])),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda three: _called(three[0], [*three[1:]])),
    )


QUANTITIES = st.recursive(LEAVES, _larger, max_leaves=10)
COMPARISONS = st.tuples(QUANTITIES, st.sampled_from([*COMPARED]), QUANTITIES).map(
    lambda three: (Comparison((three[0][0], three[2][0]), (three[1],)), COMPARED[three[1]](three[0][1], three[2][1]))
)


@PROFILE
@given(pair=QUANTITIES)
def test_a_quantity_is_what_numpy_makes_of_it(names: Names, pair: Pair) -> None:
    tree, wanted = pair
    wanted = np.broadcast_to(wanted, SHAPE)
    missing: Counter[str] = Counter()
    found = value_of(tree, DRAWS, missing)
    known = np.isfinite(found)
    assert np.isfinite(wanted[known]).all()
    np.testing.assert_allclose(found[known], wanted[known], rtol=1e-9, atol=1e-9)
    assert bool(missing) == (not known.all())
    if list(PARAMETERS) and "Name" in repr(tree):  # a text without any is refused
        np.testing.assert_array_equal(value_of(parse(written(tree), names), DRAWS, Counter()), found)


@PROFILE
@given(first=COMPARISONS, second=COMPARISONS, word=st.sampled_from(["and", "or"]), turned=st.booleans())
def test_a_claim_is_what_numpy_makes_of_it(names: Names, first: Pair, second: Pair, word: str, turned: bool) -> None:
    tree = Joined(word, (Not(first[0]) if turned else first[0], second[0]))
    left = np.logical_not(first[1]) if turned else first[1]
    wanted = np.broadcast_to(
        np.logical_and(left, second[1]) if word == "and" else np.logical_or(left, second[1]), SHAPE
    )
    truth = truth_of(tree, DRAWS, Counter())
    np.testing.assert_array_equal(truth.holds[truth.known], wanted[truth.known])
    assert not truth.holds[~truth.known].any()
    if "Name" in repr(tree):
        np.testing.assert_array_equal(truth_of(parse(written(tree), names), DRAWS, Counter()).holds, truth.holds)


def test_a_chain_of_comparisons_is_all_of_them(names: Names) -> None:
    x = VALUES["ses"]
    truth = truth_of(parse("-1 < ses <= 0.5", names), DRAWS, Counter())  # type: ignore[arg-type]
    np.testing.assert_array_equal(truth.holds, (x > -1) & (x <= 0.5))


@pytest.mark.parametrize(
    ("text", "lacks", "reason"),
    [
        ("log(ses)", VALUES["ses"] <= 0, "the logarithm is of a number that is not above 0"),
        ("sqrt(ses)", VALUES["ses"] < 0, "the root is of a number below 0"),
        ("logit(ses)", (VALUES["ses"] <= 0) | (VALUES["ses"] >= 1), "the number is not between 0 and 1"),
        ("1 / (ses - ses)", np.ones(SHAPE, dtype=bool), "something is divided by 0"),
        ("ses^0.5", VALUES["ses"] < 0, "the power has no value"),
        ("exp(1000 + ses)", np.ones(SHAPE, dtype=bool), "a number is too large"),
        ("1 + exp(log(ses)) * 0", VALUES["ses"] <= 0, "the logarithm is of a number that is not above 0"),
        ("max(ses, log(ses))", VALUES["ses"] <= 0, "the logarithm is of a number that is not above 0"),
    ],
)
def test_draws_without_a_value_are_counted_once_by_their_reason(
    names: Names, text: str, lacks: Any, reason: str
) -> None:
    missing: Counter[str] = Counter()
    found = value_of(parse(text, names), DRAWS, missing)  # type: ignore[arg-type]
    np.testing.assert_array_equal(np.isnan(found), lacks)
    assert missing == {reason: int(lacks.sum())}
