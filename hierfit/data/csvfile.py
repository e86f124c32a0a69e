"""The CSV as a file: what kind of file it is, its delimiter and header, its digest, and the line of every row.

In: a path. Out: a `CsvFile` (delimiter and header), the digest, a `Layout` (whether every row is one plain line)
and, for files whose rows are not that plain, the line on which each row begins. Values and types are the
business of `data.table`.

Read as CSV: UTF-8 with or without a byte order mark, or Latin-1 (`data.encoding`); lines that end in LF or CRLF;
comma, semicolon or tab, whichever the header holds most of; RFC 4180 quoting with `"`; `.csv.gz`; what is piped in
(`data.source`). Lines count from 1, the header being line 1. Everything else is refused with a DataError that says
what the file is and how to turn it into a CSV.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from hierfit.data.encoding import UTF_8, NotUtf8Error, other_encoding, wrong_encoding
from hierfit.data.foreign import refuse_foreign, zero_byte
from hierfit.data.header import DELIMITERS, is_blank, read_header, refuse_lone_return
from hierfit.data.limits import LONGEST_LINE, LineWatch
from hierfit.data.source import STDIN, is_gzip, on_disk, open_bytes, open_text
from hierfit.errors import DataError, did_you_mean

T = TypeVar("T")

_CHUNK, _DIGEST_CHUNK = 1 << 20, 1 << 25
_NEWLINE, _QUOTE = ord("\n"), ord('"')


@dataclass(frozen=True)
class CsvFile:
    """A readable CSV file with its header.

    Attributes:
        path: the file as the user named it.
        delimiter: comma, semicolon or tab.
        header: the column names, exactly as written, quotes removed.
        encoding: how its text is encoded, as Python calls it.
    """

    path: Path
    delimiter: str
    header: tuple[str, ...]
    encoding: str = UTF_8

    @property
    def compressed(self) -> bool:
        """Whether the file is gzipped."""
        return is_gzip(self.path)


@dataclass(frozen=True)
class Layout:
    """How the rows of a CSV file lie in its lines.

    Attributes:
        n_records: lines outside quotes, header included, blank lines at the end left out.
        regular: whether each of them has as many fields as the header and no line break within.
    """

    n_records: int
    regular: bool


def in_its_encoding(path: Path, use: Callable[[CsvFile], T]) -> T:
    """Return what `use` makes of a CSV file: as UTF-8, or where that fails in the encoding that it seems to have.

    Raises:
        DataError: as `open_csv`, and what `use` raises.
    """
    try:
        return use(open_csv(path))
    except NotUtf8Error:
        encoding = other_encoding(path)
        if encoding is None:
            raise
    return use(open_csv(path, encoding))


def open_csv(path: Path, encoding: str = UTF_8) -> CsvFile:
    """Return the header of a CSV file.

    Raises:
        DataError: there is no such file, it cannot be read, or it is not a CSV with a header.
    """
    _refuse_unreadable(path)
    with reading_errors(path):
        refuse_foreign(path)
        delimiter, header = read_header(path, encoding)
    return CsvFile(path, delimiter, header, encoding)


def digest_file(path: Path) -> str:
    """Return the SHA-256 of the file as it is on disk, as hex digits."""
    digest = hashlib.sha256()
    with on_disk(path).open("rb") as stream:
        # Few large updates: this runs beside the parser, and every one of them waits for the interpreter once.
        while chunk := stream.read(_DIGEST_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def survey_layout(file: CsvFile) -> Layout:
    """Compare the file's separators with those of plain one-line rows, in one pass over its bytes.

    Raises:
        DataError: it holds a zero byte, or a line longer than any.
    """
    separators, watch = _Separators(file), LineWatch(file.path)
    with open_bytes(file.path) as stream:
        while chunk := stream.read(_CHUNK):
            watch.see(chunk)
            if b"\0" in chunk:
                raise zero_byte(file.path, _line_of_zero(file.path))
            separators.read(chunk)
    return separators.layout()


def _line_of_zero(path: Path) -> int:
    with open_bytes(path) as stream:
        return next(number for number, line in enumerate(stream, start=1) if b"\0" in line)


class _Separators:
    """Compares the delimiters and line ends outside quotes with those of a file that has one plain line per row."""

    def __init__(self, file: CsvFile) -> None:
        delimiter = file.delimiter.encode()
        self._unimportant = bytes(set(range(256)) - {delimiter[0], _NEWLINE, _QUOTE})
        self._record = delimiter * (len(file.header) - 1) + b"\n"
        self._line_ends = self._rest = b""
        self._in_quotes = self._broken = False
        self._regular = True
        self._n_records = 0

    def read(self, chunk: bytes) -> None:
        if not self._regular:
            return
        # Line ends at the end of a chunk wait for the next one: at the end of the file they do not count.
        text = (self._line_ends + chunk).rstrip(b"\r\n")
        self._line_ends = (self._line_ends + chunk)[len(text) :]
        found = self._rest + self._outside_quotes(text.translate(None, self._unimportant))
        n_records = len(found) // len(self._record)
        self._rest = found[n_records * len(self._record) :]
        self._n_records += n_records
        self._regular = found.startswith(self._record * n_records)

    def layout(self) -> Layout:
        regular = self._regular and not self._in_quotes and not self._broken and self._rest == self._record[:-1]
        return Layout(self._n_records + 1, regular)

    def _outside_quotes(self, separators: bytes) -> bytes:
        if not self._in_quotes and b'"' not in separators:
            return separators
        array = np.frombuffer(separators, dtype=np.uint8)
        quotes = array == _QUOTE
        inside = (np.cumsum(quotes) + self._in_quotes) % 2 == 1
        self._in_quotes = bool(inside[-1]) if len(inside) else self._in_quotes
        self._broken |= bool(np.any(inside & (array == _NEWLINE)))
        outside: bytes = array[~inside & ~quotes].tobytes()
        return outside


def find_row_lines(file: CsvFile) -> NDArray[np.int64]:
    """Return the line on which each row begins [rows], reading record by record.

    Raises:
        DataError: a row has more fields than the header, or a quote is never closed.
    """
    lines = []
    for line, row in _records(file):
        _refuse_more_fields(file, line, row)
        lines.append(line)
    return np.array(lines[1:], dtype=np.int64)


def no_rows(file: CsvFile) -> DataError:
    """Return the error for a file that ends with its header."""
    return DataError(f"{file.path} has a header but no rows.", hint="check that the export that wrote it finished")


def unclosed_quote(file: CsvFile) -> DataError:
    """Return the error for a file that ends inside quotes: it names the line of the last record."""
    line = 1
    for line, row in _records(file):
        _refuse_more_fields(file, line, row)
    return _unclosed_quote(file.path, line)


def rows_of(file: CsvFile) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of every row, as many as the header has, with the line on which it begins, one by one."""
    size, records = len(file.header), _records(file)
    next(records, None)
    for line, row in records:
        yield line, [*row[:size], *[""] * (size - len(row))]


