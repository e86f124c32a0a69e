"""The bytes of a CSV: a file on disk, plain or gzipped, or what is piped in, which is kept in a file for this process.

hierfit reads its data more than once (values, lines, digest), and a pipe gives them once. `STDIN` is what the command
line makes of `-`, and what messages and run.json call it.
"""

from __future__ import annotations

import gzip
import shutil
import sys
from pathlib import Path
from typing import IO, cast

from hierfit.disk.scratch import no_room, scratch_home
from hierfit.errors import DataError

STDIN = Path("<stdin>")
_kept: list[Path] = []


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
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return on_disk(path).open("rb")


def open_text(path: Path, encoding: str) -> IO[str]:
    """Open the file as text without a byte order mark, line ends as they are."""
    opener = gzip.open if is_gzip(path) else open
    encoding = "utf-8-sig" if encoding == "utf-8" else encoding
    return cast("IO[str]", opener(on_disk(path), "rt", encoding=encoding, newline=""))
