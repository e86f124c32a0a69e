"""Contrasts x levels of a column -> the columns that stand for them, with their names.

A column of C levels has C - 1 beside an intercept. What they are called, for the levels low, mid, high of dose, and
what their coefficients are where the levels have the means m_low, m_mid, m_high:

    treatment   dose[mid], dose[high]             m_mid - m_low, m_high - m_low
    sum         dose[S.low], dose[S.mid]          m_low - m, m_mid - m; m is the mean of the three
    helmert     dose[H.mid], dose[H.high]         (m_mid - m_low) / 2, (m_high - (m_low + m_mid) / 2) / 3
    poly        dose[.L], dose[.Q], .C, ^4, ...   along orthonormal polynomials of 1, 2, 3, ...
    sdif        dose[mid-low], dose[high-mid]     m_mid - m_low, m_high - m_mid
    a file      dose[NAME], its header's names    whatever solves m = constant + matrix b

Values are those of R's contr.treatment, contr.sum, contr.helmert and contr.poly, and of contr.sdif of MASS; the names
S. and H. follow contr.Sum and contr.Helmert of car (Fox, Weisberg 2019). Without an intercept, and where an interaction
asks for all levels, there is a column for each level as for treatment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hierfit.data.table import Table
from hierfit.design.levels import listed
from hierfit.errors import UsageError, did_you_mean
from hierfit.model.contrasts import ContrastKind, LevelContrasts
from hierfit.model.grammar import column_of
from hierfit.model.term_text import atoms_in, columns_in

Array = NDArray[np.float64]
_POWERS = (".L", ".Q", ".C")


def contrast_columns(contrasts: LevelContrasts, levels: Sequence[str]) -> tuple[tuple[str, ...], Array]:
    """Return what the contrasts of C levels are called [C - 1], and their values at each level [C, C - 1]."""
    size = len(levels)
    match contrasts.kind:
        case ContrastKind.SUM:
            return tuple(f"S.{level}" for level in levels[:-1]), np.vstack([np.eye(size - 1), -np.ones(size - 1)])
        case ContrastKind.HELMERT:
            values = np.diag(np.arange(1.0, size), -1) - np.triu(np.ones((size, size)))
            return tuple(f"H.{level}" for level in levels[1:]), values[:, :-1]
        case ContrastKind.POLY:
            powers = (*_POWERS, *(f"^{power}" for power in range(4, size)))[: size - 1]
            return powers, _polynomials(size)
        case ContrastKind.SDIF:
            before = np.arange(1.0, size) / size  # the share of levels up to the lower of each two
            names = tuple(f"{upper}-{lower}" for lower, upper in pairwise(levels))
            return names, np.tril(np.ones((size, size)), -1)[:, :-1] - (1 - before)
        case ContrastKind.CUSTOM:
            place = {level: index for index, level in enumerate(contrasts.levels)}
            return contrasts.names, np.array(contrasts.matrix)[[place[level] for level in levels]]
        case ContrastKind.TREATMENT:
            return tuple(levels[1:]), np.eye(size)[:, 1:]


def _polynomials(size: int) -> Array:
    """Return orthonormal polynomials of 1, ..., `size`, rising at the upper end, by degree [C, C - 1]."""
    scores = np.arange(size) - (size - 1) / 2
    found = [np.full(size, size**-0.5)]
    for _ in range(1, size):
        column = scores * found[-1]
        for _ in range(2):  # once more for what rounding left
            for known in found:
                column = column - known * (known @ column)
        found.append(column / np.linalg.norm(column))
    return np.column_stack(found[1:])


def check_contrasts(
    chosen: Mapping[str, LevelContrasts], terms: Sequence[str], table: Table, stated: Iterable[str]
) -> None:
    """Refuse contrasts of what is no column of words among the terms, and those that its levels do not fit.

    `stated` are the columns that have a reference level of the user's.

    Raises:
        UsageError: as said.
    """
    columns = dict.fromkeys(name for term in terms for name in columns_in(term))
    alone = {column_of(atom) for term in terms for atom in atoms_in(term)}
    words = [name for name in columns if name in alone and name not in table.numbers]
    for name, own in chosen.items():
        option = f"--contrasts {name}={own.written}"
        if name not in words:
            raise UsageError(
                f"{option}: {_why_not(name, columns, table)}{did_you_mean(name, words) if name not in columns else ''}",
                hint=_instead(name, words, columns, table),
            )
        if own.kind is not ContrastKind.TREATMENT and name in stated:
            raise UsageError(
                f"{option}: these contrasts compare with no reference level, and --reference names one of '{name}'.",
                hint=f"leave one of them out; --levels {name}=... sets the order of the levels",
            )
        if own.kind is ContrastKind.CUSTOM:
            _check_levels(option, name, own, table)


def _why_not(name: str, columns: Mapping[str, None], table: Table) -> str:
    if name not in columns:
        return f"'{name}' is no predictor."
    if name in table.numbers:
        return f"'{name}' is a column of numbers."
    return f"'{name}' stands within calls only, whose coding is their own."


def _instead(name: str, words: Sequence[str], columns: Mapping[str, None], table: Table) -> str:
    if name in columns and name in table.numbers:
        levels = np.unique(table.numbers[name])
        if len(levels) > 10:
            return f"contrasts are of levels; a polynomial of numbers is poly({name}, 2)"
        return f"take its numbers as levels: --levels {name}={','.join(f'{level:.15g}' for level in levels)}"
    if name in columns:
        return f"write {name} by itself in the formula"
    return f"predictors of words: {', '.join(words) or 'none'}"


def _check_levels(option: str, name: str, own: LevelContrasts, table: Table) -> None:
    """Refuse a matrix that has other levels than the column."""
    found = table.levels[name]
    for level in found:
        if level not in own.levels:
            unused = [one for one in own.levels if one not in found]
            where = table.place(int(np.argmax(table.labels[name] == found.index(level))))
            raise UsageError(
                f"{option}: {own.file} has no line for the level '{level}', which {where} of {table.path} holds."
                f"{did_you_mean(level, unused)}",
                hint=f"levels in the rows that are used: {listed(sorted(found))}",
            )
    for level, line in zip(own.levels, own.lines, strict=True):
        if level not in found:
            raise UsageError(
                f"{option}: {own.file}, line {line}: no row holds the level '{level}'.",
                hint=f"levels in the rows that are used: {listed(sorted(found))}",
            )
