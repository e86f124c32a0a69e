"""Note: one thing about data and model that is no error, and that the reader of the results should know.

A note says what was seen, in the names and numbers of the CSV, what it means for the results, and where there is one
an option that can be copied to the command. `find` says what looks at data and model; `Known` is what it sees.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from hierfit.data.table import Table
from hierfit.design.design import Design
from hierfit.model.priors import SET_BY_USER
from hierfit.model.request import FitRequest
from hierfit.model.spec import ModelSpec


class NoteKind(StrEnum):
    """What a note is about, as `run.json` and docs/notes.md call it."""

    LOOK_ALIKES = "look-alikes"
    LOST_LEVELS = "lost-levels"
    MISSING_WORDS = "missing-words"
    DATES = "dates"
    SENTINELS = "sentinels"
    COLUMN_TWICE = "column-twice"
    SAME_LEVELS = "same-levels"
    REUSED_LABELS = "reused-labels"
    EMPTY_CELLS = "empty-cells"
    FEW_LEVELS = "few-levels"
    CONSTANT_SLOPES = "constant-slopes"
    EFFECTS_AS_ROWS = "effects-as-rows"
    FAR_FROM_ZERO = "far-from-zero"
    SUM_OF_PREDICTORS = "sum-of-predictors"
    NEAR_COLLINEAR = "near-collinear"
    OFFSET = "offset"
    WEIGHTS = "weights"
    UNUSED_CATEGORIES = "unused-categories"
    SEPARATION = "separation"
    CARRYING_ROW = "carrying-row"


@dataclass(frozen=True)
class Note:
    """One note.

    Attributes:
        kind: what it is about.
        text: what was seen and what that means, in one or two sentences.
        columns: the columns of the CSV that it is about.
        option: what to add to the command, or to put in place of its model, quoted for a shell; None where there is
            nothing to copy.
    """

    kind: NoteKind
    text: str
    columns: tuple[str, ...]
    option: str | None = None


@dataclass(frozen=True, eq=False)
class Known:
    """What is known before sampling, and all that a note may look at.

    Attributes:
        request: what was asked for.
        table: what was read of the file.
        design: its columns.
        spec: formula, family and priors.
    """

    request: FitRequest
    table: Table
    design: Design
    spec: ModelSpec

    def is_set_by_user(self, parameter: str) -> bool:
        """Return whether the command gives this parameter a prior, so that a note has nothing to add about it."""
        prior = self.spec.priors.get(parameter)
        return prior is not None and prior.source.startswith(SET_BY_USER)

    def is_words(self, column: str) -> bool:
        """Return whether a predictor is taken as words; a column of numbers may hold the labels of a factor as well."""
        return column in self.table.labels and column not in self.table.numbers

    def columns_of(self, coefficient: str) -> tuple[str, ...]:
        """Return the columns of the CSV whose names stand in that of a coefficient, for a program to look at."""
        return tuple(
            name
            for name in self.request.formula.predictors
            if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", coefficient)
        )
