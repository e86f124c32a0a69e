"""Known -> the notes, in the order in which a reader needs them: the file, its levels, the model, single rows.

A note is found by one function, `Known` -> its notes, often none. A new one takes a kind in `note`, a function in the
module of its subject, a place in `_LOOKS` here, and a row in docs/notes.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hierfit.data.table import Table
from hierfit.design.design import Design
from hierfit.model.request import FitRequest
from hierfit.model.spec import ModelSpec
from hierfit.notes.categories import unused_categories
from hierfit.notes.cells import empty_cells
from hierfit.notes.coding import columns_twice, reused_labels, same_levels
from hierfit.notes.groups import as_many_effects_as_rows, constant_slopes, far_from_zero, few_levels
from hierfit.notes.labels import dates_as_words, look_alikes, lost_levels
from hierfit.notes.missing import missing_words
from hierfit.notes.note import Known, Note
from hierfit.notes.predictors import near_collinear, outcome_of_predictors
from hierfit.notes.separation import separation
from hierfit.notes.single_rows import carrying_row
from hierfit.notes.values import dates_as_numbers, sentinels
from hierfit.notes.weighing import weights_no_counts, wide_offset

Look = Callable[[Known], Iterator[Note]]

_LOOKS: tuple[Look, ...] = (
    look_alikes,
    lost_levels,
    missing_words,
    dates_as_words,
    dates_as_numbers,
    sentinels,
    columns_twice,
    same_levels,
    reused_labels,
    empty_cells,
    few_levels,
    constant_slopes,
    as_many_effects_as_rows,
    far_from_zero,
    outcome_of_predictors,
    near_collinear,
    wide_offset,
    weights_no_counts,
    unused_categories,
    separation,
    carrying_row,
)
# What compares the outcome with the predictors; draws from the priors alone leave the outcome out.
_OF_THE_OUTCOME: frozenset[Look] = frozenset(
    {reused_labels, outcome_of_predictors, unused_categories, separation, carrying_row}
)


def find_notes(request: FitRequest, table: Table, design: Design, spec: ModelSpec) -> tuple[Note, ...]:
    """Return all notes about data and model."""
    known = Known(request, table, design, spec)
    looks = [look for look in _LOOKS if not (spec.prior_only and look in _OF_THE_OUTCOME)]
    return tuple(note for look in looks for note in look(known))
