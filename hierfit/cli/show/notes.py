"""Notes -> text: what the reader should know of data and model, with what to copy below each."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hierfit.cli.show.lines import LABEL, paragraph

if TYPE_CHECKING:
    from hierfit.notes.note import Note

_TRY = "Try: "


def note_lines(notes: Sequence[Note]) -> list[str]:
    """Return the notes as lines; what can be copied stands unbroken in a line of its own."""
    lines = []
    for note in notes:
        lines += paragraph("Note", note.text)
        lines += [f"{'':<{LABEL}}{_TRY}{note.option}"] * (note.option is not None)
    return lines


def notes_sentences(notes: Sequence[Note]) -> list[str]:
    """Return the notes as sentences of a paragraph."""
    return [f"Note: {note.text}" for note in notes]


def on_one_screen() -> bool:
    """Return whether stdout and stderr go to the same place, so that what is said on both is read twice."""
    try:
        return os.path.samestat(os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno()))
    except (OSError, ValueError, AttributeError):  # closed, or none of the system's files
        return False
