"""Notes about the categories of an ordered outcome: those of the scale that no row has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hierfit.design.levels import levels_text
from hierfit.notes.note import Known, Note, NoteKind
from hierfit.notes.words import both
from hierfit.posterior.words import listed
from hierfit.visible import shell_word

MOST_MADE_UP = 12  # whole numbers between the lowest and the highest: beyond, this is hardly a scale of answers


def unused_categories(known: Known) -> Iterator[Note]:
    """Yield a note where no row has a category that was stated, or a whole number between two that rows have."""
    design = known.design
    if not design.thresholds:
        return
    response, categories = design.response, design.categories
    rows = np.bincount(design.y.astype(np.int64), minlength=len(categories))
    unused = [category for category, count in zip(categories, rows.tolist(), strict=True) if count == 0]
    if unused:
        text = (
            f"No row has {response} = {_either(unused)}: kept as part of the scale; how far apart the thresholds "
            f"around {'it' if len(unused) == 1 else 'these'} are, their priors say more than the data."
        )
        yield Note(NoteKind.UNUSED_CATEGORIES, text, (response,))
    elif response in known.table.numbers:
        lowest, highest = int(categories[0]), int(categories[-1])
        scale = [str(number) for number in range(lowest, highest + 1)] if highest - lowest < MOST_MADE_UP else []
        left_out = [number for number in scale if number not in categories]
        if left_out:
            text = (
                f"No row has {response} = {_either(left_out)}, and the numbers are taken for "
                f"{len(categories)} categories in their order: {categories[0]} to {categories[-1]} without "
                f"{both(left_out)}. If the scale has {'it' if len(left_out) == 1 else 'them'}, name all of it."
            )
            option = f"--levels {shell_word(levels_text(response, scale))}"
            yield Note(NoteKind.UNUSED_CATEGORIES, text, (response,), option)


def _either(categories: list[str]) -> str:
    return listed(categories) if len(categories) > 2 else " or ".join(categories)
