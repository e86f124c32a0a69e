"""The `notes` of a manifest -> text: what the reader should know of data and model, with what to copy below each."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from hierfit.cli.show.lines import LABEL, paragraph

_TRY = "Try: "


def note_lines(manifest: Mapping[str, Any]) -> list[str]:
    """Return the notes as lines; what can be copied stands unbroken in a line of its own."""
    lines = []
    for note in manifest.get("notes", ()):
        lines += paragraph("Note", note["text"])
        lines += [f"{'':<{LABEL}}{_TRY}{note['option']}"] * (note["option"] is not None)
    return lines


def notes_sentences(manifest: Mapping[str, Any]) -> list[str]:
    """Return the notes as sentences of a paragraph."""
    return [f"Note: {note['text']}" for note in manifest.get("notes", ())]


def on_one_screen() -> bool:
    """Return whether stdout and stderr go to the same place, so that what is said on both is read twice."""
    try:
        return os.path.samestat(os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno()))
    except (OSError, ValueError, AttributeError):  # closed, or none of the system's files
        return False
