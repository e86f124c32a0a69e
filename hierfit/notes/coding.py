"""Notes about columns that say the same twice, and labels that mean something else in every group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hierfit.model.formula import GroupTerm
from hierfit.model.grammar import column_of
from hierfit.notes.note import Known, Note, NoteKind
from hierfit.notes.options import formula_option, with_group, without_group, without_terms
from hierfit.notes.words import both
from hierfit.notes.working import left_over
from hierfit.posterior.words import plural

MOST_REUSED, MOST_CELLS = 200, 1_000_000
FEWEST_GROUPS = 3
ROWS_OF_A_CELL = 2
ALIKE, UNLIKE = 0.1, 0.05  # p-values: labels differ no more than their cells; cells differ more than rows


def columns_twice(known: Known) -> Iterator[Note]:
    """Yield a note for each column of numbers in two roles."""
    formula, roles = known.request.formula, known.request.roles
    parts: dict[str, list[str]] = {}
    for part, columns in (
        ("the outcome", [formula.response]),
        ("a predictor", formula.predictors),
        ("a grouping factor", list(dict.fromkeys(group.factor for group in formula.all_groups if not group.crossing))),
        ("the number of trials", [roles.trials]),
        ("the offset", [roles.offset]),
        ("the exposure", [roles.exposure]),
        ("the weight", [roles.weights]),
        ("the precision weight", [roles.precision]),
    ):
        for column in columns:
            if column is not None:
                parts.setdefault(column, []).append(part)
    for column, found in parts.items():
        if len(found) < 2 or (column not in known.table.numbers):
            continue
        meaning, option = _meaning_of_both(known, column, found)
        yield Note(NoteKind.COLUMN_TWICE, f"{column} is used as {both(found)}: {meaning}", (column,), option)


def _meaning_of_both(known: Known, column: str, found: Sequence[str]) -> tuple[str, str | None]:
    """Return what it means that a column has these roles, and the option that takes one away."""
    formula = known.request.formula
    is_term = column in map(column_of, formula.terms)
    option = formula_option(without_terms(formula, [column])) if is_term else None
    if found == ["a predictor", "a grouping factor"]:
        return (
            f"its coefficient is a trend along {column} as a number, and the levels vary around that. If {column} only "
            "names the levels, leave it out of the predictors.",
            option,
        )
    if found == ["a predictor", "the offset"]:
        return "the offset fixes a coefficient of 1, and the predictor estimates what is to be added to it.", option
    return "one of the two may be a slip.", option if "a predictor" in found else None


def same_levels(known: Known) -> Iterator[Note]:
    """Yield a note for each factor whose levels say what another factor, or a predictor of words, says already."""
    formula, design = known.request.formula, known.design
    for index, group in enumerate(design.groups):
        columns = group.columns
        for other in design.groups[:index]:
            if group.n_levels == other.n_levels and _is_function(other.codes, group.codes):
                text = (
                    f"{other.factor} and {group.factor} make the same {group.n_levels:,} groups: the rows show only "
                    "the sum of the two effects of each, and how they share it is the priors' choice."
                )
                option = formula_option(without_group(formula, group.factor))
                yield Note(NoteKind.SAME_LEVELS, text, (*other.columns, *columns), option)
        for term in formula.terms:
            column = column_of(term)
            if column is not None and known.is_words(column) and _is_function(known.table.labels[column], group.codes):
                text = (
                    f"All rows of one {column} have the same {group.factor}, and {column} is a predictor: nothing is "
                    f"left that the effects of {plural(group.factor)} could explain, and their sd is the prior's."
                )
                option = formula_option(without_group(formula, group.factor))
                yield Note(NoteKind.SAME_LEVELS, text, tuple(dict.fromkeys((column, *columns))), option)


def _is_function(of: NDArray[np.int32], codes: NDArray[np.int32]) -> bool:
    """Whether the level of one column says that of another."""
    one = np.empty(int(of.max()) + 1, dtype=codes.dtype)
    one[of] = codes
    return bool((one[of] == codes).all())


def reused_labels(known: Known) -> Iterator[Note]:
    """Yield a note for each factor whose labels 1, 2, ... seem to mean others in every level of another column."""
    formula, table = known.request.formula, known.table
    for term in {group.factor: group for group in formula.all_groups}.values():
        if term.crossing or not _are_counted(table.levels[term.factor]):
            continue
        for outer in table.labels:
            together = {term.factor, outer}
            told = any(together <= set(group.columns) for group in formula.all_groups)
            if (
                len(together) == 2
                and outer != formula.response
                and not told
                and _means_others(known, outer, term.factor)
            ):
                yield _reused_note(known, outer, term)


def _reused_note(known: Known, outer: str, term: GroupTerm) -> Note:
    inner, levels = term.factor, known.table.levels
    first = min(levels[inner], key=lambda label: label.rjust(4))
    text = (
        f"The labels of {inner} begin again with {first} in every {outer}, and rows of one label are no more alike "
        f"than others across {plural(outer)}: {inner} {first} of one {outer} seems to be another {inner} than {inner} "
        f"{first} of the next, and (1 | {inner}) takes them for one. If so, write {outer}/{inner}."
    )
    nested = replace(term, factor=f"{outer}:{inner}", crossing=(outer, inner))
    return Note(
        NoteKind.REUSED_LABELS, text, (outer, inner), formula_option(with_group(known.request.formula, inner, nested))
    )


def _are_counted(labels: Sequence[str]) -> bool:
    """Whether labels are 1, 2, ..., n, or 0, 1, ..., or a, b, ..."""
    if not 2 <= len(labels) <= MOST_REUSED:
        return False
    numbers = [str(number) for number in range(len(labels) + 1)]
    letters = [chr(ord("a") + position) for position in range(len(labels))]
    found = {label.casefold() for label in labels}
    return any(found == set(wanted) for wanted in (numbers[1:], numbers[:-1], letters))


def _means_others(known: Known, outer: str, inner: str) -> bool:
    """Whether all levels of `outer` count from the first label of `inner` on, and equal labels have nothing in common.

    By analysis of variance: labels differ no more than cells of a label do, though these differ more than their rows;
    where levels of `outer` count to different ends, the first is enough.
    """
    from scipy.special import fdtrc

    table = known.table
    order = np.argsort(np.argsort([label.casefold().rjust(4) for label in table.levels[inner]]))
    n_outer, n_inner = len(table.levels[outer]), len(order)
    if n_outer < FEWEST_GROUPS or n_outer * n_inner > MOST_CELLS:
        return False
    codes = table.labels[outer].astype(np.int64) * n_inner + order[table.labels[inner]]
    counts = np.bincount(codes, minlength=n_outer * n_inner).reshape(n_outer, n_inner)
    there = counts > 0
    if (there[:, :-1] < there[:, 1:]).any() or np.median(counts[there]) < ROWS_OF_A_CELL or there.sum(axis=0)[1] < 2:
        return False
    y = left_over(known.design)
    sums = np.bincount(codes, y, minlength=counts.size).reshape(counts.shape)
    within = float(y @ y) - float((sums[there] ** 2 / counts[there]).sum())
    means = np.where(there, sums / np.maximum(counts, 1), 0) - (sums.sum(axis=1) / counts.sum(axis=1))[:, np.newaxis]
    between = float((counts * means**2).sum())
    of_labels = float(((counts * means).sum(axis=0) ** 2 / counts.sum(axis=0)).sum())
    free = int(there.sum()) - n_outer - (n_inner - 1)
    left = known.design.n_rows - int(there.sum())
    if free < 1 or left < 1 or between <= of_labels or within <= 0:
        return False
    of_cells = (between - of_labels) / free
    alike = fdtrc(n_inner - 1, free, of_labels / (n_inner - 1) / of_cells) > ALIKE
    unlike = fdtrc(free, left, of_cells / (within / left)) < UNLIKE
    return bool(alike and (unlike or not there[:, -1].all()))
