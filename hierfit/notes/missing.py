"""Notes about labels that are a level here, and elsewhere a way to write that a value is missing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hierfit.notes.note import Known, Note, NoteKind
from hierfit.notes.words import lines_text, rows_text
from hierfit.visible import shell_word

# Compared without case and blanks around.
WORDS = frozenset(
    {"none", "null", "nil", "na", "n/a", "n.a.", "#na", "#n/a", "<na>", "nan", "-nan", "missing", ".", "?", "1.#ind"}
)


def missing_words(known: Known) -> Iterator[Note]:
    """Yield a note for each label such as None or null that is a level of a column; not where --na "" has said so."""
    if "" in known.request.na:
        return
    for column, levels in known.table.levels.items():
        stated = known.request.roles.levels.get(column, ())
        for code, level in enumerate(levels):
            named = level in stated or known.request.roles.references.get(column) == level
            if level.strip().casefold() not in WORDS or named:
                continue
            rows = known.table.labels[column] == code
            text = (
                f"{column} is {level!r} in {rows_text(int(np.count_nonzero(rows)))} ("
                f"{lines_text(known.table.lines[rows], known.table.place_word)}), a level like others; if it means "
                "that the value is missing, say so."
            )
            yield Note(NoteKind.MISSING_WORDS, text, (column,), f"--na {shell_word(level)}")
