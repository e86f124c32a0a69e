"""A finished run x a question about its predictors -> the answer, and a picture of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hierfit.design.reference_grid import Grid
from hierfit.disk.new_file import written_whole
from hierfit.model.families import FAMILIES, Support
from hierfit.posterior.effects.answer import RATIOS, Answered, Effect, answered, summarized
from hierfit.posterior.effects.averages import GROUPS_WORDS
from hierfit.posterior.effects.questions import EffectScale, Groups, Question
from hierfit.posterior.pictures import format_of_name
from hierfit.posterior.scale import event, link_words, outcome_words, support_of
from hierfit.posterior.words import listed
from hierfit.runs.finished import Opened, open_fit

ALL_PREDICTORS = Question()
_NAMED = 5  # columns of a grid that are named


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
        grid: the rows that were averaged over; those of the data where it is None.
    """

    run: Opened
    request: EffectsRequest
    ci: float
    effects: tuple[Effect, ...]
    answered: tuple[Answered, ...]
    grid: Grid | None


def effects_of(run: Path, request: EffectsRequest) -> Effects:
    """Return what changes of predictors do to the outcome, on average over the rows of the data.

    Raises:
        RunFolderError: there is no such run.
        UsageError: the model has not what is asked for.
        DataError, FormulaError: a term has no value at what is asked for.
    """
    return effects_in(open_fit(run), request)


def effects_in(opened: Opened, request: EffectsRequest) -> Effects:
    """Return the same of a run that is open; errors as `effects_of`, but those of the folder."""
    ci = request.ci or opened.record.request.ci
    asked = request.question, request.scale, request.groups, request.parameter
    found = answered(opened.draws, opened.design, *asked)
    return Effects(opened, request, ci, summarized(found.lines, request.scale, ci), found.lines, found.grid)


def over_words(found: Effects) -> str:
    """Return what was averaged over: "the 1,500 rows of the data, as in an average group"."""
    groups = f", {GROUPS_WORDS[found.request.groups]}" if found.run.design.groups else ""
    if found.grid is None:
        return f"the {found.run.design.n_rows:,} rows of the data{groups}"
    parts = []
    if found.grid.levels:
        parts.append(f"levels of {listed(found.grid.levels, _NAMED)} weighted equally")
    means = [f"{name} at {mean:.4g}" for name, mean in found.grid.means.items()]
    if means:
        parts.append(f"{listed(means, _NAMED)}, {'its mean' if len(means) == 1 else 'their means'}")
    return f"the reference grid ({'; '.join(parts)}){groups}"


def draw(found: Effects, path: Path) -> str:
    """Draw an answer into a new file, whose name says the format; return the caption.

    Raises:
        DiskError: it could not be written.
    """
    from hierfit.posterior.plots.answers import Told, draw_answer
    from hierfit.posterior.plots.saving import save_figure

    request, compares = found.request, not found.request.question.marginal
    nothing = (1.0 if request.scale is EffectScale.RATIO else 0.0) if compares else None
    plate = draw_answer(found.answered, Told(_quantity(found), f"averages over {over_words(found)}", found.ci, nothing))
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
