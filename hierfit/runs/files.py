"""The files of a run: their names, which of them hierfit wrote, and how run.json says so.

    run.json      everything needed to repeat the fit and to know what was done
    trace.nc      draws, sampler statistics and data; ArviZ reads it
    summary.json  the numbers of the table at full precision, and the checks
    summary.csv   the same table
    groups.csv    one row for each group and varying coefficient
    model.stan    the model as a Stan program
    chains.npz    where the chains stand, for `hierfit extend`
    truth.json    the true values, where the data were simulated
    plots/*       pictures that `hierfit plot` draws: PNG, SVG or PDF
    report.html   the page that `hierfit report` writes

run.json says which of these hierfit wrote, with their checksums; only these are ever replaced or removed, all at once
(`disk.folder`), and everything else in the folder is the user's.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hierfit.disk.json_files import find_object
from hierfit.disk.rows import write_rows
from hierfit.disk.writing import create, write_text
from hierfit.posterior.pictures import FileFormat
from hierfit.visible import visible_json

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
REPORT = "report.html"
FILES = frozenset({MANIFEST, TRACE, SUMMARY_JSON, SUMMARY_CSV, GROUPS_CSV, PROGRAM, TRUTH, CHAINS})
# What later commands write, and the user may have changed.
_LATER = re.compile(rf"{PLOTS}/[^/]+\.({'|'.join(FileFormat)})|{re.escape(REPORT)}")


def written(folder: Path) -> frozenset[str]:
    """Return the names of the files that hierfit wrote to a run; a picture or report that was changed is the user's."""
    content = find_object(folder / MANIFEST)
    if content is None:
        return frozenset()
    files = content.get("files")
    if not isinstance(files, dict):  # of a version that did not say
        return FILES
    later = {name for name in files if _LATER.fullmatch(name) and is_unchanged(folder / name, files[name])}
    return frozenset((FILES & set(files)) | later | {MANIFEST})


def write_manifest(
    folder: Path, content: Mapping[str, Any], kept: Mapping[str, Any] | None = None
) -> Mapping[str, Any]:
    """Write run.json with the checksums of the other files of the folder, and `kept` ones; return what it holds."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    files = {**(kept or {}), **{name: _describe(folder / name) for name in names}}
    whole = {"schema": SCHEMA, **content, "files": files}
    write_json(folder / MANIFEST, whole)
    return whole


def write_pictured_manifest(folder: Path, run: Path, manifest: Mapping[str, Any], replaced: Collection[str]) -> None:
    """Write the run.json of a run whose `replaced` pictures, or report, are replaced by those in the folder."""
    stored = manifest.get("files")
    if stored is None:
        stored = {name: _describe(run / name) for name in FILES - {MANIFEST} if (run / name).is_file()}
    write_manifest(folder, manifest, {name: kept for name, kept in stored.items() if name not in replaced})


def _describe(file: Path) -> dict[str, Any]:
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"bytes": file.stat().st_size, "sha256": digest}


def is_unchanged(file: Path, described: Any) -> bool:
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
