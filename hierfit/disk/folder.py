"""A folder of which hierfit writes some files and the user may own others: whole before, whole after, whatever happens.

    <folder>/.hierfit/lock    held by the process that may write to the folder
    <folder>/.hierfit/new/    where it writes
    <folder>/.hierfit/ready/  the same, once all of it is on the disk: from then on it counts

What is ready is moved into the folder file by file, and files that it makes stale are removed. A process that is
killed before leaves the old files, one that is killed later leaves `ready`, and `recover` finishes the moving. A folder
that does not exist yet is written beside its place, in `.<name>.hierfit/new`, and renamed. Of a link it is the folder
that it leads to that is written, so that a link stays one, and a mounted folder can be written too.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hierfit.disk.locking import HeldError, Lock, take_lock
from hierfit.disk.scratch import sweep_scratch
from hierfit.disk.writing import disk_error, write_text
from hierfit.errors import RunFolderError

HOME = ".hierfit"
_LOCK, _NEW, _READY, _STALE = "lock", "new", "ready", ".stale.json"
_OWN = {_LOCK, _NEW}
_WAIT_SECONDS, _POLL_SECONDS = 10.0, 0.1


@dataclass(frozen=True)
class Place:
    """A folder that this process may write to, and no other.

    Attributes:
        folder: as the user named it.
        real: where it really is; it need not exist.
        home: where new files are made, in it or beside it.
    """

    folder: Path
    real: Path
    home: Path

    @property
    def exists(self) -> bool:
        """Whether the folder existed before."""
        return self.home.parent == self.real

    @contextmanager
    def replacing(self, own: Collection[str], last: str) -> Iterator[Path]:
        """Yield an empty folder for new files, some of them in subfolders; when the block ends well they take effect.

        Args:
            own: names of files that hierfit wrote to the folder before: replaced, or removed where there is no new one.
            last: name of the file that is moved last.

        Raises:
            DiskError, RunFolderError: the old files are all there still; or, where the message says so, the new ones.
        """
        new = self.home / _NEW
        try:
            new.mkdir(parents=True)
            yield new
            self.refuse_obstacles(_names(new), own)
            if self.exists:
                write_text(new / _STALE, json.dumps(sorted(set(own) - set(_names(new)))))
            _sync_tree(new)
            os.rename(new, self.home / _READY if self.exists else self.real)
        except OSError as error:
            raise disk_error(error, self._named(error)) from error
        finally:
            shutil.rmtree(new, ignore_errors=True)
        if self.exists:
            self._finish(last)
        else:
            _sync_folder(self.real.parent)

    def refuse_obstacles(self, names: Collection[str], own: Collection[str]) -> None:
        """Refuse to write files where the user has some of these names.

        Raises:
            RunFolderError: there is a file that is not hierfit's, or something that is no file.
        """
        for name in names:
            target = self.real / name
            above = target.parent
            if above != self.real and (above.is_symlink() or (above.exists() and not above.is_dir())):
                raise RunFolderError(f"{self.folder / name}: {above.name} is no folder.", hint=f"rename {above.name}")
            if target.is_dir() or (os.path.lexists(target) and name not in own):
                raise RunFolderError(
                    f"{self.folder / name} is not what hierfit wrote there; it will not be touched.",
                    hint="rename it, and try again",
                )

    def _named(self, error: OSError) -> Path:
        """Return the file that an error is about, as the user knows it."""
        new, file = self.home / _NEW, Path(os.fsdecode(error.filename or b""))
        return self.folder / file.relative_to(new) if file.is_relative_to(new) else self.folder

    def _finish(self, last: str) -> None:
        """Move what is ready; what fails once may go well the second time."""
        with suppress(OSError):
            _move_all(self.home, last)
            return
        try:
            _move_all(self.home, last)
        except OSError as error:
            raise RunFolderError(
                f"{self.folder} is saved, but not all of it is in its place: {error.strerror}.",
                hint="the next hierfit command that opens it puts it there, once the disk allows it",
            ) from error


@contextmanager
def claimed(folder: Path) -> Iterator[Place]:
    """Be the one process that may write to a folder; what killed ones have left is put in order first.

    Raises:
        RunFolderError: another process writes to it.
        DiskError: there can be no such folder.
    """
    real = Path(os.path.realpath(folder))
    home = real / HOME if real.is_dir() else real.parent / f".{real.name}{HOME}"
    made: list[Path] = []
    try:
        made = _make_parents(home.parent)
        lock = _take(home)
    except HeldError as held:
        raise RunFolderError(
            f"{folder} is being written by another hierfit: {held}.", hint="wait until it is done, or stop it"
        ) from None
    except OSError as error:
        _remove_empty(made)
        raise disk_error(error, folder) from error
    try:
        try:
            _settle(home)
        except OSError as error:
            raise disk_error(error, folder) from error
        _sweep(real.parent)
        yield Place(folder, real, home)
    finally:
        with suppress(OSError):
            _settle(home)
        _leave(home, lock)
        _remove_empty(made)


def recover(folder: Path) -> None:
    """Finish what a killed process has left half done in a folder, or beside it; while another one moves files, wait.

    Raises:
        RunFolderError: this process may not finish it.
    """
    real = Path(os.path.realpath(folder))
    home, deadline = real / HOME, time.monotonic() + _WAIT_SECONDS
    while home.is_dir():
        try:
            lock = take_lock(home / _LOCK)
        except (HeldError, OSError) as error:
            if not (home / _READY).is_dir():
                break  # it may be read as it is
            if isinstance(error, OSError) or time.monotonic() > deadline:
                raise RunFolderError(
                    f"{folder} was being saved when hierfit was stopped, and this could not be finished: {error}.",
                    hint="check permissions, or open it as the user who made it",
                ) from error
            time.sleep(_POLL_SECONDS)
            continue
        try:
            _settle(home)
        except OSError as error:
            raise disk_error(error, folder) from error
        finally:
            _leave(home, lock)
    _sweep(real.parent)


def _take(home: Path) -> Lock:
    while True:
        home.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):  # its last holder has just removed it
            return take_lock(home / _LOCK)


def _settle(home: Path) -> None:
    """Move what is ready, and remove what is not; the caller holds the lock."""
    if (home / _READY).is_dir():
        _move_all(home, "")
    shutil.rmtree(home / _NEW, ignore_errors=True)


def _leave(home: Path, lock: Lock) -> None:
    lock.release()
    with suppress(OSError):
        home.rmdir()


def _sweep(parent: Path) -> None:
    """Remove what killed processes have left beside folders that never came to be, and among temporary files."""
    with suppress(OSError):
        sweep_scratch()
        for home in parent.glob(f".*{HOME}"):
            names = {entry.name for entry in home.iterdir()}
            if home.name == HOME or home.is_symlink() or not names <= _OWN or names == {_NEW}:
                continue  # it is not, or not surely, ours
            with suppress(OSError, HeldError):
                lock = take_lock(home / _LOCK)
                if lock.sure:
                    shutil.rmtree(home / _NEW, ignore_errors=True)
                _leave(home, lock)


def _names(folder: Path) -> list[str]:
    """Return the files of a folder, those in subfolders with a slash."""
    files = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())
    return sorted(name for name in files if name != _STALE)


def _move_all(home: Path, last: str) -> None:
    """Move what is ready into the folder above, and remove what that makes stale; may be done again from any point."""
    folder, ready = home.parent, home / _READY
    for name in sorted(_names(ready), key=lambda name: (name == last, name)):
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        os.replace(ready / name, target)
    for name in _stale(ready):
        with suppress(FileNotFoundError, IsADirectoryError):
            (folder / name).unlink()
        if "/" in name:
            with suppress(OSError):
                (folder / name).parent.rmdir()
    for path in (folder, *(path for path in ready.iterdir() if path.is_dir())):
        _sync_folder(folder / path.name if path != folder else folder)
    shutil.rmtree(ready)


def _stale(ready: Path) -> list[str]:
    """Return the names of stale files; none that leads out of the folder, whoever wrote the list."""
    try:
        names = json.loads((ready / _STALE).read_text(encoding="utf-8"))
    except FileNotFoundError:  # all but the removal of `ready` was done
        return []
    folder = ready.parent.parent
    plain = [name for name in names if name == os.path.normpath(name) and not name.startswith(("/", ".."))]
    return [name for name in plain if not (folder / name).parent.is_symlink()]


def _sync_tree(folder: Path) -> None:
    """Have all files of a folder on the disk."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(handle)
            except OSError as error:
                error.filename = str(path)
                raise
            finally:
                os.close(handle)
        else:
            _sync_folder(path)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    """Have the names of a folder on the disk, as far as the file system has a way to say so."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _make_parents(folder: Path) -> list[Path]:
    """Make a folder and those above it; return those that were made, the lowest first."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        if os.path.lexists(path) and not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
        path.mkdir(exist_ok=True)
    return missing


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
