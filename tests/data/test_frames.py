"""A DataFrame is read as the CSV that it would be written to."""

import datetime
import decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hierfit.data.frames import category_levels, read_frame
from hierfit.data.table import Table, Wanted, read_wanted
from hierfit.errors import DataError

texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"), max_size=4
) | st.sampled_from(
    ["NA", "nan", "None", " a", "a,b", 'say "x"', "1", "1.0", "01", "True", "true", "-99", "1e3", "inf"]
)
whole = st.integers(-(2**53), 2**53) | st.sampled_from([-99, 0, 1])
real = st.floats(allow_nan=True, allow_infinity=False, width=64) | st.sampled_from([-99.0, 1.0])
anything = st.one_of(
    texts,
    st.none(),
    st.booleans(),
    whole,
    real,
    st.dates(datetime.date(1950, 1, 1), datetime.date(2050, 1, 1)),
    st.decimals(-100, 100, allow_nan=False, places=2),
)


@st.composite
def columns(draw: st.DrawFn, n_rows: int) -> Any:
    """A column of any kind."""
    kind = draw(
        st.sampled_from(["text", "whole", "real", "bool", "Int64", "Float64", "boolean", "string", "day", "any"])
    )

    def some(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=n_rows, max_size=n_rows))

    match kind:
        case "text":
            return pd.Series(some(texts | st.none()), dtype=draw(st.sampled_from(["object", "str"])))
        case "whole":
            return pd.Series(some(whole), dtype="int64")
        case "real":
            return pd.Series(some(real), dtype="float64")
        case "bool":
            return pd.Series(some(st.booleans()), dtype="bool")
        case "Int64":
            return pd.Series(some(whole | st.none()), dtype="Int64")
        case "Float64":
            return pd.Series(some(real | st.none()), dtype="Float64")
        case "boolean":
            return pd.Series(some(st.booleans() | st.none()), dtype="boolean")
        case "string":
            return pd.Series(some(texts | st.none()), dtype="string")
        case "day":
            moments = st.datetimes(datetime.datetime(1950, 1, 1), datetime.datetime(2050, 1, 1))
            dates = st.dates(datetime.date(1950, 1, 1), datetime.date(2050, 1, 1))
            return pd.Series(pd.to_datetime(pd.Series(some(draw(st.sampled_from([moments, dates]))))))
    return pd.Series(some(anything), dtype="object")


def read(make: Any) -> Table | str:
    """What is read, or what an error says of its kind."""
    try:
        table: Table = make()
    except DataError as error:
        return " ".join(error.message.replace("<DataFrame>", "FILE").split()[:4])
    return table


def assert_same(frame: pd.DataFrame, wanted: Wanted, path: Path) -> None:
    frame.to_csv(path, index=False)
    one, other = read(lambda: read_frame(frame, wanted)), read(lambda: read_wanted(path, wanted))
    if isinstance(one, str) or isinstance(other, str):
        assert one == (other.replace(str(path), "FILE") if isinstance(other, str) else other)
        return
    assert (one.n_read, dict(one.dropped), dict(one.lost)) == (other.n_read, dict(other.dropped), dict(other.lost))
    assert (dict(one.levels), dict(one.spelled)) == (dict(other.levels), dict(other.spelled))
    assert one.numbers.keys() == other.numbers.keys()
    for name, values in one.numbers.items():
        np.testing.assert_array_equal(values, other.numbers[name], strict=True)
    for name, codes in one.labels.items():
        np.testing.assert_array_equal(codes, other.labels[name], strict=True)


