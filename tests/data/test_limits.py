"""What no table has is refused before it fills the memory: each limit at its edge, and just beyond."""

import gzip
import tracemalloc
from pathlib import Path

import pytest

from hierfit.data import header, limits, table
from hierfit.data.describe import describe_columns
from hierfit.data.table import read_table
from hierfit.errors import DataError

ROW = b"1,2,some words of a text that nobody uses\n"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the limits small, so that the files are."""
    for module, name, value in (
        (limits, "LONGEST_LINE", 5_000), (limits, "FREE", 20_000), (header, "LONGEST_HEADER", 3_000),
        (header, "LONGEST_NAME", 20), (header, "MOST_COLUMNS", 50), (table, "LONGEST_LABEL", 30),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)


def refusal(path: Path, content: bytes, labels: tuple[str, ...] = ()) -> str:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    with pytest.raises(DataError) as refused:
        read_table(path, ["y"], labels)
    return refused.value.message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"y,x\n1,2\n" + b"1" * 1_200_000, "a line longer than"),
        (b"y" * 1_200_000, "the name of column 1"),
        (b"\n" * 4_000, "no header in its first"),
        (b"y,x," + b"a" * 21 + b"\n1,2,3\n", "the name of column 3"),
        (b",".join(b"%d" % i for i in range(51)) + b"\n", "has 51 columns; hierfit reads 50"),
        (b"y,g\n1,a\n2," + b"b" * 31 + b"\n", "column 'g' of"),
        (b"y,g\n" + b"1,a\n" * 600_000 + b"2,\0\n", "not text: line 600002 holds a zero byte"),
    ],
    ids=["line", "first line", "blank", "name", "columns", "label", "zero byte"],
)
@pytest.mark.usefixtures("small")
def test_refused(tmp_path: Path, content: bytes, says: str) -> None:
    message = refusal(tmp_path / "data.csv", content, ("g",) if b",g" in content else ())
    assert says in message and len(message) < 500


@pytest.mark.usefixtures("small")
def test_what_is_at_the_limits_is_read(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"y,g," + b"a" * 20 + b"\n1," + b"b" * 30 + b"," + b"t" * 4_000 + b"\n2,c,\n")
    assert read_table(path, ["y"], ["g"]).levels["g"] == ("b" * 30, "c")


@pytest.mark.usefixtures("small")
def test_a_bomb_is_refused_and_data_that_pack_well_are_not(tmp_path: Path) -> None:
    assert "unpacks to more than 200 times" in refusal(tmp_path / "bomb.csv.gz", b"y,x\n" + b"1,2\n" * 500_000)
    with pytest.raises(DataError, match="unpacks to more than 200 times"):
        describe_columns(tmp_path / "bomb.csv.gz")
    rows = b"".join(b"%d,%d\n" % (i % 97, i % 89) for i in range(50_000))
    (tmp_path / "data.csv.gz").write_bytes(gzip.compress(b"y,x\n" + rows))
    assert read_table(tmp_path / "data.csv.gz", ["y", "x"], []).n_rows == 50_000


def test_zeros_that_unpack_to_a_thousand_times_their_size_take_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "zeros.csv.gz"
    with gzip.open(path, "wb", 1) as stream:
        stream.write(b"y,x\n1,2\n" + b"0" * 2_000_000)
        for _ in range(110):
            stream.write(b"0" * 1_000_000)
    tracemalloc.start()
    with pytest.raises(DataError, match="a line longer than 100 million bytes"):
        read_table(path, ["y"], [])
    assert tracemalloc.get_traced_memory()[1] < 40_000_000
    tracemalloc.stop()


def test_a_long_text_in_a_column_that_is_not_used(tmp_path: Path) -> None:
    text = '"' + "words\n" * 50_000 + '"'  # more than the csv module takes unless it is told
    (tmp_path / "data.csv").write_text("y,x,essay\n" + "".join(f"{i},{i % 3},{text}\n" for i in range(4)))
    read = read_table(tmp_path / "data.csv", ["y", "x"], [])
    assert read.lines.tolist() == [2, 50_003, 100_004, 150_005]
