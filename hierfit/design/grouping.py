"""Columns of labels x Table -> the levels of a grouping factor, row by row; of several columns, their combinations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hierfit.data.table import Table
from hierfit.design.levels import listed
from hierfit.errors import DataError, did_you_mean

Codes = NDArray[np.int32]


def levels_of(columns: Sequence[str], table: Table) -> tuple[tuple[str, ...], Codes]:
    """Return the levels in order of first appearance, and that of each row [N].

    A combination is called `a:b`; a label that holds a colon stands in quotes there, so that no two are the same.
    """
    labels, codes = table.levels[columns[0]], table.labels[columns[0]].astype(np.int64)
    if len(columns) == 1:
        return labels, table.labels[columns[0]]
    labels = tuple(map(_quoted, labels))
    for column in columns[1:]:
        further = tuple(map(_quoted, table.levels[column]))
        pairs = codes * len(further) + table.labels[column]
        found, first, codes = np.unique(pairs, return_index=True, return_inverse=True)
        order = np.argsort(first)
        one, other = np.divmod(found[order], len(further))
        labels = tuple(f"{labels[a]}:{further[b]}" for a, b in zip(one.tolist(), other.tolist(), strict=True))
        codes = np.argsort(order)[codes]
    return labels, codes.astype(np.int32)


def _quoted(label: str) -> str:
    return repr(label) if ":" in label or label[:1] in ("'", '"') else label


def levels_on(columns: Sequence[str], known: Sequence[str], table: Table) -> tuple[tuple[str, ...], Codes]:
    """Return the known levels followed by those that only these rows have, and that of each row [N].

    Raises:
        DataError: the table lacks a column.
    """
    for column in columns:
        if column not in table.levels:
            raise DataError(
                f"{table.path} has no column '{column}', by whose labels the model groups the rows.",
                hint=f"columns of labels: {listed(tuple(table.levels)) or 'none'}",
            )
    labels, codes = levels_of(columns, table)
    place = {label: index for index, label in enumerate(known)}
    new = [label for label in labels if label not in place]
    place |= {label: len(known) + index for index, label in enumerate(new)}
    return (*known, *new), np.array([place[label] for label in labels], dtype=np.int32)[codes]


def refuse_new_levels(factor: str, labels: Sequence[str], codes: Codes, n_known: int, table: Table) -> None:
    """Refuse rows of levels beyond the known ones, which come first among the labels.

    Raises:
        DataError: there are such rows.
    """
    new = codes >= n_known
    if new.any():
        row, count = int(new.argmax()), len(labels) - n_known
        more = f" ({count:,} such levels)" if count > 1 else ""
        raise DataError(
            f"{table.path}, column '{factor}', {table.place(row)}: no row of the fit had the level "
            f"'{labels[codes[row]]}'{more}.{did_you_mean(labels[codes[row]], labels[:n_known])}",
            hint="--new-groups draw gives new levels effects of their own, --new-groups average none",
        )
