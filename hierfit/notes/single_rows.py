"""Notes about single rows that carry a coefficient: what changes when one is left out, by linear approximation.

Least squares on the working outcome, after the means of the factor that explains most have been taken out as far as
the effects of a mixed model take them out (quasi-demeaning: a level of n rows keeps the share 1 - sqrt(s^2 / (s^2 + n
t^2)) less of its mean). A row with leverage h and residual e moves the coefficients by (X'X)^-1 x e / (1 - h); over
the standard errors without that row these are DFBETAS (Belsley, Kuh, Welsch 1980). Letters: N rows, K columns.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design, Group
from hierfit.model.grammar import INTERCEPT
from hierfit.notes.note import Known, Note, NoteKind
from hierfit.notes.working import predictors, working_outcome

Array = NDArray[np.float64]

MOVES, SMALLER = 1.0, 0.8
# How improbable a residual must be by the t distribution; less where the working outcome has heavier tails than that,
# and never where the model expects far ones, or the outcome has two values, a few, or none beyond 0 and 1.
CHANCE, CHANCES = (
    1e-7,
    {"gaussian": 1e-3, "lognormal": 1e-3, "student": 0.0, "bernoulli": 0.0, "cumulative": 0.0, "beta": 0.0},
)
LEVERAGE, ISOLATED, ALONE = 0.5, 10.0, 1 - 1e-6
FEWEST_FREE, MOST_TRIED, ALL_ROWS = 5, 5, 20_000


@dataclass(frozen=True)
class _Moves:
    """What leaving out each of R rows does.

    Attributes:
        rows: which rows [R].
        names: the coefficients, the intercept among them [K].
        betas: by how many standard errors it moves each [R, K].
        sigma: how many times the sd of the residuals without it their sd is [R].
        leverage: of each row, 1 where a coefficient rests on it alone [R].
        outlying: the residual without the row over its own sd, t distributed [R].
        free: the degrees of freedom of these.
    """

    rows: NDArray[np.int64]
    names: tuple[str, ...]
    betas: Array
    sigma: Array
    leverage: Array
    outlying: Array
    free: int


def carrying_row(known: Known) -> Iterator[Note]:
    """Yield a note on the row whose leaving out changes most, where that is far more than chance would."""
    design = known.design
    if design.n_rows - design.X.shape[1] < FEWEST_FREE or not (design.has_level or design.coefficients):
        return
    moves = _leave_each_out(design)
    betas = np.where(moves.leverage[:, np.newaxis] < ALONE, moves.betas, 0.0)
    for place in np.argsort(-betas.max(axis=1))[:MOST_TRIED].tolist():
        index, row = int(np.argmax(betas[place])), int(moves.rows[place])
        if betas[place, index] < MOVES:
            return
        name = moves.names[index]
        if _outlies(moves, place, design):
            yield _note(known, moves, place, index, design.response)
            return
        if name in design.coefficients and moves.leverage[place] > LEVERAGE and _is_isolated(design, name, row):
            yield _note(known, moves, place, index, name)
            return


def _outlies(moves: _Moves, place: int, design: Design) -> bool:
    """Whether a residual is far more than chance would make it."""
    chance = _by_chance(float(moves.outlying[place]), moves.free, design.n_rows)
    return chance < CHANCES.get(design.family, CHANCE)


def _by_chance(outlying: float, free: int, rows: int) -> float:
    """Return how probable one such residual or a larger is among so many rows, at most.

    The t distribution by way of the normal (Wallace 1959, Annals of Mathematical Statistics 30(4)), which is good to a
    few hundredths of z and spares the import of scipy.
    """
    z = math.sqrt(free * math.log1p(outlying**2 / free)) * (8 * free + 1) / (8 * free + 3)
    return math.erfc(z / math.sqrt(2)) * rows


def _is_isolated(design: Design, name: str, row: int) -> bool:
    """Whether a row lies far from the middle half of a column, and all others not half as far."""
    column = design.X[:, design.coefficients.index(name)]
    low, middle, high = np.percentile(column, [25, 50, 75])
    away = np.abs(column - middle)
    return bool(high > low and away[row] > ISOLATED * (high - low) and (np.delete(away, row) < away[row] / 2).all())


def _note(known: Known, moves: _Moves, place: int, index: int, what: str) -> Note:
    """Return the note on a row that carries a coefficient by what it has of the outcome or of a predictor."""
    design, row, name = known.design, int(moves.rows[place]), moves.names[index]
    outlies = what == design.response
    values = design.y if outlies else design.X[:, index - len(moves.names) + len(design.coefficients)]
    others, sigma = np.delete(values, row), 1 / float(moves.sigma[place])
    too = f", and sigma be {sigma:.0%} of what it is" if design.is_scaled and sigma < SMALLER else ""
    text = (
        f"{design.place(row).capitalize()} carries {name}: without that row it would change by about "
        f"{moves.betas[place, index]:.2g} of its standard errors{too}. {what} is {values[row]:.6g} there, and between "
        f"{others.min():.4g} and {others.max():.4g} in all others: check whether that is a slip."
    )
    option = "--family student" if outlies and design.family == "gaussian" else None
    about = dict.fromkeys((*known.columns_of(name), design.response))
    return Note(NoteKind.CARRYING_ROW, text, tuple(about), option)


def _leave_each_out(design: Design) -> _Moves:
    """Return what leaving out each row does; of many rows, only of those at the ends of a column."""
    columns = predictors(design)
    y = working_outcome(design) - (0.0 if design.offset is None else design.offset)
    if design.n_rows <= ALL_ROWS:
        columns, y = _without_group_means(columns, y, design)
    inverse = np.linalg.pinv(columns.T @ columns, hermitian=True)
    left = y - columns @ (inverse @ (columns.T @ y))
    rows = np.arange(design.n_rows) if design.n_rows <= ALL_ROWS else _at_the_ends(columns, left)
    some, residuals = columns[rows], left[rows]
    solved = some @ inverse
    leverage = np.minimum((some * solved).sum(axis=1), 1.0)
    free = design.n_rows - columns.shape[1] - 1
    room = np.maximum(1 - leverage, 1e-12)
    variance = np.maximum(float(left @ left) - residuals**2 / room, 1e-12 * float(y @ y)) / free
    moved = np.abs(solved * (residuals / room)[:, np.newaxis])
    betas = _ratio(moved, np.sqrt(variance[:, np.newaxis] * np.diag(inverse)))
    sigma = np.sqrt(_ratio(np.full(len(rows), float(left @ left) / (free + 1)), variance))
    names = (*([INTERCEPT] if design.has_level else []), *design.coefficients)
    return _Moves(rows, names, betas, sigma, leverage, _ratio(residuals, np.sqrt(variance * room)), free)


def _ratio(over: Array, under: Array) -> Array:
    """Return one over the other, 0 where nothing is left to compare with: all is explained, or a column is 0."""
    return np.divide(over, under, out=np.zeros_like(over), where=under > 0)


def _at_the_ends(columns: Array, left: Array) -> NDArray[np.int64]:
    ends = [function(column) for column in (*columns.T, left) for function in (np.argmin, np.argmax)]
    return np.unique(np.array(ends, dtype=np.int64))


def _without_group_means(columns: Array, y: Array, design: Design) -> tuple[Array, Array]:
    """Return predictors and outcome less the share of their means by level that a varying intercept takes up."""
    left = y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0]
    parts = [(part, group) for group in design.of_mean.groups if (part := _variances(left, group)) is not None]
    if not parts:
        return columns, y
    (between, within), group = max(parts, key=lambda part: part[0][0])
    rows = group.rows_per_level
    share = 1 - np.sqrt(within / (within + rows * between))

    def less(values: Array) -> Array:
        means = np.bincount(group.codes, values, minlength=group.n_levels) / rows
        return np.asarray(values - (share * means)[group.codes])

    return np.column_stack([less(column) for column in columns.T]), less(y)


def _variances(left: Array, group: Group) -> tuple[float, float] | None:
    """Return the variance between and within the levels of a factor by analysis of variance; None without any."""
    rows, total = group.rows_per_level, len(left)
    if total - group.n_levels < FEWEST_FREE:
        return None
    sums = np.bincount(group.codes, left, minlength=group.n_levels)
    between = float((sums**2 / rows).sum())
    within = (float(left @ left) - between) / (total - group.n_levels)
    typical = (total - float((rows**2).sum()) / total) / (group.n_levels - 1)
    found = (between / (group.n_levels - 1) - within) / typical
    return (found, within) if found > 0 and within > 0 else None
