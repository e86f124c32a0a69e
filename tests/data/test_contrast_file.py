"""Contrasts read from a file: values as written, and what is refused with its line."""

import pytest

from hierfit.data.contrast_file import read_contrasts
from hierfit.errors import DataError
from hierfit.model.contrasts import ContrastKind


def test_levels_and_values_are_read_fractions_too(tmp_path) -> None:
    path = tmp_path / "c.csv"
    path.write_text('dose,active,high_vs_mid\nlow,-2/3,0\n\n"mid, twice",1/3,-.5\nhigh,0.25,0.5\n')
    found = read_contrasts(path)
    assert found.kind is ContrastKind.CUSTOM and found.file == str(path)
    assert found.levels == ("low", "mid, twice", "high") and found.lines == (2, 4, 5)
    assert found.names == ("active", "high_vs_mid")
    assert found.matrix == ((-2 / 3, 0), (1 / 3, -0.5), (0.25, 0.5))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("d,a,b\nlow,1,0\nmid,one,0\nhigh,0,1\n", "line 3, column 'a': 'one' is no number"),
        ("d,a,b\nlow,1,0\nmid,0\nhigh,0,1\n", "line 3, column 'b': '' is no number"),
        ("d,a,b\nlow,1,0\nmid,1/0,0\nhigh,0,1\n", "line 3, column 'a': '1/0' is no number"),
        ("d,a,b\nlow,1,0\nmid,inf,0\nhigh,0,1\n", "line 3, column 'a': 'inf' is no number"),
        ("d,a,b\nlow,1,0\nmid,0,1\nlow,0,0\n", "line 4: the level 'low' stands on line 2 too"),
        ("d,a,b\nlow,1,0\n,0,1\nhigh,0,0\n", "line 3: the first cell, which names the level, is empty"),
        ("d,a\nlow,1\nmid,0\nhigh,0\n", "has 1 column of contrasts and 3 levels; there must be one"),
        ("d,a,b\nlow,1,1\nmid,1,0\nhigh,1,0\n", "column 'a': that contrast is a sum of multiples of a constant"),
        ("d,a,b\nlow,1,-2\nmid,0,0\nhigh,-1,2\n", "column 'b': that contrast is a sum of multiples"),
        ("d,a,b\nlow,0.1,0.3\nmid,0.2,0.1\nhigh,0.3,-0.1\n", "column 'b': that contrast is a sum of multiples"),
        ("d,a,b\nlow,0,1\nmid,0,0\nhigh,0,0\n", "column 'a': that contrast is a sum of multiples"),
    ],
)
def test_what_holds_no_contrasts_is_refused_with_its_place(tmp_path, text, said) -> None:
    path = tmp_path / "c.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_contrasts(path)
    assert caught.value.message.startswith(str(path)) and said in caught.value.message


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(DataError, match=r"nothing\.csv"):
        read_contrasts(tmp_path / "nothing.csv")
