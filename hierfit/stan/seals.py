"""What was built is run, or linked, only as it was built: its checksum is kept beside it, its owner and mode are seen.

    <folder>/<part>.sha256    the files of a part and their checksums, as `sha256sum -c` reads them

Files, their record and their folder must belong to this user or to root, and nobody else may write to them. Then what
was verified is what runs: only the user could put something else in its place in between. What an installation brought
along may be written by those who may write to the package: they need no program to be run.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from hierfit.disk.writing import write_text

_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_UNSEALED = "nothing says what was built there"
_MOST_BYTES = 100_000  # a record has a line or two


def record_of(folder: Path, part: str) -> Path:
    """Return the file that says what a part is."""
    return folder / f"{part}.sha256"


def seal(folder: Path, part: str, digests: Mapping[str, str]) -> None:
    """Say what a part is: its files by name, with their hex SHA-256; written before they are put in place."""
    record, draft = record_of(folder, part), record_of(folder, f"{part}.{os.getpid()}")
    write_text(draft, "".join(f"{digest}  {name}\n" for name, digest in digests.items()))
    take_from_others(draft)
    os.replace(draft, record)


def digest_of(file: Path) -> str:
    """Return the hex SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sealed(folder: Path, part: str) -> dict[str, str]:
    """Return the files of a part with their checksums; OSError or ValueError where nothing says it."""
    with record_of(folder, part).open(encoding="ascii") as stream:
        lines = stream.read(_MOST_BYTES).splitlines()
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def fault(
    folder: Path, part: str, *, files: Collection[str] | None = None, installed_with: Path | None = None
) -> str | None:
    """Return why the files of a part must not be used, in words that follow their name; None where they are as built.

    Args:
        folder: where they are.
        part: the record's name.
        files: what it consists of at least; None is one file of its name.
        installed_with: a file that is trusted already; who may write to it may write to these.
    """
    record = record_of(folder, part)
    try:
        digests = sealed(folder, part)
    except (OSError, ValueError):
        return _UNSEALED
    if not digests.keys() >= set(files or {part}):
        return _UNSEALED
    for path in (folder, record):
        loose = _exposure(path.stat(), installed_with)
        if loose is not None:
            return f"{'its folder' if path == folder else 'what says its checksum'} {loose}"
    for name, digest in digests.items():
        wrong = _fault_of_file(folder / name, digest, installed_with)
        if wrong is not None:
            return wrong if name == part else f"{name} beside it: {wrong}"
    return None


def exposed(place: Path) -> str | None:
    """Return how others may change a file or folder, in words that follow its name; None where they may not."""
    return _exposure(place.stat(), None)


def take_from_others(place: Path) -> None:
    """Let nobody else write to a file or folder of this user's."""
    mode = place.stat().st_mode
    if mode & _BY_OTHERS:
        with suppress(PermissionError):
            place.chmod(stat.S_IMODE(mode) & ~_BY_OTHERS)


def _fault_of_file(file: Path, digest: str, installed_with: Path | None) -> str | None:
    try:
        with file.open("rb") as stream:  # looked at and read through one handle: it is the same file
            loose = _exposure(os.fstat(stream.fileno()), installed_with)
            if loose is not None:
                return f"it {loose}"
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return f"it cannot be read ({error.strerror or error})"
    return None if found == digest else "its checksum is not that of what was built"


def _exposure(status: os.stat_result, installed_with: Path | None) -> str | None:
    if os.name != "posix":
        return None
    owners, allowed = {os.geteuid(), 0}, 0
    if installed_with is not None:
        trusted = installed_with.stat()
        owners, allowed = owners | {trusted.st_uid}, trusted.st_mode
    if status.st_uid not in owners:
        return "belongs to another user"
    return "can be written by other users" if status.st_mode & _BY_OTHERS & ~allowed else None
