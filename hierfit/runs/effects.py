"""A finished run x a question about its predictors -> the answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hierfit.posterior.effects.answer import Effect, EffectScale, answer
from hierfit.posterior.effects.averages import Groups
from hierfit.posterior.effects.questions import Question
from hierfit.runs.finished import Opened, open_fit

ALL_PREDICTORS = Question()


@dataclass(frozen=True)
class EffectsRequest:
    """What is asked.

    Attributes:
        question: about which predictors, at which values, over which rows.
        scale: on what scale.
        groups: what stands for the groups of a row.
        parameter: of the outcome's distribution, by its name; None for the outcome.
        ci: probability of intervals; that of the fit where it is None.
    """

    question: Question = ALL_PREDICTORS
    scale: EffectScale = EffectScale.RESPONSE
    groups: Groups = Groups.OWN
    parameter: str | None = None
    ci: float | None = None


@dataclass(frozen=True, eq=False)
class Effects:
    """The answer of a run.

    Attributes:
        run: the run.
        request: what was asked.
        ci: probability of the intervals.
        effects: line by line.
    """

    run: Opened
    request: EffectsRequest
    ci: float
    effects: tuple[Effect, ...]


def effects_of(run: Path, request: EffectsRequest) -> Effects:
    """Return what changes of predictors do to the outcome, on average over the rows of the data.

    Raises:
        RunFolderError: there is no such run.
        UsageError: the model has not what is asked for.
        DataError, FormulaError: a term has no value at what is asked for.
    """
    opened = open_fit(run)
    ci = request.ci or opened.record.request.ci
    found = answer(opened.draws, opened.design, request.question, request.scale, request.groups, request.parameter, ci)
    return Effects(opened, request, ci, found)
