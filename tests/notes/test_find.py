"""Every kind of note is described, and what is copied from a note is accepted."""

import re
from pathlib import Path

from hierfit.notes.note import NoteKind

PAGE = Path(__file__).parents[2] / "docs" / "notes.md"


def test_every_kind_of_note_is_described_and_nothing_else() -> None:
    described = re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert sorted(described) == sorted(kind.value for kind in NoteKind)
