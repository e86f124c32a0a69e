"""The run folder: the names of its files, which of them hierfit wrote, how it is read.

    run.json      everything needed to repeat the fit and to know what was done
    trace.nc      draws, sampler statistics and data; ArviZ reads it
    summary.json  the numbers of the table at full precision, and the checks
    summary.csv   the same table
    groups.csv    one row for each group and varying coefficient
    model.stan    the Stan program
    chains.npz    where the chains stand, for `hierfit extend`
    truth.json    the true values, where the data were simulated
    plots/*.png   what `hierfit plot` draws

run.json says which of these hierfit wrote, with their checksums; only these are ever replaced or removed, all at once
(`disk.folder`), and everything else in the folder is the user's.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hierfit import __version__
from hierfit.disk.folder import HOME, recover
from hierfit.disk.json_files import as_written, find_object, read_object
from hierfit.disk.rows import write_rows
from hierfit.disk.writing import create, write_text
from hierfit.errors import RunFolderError
from hierfit.posterior.diagnostics import Diagnosis
from hierfit.posterior.plots.truth import read_truth
from hierfit.posterior.stored import read_summary
from hierfit.posterior.summary import Summary
from hierfit.record import RunRecord, read_record
from hierfit.stan.programs import StanProgram
from hierfit.visible import shell_word, visible_json

SCHEMA = 3
MANIFEST = "run.json"
TRACE = "trace.nc"
SUMMARY_JSON = "summary.json"
SUMMARY_CSV = "summary.csv"
GROUPS_CSV = "groups.csv"
PROGRAM = "model.stan"
TRUTH = "truth.json"
CHAINS = "chains.npz"
PLOTS = "plots"
FILES = frozenset({MANIFEST, TRACE, SUMMARY_JSON, SUMMARY_CSV, GROUPS_CSV, PROGRAM, TRUTH, CHAINS})
_PICTURE = re.compile(rf"{PLOTS}/[^/]+\.png")
_AGAIN = "bring back a copy of it, or fit again, into another folder"
_NO_TRUTH = "bring back a copy of it, or remove it: it is only needed to show the true values"
_ELSEWHERE = "choose another place with --out"


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


def written(folder: Path) -> frozenset[str]:
    """Return the names of the files that hierfit wrote to a run; a picture that was changed since is the user's."""
    content = find_object(folder / MANIFEST)
    if content is None:
        return frozenset()
    files = content.get("files")
    if not isinstance(files, dict):  # of a version that did not say
        return FILES
    pictures = {name for name in files if _PICTURE.fullmatch(name) and _is_unchanged(folder / name, files[name])}
    return frozenset((FILES & set(files)) | pictures | {MANIFEST})


def write_manifest(
    folder: Path, content: Mapping[str, Any], kept: Mapping[str, Any] | None = None
) -> Mapping[str, Any]:
    """Write run.json with the checksums of the other files of the folder, and `kept` ones; return what it holds."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    files = {**(kept or {}), **{name: _describe(folder / name) for name in names}}
    whole = {"schema": SCHEMA, **content, "files": files}
    write_json(folder / MANIFEST, whole)
    return whole


def write_pictured_manifest(folder: Path, run: Path, manifest: Mapping[str, Any]) -> None:
    """Write the run.json of a run whose pictures are replaced by those in the folder."""
    stored = manifest.get("files")
    if stored is None:
        stored = {name: _describe(run / name) for name in FILES - {MANIFEST} if (run / name).is_file()}
    write_manifest(folder, manifest, {name: kept for name, kept in stored.items() if "/" not in name})


def _describe(file: Path) -> dict[str, Any]:
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"bytes": file.stat().st_size, "sha256": digest}


def _is_unchanged(file: Path, described: Any) -> bool:
    """Whether a file is the one that run.json describes; one that is gone is not."""
    try:
        sizes = isinstance(described, dict) and described.get("bytes") == file.stat().st_size
        return sizes and _describe(file) == described
    except OSError:
        return False


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write readable JSON."""
    write_text(path, visible_json(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)) + "\n")


