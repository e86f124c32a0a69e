"""The format of what a command writes to a file that the user names: that of its ending."""

from __future__ import annotations

from pathlib import Path

from hierfit.cli.options.shared import OutputFormat
from hierfit.errors import UsageError
from hierfit.posterior.pictures import FileFormat, format_of_name

_ENDINGS = {f".{output.value}": output for output in OutputFormat if output is not OutputFormat.TABLE}


def format_of(path: Path | None, asked: OutputFormat, *, said: bool) -> OutputFormat:
    """Return the format of results: that of --format where it is given, else what the ending of the file says."""
    return asked if said or path is None else _ENDINGS.get(path.suffix.lower(), asked)


def refuse_picture(path: Path, option: str, *, overwrite: bool) -> None:
    """Refuse a place for a picture where a file is, or none can be, or whose name says no format of pictures.

    Raises:
        UsageError: so it is.
    """
    from hierfit.disk.new_file import refuse_taken

    if format_of_name(path) is None:
        known = ", ".join(f".{own.value}" for own in FileFormat)
        raise UsageError(
            f"{option} {path}: its name ends in none of {known}.", hint=f"{option} {path.stem or 'picture'}.png"
        )
    refuse_taken(path, option, overwrite=overwrite)
