"""What a command writes to a file that the user names: never over one that is there, in the format of its ending."""

from __future__ import annotations

from pathlib import Path

from hierfit.cli.options.shared import OutputFormat
from hierfit.errors import UsageError
from hierfit.posterior.pictures import FileFormat, format_of_name

_ENDINGS = {f".{output.value}": output for output in OutputFormat if output is not OutputFormat.TABLE}


def format_of(path: Path | None, asked: OutputFormat, *, said: bool) -> OutputFormat:
    """Return the format of results: that of --format where it is given, else what the ending of the file says."""
    return asked if said or path is None else _ENDINGS.get(path.suffix.lower(), asked)


def refuse_existing(path: Path, option: str) -> None:
    """Refuse a file to write to that an option names and that is there, before there is anything to write.

    Raises:
        UsageError: it is there.
    """
    if path.exists():
        raise UsageError(f"{path} exists already.", hint=f"give {option} another name, or remove it")


def refuse_picture(path: Path, option: str) -> None:
    """Refuse a file for a picture that is there, or whose name says no format of pictures.

    Raises:
        UsageError: so it is.
    """
    if format_of_name(path) is None:
        known = ", ".join(f".{own.value}" for own in FileFormat)
        raise UsageError(
            f"{option} {path}: its name ends in none of {known}.", hint=f"{option} {path.stem or 'picture'}.png"
        )
    refuse_existing(path, option)


def write_new(path: Path, text: str, option: str) -> None:
    """Write a file that is not there yet, which an option names.

    Raises:
        UsageError: it is there.
        DiskError: it could not be written.
    """
    from hierfit.disk.writing import disk_error, write_text

    refuse_existing(path, option)
    try:
        write_text(path, text + "\n")
    except OSError as error:
        raise disk_error(error, path) from error
