"""Notes about labels: spellings that look the same, levels that no row is left of, dates among words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from hierfit.notes.note import Known, Note, NoteKind
from hierfit.notes.words import either, lines_text, rows_text
from hierfit.posterior.words import listed

# A column of more labels than these has hardly two rows of each, and comparing them takes its time.
MOST_LABELS = 100_000
FEWEST_DATES = 3
_END = "\0"  # letters do not combine across it
_BLANKS = re.compile(rf"[^\S{_END}]+")
_OUTER = re.compile(rf" ?{_END} ?")
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_WHOLE = re.compile(rf"(?<={_END})0*(\d+)(?:\.0*)?(?={_END})")
# What two labels may differ in and yet look the same -> how to take it out of many labels at once.
_LOOKS: dict[str, Callable[[str], str]] = {
    "Unicode form": lambda joined: _UNSEEN.sub("", unicodedata.normalize("NFKC", joined)),
    "blanks": lambda joined: _OUTER.sub(_END, _BLANKS.sub(" ", joined)),
    "case": str.casefold,
    "the way a number is written": lambda joined: _WHOLE.sub(r"\1", joined),
}
_TIME = r"([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AP]M)?(Z|[+-]\d{2}:?\d{2})?)?"
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATES = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        rf"[12]\d{{3}}[-/.](0?[1-9]|1[0-2])([-/.](0?[1-9]|[12]\d|3[01]){_TIME})?",
        rf"(0?[1-9]|[12]\d|3[01])([-/.])(0?[1-9]|[12]\d|3[01])\2([12]\d{{3}}|\d{{2}}){_TIME}",
        rf"(0?[1-9]|[12]\d|3[01])[ .-]*{_MONTH}[ ,.-]*([12]\d{{3}}|\d{{2}}){_TIME}",
        rf"{_MONTH}[ -]*(0?[1-9]|[12]\d|3[01])(st|nd|rd|th)?[ ,-]+[12]\d{{3}}{_TIME}",
        rf"{_MONTH}[ ,.-]*[12]\d{{3}}",
    )
)


def look_alikes(known: Known) -> Iterator[Note]:
    """Yield a note for each column with labels that differ only in blanks, case, Unicode form or zeros of a number."""
    for column, levels in known.table.levels.items():
        alike = _alike(levels) if len(levels) <= MOST_LABELS else []
        if not alike:
            continue
        rows = np.bincount(known.table.labels[column], minlength=len(levels))
        first = sorted(alike[0], key=lambda code: -rows[code])
        labels = [levels[code] for code in first]
        differ = _differences(labels)
        plainly = repr if "Unicode form" not in differ else ascii  # what looks the same is written out
        shown = listed(
            [f"{plainly(label)} ({rows_text(int(rows[code]))})" for label, code in zip(labels, first, strict=True)]
        )
        more = f"; {len(alike) - 1:,} more such set{'s' * (len(alike) > 2)}" if len(alike) > 1 else ""
        where = lines_text(known.table.lines[known.table.labels[column] == first[-1]], known.table.place_word)
        text = (
            f"{column} has labels that differ only in {either(differ)}: {shown}; the last on {where}{more}. "
            "Each is a level of its own; if they mean the same, write them alike in the file."
        )
        yield Note(NoteKind.LOOK_ALIKES, text, (column,))


def _alike(levels: Sequence[str]) -> list[list[int]]:
    """Return sets of levels, by position, that are the same but for their looks; none where all would be one."""
    plain = _plain(levels, _LOOKS)
    different = dict.fromkeys(plain)
    if len(different) in (1, len(levels)):
        return []
    sets: dict[str, list[int]] = {}
    for position, key in enumerate(plain):
        sets.setdefault(key, []).append(position)
    return [positions for positions in sets.values() if len(positions) > 1]


def _plain(labels: Sequence[str], looks: Iterable[str]) -> Sequence[str]:
    """Return the labels without some of what they may differ in and look the same."""
    joined = f"{_END}{_END.join(labels)}{_END}"
    for look in looks:
        joined = _LOOKS[look](joined)
    plain = joined.split(_END)[1:-1]
    return plain if len(plain) == len(labels) else labels  # one of them holds a zero byte


def _differences(labels: Sequence[str]) -> list[str]:
    """Return what alike labels differ in: what has to be taken out of them, or what may be where no one look must."""
    needed = [look for look in _LOOKS if len(set(_plain(labels, [other for other in _LOOKS if other != look]))) > 1]
    return needed or [look for look in _LOOKS if len(set(_plain(labels, [look]))) < len(labels)]


def lost_levels(known: Known) -> Iterator[Note]:
    """Yield a note for each column with a level that no row is left of, since all lack a value in another column."""
    for column, lost in known.table.lost.items():
        lacking = ", ".join(name for name in known.table.dropped if name != column)
        rows, total = sum(lost.values()), len(lost) + len(known.table.levels[column])
        if rows == 1:
            seen, them = f"The only row with {column} = {next(iter(lost))} lacks a value", "it"
        elif len(lost) == 1:
            seen, them = f"All {rows:,} rows with {column} = {next(iter(lost))} lack a value", "it"
        else:
            names = listed(list(lost))
            seen = f"{len(lost):,} of the {total:,} levels of {column} have no row left ({names}): all lack a value"
            them = "them"
        text = f"{seen} in another column ({lacking}), so the model knows nothing of {them}."
        yield Note(NoteKind.LOST_LEVELS, text, (column,))


def dates_as_words(known: Known) -> Iterator[Note]:
    """Yield a note for each predictor of words all of which are dates."""
    stated = known.request.roles.levels
    for column in known.request.formula.predictors:
        levels = known.table.levels[column] if known.is_words(column) else ()
        if len(levels) < FEWEST_DATES or column in stated or not all(map(_is_date, levels)):
            continue
        text = (
            f"{column} holds dates ({listed(levels, 2)}), which are taken as words: each of the {len(levels):,} is a "
            "category, and nothing says which comes first. For a trend over time put a column of numbers into the "
            "file, such as days since the first date."
        )
        yield Note(NoteKind.DATES, text, (column,))


def _is_date(label: str) -> bool:
    return any(form.fullmatch(label.strip()) for form in _DATES)