def write_csv(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write rows, the header first."""
    with io.TextIOWrapper(create(path), encoding="utf-8", newline="") as file:
        write_rows(file, rows)


def open_whole(path: Path, name: str) -> RunFolder:
    """Read the manifest of a run, one of whose files is the one that was saved with it.

    Raises:
        RunFolderError: there is no run, or the file is missing or another.
    """
    run = open_run(path)
    if _is_whole(run, name):
        return run
    run = open_run(path)  # perhaps an `extend` was replacing both
    if _is_whole(run, name):
        return run
    raise RunFolderError(
        f"{run.path / name} is not the file that was saved with this run: its checksum is another. It is damaged, or "
        "was changed.",
        hint=f"bring back a copy of it, or fit again: hierfit fit --from {shell_word(str(run.path))} --out NEW",
    )


def _is_whole(run: RunFolder, name: str) -> bool:
    """Whether a file is the one that was saved, as far as the run says; its reader will find a missing one missing."""
    files = run.manifest.get("files")
    if files is None or name not in files or not (run.path / name).exists():
        return True
    return _is_unchanged(run.path / name, files[name])


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
    content = read_object(manifest, _AGAIN)
    if content.get("schema") != SCHEMA:
        raise RunFolderError(
            f"{manifest} was written by hierfit {content.get('hierfit', 'of another version')}.",
            hint="fit again, or use that version",
        )
    with as_written(manifest, _AGAIN):
        return RunFolder(folder, content, read_record(content))


def _runs_nearby(folder: Path) -> str:
    """Return " Runs nearby: a, b." for the newest runs in the folder, or else in its parent or in ./runs."""
    for place in (folder, folder.parent, Path("runs")):
        found = [manifest.parent for manifest in place.glob(f"*/{MANIFEST}")]
        if found:
            newest = sorted(found, key=lambda run: run.stat().st_mtime, reverse=True)[:3]
            return f" Runs nearby: {', '.join(str(run) for run in newest)}."
    return ""


def truth_beside(data: Path, sha256: str) -> Mapping[str, Any] | None:
    """Return what the truth.json beside a CSV file says, if it was written for just this file.

    Raises:
        RunFolderError: it was, and is not as it was written.
    """
    file = data.parent / TRUTH
    content = find_object(file)
    if content is None or content.get("data_sha256") != sha256:
        return None
    content = read_object(file, _NO_TRUTH)
    with as_written(file, _NO_TRUTH):
        read_truth(content)
    return content


def stored_truth(folder: Path) -> Mapping[str, Any] | None:
    """Return what the truth.json kept with a run on simulated data holds, or None where there is none.

    Raises:
        RunFolderError: it is not as it was written.
    """
    file = folder / TRUTH
    if not file.exists():
        return None
    content = read_object(file, _NO_TRUTH)
    with as_written(file, _NO_TRUTH):
        read_truth(content)
    return content


def open_summary(path: Path) -> tuple[RunFolder, tuple[Summary, Diagnosis] | None]:
    """Read the manifest of a run, and its table and checks as saved; None where they are gone, or not all are there.

    Raises:
        RunFolderError: summary.json is not as it was saved.
    """
    run = open_run(path)
    file = run.path / SUMMARY_JSON
    if not file.exists():
        return run, None
    hint = f"remove it: the table is made from {TRACE} then"
    content = read_object(file, hint)
    with as_written(file, hint):
        found = read_summary(content)
    if not _is_whole(run, SUMMARY_JSON):  # perhaps an `extend` was replacing both
        run = open_whole(path, SUMMARY_JSON)
        found = read_summary(read_object(file, hint))
    return run, found


def require_own_program(path: Path, program: StanProgram) -> None:
    """Refuse a run whose model.stan is not what this version of hierfit writes for its model: it would be compiled.

    Raises:
        RunFolderError: it is another, or missing.
    """
    run = open_whole(path, PROGRAM)
    file = run.path / PROGRAM
    if not file.is_file() or file.read_bytes() != program.text.encode():
        own = "" if run.record.hierfit == __version__ else f", or use hierfit {run.record.hierfit}"
        raise RunFolderError(
            f"{file} is not the program that hierfit {__version__} writes for this model; it is not compiled.",
            hint=f"fit again: hierfit fit --from {shell_word(str(run.path))} --out NEW{own}",
        )


def program_text(path: Path) -> str:
    """Return the Stan program of a run.

    Raises:
        RunFolderError: it is missing, or another than was saved.
    """
    run = open_whole(path, PROGRAM)
    try:
        return (run.path / PROGRAM).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{run.path / PROGRAM} could not be read: {error}.", hint=_AGAIN) from error
