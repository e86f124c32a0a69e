"""Ordered levels: `dose=low,mid,high` as typed -> the order of a column's levels, checked against the data.

After the equals sign stands a line of CSV: spaces after a comma do not count, and a level that holds a comma or begins
with a space stands in double quotes. The levels are those of the column, all of them, exactly as the file has them;
an outcome of ordered categories may have some that no row has.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hierfit.data.table import Table
from hierfit.errors import UsageError, did_you_mean
from hierfit.model.roles import Roles

_SHOWN = 20


def parse_levels(text: str) -> tuple[str, tuple[str, ...]]:
    """Read `dose=low,mid,high` -> ("dose", ("low", "mid", "high")).

    Raises:
        UsageError: the text has another form, fewer than two levels, or one of them twice.
    """
    column, _, written = text.partition("=")
    try:
        levels = next(csv.reader([written], skipinitialspace=True, strict=True), [])
    except csv.Error:  # a quote that is not closed, or text after one that is
        levels = []
    if not column or len(levels) < 2 or not all(levels):
        raise UsageError(
            f"--levels {text} could not be read: expected COLUMN=LEVEL,LEVEL,...",
            hint="for example --levels dose=low,mid,high; a level that holds a comma stands in double quotes: "
            '--levels \'dose="1,5 mg","3 mg"\'',
        )
    for level in levels:
        if levels.count(level) > 1:
            raise UsageError(f"--levels {text} names '{level}' twice.", hint="name every level once")
    return column, tuple(levels)


def levels_text(column: str, levels: Sequence[str]) -> str:
    """Return the text that `parse_levels` reads."""
    return f"{column}={','.join(map(_written, levels))}"


def _written(level: str) -> str:
    needs_quotes = level.startswith(" ") or any(mark in level for mark in ',"\r\n')
    return '"{}"'.format(level.replace('"', '""')) if needs_quotes else level


def check_levels(table: Table, column: str, stated: Sequence[str], *, unused: bool = False) -> None:
    """Refuse an order of levels that are not those of the column; `unused` ones may be stated beside these.

    Raises:
        UsageError: a stated level does not occur, or one that occurs is not stated.
    """
    found, option = table.levels[column], f"--levels {levels_text(column, stated)}"
    unstated = [level for level in found if level not in stated]
    hint = f"levels in the rows that are used: {listed([_written(level) for level in sorted(found)])}"
    for level in stated:
        if level not in found and (unstated or not unused):
            raise UsageError(f"{option}: no row holds '{level}'.{_nearest(level, unstated)}", hint=hint)
    if unstated:
        where = table.place(int((table.labels[column] == found.index(unstated[0])).argmax()))
        raise UsageError(
            f"{option}: {where} of {table.path} holds '{unstated[0]}', which is not among these.",
            hint=f"name every level: {listed([_written(level) for level in (*stated, *unstated)])}",
        )


def check_columns(roles: Roles, response: str, predictors: Sequence[str]) -> None:
    """Refuse an order of the levels of anything but the outcome and the predictors.

    Raises:
        UsageError: a column is neither, or must hold numbers for another role.
    """
    used = (response, *predictors)
    for column, stated in roles.levels.items():
        if column in roles.columns:
            raise UsageError(
                f"--levels {levels_text(column, stated)}: '{column}' is used as a number too.",
                hint=f"give the levels to a copy of the column '{column}'",
            )
        if column not in used:
            raise UsageError(
                f"--levels {levels_text(column, stated)}: '{column}' is neither the outcome nor a predictor."
                f"{did_you_mean(column, used)}",
                hint=f"outcome and predictors: {', '.join(used)}",
            )


def ordered_levels(column: str, table: Table, references: Mapping[str, str]) -> tuple[str, ...]:
    """Return the levels of a text column, the reference first, the others in their order."""
    levels = in_order(column, table)
    reference = references.get(column, levels[0])
    return (reference, *(level for level in levels if level != reference))


def in_order(column: str, table: Table) -> Sequence[str]:
    """Return the levels of a text column in the stated order, or in alphabetical order."""
    return table.orders.get(column) or sorted(table.levels[column])


def codes_in(column: str, levels: Sequence[str], table: Table) -> NDArray[np.int64]:
    """Return which of these levels each row of a text column has [N]."""
    position = {level: index for index, level in enumerate(levels)}
    return np.array([position[level] for level in table.levels[column]], dtype=np.int64)[table.labels[column]]


def listed(levels: Sequence[str]) -> str:
    """Return the first levels, separated by commas."""
    return ", ".join(levels[:_SHOWN]) + (", ..." if len(levels) > _SHOWN else "")


def _nearest(level: str, candidates: Sequence[str]) -> str:
    def plain(text: str) -> str:
        return text.strip().casefold()

    same = next((candidate for candidate in candidates if plain(candidate) == plain(level)), None)
    return f" Did you mean {same!r}?" if same else did_you_mean(level, candidates)
