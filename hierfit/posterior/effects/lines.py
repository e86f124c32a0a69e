"""What is asked about predictors -> the lines of the answer: which points are compared, over which rows.

Rows are those of the fit, or those of a reference grid. A column of numbers moves: by an amount for the derivative, too
small to matter, or by a step. A predictor of levels is compared level by level. Either may be held at values (`at`) and
looked at within levels of another column (`by`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product

import numpy as np
from numpy.typing import NDArray

from hierfit.design import moments
from hierfit.design.axes import Factor, factors, number_axes
from hierfit.design.design import Design
from hierfit.design.moved_rows import Added, Held
from hierfit.design.reference_grid import Grid
from hierfit.errors import UsageError, did_you_mean
from hierfit.posterior.effects.averages import Point
from hierfit.posterior.effects.questions import Contrasts, Question

Array = NDArray[np.float64]
# A derivative is what a change by this share of an sd makes, per unit: of its digits, rounding leaves as many.
_NEARLY_NOTHING = 1e-5


@dataclass(frozen=True, eq=False)
class Line:
    """One line of the answer: an average, or the difference of two, per unit where it is a derivative.

    Attributes:
        of: the predictor; None for an average over rows as they are.
        what: "Private - Public", "+1 unit", or the level of an average.
        at, by: column -> the value that it has there.
        plus, minus: the points; None where nothing is subtracted.
        weights: of rows [N]: their shares, and for a derivative what their own change is less than `per`.
        per: what the difference is divided by, too.
    """

    of: str | None
    what: str
    at: Mapping[str, str]
    by: Mapping[str, str]
    plus: Point
    minus: Point | None
    weights: Array
    per: float = 1.0


def lines_of(question: Question, design: Design, grid: Grid | None = None) -> list[Line]:
    """Return the lines of the answer, over the rows of a grid where there is one.

    Raises:
        UsageError: a column is none of the predictors, a value none of its own, or options contradict each other.
    """
    axes = _Axes(design, grid)
    for column in question.of:
        axes.require(column, "--of")
        if column in question.at:
            raise UsageError(f"{column} is to move (--of) and to be held (--at).", hint="leave one of them out")
    others = tuple(column for column in axes.columns if column not in question.at)
    wanted: tuple[str | None, ...] = question.of or ((None,) if question.marginal else others)
    numbers = [column for column in question.of if column in axes.numbers]
    if question.marginal and numbers:
        raise UsageError(
            f"--marginal: {numbers[0]} is a column of numbers, without levels.",
            hint=f"--marginal --at {numbers[0]}=0,1",
        )
    if question.step is not None and question.of and not numbers:
        raise UsageError(f"--step: {question.of[0]} is no column of numbers.", hint="leave --step out")
    if not wanted:
        raise UsageError(
            "The model has no predictors that could move.", hint="hierfit summarize RUN shows its parameters"
        )
    found: list[Line] = []
    for moving, (held, at), (inside, by) in product(wanted, axes.grid(question.at), axes.subsets(question.by)):
        weights = inside / inside.sum()
        if moving is None:
            found.append(Line(None, "", at, by, held, None, weights))
        elif moving in axes.numbers:
            found.append(axes.moved(moving, question.step, held, at, by, weights))
        else:
            found += axes.compared(moving, question, held, at, by, weights)
    return found


def held_at(design: Design, at: Mapping[str, Sequence[float | str]]) -> list[tuple[Point, Mapping[str, str]]]:
    """Return the points at which columns are held, in all combinations, and how their values are called.

    Raises:
        UsageError: a column is none of the predictors, or a value none of its own.
    """
    return list(_Axes(design).grid(at))


class _Axes:
    """The predictors of a design along which something can be asked."""

    def __init__(self, design: Design, grid: Grid | None = None) -> None:
        terms = design.all_terms
        assert design.inputs is not None
        self.data = design.inputs
        self.inputs = design.inputs if grid is None else grid.inputs
        self.levels: dict[str, Factor] = {own.column: own for own in factors(terms, self.inputs)}
        self.numbers = tuple(column for column in number_axes(terms) if column not in self.levels)
        self.columns = tuple(dict.fromkeys((*number_axes(terms), *self.levels)))
        of_rows = design.weights if grid is None else None
        self.weights = np.ones(self.inputs.n_rows) if of_rows is None else np.asarray(of_rows, np.float64)
        self.is_grid = grid is not None
        self.groups = {group.factor: group for group in design.groups}

    def require(self, column: str, option: str) -> None:
        if column not in self.columns:
            raise UsageError(
                f"{option} {column}: the model has no such predictor.{did_you_mean(column, self.columns)}",
                hint=f"predictors: {', '.join(self.columns)}" if self.columns else "the model has no predictors",
            )

    def grid(self, at: Mapping[str, Sequence[float | str]]) -> Iterator[tuple[Point, Mapping[str, str]]]:
        """Yield what is held, and how it is called: all combinations."""
        values: list[list[tuple[str, Held, str]]] = []
        for column, wanted in at.items():
            self.require(column, "--at")
            values.append([(column, *self._held(column, value)) for value in wanted])
        for chosen in product(*values):
            yield {name: held for name, held, _ in chosen}, {name: text for name, _, text in chosen}

    def _held(self, column: str, value: float | str) -> tuple[Held, str]:
        if column in self.numbers:
            try:
                return Held(float(value)), f"{float(value):.10g}"
            except ValueError:
                raise UsageError(
                    f"--at {column}={value}: {column} is a column of numbers.", hint=f"for example --at {column}=0,1"
                ) from None
        labels = self.levels[column].labels
        if str(value) not in labels:
            raise UsageError(
                f"--at {column}={value}: {column} has no such level.{did_you_mean(str(value), labels)}",
                hint=f"levels: {', '.join(labels)}",
            )
        return self._level(column, labels.index(str(value))), str(value)

    def _level(self, column: str, at: int) -> Held:
        value = self.levels[column].values[at]
        return Held(value if isinstance(value, str) else float(value))

    def subsets(self, by: str | None) -> Iterator[tuple[Array, Mapping[str, str]]]:
        """Yield how much rows count [N], and what they have in common."""
        if by is None:
            yield self.weights, {}
            return
        if by in self.levels:
            labels, codes = self.levels[by].labels, self.levels[by].codes
        elif by in self.groups and self.is_grid:
            raise UsageError(
                f"--by {by}: with --weights equal there are no rows of the data, and no {by} of theirs.",
                hint="leave one of them out",
            )
        elif by in self.groups:
            labels, codes = self.groups[by].labels, self.groups[by].codes.astype(np.int64)
        elif by in self.numbers:
            raise UsageError(f"--by {by}: a column of numbers has no levels.", hint=f"hold it at values: --at {by}=0,1")
        else:
            known = (*self.levels, *self.groups)
            raise UsageError(
                f"--by {by}: the model has no such column of levels.{did_you_mean(by, known)}",
                hint=f"columns: {', '.join(known)}" if known else "leave --by out",
            )
        for code, label in enumerate(labels):
            inside = self.weights * (codes == code)
            if inside.any():
                yield inside, {by: label}

    def moved(
        self,
        column: str,
        step: float | None,
        held: Point,
        at: Mapping[str, str],
        by: Mapping[str, str],
        weights: Array,
    ) -> Line:
        """Return the line of a column of numbers."""
        if step is not None:
            return Line(column, f"{step:+.10g}", at, by, {**held, column: Added(step)}, held, weights)
        values, of_data = self.inputs.numbers[column], self.data.numbers[column]
        low, high = float(of_data.min()), float(of_data.max())
        half = _NEARLY_NOTHING * float(moments.sd(of_data)) / 2
        up, down = Added(half, low, high), Added(-half, low, high)
        # At the ends of the column, beyond which splines are nothing, the change is to one side alone.
        change = up.to(values) - down.to(values)
        per = 2 * half
        return Line(
            column, "per unit", at, by, {**held, column: up}, {**held, column: down}, weights * per / change, per
        )

    def compared(
        self,
        column: str,
        question: Question,
        held: Point,
        at: Mapping[str, str],
        by: Mapping[str, str],
        weights: Array,
    ) -> Iterator[Line]:
        """Yield the lines of a predictor of levels."""
        labels = self.levels[column].labels
        points = [{**held, column: self._level(column, place)} for place in range(len(labels))]
        if question.marginal:
            for label, point in zip(labels, points, strict=True):
                yield Line(column, label, at, by, point, None, weights)
            return
        places = range(len(labels))
        pairs = {
            Contrasts.REFERENCE: [(0, other) for other in places[1:]],
            Contrasts.PAIRWISE: list(combinations(places, 2)),
            Contrasts.SEQUENTIAL: list(pairwise(places)),
        }[question.contrasts]
        for before, after in pairs:
            what = f"{labels[after]} - {labels[before]}"
            yield Line(column, what, at, by, points[after], points[before], weights)
