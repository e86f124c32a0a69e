"""Notes about offsets and weights: columns that act on another scale, or in another sense, than was perhaps meant."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hierfit.model.families import FAMILIES
from hierfit.notes.note import Known, Note, NoteKind
from hierfit.visible import shell_word

MOST_SPAN = 5.0  # of an offset on a log or logit scale: more than a hundredfold from row to row
_EXPOSED = ("log", "cloglog")


def wide_offset(known: Known) -> Iterator[Note]:
    """Yield a note where an offset multiplies means or odds by more than e^5 from row to row."""
    column, link = known.request.roles.offset, known.design.link
    if column is None or link == "identity":
        return
    values = known.table.numbers[column]
    low, high = float(values.min()), float(values.max())
    if high - low <= MOST_SPAN:
        return
    what = f"the expected {known.design.response}" if link == "log" else "the odds"
    effect = f"multiplies {what} by up to e^{high - low:.3g} from row to row"
    if link not in ("log", "logit"):
        effect = f"moves the {link} by up to {high - low:.3g} from row to row"
    exposed = link in _EXPOSED and low > 0
    text = (
        f"The offset {column} goes from {low:.4g} to {high:.4g}. It is added on the scale of the {link}, so it "
        f"{effect}. "
        + (
            f"If {column} is an exposure itself and not its logarithm, name it so in place of --offset."
            if exposed
            else "If that is not meant, look at the column."
        )
    )
    option = f"--exposure {shell_word(column)}" if exposed else None
    yield Note(NoteKind.OFFSET, text, (column,), option)


def weights_no_counts(known: Known) -> Iterator[Note]:
    """Yield a note where weights that count rows are no whole numbers."""
    column, weights = known.request.roles.weights, known.design.weights
    if column is None or weights is None or (weights == np.round(weights)).all():
        return
    precise = FAMILIES[known.design.family].takes_precision and not known.design.distributional
    text = (
        f"The weights {column} are no whole numbers ({weights.min():.3g} to {weights.max():.3g}). Each counts its row "
        f"so many times: {known.design.n_rows:,} rows say as much as {weights.sum():,.4g}."
        + (" If they are the precision of measurements, such as 1 / se^2, name them so instead." if precise else "")
    )
    yield Note(NoteKind.WEIGHTS, text, (column,), f"--precision-weights {shell_word(column)}" if precise else None)
