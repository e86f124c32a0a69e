"""A new file that is there when it is whole: written beside its place, and moved there at the end."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hierfit.disk.writing import disk_error, write_text
from hierfit.errors import UsageError


def refuse_taken(path: Path, option: str, *, overwrite: bool) -> None:
    """Refuse a place for a file where one is, or where none can be.

    Raises:
        UsageError: there is a file, which is not to be overwritten, or a folder, or no folder to write to.
    """
    if path.is_dir():
        raise UsageError(f"{option} {path} is a folder.", hint=f"name a file in it: {option} {path / 'NAME'}")
    if not path.parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {path.parent}.", hint="make it first, or check the path")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists already.", hint=f"give {option} another name, or add --overwrite")


def make_folder(path: Path) -> None:
    """Make a folder for new files, where it is not there yet.

    Raises:
        DiskError: it cannot be made, a file having its name, or the folder that it would be in not being there.
    """
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise disk_error(error, path) from error


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a place to write a file to, which is moved to its own when the block ends, and removed when it fails.

    Raises:
        DiskError: it could not be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        raise disk_error(error, path) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def write_whole(path: Path, text: str) -> None:
    """Write a text to a file of its own, which is there when it is whole.

    Raises:
        DiskError: it could not be written.
    """
    with written_whole(path) as part:
        write_text(part, text)
