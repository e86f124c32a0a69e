"""The folder of the built programs: where it is, who may write to a part of it, and what killed builds leave behind.

A part is one program or the driver; its name is a file stem without dots:

    <part>.lock              held by the process or thread that makes the part
    <part>.building-<random> where it is made; what is finished is renamed into place
    <part>.log               what the compilers said
    <part>.sha256            what was made (`seals`)

Only the holder of a lock has a folder of that part, so a folder whose lock is free was left by a killed build.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hierfit.disk.writing import disk_error, is_full
from hierfit.errors import ToolchainError
from hierfit.stan.seals import exposed, take_from_others

# How often a waiting build looks whether it has been stopped.
POLL_SECONDS = 0.5
_CACHE_HINT = "Set the environment variable HIERFIT_CACHE to a folder that you may write to."
_OWN_HINT = "Set the environment variable HIERFIT_CACHE to a folder of your own."


def cache_dir() -> Path:
    """Return the folder of the built programs: HIERFIT_CACHE or the user's cache directory."""
    given = os.environ.get("HIERFIT_CACHE")
    if given:
        return Path(given).expanduser().absolute()
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("hierfit"))


def cache_size() -> int:
    """Return the bytes in the cache."""
    if not cache_dir().is_dir():
        return 0
    return sum(file.stat().st_size for file in cache_dir().rglob("*") if file.is_file())


@contextmanager
def locked(
    home: Path, part: str, check: Callable[[], None], on_wait: Callable[[], None] | None = None
) -> Iterator[None]:
    """Hold the lock of one part of a folder; before waiting `on_wait` is called, and while waiting `check`.

    Raises:
        ToolchainError: the folder cannot be written, or others can put programs there.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(home / f"{part}.lock")
    try:
        make_private(home)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if on_wait is not None:
                on_wait()
            while not lock.is_locked:
                check()
                with suppress(Timeout):
                    lock.acquire(timeout=POLL_SECONDS)
    except OSError as error:
        raise ToolchainError(
            f"Cannot write to the cache of built programs {home}: {error.strerror or error}.",
            hint=_CACHE_HINT,
        ) from error
    try:
        yield
    finally:
        lock.release()


def make_private(home: Path) -> None:
    """Make a folder to which nobody else may write.

    Raises:
        OSError: it cannot be made.
        ToolchainError: it exists, and others may write to it.
    """
    home.mkdir(parents=True, exist_ok=True)
    take_from_others(home)
    how = exposed(home)
    if how is not None:
        raise ToolchainError(f"The cache of built programs {home} {how}, who could change what runs.", hint=_OWN_HINT)


@contextmanager
def workplace(home: Path, part: str) -> Iterator[Path]:
    """A temporary folder for one part, whose lock the caller holds; what killed builds have left goes first.

    Raises:
        DiskError: there is no room for it, or for what the block writes.
    """
    for leftover in home.glob(f"{part}.building-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    _remove_leftovers(home, part)
    try:
        with tempfile.TemporaryDirectory(prefix=f"{part}.building-", dir=home, ignore_cleanup_errors=True) as folder:
            yield Path(folder)
    except OSError as error:
        if is_full(error):
            raise disk_error(error, home, _CACHE_HINT, f"the cache of built programs {home}") from error
        raise


def _remove_leftovers(home: Path, own: str) -> None:
    """Remove the folders of other parts that nobody is making."""
    from filelock import FileLock, Timeout

    for leftover in home.glob("*.building-*"):
        part = leftover.name.partition(".")[0]
        if part != own:
            with suppress(Timeout), FileLock(home / f"{part}.lock").acquire(timeout=0):
                shutil.rmtree(leftover, ignore_errors=True)
