"""Notes about predictors of numbers: together they make up the outcome, or say the same as each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.separation import is_indicator
from hierfit.model.families import FAMILIES, Support
from hierfit.model.grammar import column_of, quoted
from hierfit.model.plain_terms import pair_in
from hierfit.notes.note import Known, Note, NoteKind
from hierfit.notes.options import formula_option, without_terms
from hierfit.notes.words import both
from hierfit.notes.working import EVERY_ROW, evenly, predictors

Array = NDArray[np.float64]

SAMPLE, LARGE_SAMPLE = 2_000, 20_000
EXACT, ROUNDED, FINEST = 1e-7, 0.02, 6
SPARE_ROWS = 5
COUNTS = 1e-3
# Variance inflation; more of columns that are made from one another, which a column away from 0 is enough for.
INFLATED, INFLATED_BY_MAKING, TAKES_PART = 25.0, 400.0, 0.1
MOST_PAIRS = 3
FAR = 3.0


def outcome_of_predictors(known: Known) -> Iterator[Note]:
    """Yield a note where the outcome is a weighted sum of predictors in every row, but for rounding."""
    design = known.design
    if FAMILIES[design.family].support in (Support.BINARY, Support.CATEGORIES) or not design.coefficients:
        return
    if design.n_rows < len(design.coefficients) + 1 + SPARE_ROWS:
        return
    weights = _exact_weights(design, evenly(design, SAMPLE))
    if weights is not None and design.n_rows > SAMPLE:
        weights = _exact_weights(design, EVERY_ROW)
    if weights is None:
        return
    scale = float(design.y.std())
    parts = {
        name: f"{weight * scale / sd:.4g} {name}"
        for name, weight, sd in zip(design.coefficients, weights.tolist(), design.X.std(axis=0).tolist(), strict=True)
        if abs(weight) > COUNTS
    }
    text = (
        f"{design.response} is {' + '.join(parts.values()).replace('+ -', '- ')} in all {design.n_rows:,} rows, but "
        "for a constant and rounding: predictors that make up the outcome explain all of it, and the coefficients only "
        "repeat how."
    )
    about = dict.fromkeys(column for name in parts for column in known.columns_of(name))
    yield Note(NoteKind.SUM_OF_PREDICTORS, text, (known.request.formula.response, *about))


def _exact_weights(design: Design, rows: slice) -> Array | None:
    """Return the weights of the sum that the outcome is in these rows, per sd of both; None where it is none."""
    columns, y = predictors(design, rows), design.y[rows]
    scaled = (y - y.mean()) / y.std() if np.ptp(y) > 0 else y
    weights = np.linalg.lstsq(columns, scaled, rcond=None)[0]
    most = max(EXACT, min(ROUNDED, 0.51 * _unit(y) / float(y.std()))) if np.ptp(y) > 0 else 0.0
    return weights[int(design.has_level) :] if np.abs(scaled - columns @ weights).max() <= most else None


def _unit(values: Array) -> float:
    """Return the unit to which values are rounded, 1, 0.1, ..., or 0 where they have more digits than these."""
    for digits in range(FINEST + 1):
        scaled = values * 10**digits
        if np.abs(scaled - np.round(scaled)).max() < 1e-6 * max(1.0, float(np.abs(scaled).max()) * 1e-6):
            return float(10.0**-digits)
    return 0.0


def near_collinear(known: Known) -> Iterator[Note]:
    """Yield one note that names the predictors which the others say nearly as well."""
    design = known.design
    if len(design.coefficients) < 2:
        return
    columns = predictors(design, evenly(design, LARGE_SAMPLE))[:, int(design.has_level) :]
    columns /= np.sqrt(np.maximum((columns**2).sum(axis=0), 1e-300))  # a sample may lack a rare level
    related = np.asarray(columns.T @ columns, dtype=np.float64)
    inverse = np.asarray(np.linalg.pinv(related, hermitian=True), dtype=np.float64)
    found = list(_sets(known, related, inverse, len(columns)))
    if not found:
        return
    names, inflation = found[0]
    about = tuple(dict.fromkeys(column for name in names for column in known.columns_of(name)))
    first, second = (design.coefficients.index(name) for name in names[:2])
    seen = f"{both(names)} go together nearly exactly"
    if len(names) == 2:
        seen += f" (r = {_correlation(related[first, second])})"
    more = f"; {both([' with '.join(others) for others, _ in found[1:MOST_PAIRS]])} too" if len(found) > 1 else ""
    text = (
        f"{seen}{more}: the standard errors of their coefficients are {np.sqrt(inflation):.0f} times what they would "
        "be for unrelated columns, and the rows tell only a combination of them well."
    )
    yield Note(NoteKind.NEAR_COLLINEAR, text, about, _remedy(known, names))


def _sets(known: Known, related: Array, inverse: Array, rows: int) -> Iterator[tuple[list[str], float]]:
    """Yield names that go together, each in one set, with the factor by which a variance is inflated, worst first."""
    design, seen = known.design, set[int]()
    free = (rows - 1) / max(1, rows - len(related))  # few rows make any columns go together
    inflations = np.diag(inverse) / free
    for index in np.argsort(-inflations).tolist():
        if inflations[index] < INFLATED or index in seen:
            continue
        weights = np.abs(inverse[index] / inverse[index, index])
        weights[index] = np.inf
        order = np.argsort(-weights)
        taking = [k for k in order.tolist() if weights[k] > TAKES_PART][: MOST_PAIRS + 1]
        seen |= set(taking)
        names = [design.coefficients[k] for k in sorted(taking)]
        if len(taking) > 1 and inflations[index] >= _enough(known, taking):
            yield names, float(inflations[index])


def _enough(known: Known, taking: Sequence[int]) -> float:
    """Return from which inflation on columns are worth a note.

    The levels of columns of words are not: they go together where few rows have the level that is left out.
    """
    design = known.design
    if all(is_indicator(design.X[:, k]) for k in taking) and len(taking) > 2:
        return np.inf
    about = [set(known.columns_of(design.coefficients[k])) for k in taking]
    made = any(one & other for place, one in enumerate(about) for other in about[:place])
    return INFLATED_BY_MAKING if made else INFLATED


def _correlation(r: float) -> str:
    """Return a correlation near 1 or -1 with as many digits as tell it from that."""
    digits = int(np.clip(2 - np.floor(np.log10(max(1 - abs(r), 1e-9))), 3, 9)) - 1
    return f"{r:.{digits}f}"


def _remedy(known: Known, names: Sequence[str]) -> str | None:
    """Return the formula with a column far from 0 centred, if they are made from it, else without the last column."""
    formula = known.request.formula
    about = [known.columns_of(name) for name in names]
    if set.intersection(*map(set, about)):
        far = [
            column
            for column in dict.fromkeys(sum(about, ()))
            if column in known.table.numbers and _is_far(known.table.numbers[column])
        ]
        terms = [_centred(term, far[0]) for term in formula.terms] if len(far) == 1 else [None]
        return None if None in terms else formula_option(replace(formula, terms=tuple(filter(None, terms))))
    paired = {column for term in formula.terms for column in (pair_in(term) or ())}
    single = set(map(column_of, formula.terms)) - paired
    alone = [name for name in names if name in single]
    return formula_option(without_terms(formula, alone[-1:])) if alone else None


def _is_far(values: Array) -> bool:
    return bool(abs(values.mean()) > FAR * values.std())


def _centred(term: str, column: str) -> str | None:
    """Return a term with a column less its mean; None where it is more than columns."""
    columns = [column_of(term)] if column_of(term) is not None else pair_in(term)
    if columns is None:
        return None
    return ":".join(f"center({quoted(name)})" if name == column else quoted(name) for name in columns if name)
