"""Effects -> their title, and the cells of their table."""

from __future__ import annotations

from hierfit.posterior.digits import format_row, format_share
from hierfit.posterior.effects.answer import RATIOS, line_name
from hierfit.posterior.effects.questions import EffectScale
from hierfit.runs.effects import Effects, over_words
from hierfit.told.cells import interval_title


def effects_title(found: Effects) -> str:
    """Return what the numbers are, of which rows, and of what mass their intervals."""
    request, design = found.request, found.run.design
    what = request.parameter or design.response
    if request.scale is EffectScale.RATIO:
        said = f"{RATIOS[design.link].capitalize()}s of {what}"
    else:
        said = f"{'Averages' if request.question.marginal else 'Average effects'} of {what}"
        said = said if request.question.marginal else said.replace(" of ", " on ")
        said += " on the scale of the link" if request.scale is EffectScale.LINK else ""
    return f"{said}, over {over_words(found)} · {interval_title(found.ci)}s"


def effects_cells(found: Effects) -> list[list[str]]:
    """Return the cells of the table, its header first."""
    compares = not found.request.question.marginal
    nothing = "1" if found.request.scale is EffectScale.RATIO else "0"
    rows = [["", "mean", "sd", "lower", "upper", *([f"P(> {nothing})"] if compares else [])]]
    for effect in found.effects:
        numbers = format_row(effect.mean, effect.sd, effect.lower, effect.upper, effect.mcse_mean)
        rows.append([line_name(effect, effect.category), *numbers, *([format_share(effect.above)] if compares else [])])
    return rows