# A second column keeps a row that lacks the first from being a blank line, which a CSV does not count.
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.integers(1, 6), st.sampled_from(["numeric", "labels", "either", "mixed", "both"]), st.booleans())
def test_a_frame_is_read_as_its_csv(tmp_path: Path, data: st.DataObject, n_rows: int, role: str, coded: bool) -> None:
    column = data.draw(columns(n_rows))
    if column.dtype == "object" and any(isinstance(value, str) and "\r" in value for value in column):
        return
    frame = pd.DataFrame({"a": column, "beside": np.arange(n_rows) + 0.5})
    frame.index = pd.Index(data.draw(st.lists(st.integers(0, 9), min_size=n_rows, max_size=n_rows)))
    missing = ("", "NA", "nan", "-99") if coded else Wanted(()).missing
    chosen = {
        "numeric": Wanted(("a", "beside"), missing=missing),
        "labels": Wanted(("beside",), ("a",), missing=missing),
        "either": Wanted(("beside",), (), ("a",), missing=missing),
        "mixed": Wanted(("beside",), (), ("a",), ("a",), missing),
        "both": Wanted(("a", "beside"), ("a",), missing=missing),
    }
    assert_same(frame, chosen[role], tmp_path / "data.csv")


def test_what_tells_a_mixed_column_apart_is_its_text() -> None:
    frame = pd.DataFrame({"g": pd.Series([1, True, 1.0, "1", decimal.Decimal("1.00"), None], dtype=object)})
    table = read_frame(frame, Wanted((), ("g",)))
    assert table.levels["g"] == ("1", "True", "1.0", "1.00")
    assert table.labels["g"].tolist() == [0, 1, 2, 0, 3]
    assert table.lines.tolist() == [0, 1, 2, 3, 4]


def test_errors_name_the_row_by_its_position() -> None:
    frame = pd.DataFrame({"y": ["1", "2", "x"]}, index=["p", "q", "r"])
    with pytest.raises(DataError) as caught:
        read_frame(frame, Wanted(("y",)))
    assert caught.value.message == ("column 'y' of <DataFrame> must hold numbers, but row 2 holds 'x' (1 such cell).")


def test_a_name_that_is_not_there_is_told_with_those_that_are() -> None:
    frame = pd.DataFrame({"score": [1.0], "school": ["a"], 7: [1]})
    with pytest.raises(DataError) as caught:
        read_frame(frame, Wanted(("scores",)))
    assert caught.value.message == "no column 'scores' in <DataFrame>. Did you mean 'score'?"
    assert caught.value.hint == f"columns: score (float64), school ({frame['school'].dtype}), 7 (int64)"
    assert read_frame(frame, Wanted(("7",))).numbers["7"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame({"y": []}), "<DataFrame> has no rows."),
        (pd.DataFrame([[1, 2]], columns=["y", "y"]), "column 'y' stands 2 times in the header of <DataFrame>"),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "y")])), "names of 2 levels"),
        (pd.DataFrame({"y": [1.0, np.inf]}), "must hold finite numbers, but row 1 holds 'inf'"),
        (pd.DataFrame({"y": [1j]}), "must hold numbers, but row 0 holds '1j'"),
    ],
)
def test_frames_that_cannot_be_used(frame: pd.DataFrame, said: str) -> None:
    with pytest.raises(DataError) as caught:
        read_frame(frame, Wanted(("y",)))
    assert said in caught.value.message


def test_levels_of_categories_are_those_that_occur_in_their_order() -> None:
    dose = pd.Categorical(["mid", "low", None, "mid"], categories=["low", "mid", "high"], ordered=True)
    frame = pd.DataFrame({"dose": dose, "year": pd.Categorical([2, 1, 2, 1]), "y": 1.0})
    assert category_levels(frame, ["dose", "year", "y"]) == {"dose": ("low", "mid"), "year": ("1", "2")}
    assert category_levels(frame, ["y"]) == {}


def test_the_digest_is_that_of_what_is_read() -> None:
    frame = pd.DataFrame({"y": [1.0, 2.0], "g": ["a", "b"]})
    same = frame.assign(z=3).set_index("z", drop=False)
    wanted = Wanted(("y",), ("g",))
    assert read_frame(frame, wanted).sha256 == read_frame(same, wanted).sha256
    others = [frame.assign(y=[1.0, 3.0]), frame.assign(g=["a", "c"]), frame.assign(g=["b", "a"])]
    assert len({read_frame(each, wanted).sha256 for each in (frame, *others)}) == 4
