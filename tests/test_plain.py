import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hierfit.plain import (
    Count,
    Key,
    Later,
    Measured,
    UnexpectedError,
    Within,
    below,
    from_plain,
    parse,
    shown,
    to_plain,
)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Inner:
    name: str
    numbers: tuple[float, ...] = ()


@dataclass(frozen=True)
class Other:
    count: Count


@dataclass(frozen=True)
class Outer:
    inner: Inner
    several: tuple[Inner, ...]
    by_name: Mapping[str, Inner]
    colour: Colour
    path: Path
    measured: Measured
    share: Annotated[float, Within(0, 1)]
    pair: tuple[int, str]
    either: Inner | Other | None
    word: Literal["mode", "none"]
    sequence: Sequence[float] | float | None
    origin: Annotated[str, Key("from")]
    yes: bool
    added: Later[Mapping[str, tuple[str, ...]]] = field(default_factory=dict)


OUTER = Outer(
    Inner("a", (1.0, 2.5)),
    (Inner("b"), Inner("")),
    {"x.y": Inner("c")},
    Colour.BLUE,
    Path("/data é.csv"),
    0.25,
    1.0,
    (3, "d"),
    Other(4),
    "mode",
    (0.1, 0.2),
    "e",
    True,
    {"f": ("g",)},
)


def written() -> Any:
    return json.loads(json.dumps(to_plain(OUTER), allow_nan=False))


def test_what_was_written_comes_back() -> None:
    assert from_plain(Outer, written()) == OUTER
    assert written()["from"] == "e" and "origin" not in written()


NUMBER = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text()
INNER = st.builds(Inner, TEXT, st.lists(NUMBER).map(tuple))


@given(
    inner=INNER,
    either=INNER | st.builds(Other, st.integers(0, 2**63 - 1)) | st.none(),
    measured=st.floats(),
    by_name=st.dictionaries(TEXT, INNER),
    path=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1).map(Path),
)
@settings(derandomize=True, max_examples=150, deadline=None)
def test_whatever_was_written_comes_back(measured: float, **values: Any) -> None:
    outer = replace(OUTER, measured=measured, **values)
    read = from_plain(Outer, parse(json.dumps(to_plain(outer))))
    known = math.isfinite(measured)
    assert math.isnan(read.measured) is not known
    assert read == outer if known else replace(read, measured=0.0) == replace(outer, measured=0.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"inner": None}, "inner is null; expected an object"),
        ({"inner": {"name": 1, "numbers": []}}, "inner.name is 1; expected text"),
        ({"inner": {"name": "a"}}, "inner.numbers is missing; expected a list"),
        ({"inner": {"name": "a", "numbers": [], "nmae": 2}}, "inner.nmae is not known. Did you mean 'name'?"),
        ({"several": [{"name": "a", "numbers": [1, "2"]}]}, 'several[0].numbers[1] is "2"; expected a number'),
        ({"by_name": {"x.y": 5}}, 'by_name."x.y" is 5; expected an object'),
        ({"colour": "green"}, 'colour is "green"; expected "red" or "blue"'),
        ({"path": ""}, 'path is ""; expected the path of a file'),
        ({"path": "a\0"}, 'path is "a\\u0000"; expected the path of a file'),
        ({"measured": "1"}, 'measured is "1"; expected a number'),
        ({"share": 1.5}, "share is 1.5; expected a number from 0 to 1"),
        ({"share": None}, "share is null; expected a number from 0 to 1"),
        ({"share": True}, "share is true; expected a number from 0 to 1"),
        ({"pair": [1]}, "pair has 1 elements; expected 2"),
        ({"pair": [1.0, "d"]}, "pair[0] is 1.0; expected a whole number"),
        ({"either": {"count": -1}}, 'either is {"count": -1}; expected an object or null'),
        ({"word": "text"}, 'word is "text"; expected "mode" or "none"'),
        ({"sequence": ["a"]}, 'sequence is ["a"]; expected a list or a number or null'),
        ({"yes": 1}, "yes is 1; expected true or false"),
        ({"added": {"f": "g"}}, 'added.f is "g"; expected a list'),
        ({"origin": "e"}, "origin is not known."),
    ],
    ids=str,
)
def test_something_else_is_refused_by_its_place(change: dict[str, Any], words: str) -> None:
    with pytest.raises(UnexpectedError) as refused:
        from_plain(Outer, {**written(), **change})
    assert str(refused.value) == words
    assert words.startswith(refused.value.where)


def test_only_what_was_added_later_may_be_missing() -> None:
    for key in written():
        stored = {name: value for name, value in written().items() if name != key}
        if key == "added":
            assert from_plain(Outer, stored).added == {}
        else:
            with pytest.raises(UnexpectedError, match=f"^{key} is missing; expected"):
                from_plain(Outer, stored)


def test_other_keys_are_passed_over_where_that_is_allowed() -> None:
    assert from_plain(Outer, {**written(), "other": 1}, extra=True) == OUTER
    with pytest.raises(UnexpectedError, match=r"^inner\.other is not known"):
        from_plain(Outer, {**written(), "inner": {"name": "a", "numbers": [], "other": 1}}, extra=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": [1, NaN]}', "a[1] is nan; expected a finite number"),
        ('{"a": 1e999}', "a is inf; expected a finite number"),
        (f'{{"a": {10**30}}}', "a is a number of 31 digits; expected one of at most 18"),
        ("NaN", "the content is nan; expected a finite number"),
    ],
)
def test_numbers_that_nobody_wrote_are_refused(text: str, words: str) -> None:
    with pytest.raises(UnexpectedError) as refused:
        parse(text)
    assert str(refused.value) == words


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "9" * 10_000])
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


def test_places_and_values_are_shown_without_control_characters() -> None:
    assert below("a", "b\x1b[31m") == 'a."b\\u001b[31m"'
    assert below("", 'say "x"') == '"say \\"x\\""'
    assert shown("\x1b" * 100).startswith('"\\u001b') and len(shown("\x1b" * 100)) == 60
