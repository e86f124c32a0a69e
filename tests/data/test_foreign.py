"""Files that are no CSV are named, and with them what to do."""

import gzip
from pathlib import Path

import pytest

from hierfit.data.csvfile import open_csv
from hierfit.errors import DataError

FOREIGN = [
    ("data.xlsx", b"PK\3\4\0\0[Content_Types].xml", "an Excel workbook", "CSV UTF-8"),
    ("data.csv.zip", b"PK\3\4\0\0data.csv", "zip archive", "unzip -p"),
    ("data.xls", b"\xd0\xcf\x11\xe0", "an old Excel workbook", "CSV UTF-8"),
    ("data.parquet", b"PAR1\x15\x04", "a Parquet file", "read_parquet"),
    ("data.sqlite", b"SQLite format 3\0", "an SQLite database", "sqlite3 -csv"),
    ("data.png", b"\x89PNG\r\n\x1a\n", "a picture (PNG)", "name the CSV"),
    ("data.nc", b"CDF\x01", "a netCDF file", "hierfit summarize"),
    ("data.csv.bz2", b"BZh91AY&SY\xf0", "packed with bzip2", "bzcat"),
    ("data.csv.xz", b"\xfd7zXZ\0", "packed with xz", "xzcat"),
    ("data.csv.zst", b"\x28\xb5\x2f\xfd", "packed with zstd", "zstdcat"),
    ("data.html", b"\n<!DOCTYPE html>", "a web page", "check the download"),
    ("data.json", b'[{"a": 1}]', "JSON", "read_json"),
    ("data.tar.gz", gzip.compress(b"a" * 257 + b"ustar"), "a tar archive", "tar -xf"),
    ("data.rds.gz", gzip.compress(b"X\n\0\0\0\3"), "an R object", "readRDS"),
    ("data.csv", b"\0\0\0\0", "is not text: line 1", "CSV UTF-8"),
    ("data.csv.gz", gzip.compress(b"a,b\n1,\0\n"), "is not text: line 2", "CSV UTF-8"),
    ("data.csv.gz", gzip.compress(b""), "unpacks to 0 bytes", "finished"),
    ("data.csv.gz", gzip.compress(b"a,b\n1,2\n" * 9)[:-9], "not a complete gzip file", "download"),
    ("data.csv.gz", b"a,b\n1,2\n", "not a complete gzip file", "plain text"),
    ("data.csv", gzip.compress(b"a,b\n1,2\n"), "gzipped, but its name", "rename it"),
]


@pytest.mark.parametrize(("name", "content", "says", "tries"), FOREIGN, ids=[f"{row[0]}, {row[2]}" for row in FOREIGN])
def test_a_foreign_file(tmp_path: Path, name: str, content: bytes, says: str, tries: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as refused:
        open_csv(tmp_path / name)
    assert says in refused.value.message and tries in (refused.value.hint or "")


@pytest.mark.parametrize("first", ["PAR1", "BZh", "ORC", "CDF", "FEA1", "Obj", "RDX", "GIF", "PK", "[x]"])
def test_names_of_columns_that_look_like_signatures(tmp_path: Path, first: str) -> None:
    (tmp_path / "data.csv").write_text(f"{first},b\n1,2\n")
    assert open_csv(tmp_path / "data.csv").header == (first, "b")
