"""A report -> its file: a page for the browser, or Markdown with its pictures in a folder beside it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from hierfit.disk.new_file import make_folder, refuse_taken, write_whole, written_whole
from hierfit.report.formats import ReportFormat
from hierfit.report.report import Report


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
