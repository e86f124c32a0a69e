"""A file that one process at a time holds, and that says who.

The lock (flock) ends with its process, whatever ends that, so there is no stale one. The holder removes the file when
it is done; whoever gets the lock therefore looks whether the file still has that name, and tries again where not.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import platform
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

# Some network file systems have no locks; working without is better there than not working.
_NO_LOCKS = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK}


class HeldError(Exception):
    """Another process holds the lock; the text says which, such as "process 4711 (hierfit extend run), since 18:52"."""


@dataclass(frozen=True)
class Lock:
    """A lock that this process holds.

    Attributes:
        path: the file.
        handle: its descriptor.
        sure: whether it keeps others out; not so on file systems without locks.
    """

    path: Path
    handle: int
    sure: bool

    def release(self) -> None:
        """Remove the file and let go of it."""
        with suppress(OSError):
            self.path.unlink()
        with suppress(OSError):
            os.close(self.handle)


def take_lock(path: Path) -> Lock:
    """Take the lock of a file, which is made where there is none.

    Raises:
        HeldError: another process has it.
        OSError: there can be no such file.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            sure = _flock(handle)
            if _has_name(handle, path):
                _sign(handle)
                return Lock(path, handle, sure)
        except BlockingIOError:
            holder = _holder(handle)
            os.close(handle)
            raise HeldError(holder) from None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _flock(handle: int) -> bool:
    """Lock, and return whether that is possible here."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True


def _has_name(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _sign(handle: int) -> None:
    """Write who holds the lock; where that cannot be written it is a lock nevertheless."""
    words = ["hierfit", *sys.argv[1:3]]
    holder = {
        "process": os.getpid(),
        "host": platform.node(),
        "command": " ".join(words),
        "since": datetime.now().astimezone().isoformat(timespec="seconds"),
    }
    with suppress(OSError):
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(holder).encode(), 0)


def _holder(handle: int) -> str:
    try:
        said = json.loads(os.pread(handle, 4096, 0))
        where = "" if said["host"] == platform.node() else f" on {said['host']}"
        return f"process {said['process']}{where} ({said['command']}), since {said['since'][11:16]}"
    except (OSError, ValueError, LookupError, TypeError):
        return "another process"
