"""The run folder: the names of its files, how it is written, how it is read.

    run.json      everything needed to repeat the fit and to know what was done
    trace.nc      draws, sampler statistics and data; ArviZ reads it
    summary.json  the numbers of the table at full precision, and the checks
    summary.csv   the same table
    groups.csv    one row for each group and varying coefficient
    model.stan    the Stan program
    chains.npz    where the chains stand, for `hierfit extend`
    truth.json    the true values, where the data were simulated
    plots/*.png   what `hierfit plot` draws

A folder is written beside its final place and renamed at the end, so that it is there whole or not at all, and an
existing one is replaced only when asked and only when it is a run.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hierfit.errors import RunFolderError
from hierfit.model.spec import ModelSpec

SCHEMA = 1
MANIFEST = "run.json"
TRACE = "trace.nc"
SUMMARY_JSON = "summary.json"
SUMMARY_CSV = "summary.csv"
GROUPS_CSV = "groups.csv"
PROGRAM = "model.stan"
TRUTH = "truth.json"
CHAINS = "chains.npz"
PLOTS = "plots"
_AGAIN = "fit again with --overwrite"
_ELSEWHERE = "choose another place with --out"
# What run.json must hold for a run to be shown again.
_NEEDED = ("request", "data", "groups", "formula", "model", "engine", "draws_per_chain", "seconds", "status")


@dataclass(frozen=True)
class RunFolder:
    """A finished run.

    Attributes:
        path: the folder.
        manifest: what run.json holds.
    """

    path: Path
    manifest: Mapping[str, Any]


def default_folder(data: Path, now: datetime) -> Path:
    """Return `runs/<stem>-<YYYYMMDD-HHMMSS>`."""
    stem = data.name.split(".")[0] or "data"
    return Path("runs") / f"{stem}-{now:%Y%m%d-%H%M%S}"


def check_free(folder: Path, *, overwrite: bool) -> None:
    """Refuse a place that cannot take the run; called before anything slow.

    Raises:
        RunFolderError: something is there that must not be replaced, or the place cannot be written.
    """
    try:
        _refuse_taken(folder, overwrite=overwrite)
    except OSError as error:  # a name too long, a loop of links, a disk that is gone
        raise RunFolderError(f"{folder} cannot be used: {error.strerror or error}.", hint=_ELSEWHERE) from error


def _refuse_taken(folder: Path, *, overwrite: bool) -> None:
    if Path.cwd().is_relative_to(folder.resolve()):
        raise RunFolderError(f"{folder} is the folder you are in, or above it.", hint="name a new folder with --out")
    if folder.is_dir() and any(folder.iterdir()):
        is_run = (folder / MANIFEST).is_file()
        if not is_run:
            raise RunFolderError(
                f"{folder} exists and is not a hierfit run; it will not be touched.", hint="choose another --out"
            )
        if not overwrite:
            raise RunFolderError(
                f"{folder} already holds a run.", hint="choose another --out, or replace it with --overwrite"
            )
    elif folder.exists() and not folder.is_dir():
        raise RunFolderError(f"{folder} is a file.", hint="choose another --out")
    parent = folder.absolute().parent
    while not parent.exists():
        parent = parent.parent
    if not os.access(parent, os.W_OK | os.X_OK):
        raise RunFolderError(f"{parent} cannot be written.", hint=_ELSEWHERE)


@contextmanager
def new_folder(final: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield a folder to write to; rename it to `final` when the block ends well, remove it when it does not.

    Raises:
        RunFolderError: `final` came to exist meanwhile, or the disk refuses.
    """
    try:
        final.absolute().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=f".{final.name}.", dir=final.absolute().parent, ignore_cleanup_errors=True
        ) as temporary:
            draft = Path(temporary) / "run"
            draft.mkdir()
            yield draft
            check_free(final, overwrite=overwrite)
            _put(draft, final, aside=Path(temporary) / "replaced")
    except OSError as error:
        raise RunFolderError(
            f"{final} could not be written: {error.strerror or error}.", hint="check free space and permissions"
        ) from error