def _records(file: CsvFile) -> Iterator[tuple[int, list[str]]]:
    """Yield every record that is not blank, with the line on which it begins."""
    csv.field_size_limit(LONGEST_LINE)
    with reading_errors(file.path), open_text(file.path, file.encoding) as text:
        latest = [""]
        reader = csv.reader(_remembering(text, latest), delimiter=file.delimiter)
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error:  # a field beyond csv.field_size_limit() characters
                raise _unclosed_quote(file.path, line) from None
            refuse_lone_return(file.path, reader.line_num, latest[0])
            if not is_blank(row):
                yield line, row


def _remembering(lines: Iterable[str], latest: list[str]) -> Iterator[str]:
    for line in lines:
        latest[0] = line
        yield line


def _refuse_more_fields(file: CsvFile, line: int, row: list[str]) -> None:
    # Empty fields beyond the header are a habit of some exports and shift nothing.
    if any(row[len(file.header) :]):
        text, delimiter = _shortened(file.delimiter.join(row)), DELIMITERS[file.delimiter]
        raise DataError(
            f"line {line} of {file.path} has {len(row)} fields, but the header has {len(file.header)}: {text!r}.",
            hint=f"put quotes around a field that holds a {delimiter}, or name the missing column in the header",
        )


def _unclosed_quote(path: Path, line: int) -> DataError:
    return DataError(
        f'a quote (") opened on line {line} of {path} is never closed.',
        hint='close it, or write a quote that belongs to the text twice ("") inside quotes',
    )


def _refuse_unreadable(path: Path) -> None:
    if path == STDIN:
        return
    if path.is_dir():
        inside = sorted(entry.name for entry in path.iterdir() if ".csv" in entry.suffixes)
        raise DataError(
            f"{path} is a folder, not a CSV file.",
            hint=f"name a file in it: {', '.join(inside[:5])}" if inside else "name the CSV file itself",
        )
    if not path.exists():
        folder = path.parent
        if not folder.is_dir():
            raise DataError(f"there is no file {path}: the folder {folder} does not exist.", hint="check the path")
        names = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
        shown = [name for name in names if name.endswith((".csv", ".csv.gz", ".tsv", ".txt"))][:5]
        hint = f"files in {folder}: {', '.join(shown)}" if shown else "check the path"
        raise DataError(f"there is no file {path}.{did_you_mean(path.name, names)}", hint=hint)
    if not path.is_file():
        raise DataError(
            f"{path} is not a regular file, and hierfit reads its data more than once.",
            hint="save the data to a file first",
        )


@contextmanager
def reading_errors(path: Path) -> Iterator[None]:
    """Turn the errors of reading bytes and text into DataErrors that name the place."""
    try:
        yield
    except UnicodeDecodeError:
        raise wrong_encoding(path) from None
    except PermissionError:
        raise DataError(f"{path} cannot be read: permission denied.", hint=f"chmod u+r {path}") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None


def _shortened(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."
