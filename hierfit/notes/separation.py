"""Notes about coefficients that nothing in the data bounds, because a level or a predictor decides the outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from hierfit.design.axes import contrasts_of
from hierfit.design.separation import Ends, Parting, find_ends, find_parting, is_in_order, is_indicator, parting_columns
from hierfit.model.families import FAMILIES, Support
from hierfit.model.grammar import INTERCEPT
from hierfit.model.term_text import columns_in
from hierfit.notes.note import Known, Note, NoteKind
from hierfit.notes.options import prior_option
from hierfit.notes.words import both, rows_text
from hierfit.notes.working import evenly
from hierfit.posterior.scale import end_words, event
from hierfit.posterior.words import listed
from hierfit.visible import shell_word

# Log odds, or log counts: a level multiplies the odds by 12 at one sd; for numbers half of that per sd.
SCALE = 2.5
MOST_CELLS, SAMPLE = 1_000_000, 5_000
MOST_PRIORS = 3


@dataclass(frozen=True)
class _OneSided:
    """Rows with one outcome only.

    Attributes:
        place: the columns and what they hold there: (("var4", "top"),).
        rows: how many.
        end: at which end the outcome is, "low" or "high".
        coefficient: what has no bound; None where the level is one that others are compared with.
        above: whether it has none above; otherwise none below.
    """

    place: tuple[tuple[str, str], ...]
    rows: int
    end: str
    coefficient: str | None
    above: bool

    @property
    def where(self) -> str:
        """Return "arm = a and sex = m"."""
        return both([f"{column} = {level}" for column, level in self.place])


def separation(known: Known) -> Iterator[Note]:
    """Yield a note for each term, or set of predictors, with coefficients that nothing but their priors bounds."""
    ends = find_ends(known.design)
    if ends is None:
        return
    notes = [note for found in _one_sided(known, ends) if (note := _one_sided_note(known, found))]
    notes += _deciding_numbers(known)
    yield from notes or _deciding_together(known)


def _one_sided(known: Known, ends: Ends) -> Iterator[list[_OneSided]]:
    """Yield, term by term, the levels and cells with one outcome only, and then such values of other indicators."""
    design = known.design
    decided, covered = set[tuple[str, str]](), set[str]()
    for term in known.request.formula.terms:
        columns = columns_in(term)
        if not all(map(known.is_words, columns)):
            continue
        cells = _one_sided_cells(known, ends, columns)
        covered |= {cell.coefficient for cell in cells if cell.coefficient}
        yield [cell for cell in cells if len(columns) == 1 or not decided & set(cell.place)]
        decided |= {cell.place[0] for cell in cells if len(columns) == 1}
    for name, column in zip(design.coefficients, design.X.T, strict=True):
        if name in covered or not is_indicator(column):
            continue
        for value in (1.0, 0.0) if name in known.table.numbers else (1.0,):
            rows = column == value
            end = ends.all_at(rows)
            if end is not None:
                above = (end == "high") == (value == 1)
                yield [_OneSided(((name, f"{value:g}"),), int(rows.sum()), end, name, above)]


def _one_sided_cells(known: Known, ends: Ends, columns: Sequence[str]) -> list[_OneSided]:
    """Return the levels of a column of labels, or the cells of several, whose rows have one outcome only."""
    table = known.table
    shape = [len(table.levels[name]) for name in columns]
    if np.prod(shape) > MOST_CELLS:
        return []
    codes = np.ravel_multi_index([table.labels[name] for name in columns], shape)
    rows = np.bincount(codes, minlength=int(np.prod(shape)))
    found = []
    for end, flags in (("low", ends.low), ("high", ends.high)):
        if flags is None:
            continue
        at = np.bincount(codes[flags], minlength=len(rows))
        for code in np.flatnonzero((at == rows) & (rows > 0)).tolist():
            levels = [table.levels[name][k] for name, k in zip(columns, np.unravel_index(code, shape), strict=True)]
            name = ":".join(f"{column}[{level}]" for column, level in zip(columns, levels, strict=True))
            coefficient = name if name in known.design.coefficients else None
            place = tuple(zip(columns, levels, strict=True))
            found.append(_OneSided(place, int(rows[code]), end, coefficient, end == "high"))
    return found


def _one_sided_note(known: Known, found: Sequence[_OneSided]) -> Note | None:
    """Return the note on a term; None where nothing is left that the user has not given a prior."""
    left = [cell for cell in found if not (cell.coefficient and known.is_set_by_user(cell.coefficient))]
    if not left:
        return None
    columns = tuple(
        dict.fromkeys(column for cell in left for name, _ in cell.place for column in known.columns_of(name))
    )
    if len(left) == 1:
        text, option = _of_one(known, left[0])
    else:
        shown = listed([f"{cell.where} ({rows_text(cell.rows)}, {end_words(known.design, cell.end)})" for cell in left])
        text = (
            f"All rows have one outcome where {shown} (separation): nothing in the data bounds what is estimated of "
            "these, so means and outer ends of their intervals are the priors'."
        )
        option = _priors(known, [cell.coefficient for cell in left if cell.coefficient])
    return Note(NoteKind.SEPARATION, text, columns, option)


def _of_one(known: Known, cell: _OneSided) -> tuple[str, str | None]:
    """Return text and option for a single level, cell or value."""
    subject, have = (f"All {cell.rows:,} rows", "have") if cell.rows > 1 else ("The only row", "has")
    seen = f"{subject} with {cell.where} {have} {end_words(known.design, cell.end)} (separation):"
    if cell.coefficient is not None:
        side, end = ("above", "upper") if cell.above else ("below", "lower")
        meaning = f"nothing in the data bounds the coefficient of {cell.coefficient} {side}, so its mean and {end} end"
        return f"{seen} {meaning} are the prior's.", _priors(known, [cell.coefficient])
    if len(cell.place) > 1:
        return f"{seen} nothing in the data bounds what is estimated there; that is the prior's.", None
    column, level = cell.place[0]
    if column in contrasts_of(known.design.all_terms):
        meaning = f"nothing in the data bounds the coefficients of {column}, so means and outer ends are the priors'."
        return f"{seen} {meaning}", None
    meaning = f"the others are compared with {level}, so nothing in the data bounds {INTERCEPT} and their coefficients"
    return f"{seen} {meaning}; all of these are the priors'.", _other_reference(known, column, level)


def _other_reference(known: Known, column: str, level: str) -> str | None:
    """Return the option that compares with the level of most rows, where the column has three or more."""
    rows = np.bincount(known.table.labels[column])
    others = [code for code in np.argsort(-rows, kind="stable") if known.table.levels[column][code] != level]
    if len(others) < 2:
        return None
    return f"--reference {shell_word(f'{column}={known.table.levels[column][others[0]]}')}"


def _deciding_numbers(known: Known) -> Iterator[Note]:
    """Yield a note for each column of numbers that parts two outcomes, or puts ordered categories in order."""
    design = known.design
    every = evenly(design, SAMPLE)
    decides = is_in_order if design.thresholds else find_parting
    if FAMILIES[design.family].support not in (Support.BINARY, Support.CATEGORIES):
        return
    said_of_levels = set() if design.thresholds else _of_words(known)
    for name, column in zip(design.coefficients, design.X.T, strict=True):
        if (
            name in said_of_levels
            or known.is_set_by_user(name)
            or is_indicator(column)
            or not decides(column[every], design.y[every])
        ):
            continue
        said = decides(column, design.y)
        if not said:
            continue
        seen = f"{name} puts all rows in the order of {design.response}"
        if isinstance(said, Parting):
            side = "above" if said.above else "below"
            seen = f"{event(design)} wherever {name} is {side} {said.value:.4g}, and nowhere else"
        text = (
            f"{seen} (separation): nothing in the data bounds its coefficient, so mean and outer end are the prior's."
        )
        yield Note(NoteKind.SEPARATION, text, known.columns_of(name), _priors(known, [name]))


def _of_words(known: Known) -> set[str]:
    """Return the coefficients of levels alone: where one parts the outcomes, all levels have one outcome each."""
    names = iter(known.design.coefficients)
    columns = ((term, tuple(islice(names, sum(term.kept)))) for term in known.design.terms)
    return {name for term, own in columns if all(map(known.is_words, term.columns_read)) for name in own}


def _deciding_together(known: Known) -> Iterator[Note]:
    """Yield a note where several predictors together part the two values of an outcome."""
    design = known.design
    if FAMILIES[design.family].support is not Support.BINARY or not design.coefficients:
        return
    found = parting_columns(design)
    if found is None:
        return
    taking, rows = found
    names = [design.coefficients[index] for index in taking]
    if all(known.is_set_by_user(name) for name in names):
        return
    share = "all" if rows == design.n_rows else f"at least {rows:,} of {design.n_rows:,}"
    text = (
        f"Together {listed(names)} tell {event(design)} from the rest without error in {share} rows (separation): "
        "nothing in the data bounds their coefficients, so means and outer ends are the priors'."
    )
    columns = tuple(dict.fromkeys(column for name in names for column in known.columns_of(name)))
    yield Note(NoteKind.SEPARATION, text, columns, _priors(known, names))


def _priors(known: Known, names: Sequence[str]) -> str | None:
    """Return options that say what is plausible of a few coefficients, in the units that --standardize sets."""
    design = known.design
    if not 0 < len(names) <= MOST_PRIORS:
        return None
    options = []
    for name in names:
        index = design.coefficients.index(name)
        sd = float(design.x_scale[index])
        scale = SCALE if is_indicator(design.X[:, index]) else SCALE / (2 * sd)
        options.append(prior_option(f"{name} ~ normal(0, {scale * (sd if known.request.standardize else 1):.2g})"))
    return " ".join(options)
