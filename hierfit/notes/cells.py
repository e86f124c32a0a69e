"""Notes about interactions some of whose cells have no row."""

from __future__ import annotations

from collections.abc import Iterator

from hierfit.notes.note import Known, Note, NoteKind
from hierfit.posterior.words import listed

MOST_SHOWN = 8


def empty_cells(known: Known) -> Iterator[Note]:
    """Yield a note on the columns that are left out because cells without a row leave nothing to them."""
    names = known.design.left_out
    if not names:
        return
    columns = tuple(dict.fromkeys(column for name in names for column in known.columns_of(name)))
    are, them = ("are", "them") if len(names) > 1 else ("is", "it")
    text = (
        f"Some combinations of {' and '.join(columns)} have no row, so {listed(names, most=MOST_SHOWN)} {are} left "
        f"out: no row tells {them} from the other coefficients."
    )
    yield Note(NoteKind.EMPTY_CELLS, text, columns)
