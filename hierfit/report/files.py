"""A report -> its file: a page for the browser, or Markdown with its pictures in a folder beside it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from hierfit.disk.folder import claimed
from hierfit.disk.new_file import make_folder, refuse_taken, write_whole, written_whole
from hierfit.disk.writing import write_text
from hierfit.report.formats import ReportFormat
from hierfit.report.report import Report
from hierfit.runs.files import MANIFEST, REPORT, write_pictured_manifest, written
from hierfit.runs.folder import open_run


def keep_report(found: Report) -> Path:
    """Write a page to the folder of its run, in the place of an earlier one, and return where it is.

    Raises:
        RunFolderError: another process writes to the run, or a file of the user has this name.
        DiskError: it cannot be written.
    """
    folder = found.run.folder
    with claimed(folder) as place:
        own = {REPORT} & written(folder)
        place.refuse_obstacles([REPORT], own)
        with place.replacing({*own, MANIFEST}, MANIFEST) as new:
            write_text(new / REPORT, found.html())
            write_pictured_manifest(new, folder, open_run(folder).manifest, own)
    return folder / REPORT


def write_report(found: Report, path: Path, output: ReportFormat, *, overwrite: bool) -> None:
    """Write a report to a file.

    Raises:
        UsageError: it is there already.
        DiskError: it cannot be written.
    """
    refuse_taken(path, "--out", overwrite=overwrite)
    beside = _write_pictures(found, path, overwrite=overwrite) if output is ReportFormat.MD else None
    text = found.html() if beside is None else found.markdown(PurePosixPath(beside.name))
    write_whole(path, text)


def _write_pictures(found: Report, out: Path, *, overwrite: bool) -> Path:
    """Write the pictures to a folder beside the file, and return it."""
    folder = out.with_name(f"{out.stem}_pictures")
    if found.pictures:
        make_folder(folder)
    for picture in found.pictures:
        file = folder / f"{picture.stem}.png"
        refuse_taken(file, "--out", overwrite=overwrite)
        with written_whole(file) as part:
            part.write_bytes(picture.png)
    return folder
