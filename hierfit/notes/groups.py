"""Notes about grouping factors: how much their levels can say about the variation between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hierfit.data.cells import numbers_in
from hierfit.design.design import Group
from hierfit.design.separation import is_indicator
from hierfit.model.families import FAMILIES, Support
from hierfit.model.formula import Formula, GroupTerm
from hierfit.model.grammar import INTERCEPT, column_of, quoted
from hierfit.model.spec import sd_name
from hierfit.notes.note import Known, Note, NoteKind
from hierfit.notes.options import formula_option, name_of, with_group, without_group
from hierfit.notes.words import both
from hierfit.posterior.words import counted, listed

FEW_LEVELS = 4
FAR = 3.0
EXPLAINED = 1e-6
# Parameters that say how far single rows scatter; a family without one has its scatter from the mean alone.
_SCATTER = ("sigma", "shape", "phi")


def few_levels(known: Known) -> Iterator[Note]:
    """Yield a note for each factor with four levels or fewer whose sds have no prior of the user's."""
    for term, group in zip(known.request.formula.groups, known.design.of_mean.groups, strict=True):
        left = _sds_left(known, group, group.terms)
        if group.n_levels > FEW_LEVELS or not left:
            continue
        text = (
            f"{counted(group.n_levels, group.factor)} say little about how much such levels differ: "
            f"{listed(left)} {'is' if len(left) == 1 else 'are'} mostly what the prior says. "
            f"Set a prior that you can defend, or compare the {group.n_levels} as a predictor."
        )
        is_plain = term.intercept and not term.slopes and not term.crossing
        option = formula_option(_as_predictor(known.request.formula, group)) if is_plain else None
        yield Note(NoteKind.FEW_LEVELS, text, term.columns, option)


def _sds_left(known: Known, group: Group, terms: Sequence[str]) -> list[str]:
    """Return the sds of varying coefficients to which the user has given no prior."""
    sds = [sd_name(group.factor, name) for name in terms]
    return [name for name in sds if not known.is_set_by_user(name)]


def _as_predictor(formula: Formula, group: Group) -> Formula:
    """Return the formula with the levels of a factor as categories of a predictor."""
    left, column = without_group(formula, group.factor), quoted(group.factor)
    term = f"C({column})" if any(number is not None for number in numbers_in(group.labels)) else column
    return left if term in left.terms else replace(left, terms=(*left.terms, term))


def constant_slopes(known: Known) -> Iterator[Note]:
    """Yield a note for each factor with slopes along columns that vary within few of its levels, or within none."""
    for term, group in zip(known.request.formula.groups, known.design.of_mean.groups, strict=True):
        if not term.intercept or group.n_levels == known.design.n_rows:
            continue
        varying = {
            name: _levels_within_which_varies(column, group)
            for name, column in zip(group.terms, group.Z.T, strict=True)
            if name != INTERCEPT
        }
        few = {name: count for name, count in varying.items() if count <= FEW_LEVELS and count < group.n_levels}
        left = _sds_left(known, group, tuple(few))
        if not left:
            continue
        seen = f"{both(list(few))} {'is' if len(few) == 1 else 'are'} the same in all rows of each {group.factor}"
        if any(few.values()):
            most = f"{max(few.values())} of {counted(group.n_levels, group.factor)} only"
            seen = f"{both(list(few))} {'varies' if len(few) == 1 else 'vary'} within {most}"
        text = (
            f"{seen}, so that rows of one level show no slope, and slopes can hardly be told from intercepts: "
            f"{both(left)} {'is' if len(left) == 1 else 'are'} mostly what the prior says."
        )
        columns = tuple(dict.fromkeys((*(name for slope in few for name in known.columns_of(slope)), *term.columns)))
        yield Note(NoteKind.CONSTANT_SLOPES, text, columns, _without_slopes(known, term, tuple(few)))


def _levels_within_which_varies(column: NDArray[np.float64], group: Group) -> int:
    """Return within how many levels a column has more than one value."""
    one = np.empty(group.n_levels)
    one[group.codes] = column  # that of the last row of each level
    return int(np.count_nonzero(np.bincount(group.codes[column != one[group.codes]], minlength=group.n_levels)))


def _without_slopes(known: Known, term: GroupTerm, names: Sequence[str]) -> str | None:
    """Return the formula without the slopes that have these coefficients; None where they have others too."""
    own = known.design.group(term.factor).terms
    of_slopes = {
        slope: [name for name in own if name == name_of(slope) or name.startswith(f"{name_of(slope)}[")]
        for slope in term.slopes
    }
    gone = [slope for slope, found in of_slopes.items() if found and set(found) <= set(names)]
    if not gone or set(names) - {name for slope in gone for name in of_slopes[slope]}:
        return None
    kept = tuple(slope for slope in term.slopes if slope not in gone)
    return formula_option(with_group(known.request.formula, term.factor, replace(term, slopes=kept)))


