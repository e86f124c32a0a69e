"""What a report is written as: said, or by the name of its file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from hierfit.errors import UsageError


class ReportFormat(StrEnum):
    """What a report is written as."""

    HTML = "html"
    MD = "md"


def format_of(path: Path) -> ReportFormat:
    """Return the format that the name of a file says.

    Raises:
        UsageError: it says none.
    """
    known = {"html": ReportFormat.HTML, "htm": ReportFormat.HTML, "md": ReportFormat.MD}
    ending = path.suffix.lower().removeprefix(".")
    if ending not in known:
        raise UsageError(
            f"--out {path}: its name says no format.", hint="give it the ending .html or .md, or add --format"
        )
    return known[ending]
