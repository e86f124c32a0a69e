"""Cells come back from CSV as they were."""

import csv
import io

import pytest

from hierfit.disk.rows import write_rows

CELLS = ["a\rb", "a\nb", "a\r\nb", 'a"b', "a,b", " a ", "\x1b[31m", "\t", "=1+1", "é", ""]


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_comes_back(cell: str) -> None:
    stream = io.StringIO(newline="")
    write_rows(stream, [["name", cell], ["x", "1"]])
    assert list(csv.reader(io.StringIO(stream.getvalue(), newline=""))) == [["name", cell], ["x", "1"]]
    assert stream.getvalue().endswith("\nx,1\n")
