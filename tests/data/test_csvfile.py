"""One pass over the bytes tells whether every row is one plain line, whatever the chunks."""

from pathlib import Path

import pytest

from hierfit.data import csvfile
from hierfit.data.table import read_table
from hierfit.errors import DataError


def layout_of(folder: Path, content: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> csvfile.Layout:
    path = folder / "data.csv"
    path.write_text(content, newline="")
    monkeypatch.setattr(csvfile, "_CHUNK", chunk)
    return csvfile.survey_layout(csvfile.CsvFile(path, ",", ("a", "b", "c")))


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("content", "n_records", "regular"),
    [
        ("a,b,c\n1,2,3\n", 2, True),
        ("a,b,c\r\n1,2,3\r\n4,,\r\n", 3, True),
        ("a,b,c\n1,2,3\n\n\n", 2, True),
        ('a,b,c\n1,"x,y",3\n"""",2,"z"', 3, True),
        ('a,b,c\n1,"x\ny",3\n', 2, False),
        ('a,b,c\n1,"x,y,3\n', 2, False),
        ("a,b,c\n\n1,2,3\n", None, False),
        ("a,b,c\n1,2,3,4\n5,6\n", None, False),
        ("a,b,c\n1,2\n", None, False),
    ],
)
def test_layout(
    tmp_path: Path, content: str, n_records: int | None, regular: bool, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = layout_of(tmp_path, content, chunk, monkeypatch)
    assert layout.regular is regular
    if regular:
        assert layout.n_records == n_records


def test_rows_begin_on_these_lines(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text('a,b,c\n\n1,"x\ny",3\n4,5,6\n')
    assert csvfile.find_row_lines(csvfile.CsvFile(path, ",", ("a", "b", "c"))).tolist() == [3, 5]


def test_the_delimiter_is_counted_outside_quotes(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text('"a;b;c;d",e\n1,2\n')
    file = csvfile.open_csv(path)
    assert (file.delimiter, file.header) == (",", ("a;b;c;d", "e"))


HEADER_ONLY = ["y,x,g", "y,x,g\n", "\n\ny,x,g\n\n", "y,x,g\r\n \n", '"y",x,"g"', "\ufeffy,x,g", "  \ny,x,g"]


@pytest.mark.parametrize("text", HEADER_ONLY)
@pytest.mark.parametrize(("numbers", "labels"), [("y", "g"), ("yx", "g"), ("y", ""), ("g", ""), ("", "g")])
def test_a_file_that_ends_with_its_header(tmp_path: Path, text: str, numbers: str, labels: str) -> None:
    (tmp_path / "data.csv").write_text(text)
    with pytest.raises(DataError, match="has a header but no rows"):
        read_table(tmp_path / "data.csv", list(numbers), list(labels))


@pytest.mark.parametrize("content", [b"\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n \r\n", b"  \n", b"\t\n"])
def test_a_file_of_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data.csv").write_bytes(content)
    with pytest.raises(DataError, match="has no header"):
        read_table(tmp_path / "data.csv", ["y"], [])
