"""Answers -> sentences: what a reader has to know before a number is used, and what the numbers are of."""

from __future__ import annotations

from hierfit.posterior.digits import format_count, format_rhat, format_share
from hierfit.posterior.hypotheses.answers import Answer, Answers
from hierfit.posterior.hypotheses.tree import name_in_text
from hierfit.posterior.verdict import THRESHOLDS, ess_wanted
from hierfit.posterior.words import what_disagrees


def cautions(answers: Answers) -> list[str]:
    """Return what is wrong with single answers: draws without a value, chains that disagree, few effective draws."""
    found = []
    for row in answers.rows:
        found += _without_value(row) + _mixing(row, answers.chains)
    for name, full in (answers.shared or {}).items():
        what = f"the parameter; the effect of the level is {name_in_text(full)}"
        found.append(f"{name_in_text(name)} is {what}.")
    return found


def _without_value(row: Answer) -> list[str]:
    if not row.without_value:
        return []
    total = row.draws + row.without_value
    why = ", ".join(f"{reason} ({count:,})" for reason, count in row.reasons.items())
    share = f"{row.without_value:,} of {total:,} draws ({format_share(row.without_value / total)})"
    left = "the numbers are of the others" if row.draws else "there is nothing to say"
    return [f"{row.expression} has no value in {share}: {why}; {left}."]


def _mixing(row: Answer, chains: int) -> list[str]:
    rhat, ess = THRESHOLDS["rhat"].warn, ess_wanted(chains)
    said = []
    if row.rhat > rhat:
        said.append(f"R-hat {format_rhat(row.rhat)} (want < {rhat:g}): {what_disagrees(chains)}")
    least = min(row.ess_bulk, row.ess_tail)
    if least < ess:
        said.append(f"ESS {format_count(least)} (want {ess:g}): few effective draws")
    return [f"{row.expression}: {'; '.join(said)}. More draws: hierfit extend."] if said else []


def explanations(answers: Answers) -> list[str]:
    """Return what the numbers are of, where that is not plain."""
    found = []
    if any(row.is_difference for row in answers.rows):
        found.append(
            "Mean, sd and interval of a comparison of two quantities are those of their difference, left - right."
        )
    points = [row for row in answers.rows if not row.is_claim and row.evidence_ratio == row.evidence_ratio]
    if points:
        found.append(
            "The evidence of = is posterior over prior density where both sides agree (Savage-Dickey): below 1 it is "
            "against."
        )
    found += [f"{row.expression} has no evidence ratio: {row.no_ratio}." for row in answers.rows if row.no_ratio]
    if answers.effects:
        found.append(f"{answers.effects[0]} is the level's deviation from the population value.")
    if answers.rope is not None:
        low, high = answers.rope
        found.append(f"ROPE: from {low:g} to {high:g}.")
    return found
