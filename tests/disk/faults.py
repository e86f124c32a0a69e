"""Disks that fail at the call of our choice, and processes that are killed there."""

import errno
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

# Everything that changes a disk.
CALLS = ("pwrite", "fsync", "replace", "rename", "mkdir", "unlink", "rmdir", "ftruncate")
FULL = ("pwrite", "fsync", "mkdir")  # what fails where there is no room


@dataclass
class Disk:
    """A disk whose call number `fails` (from 1) goes wrong; counts them all."""

    fails: int = 0
    then_all: bool = False
    kills: bool = False
    count: int = 0
    failed: str = ""

    def call(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            self.count += 1
            if self.count == self.fails or (self.then_all and self.fails and self.count > self.fails):
                if self.kills:
                    os.kill(os.getpid(), signal.SIGKILL)
                self.failed = self.failed or name
                raise OSError(errno.ENOSPC, "No space left on device")
            return original(*arguments, **named)

        return called


@contextmanager
def failing(disk: Disk, calls: Sequence[str] = CALLS) -> Iterator[Disk]:
    """Let calls go wrong within, as the disk says."""
    with pytest.MonkeyPatch.context() as patch:
        for name in calls:
            # that what is synced survives is the disk's part, and slow
            original = (lambda handle: None) if name == "fsync" else getattr(os, name)
            patch.setattr(os, name, disk.call(name, original))
        yield disk


def killed_at(call: int, work: Callable[[], object]) -> bool:
    """Do the work in a process of its own that is killed at a call; return whether it came so far."""
    process = os.fork()
    if process == 0:
        try:
            with failing(Disk(call, kills=True)):
                work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(process, 0)[1])


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return all that is in a folder; folders have no content."""
    found = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*"))}
    return {name: path.read_bytes() if path.is_file() else None for name, path in found.items()}
