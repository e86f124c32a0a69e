"""Notes about single values of columns of numbers: codes for missing values, dates written as numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from hierfit.notes.note import Known, Note, NoteKind
from hierfit.notes.words import lines_text, rows_text

Array = NDArray[np.float64]

# Numbers that files have in place of missing values: repeated 9s, 8s and 7s and the like, and ends of number types.
_DIGITS = (9, 99, 98, 97, 88, 77, 999, 998, 997, 888, 777, 9999, 9998, 8888, 7777, 99999, 999999, 9999999)
CODES = np.array(
    sorted(
        {sign * float(digits) for sign in (1, -1) for digits in _DIGITS}
        | {sign * code for sign in (1, -1) for code in (9.9, 99.9, 99.99, 999.9, 999.99, 9999.9)}
        | {-32768.0, 32767.0, -2147483648.0, 2147483647.0, -1e30, 1e30, -1e20, 1e20, 9.96921e36}
    )
)
# Below this a code may well be a value: more rows have to hold it, farther from the rest.
SMALL = 50.0
GAP, SMALL_GAP, LEAST_GAP = 0.25, 1.0, 3.0
FEWEST_DATES, LOOKED_AT = 5, 1000
_YEARS = (1900, 2100)


def sentinels(known: Known) -> Iterator[Note]:
    """Yield a note for each column whose lowest or highest values are codes far from all others."""
    for column, role in _columns_of_numbers(known).items():
        values = known.table.numbers[column]
        for sign in (1.0, -1.0):
            codes = _codes_at_the_top(sign * values) * sign
            if not len(codes):
                continue
            at = np.isin(values, codes)
            rest = values[~at]
            shown = " and ".join(f"{code:.12g}" for code in codes)
            text = (
                f"{column} ({role}) is {shown} in {rows_text(int(at.sum()))} "
                f"({lines_text(known.table.lines[at], known.table.place_word)}) and "
                f"between {rest.min():.4g} and {rest.max():.4g} in all others. If that stands for a missing value, "
                "these rows are taken for what they are not: leave the cells empty."
            )
            yield Note(NoteKind.SENTINELS, text, (column,))


def _columns_of_numbers(known: Known) -> Mapping[str, str]:
    """Return the columns that are taken as numbers, and as what."""
    formula, roles = known.request.formula, known.request.roles
    named = {name: "predictor" for name in formula.predictors if name not in formula.categorical}
    further = (
        ("offset", roles.offset),
        ("exposure", roles.exposure),
        ("weight", roles.weights),
        ("precision weight", roles.precision),
    )
    named |= {name: role for role, name in further if name is not None}
    return {name: role for name, role in ({formula.response: "outcome"} | named).items() if name in known.table.numbers}


def _codes_at_the_top(values: Array) -> Array:
    """Return the codes above all other values, where they are repeated and far from these; the highest first."""
    none = np.empty(0)
    if float(values.max()) not in CODES:
        return none
    is_code = np.isin(values, CODES)
    if is_code.all():
        return none
    rest = values[values <= values[~is_code].max()]
    if np.ptp(rest) == 0:
        return none
    codes, counts = np.unique(values[values > rest.max()], return_counts=True)
    far = [_is_far(code, count, rest) for code, count in zip(codes.tolist(), counts.tolist(), strict=True)]
    return codes[far][::-1]


def _is_far(code: float, count: int, rest: Array) -> bool:
    """Whether a value that so many rows have lies as far above the rest as hardly a value of its kind would."""
    small, alone = abs(code) < SMALL, rest.max() <= 0 < code  # alone with its sign
    low, high = np.percentile(rest, [25, 75])
    gap = max(LEAST_GAP, high - low, (SMALL_GAP if small else GAP) * np.ptp(rest))
    return count >= 2 + small - alone and bool(code - rest.max() >= gap)


def dates_as_numbers(known: Known) -> Iterator[Note]:
    """Yield a note for each predictor of numbers all of which are dates such as 20240131 or 202401."""
    for column in known.request.formula.predictors:
        values = known.table.numbers.get(column)
        if values is None or not (_are_dates(values[:LOOKED_AT]) and _are_dates(values)):
            continue
        first = f"{values[0]:.0f}"
        unit, span = ("day", "month") if len(first) == 8 else ("month", "year")
        text = (
            f"{column} holds dates as numbers ({first}): from the last {unit} of a {span} to the next it jumps, so a "
            f"coefficient per unit means nothing. Put a column into the file that counts {unit}s."
        )
        yield Note(NoteKind.DATES, text, (column,))


def _are_dates(values: Array) -> bool:
    """Whether all values are dates as whole numbers, all with or all without a day, and not too few different ones."""
    if values.min() >= _YEARS[0] * 10000 and values.max() < _YEARS[1] * 10000:
        months, days = np.divmod(values, 100)
    else:
        months, days = values, np.ones(len(values))
    years, month = np.divmod(months, 100)
    possible = (years >= _YEARS[0]) & (years < _YEARS[1]) & (month >= 1) & (month <= 12) & (days >= 1) & (days <= 31)
    return bool((possible & (values == np.round(values))).all()) and len(np.unique(values[:LOOKED_AT])) >= FEWEST_DATES
