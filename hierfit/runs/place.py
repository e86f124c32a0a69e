"""Where a run may be saved: a free place, or a run that may be replaced without losing what is the user's."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from hierfit.disk.folder import HOME, recover
from hierfit.disk.json_files import find_object
from hierfit.errors import RunFolderError
from hierfit.runs.files import FILES, MANIFEST, written

_ELSEWHERE = "choose another place with --out"


def default_folder(data: Path, now: datetime) -> Path:
    """Return `runs/<stem>-<YYYYMMDD-HHMMSS>`."""
    stem = data.name.split(".")[0].strip("<>") or "data"
    return Path("runs") / f"{stem}-{now:%Y%m%d-%H%M%S}"


def check_free(folder: Path, *, overwrite: bool, data: Path | None = None) -> None:
    """Refuse a place that cannot take the run of a fit to `data`; called before anything slow.

    Raises:
        RunFolderError: something is there that must not be replaced, or the place cannot be written.
    """
    try:
        _refuse_taken(folder, data, overwrite=overwrite)
    except OSError as error:  # a name too long, a loop of links, a disk that is gone
        raise RunFolderError(f"{folder} cannot be used: {error.strerror or error}.", hint=_ELSEWHERE) from error


def _refuse_taken(folder: Path, data: Path | None, *, overwrite: bool) -> None:
    if Path.cwd().is_relative_to(folder.resolve()):
        raise RunFolderError(f"{folder} is the folder you are in, or above it.", hint="name a new folder with --out")
    if folder.is_dir() and any(entry.name != HOME for entry in folder.iterdir()):
        recover(folder)
        if not _is_ours(folder):
            raise RunFolderError(
                f"{folder} exists and is not a hierfit run; it will not be touched.", hint="choose another --out"
            )
        if not overwrite:
            raise RunFolderError(
                f"{folder} already holds a run.", hint="choose another --out, or replace it with --overwrite"
            )
        if data is not None and _holds(folder, data):
            raise RunFolderError(
                f"{folder} holds the data, {data}; it will not be touched.",
                hint="move the data elsewhere, or choose another --out",
            )
        refuse_strangers(folder)
    elif folder.exists() and not folder.is_dir():
        raise RunFolderError(f"{folder} is a file.", hint="choose another --out")
    nearest = Path(os.path.realpath(folder))
    while not nearest.exists():
        nearest = nearest.parent
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise RunFolderError(f"{nearest} cannot be written.", hint=_ELSEWHERE)


def _is_ours(folder: Path) -> bool:
    """Whether the folder has a run.json that a hierfit wrote, be it of another version."""
    content = find_object(folder / MANIFEST)
    return content is not None and isinstance(content.get("schema"), int) and isinstance(content.get("hierfit"), str)


def _holds(folder: Path, file: Path) -> bool:
    """Whether a folder holds a file, or a link to it by which it was named."""
    real, named = os.path.realpath(folder), Path(os.path.realpath(file.parent), file.name)
    return named.is_relative_to(real) or Path(os.path.realpath(file)).is_relative_to(real)


def refuse_strangers(folder: Path) -> None:
    """Refuse a run in which the user has put a file of his own where hierfit may have to write one.

    Raises:
        RunFolderError: there is one.
    """
    strangers = [name for name in sorted(FILES - written(folder)) if os.path.lexists(folder / name)]
    if strangers:
        raise RunFolderError(
            f"{folder / strangers[0]} is not what hierfit wrote there; it will not be touched.",
            hint="rename it, or choose another --out",
        )
