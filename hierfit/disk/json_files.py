"""JSON files that hierfit wrote, and that anybody may have changed since: read, or refused in words that say where."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hierfit.errors import RunFolderError
from hierfit.plain import UnexpectedError, parse


def find_object(file: Path) -> Mapping[str, Any] | None:
    """Return the object that a file holds; None where there is no such file, or it holds something else."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def read_object(file: Path, hint: str) -> Mapping[str, Any]:
    """Return the object that a file holds, with numbers and text such as hierfit writes.

    Raises:
        RunFolderError: it cannot be read, or holds something else; `hint` is what to do then.
    """
    with as_written(file, hint):
        try:
            content = parse(file.read_text(encoding="utf-8"))
        except UnexpectedError:
            raise
        except (OSError, ValueError) as error:
            raise RunFolderError(f"{file} could not be read: {error}.", hint=hint) from error
    if not isinstance(content, dict):
        raise RunFolderError(f"{file} could not be read: it holds no object.", hint=hint)
    return content


@contextmanager
def as_written(file: Path, hint: str) -> Iterator[None]:
    """Say of what a file holds, where the block finds it unexpected, that it is not as it was written.

    Raises:
        RunFolderError: so it is.
    """
    try:
        yield
    except UnexpectedError as error:
        said = f"{file} is not as hierfit wrote it: {error}"
        raise RunFolderError(said if said.endswith((".", "?")) else f"{said}.", hint=hint) from error
