"""`--contrasts dose=poly`, or `dose=FILE.csv`, as typed -> LevelContrasts by column."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hierfit.cli.options.pairs import pairs
from hierfit.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from hierfit.model.contrasts import LevelContrasts

_FILES = (".csv", ".csv.gz", ".tsv", ".txt")


def given_contrasts(texts: Sequence[str] | None) -> dict[str, LevelContrasts]:
    """Read the texts of --contrasts, and the files that they name.

    Raises:
        UsageError: a text has another form, or names no kind.
        DataError: a file cannot be read, or holds no contrasts.
    """
    return {name: _read(name, kind.strip()) for name, kind in pairs("--contrasts", texts, "dose=poly").items()}


def _read(column: str, kind: str) -> LevelContrasts:
    from hierfit.model.contrasts import CHOICES, ContrastKind, LevelContrasts

    if kind in CHOICES:
        return LevelContrasts(ContrastKind(kind))
    path = Path(kind)
    if kind.lower().endswith(_FILES) or path.is_file():
        from hierfit.data.contrast_file import read_contrasts

        return read_contrasts(path)
    near = did_you_mean(kind, CHOICES)
    raise UsageError(
        f"--contrasts {column}={kind}: there are no contrasts '{kind}'.{near}",
        hint=f"choose {', '.join(CHOICES)}, or name a CSV file: --contrasts {column}=contrasts.csv",
    )