def as_many_effects_as_rows(known: Known) -> Iterator[Note]:
    """Yield a note for each factor with as many effects as rows that leave the scatter of single rows unknown."""
    family = FAMILIES[known.design.family]
    scatter = next((aux.name for aux in family.auxiliaries if aux.name in _SCATTER), None)
    if scatter is None and family.support not in (Support.BINARY, Support.CATEGORIES):
        return  # counts scatter about their mean as much as they must, and effects of rows add to that
    rows = known.design.n_rows
    for term, group in zip(known.request.formula.groups, known.design.of_mean.groups, strict=True):
        effects, sds = group.n_levels * len(group.terms), [sd_name(group.factor, name) for name in group.terms]
        if effects < rows or any(map(known.is_set_by_user, (*sds, scatter or ""))):
            continue
        alone = _share_of_scatter(group) > 1 - EXPLAINED
        if not alone and len(group.terms) == 1:
            continue
        what = scatter or "the scatter of single rows"
        seen = f"{effects:,} effects of {group.factor} for {rows:,} rows:"
        meaning = f"{both([what, *sds])} cannot be told apart; how they share the variation is their priors' choice."
        if not alone:
            meaning = f"{both([what, *sds])} can hardly be told apart, and their priors count for much."
        simpler = replace(term, slopes=term.slopes[:-1]) if term.slopes and term.intercept else None
        option = formula_option(with_group(known.request.formula, term.factor, simpler))
        yield Note(NoteKind.EFFECTS_AS_ROWS, f"{seen} {meaning}", term.columns, option)


def _share_of_scatter(group: Group) -> float:
    """Return how much of independent scatter of equal size the effects of a factor can imitate, from 0 to 1.

    Effects with covariance C give the rows of level j the covariance Z_j C Z_j'. The best C comes by least squares
    over all levels, from S_j = Z_j' Z_j alone: <Z A Z', Z B Z'> = sum_j tr(A S_j B S_j), <I, Z B Z'> = sum_j tr(B S_j).
    """
    size = len(group.terms)
    sums = np.empty((group.n_levels, size, size))
    scaled = group.Z / np.sqrt((group.Z**2).mean(axis=0))
    for i in range(size):
        for k in range(size):
            sums[:, i, k] = np.bincount(group.codes, scaled[:, i] * scaled[:, k], minlength=group.n_levels)
    places = [(i, i) for i in range(size)]
    if group.correlated:
        places += [(i, k) for i in range(size) for k in range(i)]
    basis = np.zeros((len(places), size, size))
    for number, (i, k) in enumerate(places):
        basis[number, i, k] = basis[number, k, i] = 1.0
    products = np.einsum("pab,jbc->pjac", basis, sums)
    gram = np.einsum("pjab,qjba->pq", products, products)
    target = np.einsum("pjaa->p", products)
    best = np.linalg.lstsq(gram, target, rcond=1e-12)[0]
    return float(target @ best) / len(group.codes)


def far_from_zero(known: Known) -> Iterator[Note]:
    """Yield a note for each slope along a column far from 0 that is said to be unrelated to the intercepts there."""
    for term, group in zip(known.request.formula.groups, known.design.of_mean.groups, strict=True):
        if not term.intercept or len(group.terms) == 1 or group.correlated:
            continue
        far = [
            name
            for name, column in zip(group.terms, group.Z.T, strict=True)
            if name != INTERCEPT and not is_indicator(column) and abs(column.mean()) > FAR * column.std()
        ]
        for name in far:
            column = group.Z[:, group.terms.index(name)]
            sds = abs(column.mean()) / column.std()
            average = f"and {name} is {column.mean():.4g} on average, {sds:.0f} sds away"
            text = (
                f"|| says that intercepts and slopes are unrelated at {name} = 0, {average}. Among the data they are "
                f"then as good as tied to each other, and the fit depends on where {name} has its 0: center it, or let "
                "| estimate the correlation."
            )
            yield Note(
                NoteKind.FAR_FROM_ZERO, text, (*known.columns_of(name), *term.columns), _centred(known, term, name)
            )


def _centred(known: Known, term: GroupTerm, name: str) -> str | None:
    """Return the formula with a slope along a centred column, where it is a column."""
    if name not in map(column_of, term.slopes):
        return None
    slopes = tuple(f"center({slope})" if column_of(slope) == name else slope for slope in term.slopes)
    return formula_option(with_group(known.request.formula, term.factor, replace(term, slopes=slopes)))
