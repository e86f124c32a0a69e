"""Temporary folders, all in one folder of this process; where the process is killed, the next one removes it.

<TMPDIR>/hierfit-<random>/lock   held as long as the process lives
<TMPDIR>/hierfit-<random>/...    what it needs for a while
"""

from __future__ import annotations

import atexit
import errno
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hierfit.disk.locking import HeldError, Lock, take_lock
from hierfit.disk.writing import disk_error, is_full
from hierfit.errors import HierfitError

_PREFIX, _LOCK = "hierfit-", ".scratch"
_YOUNG_SECONDS = 60.0  # a folder this young may be about to get its lock
_HINT = "make room there, or set the variable TMPDIR to a folder on a disk with room"


@dataclass(frozen=True)
class _Home:
    """The folder of a process, and its lock."""

    process: int
    lock: Lock

    @property
    def path(self) -> Path:
        return self.lock.path.parent

    def remove(self) -> None:
        """Remove all of it, unless this is a process that was forked from its owner."""
        if os.getpid() == self.process:
            shutil.rmtree(self.path, ignore_errors=True)
            self.lock.release()


_homes: list[_Home] = []
_making = threading.Lock()


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a new temporary folder, which is removed at the end.

    Raises:
        DiskError: there is no room for temporary files, now or when the block writes some.
    """
    place, folder = scratch_home(), None
    try:
        folder = Path(tempfile.mkdtemp(dir=place))
        yield folder
    except OSError as error:
        if is_full(error) or folder is None:
            raise no_room(place, error) from error
        raise
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def no_room(place: Path, error: OSError | None = None) -> HierfitError:
    """Return what to say where there is no room for temporary files."""
    named = f"temporary files in {tempfile.gettempdir()}"
    return disk_error(error or OSError(errno.ENOSPC, ""), place, _HINT, named)


def scratch_home() -> Path:
    """Return this process's own folder for temporary ones; what killed processes have left beside it goes.

    Raises:
        DiskError: there is no room for temporary files.
    """
    with _making:
        for home in _homes:
            if home.process == os.getpid() and home.path.is_dir():
                return home.path
        parent = Path(tempfile.gettempdir())
        sweep_scratch()
        try:
            path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            home = _Home(os.getpid(), take_lock(path / _LOCK))
        except OSError as error:
            raise no_room(parent / _PREFIX, error) from error
        _homes.append(home)
        atexit.register(home.remove)
        return path


def sweep_scratch() -> None:
    """Remove what killed processes of this user have left among temporary files."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError, HeldError):
            status = folder.lstat()
            if folder.is_symlink() or not folder.is_dir() or status.st_uid != os.geteuid():
                continue
            if (folder / _LOCK).is_file():
                lock = take_lock(folder / _LOCK)
                if lock.sure:
                    shutil.rmtree(folder, ignore_errors=True)
                lock.release()
            elif time.time() - status.st_mtime > _YOUNG_SECONDS:
                folder.rmdir()
