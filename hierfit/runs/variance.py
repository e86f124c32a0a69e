"""A finished run x values of columns -> how its variance divides, and R2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hierfit.posterior.summary import interval_bounds
from hierfit.posterior.variance.answer import VarianceAnswer, answer
from hierfit.runs.finished import Opened, open_fit


@dataclass(frozen=True, eq=False)
class Variance:
    """The answer of a run.

    Attributes:
        run: the run.
        ci: probability of the intervals.
        answer: what was asked.
    """

    run: Opened
    ci: float
    answer: VarianceAnswer


def variance_of(run: Path, at: Mapping[str, Sequence[float | str]], ci: float | None = None) -> Variance:
    """Return how the variance of the outcome of a run divides, where columns are held at each of these values, and R2.

    Raises:
        RunFolderError: there is no such run.
        UsageError: a column is none of the predictors, a value none of its own, or there are no groups.
        DataError, FormulaError: a term has no value there.
    """
    return variance_in(open_fit(run), at, ci)


def variance_in(opened: Opened, at: Mapping[str, Sequence[float | str]], ci: float | None = None) -> Variance:
    """Return the same of a run whose draws are at hand; errors as there."""
    ci = ci or opened.record.request.ci
    seed = opened.record.request.sampler.seed or 1
    found = answer(opened.draws, opened.design, at, interval_bounds(ci), seed)
    return Variance(opened, ci, found)
