"""Question -> its answer: a summary of every line, category by category."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hierfit.design.design import Design
from hierfit.design.reference_grid import Grid, reference_grid
from hierfit.errors import UsageError
from hierfit.plain import Measured
from hierfit.posterior.convergence import assess
from hierfit.posterior.draws import Draws
from hierfit.posterior.effects.averages import Averaging, Point, averages, averaging
from hierfit.posterior.effects.lines import Line, lines_of
from hierfit.posterior.effects.questions import EffectScale, Groups, Question, Weights
from hierfit.posterior.predict.quantities import Asked, Scale, quantities
from hierfit.posterior.summary import interval_bounds

Array = NDArray[np.float64]
# exp of a difference of these links is a ratio, with its name.
RATIOS = {"log": "rate ratio", "logit": "odds ratio"}


@dataclass(frozen=True)
class Effect:
    """One line of the answer, of one category.

    Attributes:
        of: the predictor, None for an average of rows as they are.
        what: what is compared, or the level of an average.
        at, by: column -> the value that it has there.
        category: of the outcome, None where it has none.
        mean, sd, lower, upper: of the posterior.
        above: probability that it is above 0, or a ratio above 1; None for an average.
        mcse_mean, rhat, ess_bulk, ess_tail: as in a summary.
    """

    of: str | None
    what: str
    at: Mapping[str, str]
    by: Mapping[str, str]
    category: str | None
    mean: Measured
    sd: Measured
    lower: Measured
    upper: Measured
    above: Measured
    mcse_mean: Measured
    rhat: Measured
    ess_bulk: Measured
    ess_tail: Measured


@dataclass(frozen=True, eq=False)
class Answered:
    """One line of the answer, of one category, before it is summarised.

    Attributes:
        line: what is compared.
        category: of the outcome, None where it has none.
        values: the average, difference or ratio under every draw [chains, iterations].
    """

    line: Line
    category: str | None
    values: Array

    @property
    def mean(self) -> float:
        """The posterior mean."""
        return float(self.values.mean())

    def bounds(self, ci: float) -> tuple[float, float]:
        """The equal-tailed interval of that probability."""
        lower, upper = np.quantile(self.values, interval_bounds(ci)).tolist()
        return lower, upper


@dataclass(frozen=True, eq=False)
class Answers:
    """The answer before it is summarised.

    Attributes:
        lines: line by line, category by category.
        grid: the rows that were averaged over; those of the fit where it is None.
    """

    lines: tuple[Answered, ...]
    grid: Grid | None


def line_name(line: Line | Effect, category: str | None, without: str | None = None) -> str:
    """Return what a line says, as tables and pictures name it: "ses: +1 unit, sector = Public"; without a column."""
    parts = [] if line.of is None else [f"{line.of}: {line.what}"]
    parts += [f"{column} = {value}" for column, value in {**line.at, **line.by}.items() if column != without]
    if category is not None:
        parts.append(f"probability of {category}")
    return ", ".join(parts)


def answer(
    draws: Draws,
    design: Design,
    question: Question,
    scale: EffectScale,
    groups: Groups,
    parameter: str | None,
    ci: float,
) -> tuple[Effect, ...]:
    """Return the answer to a question; arguments and errors as `answered`."""
    return summarized(answered(draws, design, question, scale, groups, parameter).lines, scale, ci)


def answered(
    draws: Draws,
    design: Design,
    question: Question,
    scale: EffectScale,
    groups: Groups,
    parameter: str | None = None,
) -> Answers:
    """Return draws of the answer to a question, of the outcome or of a `parameter` of its distribution.

    Raises:
        UsageError: the model has not what is asked for.
        DataError, FormulaError: a term has no value at what is asked for.
    """
    asked = Asked(Scale.RESPONSE if scale is EffectScale.RESPONSE else Scale.LINK, parameter)
    quantities(design, asked)  # refuses a parameter that is not there
    grid = _grid(design, question, groups)
    lines = lines_of(question, design, grid)
    if scale is EffectScale.RATIO:
        _refuse_ratio(design, question, groups, parameter)
    values = _values(lines, averaging(draws, design, asked, groups, grid))
    named = design.categories if len(values[0]) > 1 else (None,)
    found = []
    for line, own in zip(lines, values, strict=True):
        for category, of_draws in zip(named, own, strict=True):
            shown = np.exp(of_draws) if scale is EffectScale.RATIO else of_draws
            found.append(Answered(line, category, shown.reshape(draws.n_chains, -1)))
    return Answers(tuple(found), grid)


def summarized(found: Sequence[Answered], scale: EffectScale, ci: float) -> tuple[Effect, ...]:
    """Return summaries of draws of an answer."""
    return tuple(_effect(one, scale, ci) for one in found)


def _refuse_ratio(design: Design, question: Question, groups: Groups, parameter: str | None) -> None:
    if question.marginal:
        raise UsageError("--scale ratio compares, and --marginal does not.", hint="leave one of them out")
    if groups is Groups.AVERAGE_OVER:
        raise UsageError(
            "--scale ratio is of linear predictors, on which averaging over groups says nothing new.",
            hint="--groups own, or --scale response",
        )
    if parameter is not None or design.link not in RATIOS:
        what = f"the parameter {parameter}" if parameter is not None else f"the link {design.link}"
        raise UsageError(
            f"--scale ratio: exp of a difference is no ratio for {what}.", hint="--scale response or --scale link"
        )


def _grid(design: Design, question: Question, groups: Groups) -> Grid | None:
    if question.weights is Weights.PROPORTIONAL:
        return None
    if groups is Groups.OWN and design.groups:
        raise UsageError(
            "--weights equal: rows of the reference grid are in no group, and have no effects of their own groups.",
            hint="--groups none or --groups average-over",
        )
    return reference_grid(design)


def _values(lines: Sequence[Line], how: Averaging) -> list[Array]:
    """Return the draws of each line, category by category [C, S]; what lines share is computed once."""
    points: list[Point] = []
    places: dict[str, int] = {}

    def place(point: Point) -> int:
        key = repr(sorted(point.items()))
        if key not in places:
            places[key] = len(points)
            points.append(point)
        return places[key]

    weights: list[Array] = []
    rows: dict[bytes, int] = {}
    for line in lines:
        key = line.weights.tobytes()
        if key not in rows:
            rows[key] = len(weights)
            weights.append(line.weights)
    ends = [(place(line.plus), None if line.minus is None else place(line.minus)) for line in lines]
    found = averages(how, points, np.stack(weights))
    values = []
    for line, (plus, minus) in zip(lines, ends, strict=True):
        of_rows = rows[line.weights.tobytes()]
        difference = found[plus, of_rows] - (0.0 if minus is None else found[minus, of_rows])
        values.append(difference / line.per)
    return values


def _effect(one: Answered, scale: EffectScale, ci: float) -> Effect:
    line, values = one.line, one.values
    known = assess(values[:, :, None])
    nothing = 1.0 if scale is EffectScale.RATIO else 0.0
    return Effect(
        line.of,
        line.what,
        line.at,
        line.by,
        one.category,
        one.mean,
        float(values.std(ddof=1)),
        *one.bounds(ci),
        float((values > nothing).mean()) if line.minus is not None else float("nan"),
        float(known.mcse_mean[0]),
        float(known.rhat[0]),
        float(known.ess_bulk[0]),
        float(known.ess_tail[0]),
    )
