"""A finished run x a question about its predictors -> the answer, and a picture of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hierfit.disk.new_file import written_whole
from hierfit.model.families import FAMILIES, Support
from hierfit.posterior.effects.answer import RATIOS, Answered, Effect, EffectScale, answered, summarized
from hierfit.posterior.effects.averages import GROUPS_WORDS, Groups
from hierfit.posterior.effects.questions import Question
from hierfit.posterior.pictures import format_of_name
from hierfit.posterior.scale import event, link_words, outcome_words, support_of
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
        answered: the draws that these are summaries of.
    """

    run: Opened
    request: EffectsRequest
    ci: float
    effects: tuple[Effect, ...]
    answered: tuple[Answered, ...]


def effects_of(run: Path, request: EffectsRequest) -> Effects:
    """Return what changes of predictors do to the outcome, on average over the rows of the data.

    Raises:
        RunFolderError: there is no such run.
        UsageError: the model has not what is asked for.
        DataError, FormulaError: a term has no value at what is asked for.
    """
    opened = open_fit(run)
    ci = request.ci or opened.record.request.ci
    asked = request.question, request.scale, request.groups, request.parameter
    found = answered(opened.draws, opened.design, *asked)
    return Effects(opened, request, ci, summarized(found, request.scale, ci), found)


def draw(found: Effects, path: Path) -> str:
    """Draw an answer into a new file, whose name says the format; return the caption.

    Raises:
        DiskError: it could not be written.
    """
    from hierfit.posterior.plots.answers import Told, draw_answer
    from hierfit.posterior.plots.saving import save_figure

    request, compares = found.request, not found.request.question.marginal
    nothing = (1.0 if request.scale is EffectScale.RATIO else 0.0) if compares else None
    about = f"averages over the {found.run.design.n_rows:,} rows of the data"
    if found.run.design.groups:
        about += f", {GROUPS_WORDS[request.groups]}"
    plate = draw_answer(found.answered, Told(_quantity(found), about, found.ci, nothing))
    file_format = format_of_name(path)
    assert file_format is not None
    with written_whole(path) as part:
        save_figure(plate.figure, part, plate.caption, file_format)
    return plate.caption


def _quantity(found: Effects) -> str:
    """Return what the numbers are of."""
    request, design = found.request, found.run.design
    if request.scale is EffectScale.RATIO:
        what = event(design) if support_of(design) is Support.BINARY else design.response
        return f"{RATIOS[design.link]} of {what}"
    if request.parameter is not None:
        what = request.parameter
    elif FAMILIES[design.family].has_thresholds and request.scale is EffectScale.RESPONSE:
        what = f"probability of {design.response}"
    else:
        what = link_words(design) if request.scale is EffectScale.LINK else outcome_words(design)
    return what if request.question.marginal else f"change of {what}"
