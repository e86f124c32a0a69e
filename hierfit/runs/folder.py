"""A run folder -> RunFolder: what its run.json holds; and whether its files are those that were saved with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hierfit.disk.folder import recover
from hierfit.disk.json_files import as_written, read_object
from hierfit.errors import RunFolderError
from hierfit.posterior.verdict import Diagnosis
from hierfit.runs.files import MANIFEST, SCHEMA, is_unchanged
from hierfit.runs.record import RunRecord, read_record
from hierfit.visible import shell_word

AGAIN = "bring back a copy of it, or fit again, into another folder"


@dataclass(frozen=True)
class RunFolder:
    """A finished run.

    Attributes:
        path: the folder.
        manifest: what run.json holds.
        record: the same, by type.
    """

    path: Path
    manifest: Mapping[str, Any]
    record: RunRecord

    @property
    def folder(self) -> Path:
        """The folder."""
        return self.path

    @property
    def diagnosis(self) -> Diagnosis:
        """The verdict on its draws, as it was saved."""
        return self.record.checks


def open_run(path: Path) -> RunFolder:
    """Read the manifest of a run folder; the path of its run.json does too.

    Raises:
        RunFolderError: there is no run, or its run.json cannot be read.
    """
    folder = path.parent if path.name == MANIFEST else path
    if not folder.exists():
        raise RunFolderError(f"there is no folder '{folder}'.{_runs_nearby(folder)}", hint="name the folder of a run")
    recover(folder)
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise RunFolderError(
            f"{folder} is not a hierfit run: it has no {MANIFEST}.{_runs_nearby(folder)}",
            hint="name the folder that `hierfit fit` said it saved to",
        )
    content = read_object(manifest, AGAIN)
    if content.get("schema") != SCHEMA:
        raise RunFolderError(
            f"{manifest} was written by hierfit {content.get('hierfit', 'of another version')}.",
            hint="fit again, or use that version",
        )
    with as_written(manifest, AGAIN):
        return RunFolder(folder, content, read_record(content))


def _runs_nearby(folder: Path) -> str:
    """Return " Runs nearby: a, b." for the newest runs in the folder, or else in its parent or in ./runs."""
    for place in (folder, folder.parent, Path("runs")):
        found = [manifest.parent for manifest in place.glob(f"*/{MANIFEST}")]
        if found:
            newest = sorted(found, key=lambda run: run.stat().st_mtime, reverse=True)[:3]
            return f" Runs nearby: {', '.join(str(run) for run in newest)}."
    return ""


def open_whole(path: Path, name: str) -> RunFolder:
    """Read the manifest of a run, one of whose files is the one that was saved with it.

    Raises:
        RunFolderError: there is no run, or the file is missing or another.
    """
    run = open_run(path)
    if is_whole(run, name):
        return run
    run = open_run(path)  # perhaps an `extend` was replacing both
    if is_whole(run, name):
        return run
    raise RunFolderError(
        f"{run.path / name} is not the file that was saved with this run: its checksum is another. It is damaged, or "
        "was changed.",
        hint=f"bring back a copy of it, or fit again: hierfit fit --from {shell_word(str(run.path))} --out NEW",
    )


def is_whole(run: RunFolder, name: str) -> bool:
    """Whether a file is the one that was saved, as far as the run says; its reader will find a missing one missing."""
    files = run.manifest.get("files")
    if files is None or name not in files or not (run.path / name).exists():
        return True
    return is_unchanged(run.path / name, files[name])
