"""The bytes of a CSV: a file on disk, plain or gzipped, or what is piped in, which is kept in a file for this process.

hierfit reads its data more than once (values, lines, digest), and a pipe gives them once. `STDIN` is what the command
line makes of `-`, and what messages and run.json call it; `FRAME` is what they call a pandas DataFrame (`data.frames`).
"""

from __future__ import annotations

import gzip
import io
import shutil
import sys
import zlib
from pathlib import Path
from typing import IO, Any

from hierfit.data.limits import LineWatch, refuse_bomb
from hierfit.disk.scratch import no_room, scratch_home
from hierfit.errors import DataError

STDIN, FRAME = Path("<stdin>"), Path("<DataFrame>")
NO_FILES = frozenset({STDIN, FRAME})
_CHUNK = 1 << 20
_kept: list[Path] = []


def place(source: Path, line: int) -> str:
    """Return where something stands, for messages: "line 17" of a file, "row 15" of a DataFrame, counted from 0."""
    return f"{place_word(source)} {line}"


def place_word(source: Path) -> str:
    """Return what a source has: lines, or rows."""
    return "row" if source == FRAME else "line"


def on_disk(path: Path) -> Path:
    """Return where the bytes are: the path itself, or the file that keeps what was piped in.

    Raises:
        DataError: nothing is piped in.
        DiskError: there is no room to keep it.
    """
    if path != STDIN:
        return path
    if not _kept:
        if sys.stdin is None or sys.stdin.isatty():
            raise DataError(
                "nothing is piped into standard input.", hint="for example: zcat data.csv.gz | hierfit fit - --y COLUMN"
            )
        place = scratch_home() / "stdin"
        try:
            with place.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
        except OSError as error:
            raise no_room(place.parent, error) from error
        _kept.append(place)
    return _kept[0]


def is_gzip(path: Path) -> bool:
    """Return whether the name says that the file is gzipped."""
    return path.suffix.lower() == ".gz"


def open_bytes(path: Path) -> IO[bytes]:
    """Open the file as bytes, decompressed."""
    if is_gzip(path):
        return io.BufferedReader(_Unpacked(path), _CHUNK)
    return on_disk(path).open("rb")


def open_text(path: Path, encoding: str) -> IO[str]:
    """Open the file as text without a byte order mark, line ends as they are."""
    encoding = "utf-8-sig" if encoding == "utf-8" else encoding
    return io.TextIOWrapper(open_bytes(path), encoding=encoding, newline="")


class _Unpacked(io.RawIOBase):
    """The bytes of a gzipped file, as long as they are what data come to."""

    def __init__(self, path: Path) -> None:
        self._path, self._count = path, 0
        self._stream = gzip.GzipFile(path)
        self._watch = LineWatch(path)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read1(len(buffer))
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(
                f"{self._path} is not a complete gzip file ({error}).",
                hint="check the download, or rename it if it is plain text",
            ) from None
        self._watch.see(data)
        self._count += len(data)
        refuse_bomb(self._path, self._count)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()
