"""New files, written so that every error is Python's and names the file; and what an error of a disk means."""

from __future__ import annotations

import errno
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hierfit.errors import DiskError, HierfitError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the disk quota is used up", errno.EFBIG: "it is too large"}

_LEAST_BYTES = 100_000  # what programs write at a time is less


class OutputFile(io.RawIOBase):
    """A new file to write to and read back from, at any position.

    A library that cannot bear an error while it writes (HDF5 crashes the process when a file cannot grow) gets a
    `patient` one: its first error is kept for `finish`, and what is written after it goes nowhere.
    """

    def __init__(self, path: Path, *, patient: bool = False) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        self._path, self._patient, self._at = path, patient, 0
        self._error: OSError | None = None

    def readable(self) -> bool:
        """It can be read."""
        return True

    def writable(self) -> bool:
        """It can be written."""
        return True

    def seekable(self) -> bool:
        """It has positions."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at}.get(whence)
        self._at = offset + (os.fstat(self._handle).st_size if start is None else start)
        return self._at

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read from the position on; after an error, what was not written is zeros."""
        view = memoryview(buffer).cast("B")
        found = os.pread(self._handle, len(view), self._at)
        view[: len(found)] = found
        if self._error is not None:
            view[len(found) :] = bytes(len(view) - len(found))
            found = view.tobytes()
        self._at += len(found)
        return len(found)

    def write(self, buffer: ReadableBuffer) -> int:
        """Write all of it, at the position."""
        view = memoryview(buffer).cast("B")
        self._change(lambda: self._write_all(view))
        self._at += len(view)
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """Cut or extend to a size, the position where none is given."""
        wanted = self._at if size is None else size
        self._change(lambda: os.ftruncate(self._handle, wanted))
        return wanted

    def _write_all(self, view: memoryview) -> None:
        done = 0
        while done < len(view):
            done += os.pwrite(self._handle, view[done:], self._at + done)

    def _change(self, how: Callable[[], object]) -> None:
        """Change the file, unless that has failed before; an error names it."""
        if self._error is not None:
            return
        try:
            how()
        except OSError as error:
            error.filename = str(self._path)
            if not self._patient:
                raise
            self._error = error

    def finish(self) -> None:
        """Close, and raise the error that was kept."""
        self.close()
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Close."""
        if not self.closed:
            os.close(self._handle)
        super().close()


def create(path: Path) -> io.BufferedWriter:
    """Open a new file to write bytes to."""
    return io.BufferedWriter(OutputFile(path))


def write_text(path: Path, text: str) -> None:
    """Write a new file in UTF-8, line ends as they are."""
    with create(path) as stream:
        stream.write(text.encode("utf-8"))


def is_full(error: OSError) -> bool:
    """Return whether an error says that there is no room."""
    return error.errno in _FULL


def disk_error(error: OSError, path: Path, hint: str | None = None, named: str | None = None) -> HierfitError:
    """Return what to say of a file or folder that could not be written, `named` or by its path; also how full it is."""
    said = _FULL.get(error.errno or 0, error.strerror or str(error))
    if error.errno != errno.ENOSPC:
        hint = hint or "check space and permissions there"
        return DiskError(f"{named or path} could not be written: {said}.", hint=hint)
    return DiskError(
        f"{named or path} could not be written: {said} ({_room(path)}).",
        hint=hint or f"make room on the disk of {path.parent}, or choose another one with --out",
    )


def has_room(folder: Path, n_bytes: int = _LEAST_BYTES) -> bool:
    """Return whether so much can be written there, as far as the file system says."""
    try:
        return shutil.disk_usage(_existing(folder)).free >= n_bytes
    except OSError:
        return True


def require_room(folder: Path, n_bytes: int) -> None:
    """Refuse a folder, which need not exist, on a disk where so much cannot be written.

    Raises:
        DiskError: there is less room.
    """
    if not has_room(folder, n_bytes):
        raise DiskError(
            f"{folder} will need {n_bytes / 1e6:,.1f} MB at least, and its disk has {_room(folder)}.",
            hint=f"make room on the disk of {folder.parent}, or choose another one with --out",
        )


def _room(path: Path) -> str:
    """Return how much room there is on the disk of a file, which need not exist, in words."""
    try:
        usage = shutil.disk_usage(_existing(path))
    except OSError:
        return "free space unknown"
    return f"{usage.free / 1e6:,.1f} of {usage.total / 1e6:,.0f} MB free"


def _existing(path: Path) -> Path:
    """Return a file or folder, or the nearest folder above it that exists."""
    place = path.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return place
