"""Files that are no CSV -> what they are, by their first bytes, and how to make a CSV of them."""

from __future__ import annotations

import re
from pathlib import Path

from hierfit.data.source import STDIN, is_gzip, on_disk, open_bytes
from hierfit.errors import DataError

_HEAD, _TELLING = 1 << 20, 64
_SAVE_AS_CSV = "save the sheet as 'CSV UTF-8' and name that file"
_NAME_CSV = "name the CSV; to look at a finished run, name its folder with hierfit summarize"
_EXPORT = "export it as CSV from {}"
_FROM_R = "in R: write.csv(readRDS(...), 'data.csv', row.names = FALSE)"
_GIVEN_INSTEAD = "name the CSV that holds the data"

# First bytes, what begins so, and what to do.
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", _SAVE_AS_CSV),
    (b"PK\x05\x06", "an empty zip archive", _GIVEN_INSTEAD),
    *((b"CDF" + version, "a netCDF file", _NAME_CSV) for version in (b"\1", b"\2", b"\5")),
    (b"\x89HDF", "a netCDF or HDF5 file", _NAME_CSV),
    (b"PAR1", "a Parquet file", "convert it first, with pandas: read_parquet(...).to_csv(..., index=False)"),
    (
        b"ARROW1\0",
        "an Arrow or Feather file",
        "convert it first, with pandas: read_feather(...).to_csv(..., index=False)",
    ),
    (b"FEA1", "a Feather file", "convert it first, with pandas: read_feather(...).to_csv(..., index=False)"),
    (b"ORC", "an ORC file", "convert it first, with pandas: read_orc(...).to_csv(..., index=False)"),
    (b"Obj\x01", "an Avro file", "convert it to CSV first"),
    (b"SQLite format 3\0", "an SQLite database", "sqlite3 -csv -header FILE 'select * from TABLE' > data.csv"),
    (b"\x93NUMPY", "a NumPy array", "in Python: numpy.savetxt('data.csv', array, delimiter=',')"),
    (b"\x80\x04\x95", "a Python pickle", "convert it first, with pandas: read_pickle(...).to_csv(..., index=False)"),
    (b"RDX", "an R workspace", "in R: load(...), then write.csv(data, 'data.csv', row.names = FALSE)"),
    (b"RDA", "an R workspace", "in R: load(...), then write.csv(data, 'data.csv', row.names = FALSE)"),
    (b"X\n\0\0", "an R object (RDS)", _FROM_R),
    (b"$FL2", "an SPSS file", _EXPORT.format("SPSS")),
    (b"$FL3", "an SPSS file", _EXPORT.format("SPSS")),
    (b"<stata_dta>", "a Stata file", "export it with Stata's: export delimited"),
    (b"\0\0\0\0\0\0\0\0\0\0\0\0\xc2\xea\x81\x60", "a SAS file", _EXPORT.format("SAS")),
    (b"\x89PNG", "a picture (PNG)", _GIVEN_INSTEAD),
    (b"\xff\xd8\xff", "a picture (JPEG)", _GIVEN_INSTEAD),
    (b"GIF8", "a picture (GIF)", _GIVEN_INSTEAD),
    (b"%PDF-", "a PDF", _GIVEN_INSTEAD),
    (b"{\\rtf", "a document (RTF)", _GIVEN_INSTEAD),
    (b"\x7fELF", "a program", _GIVEN_INSTEAD),
    (b"\xff\xfe", "text in UTF-16", "save it as 'CSV UTF-8'"),
    (b"\xfe\xff", "text in UTF-16", "save it as 'CSV UTF-8'"),
)
# First bytes of what is packed in a way that is not read, and what unpacks it.
_PACKED: tuple[tuple[bytes, str, str], ...] = (
    (b"BZh", "bzip2", "bzcat"),
    (b"\xfd7zXZ\0", "xz", "xzcat"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstdcat"),
    (b"\x04\x22\x4d\x18", "lz4", "lz4cat"),
    (b"\x1f\x9d", "compress", "zcat"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip", "7z x -so"),
)
_WEB_PAGE = re.compile(rb"\s*<(!doctype html|html|\?xml|head|body)", re.IGNORECASE)
_JSON = re.compile(rb'\s*(\{\s*("|\})|\[\s*[\{\[])')


def refuse_foreign(path: Path) -> None:
    """Refuse a file that is something else, as its first bytes say, or nothing.

    Raises:
        DataError: says what the file is, and what to do.
    """
    with on_disk(path).open("rb") as stream:
        start = stream.read(_HEAD)
    if not start:
        raise DataError(f"{path} is empty (0 bytes).", hint="check that the export that wrote it finished")
    if is_gzip(path) and start.startswith(b"\x1f\x8b"):
        with open_bytes(path) as unpacked:
            start = unpacked.read(_HEAD)
        if not start:
            raise DataError(f"{path} is empty: it unpacks to 0 bytes.", hint="check that what wrote it finished")
    elif start.startswith(b"\x1f\x8b"):
        hint = "unpack it on the way: zcat FILE | hierfit ..." if path == STDIN else f"rename it to {path.name}.gz"
        raise DataError(f"{path} is gzipped, but its name does not end in .gz.", hint=hint)
    elif is_gzip(path):
        with open_bytes(path) as unpacked:
            unpacked.read(1)  # refuses it
    _refuse_start(path, start)


def _refuse_start(path: Path, start: bytes) -> None:
    kind, hint = _kind_of(start)
    if kind:
        raise DataError(f"{path} is {kind}, not a CSV file.", hint=hint)
    if b"\0" in start:
        raise zero_byte(path, start[: start.index(b"\0")].count(b"\n") + 1)


def zero_byte(path: Path, line: int) -> DataError:
    """Return the error for a file that is no text."""
    return DataError(f"{path} is not text: line {line} holds a zero byte.", hint=_SAVE_AS_CSV)


def _kind_of(start: bytes) -> tuple[str, str]:
    """Return what begins so and what to do about it; empty texts for what may be a CSV."""
    binary = any((byte < ord(" ") and byte not in b"\t\r\n") or byte > 126 for byte in start[:_TELLING])
    for signature, kind, hint in _SIGNATURES:
        if start.startswith(signature) and (binary or not signature.isalnum()):  # PAR1 may be the name of a column
            return kind, hint
    for signature, packer, unpack in _PACKED:
        if start.startswith(signature) and binary:
            return f"packed with {packer}", f"unpack it on the way: {unpack} FILE | hierfit fit - ..."
    if start.startswith(b"PK\x03\x04"):
        if b"xl/" in start or b"[Content_Types].xml" in start:
            return "an Excel workbook", _SAVE_AS_CSV
        return "an Excel workbook or a zip archive", f"{_SAVE_AS_CSV}; of an archive: unzip -p FILE | hierfit fit - ..."
    if start[257:262] == b"ustar":
        return "a tar archive", "unpack it first: tar -xf FILE"
    if _WEB_PAGE.match(start):
        return "a web page or XML", "check the download: an address of a page is not that of its data"
    if _JSON.match(start):
        return "JSON", "convert it first, with pandas: read_json(...).to_csv(..., index=False)"
    return "", ""