def _put(draft: Path, final: Path, aside: Path) -> None:
    """Rename the draft to its final place; what was there goes aside, and back again if that fails."""
    replaced = final.exists()
    if replaced:
        os.replace(final, aside)
    try:
        os.replace(draft, final)
    except BaseException:
        if replaced:
            os.replace(aside, final)
        raise


def write_manifest(folder: Path, content: Mapping[str, Any]) -> None:
    """Write run.json, whole or not at all."""
    write_json(folder / MANIFEST, {"schema": SCHEMA, **content})


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write readable JSON, whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(draft, path)


def write_csv(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Write rows, the header first."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def open_run(path: Path) -> RunFolder:
    """Read the manifest of a run folder; the path of its run.json does too.

    Raises:
        RunFolderError: there is no run, or its run.json cannot be read.
    """
    folder = path.parent if path.name == MANIFEST else path
    if not folder.exists():
        raise RunFolderError(f"there is no folder '{folder}'.{_runs_nearby(folder)}", hint="name the folder of a run")
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise RunFolderError(
            f"{folder} is not a hierfit run: it has no {MANIFEST}.{_runs_nearby(folder)}",
            hint="name the folder that `hierfit fit` said it saved to",
        )
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{manifest} could not be read: {error}.", hint=_AGAIN) from error
    _refuse_incomplete(manifest, content)
    return RunFolder(folder, content)


def _refuse_incomplete(manifest: Path, content: Any) -> None:
    if not isinstance(content, dict):
        raise RunFolderError(f"{manifest} could not be read: it holds no object.", hint=_AGAIN)
    if content.get("schema") != SCHEMA:
        raise RunFolderError(
            f"{manifest} was written by hierfit {content.get('hierfit', 'of another version')}.",
            hint="fit again, or use that version",
        )
    missing = [name for name in _NEEDED if name not in content]
    if missing:
        raise RunFolderError(f"{manifest} lacks {', '.join(missing)}.", hint=_AGAIN)
    try:
        ModelSpec.from_dict(content["model"])
    except (LookupError, TypeError) as error:
        raise RunFolderError(
            f"{manifest} could not be read: its model is incomplete ({error}).", hint=_AGAIN
        ) from error


def _runs_nearby(folder: Path) -> str:
    """Return " Runs nearby: a, b." for the newest runs in the folder, or else in its parent or in ./runs."""
    for place in (folder, folder.parent, Path("runs")):
        found = [manifest.parent for manifest in place.glob(f"*/{MANIFEST}")]
        if found:
            newest = sorted(found, key=lambda run: run.stat().st_mtime, reverse=True)[:3]
            return f" Runs nearby: {', '.join(str(run) for run in newest)}."
    return ""


def truth_beside(data: Path, sha256: str) -> Mapping[str, Any] | None:
    """Return what the truth.json beside a CSV file says, if it was written for just this file."""
    content = _read_truth(data.parent)
    return content if content is not None and content.get("data_sha256") == sha256 else None


def stored_truth(folder: Path) -> Mapping[str, Any] | None:
    """Return the true values kept with a run on simulated data, or None."""
    return _read_truth(folder)


def stored_summary(folder: Path) -> Mapping[str, Any]:
    """Return what summary.json of a run holds; nothing where it cannot be read."""
    return _read_object(folder / SUMMARY_JSON) or {}


def _read_truth(folder: Path) -> Mapping[str, Any] | None:
    return _read_object(folder / TRUTH)


def _read_object(file: Path) -> Mapping[str, Any] | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def new_plots(folder: Path) -> Path:
    """Return the empty folder for pictures, those of an earlier `hierfit plot` removed.

    Raises:
        RunFolderError: the run cannot be written to.
    """
    plots = folder / PLOTS
    try:
        shutil.rmtree(plots, ignore_errors=True)
        plots.mkdir()
    except OSError as error:
        raise RunFolderError(f"{plots} could not be made: {error.strerror}.", hint="check permissions") from error
    return plots
